/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stdint.h>
#include <sys/types.h>

#include "module-name.h"

/* Each may take SANDBOX_MEMORY_MAX and a processor; more only wait for each other. */
#define ZYGOTE_CHILDREN_MAX 4

enum zygote_order_kind {
        ZYGOTE_START = 1, /* with two descriptors: the file, and the pipe for the answer */
        ZYGOTE_KILL,
};

/* From the broker to the zygote; one packet each, as all of this. */
struct zygote_order {
        uint32_t kind;
        uint32_t id;      /* not 0 */
        uint32_t seconds; /* of processor time, for ZYGOTE_START */
        char expected[MODULE_NAME_MAX + 1];
};

/* From the zygote to the broker, once for each ZYGOTE_START, when all is over. */
struct zygote_report {
        uint32_t id;
        int32_t error;  /* negative errno: there was no child */
        int32_t status; /* of the child, as from waitpid(2) */
};

int zygote_start(int *ret_socket, pid_t *ret_pid);
int zygote_send_order(int socket, const struct zygote_order *order, int file, int pipe);
int zygote_receive_report(int socket, struct zygote_report *ret);
