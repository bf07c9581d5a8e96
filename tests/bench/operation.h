/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <systemd/sd-bus.h>

/* As many as a chain has modules, and a few before and after. */
#define OPERATIONS_MAX 40
#define ARGUMENT_MAX 512

enum kind {
        LOAD,     /* FILE: by moduled */
        UNLOAD,   /* NAME: by moduled */
        CHAIN,    /* N:FILE: LoadMany of N files, % in FILE is 0000 to N-1 */
        CHECK,    /* FILE: what Load would say */
        REFUSED,  /* FILE: Load, which must be refused because of its origin */
        LIMITED,  /* FILE: the same, or because there are too many of them */
        POLKIT,   /* FILE: the question that moduled asks when it is to load this one, asked by root */
        VERSION,  /* a property of moduled's: the shortest call that the broker answers itself */
        HOSTNAME, /* a property of systemd-hostnamed's */
        INSERT,   /* FILE: the bare system call */
        REMOVE,   /* NAME: the bare system call */
        KINDS,
};

struct operation {
        enum kind kind;
        char argument[ARGUMENT_MAX];
};

int operation_parse(const char *text, struct operation *ret);
int operation_send(const struct operation *operation, unsigned index, sd_bus *bus, sd_bus *root,
                   sd_bus_message_handler_t answer, void *userdata, sd_bus_slot **ret);
int operation_judge(const struct operation *operation, sd_bus_message *reply);
