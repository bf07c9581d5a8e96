/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>
#include <sys/types.h>

#include "attempt.h"
#include "kernel-log.h"
#include "protocol.h"

struct connection {
        int socket;
        int pipe; /* the child's answer; -1 while there is no child */
        int fd;   /* the module's verified descriptor while the child has it, or -1 */
        uint32_t kind;
        dev_t device;
        ino_t inode; /* of the descriptor; 0 if there is none */
        char *name;
        struct kernel_log_mark mark;
        LIST_ENTRY(connection) link;
};

bool connection_is_at_work(const struct connection *connection);
bool connection_is_given_up(const struct connection *connection);
void connection_end_job(struct connection *connection);
void connection_reply(const struct connection *connection, enum outcome outcome, int verdict, int error,
                      const char *text);
void connection_answer(const struct connection *connection, const struct attempt *attempt);
