/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stddef.h>
#include <stdint.h>

/* The kernel has no limit but the longest string it copies; what is longer than a page is no list of parameters. */
#define PROTOCOL_PARAMETERS_MAX 4095
#define PROTOCOL_TEXT_MAX 4095
/* SCM_MAX_FD: what the kernel sends in one message at the most. All are received, so that all can be closed. */
#define PROTOCOL_FDS_MAX 253

enum request_kind {
        REQUEST_LOAD = 1,   /* descriptor, parameters, flags */
        REQUEST_UNLOAD = 2, /* name */
};

/* What the broker asks of the loader: one message, with the descriptor beside it. */
struct loader_request {
        uint32_t kind;
        uint32_t flags;                         /* as for finit_module(2), but MODULE_INIT_COMPRESSED_FILE */
        char text[PROTOCOL_PARAMETERS_MAX + 1]; /* parameters or name */
};

enum outcome {
        OUTCOME_DONE = 0,
        OUTCOME_REFUSED, /* no origin accepts it: verdict, and a sentence in text */
        OUTCOME_POLICY,  /* denied by moduled.conf: a sentence in text */
        OUTCOME_BUSY,    /* this module is being loaded already: a sentence in text */
        OUTCOME_KERNEL,  /* the kernel said no: error, and its log lines about the module in text */
        OUTCOME_CRASHED, /* the child in the system call was killed */
        OUTCOME_FAILED,  /* the loader could not do its work: error */
};

/* What an errno of the kernel's is about. Those of a module's init are the same numbers as the kernel's own. */
enum cause {
        CAUSE_KERNEL = 0, /* one of the kernel's checks: error says which */
        CAUSE_VERSION,    /* the module was built for another kernel */
        CAUSE_SYMBOL,     /* the module needs a symbol that is not there */
        CAUSE_SIGNATURE,  /* the module has no signature that will do */
        CAUSE_PARAMETER,  /* a parameter's value was refused */
        CAUSE_INIT,       /* the module's init returned it */
};

struct loader_reply {
        uint32_t outcome;
        uint32_t verdict;
        uint32_t cause; /* of OUTCOME_KERNEL */
        int32_t error;  /* positive errno */
        char text[PROTOCOL_TEXT_MAX + 1];
};

/* Descriptors as they came with a message; whoever gets them has to close them. */
struct received_fds {
        int fds[PROTOCOL_FDS_MAX];
        size_t n;
};

int protocol_send_request(int socket, const struct loader_request *request, int fd);
int protocol_receive_request(int socket, struct loader_request *ret, struct received_fds *ret_fds);
int protocol_send_reply(int socket, const struct loader_reply *reply);
int protocol_receive_reply(int socket, struct loader_reply *ret);
