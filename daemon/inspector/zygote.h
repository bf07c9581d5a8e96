/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "module-name.h"

/* Each may take SANDBOX_MEMORY_MAX and a processor; more only wait for each other. */
#define ZYGOTE_CHILDREN_MAX 4

/* One is asked for at a time; but one before it may still be ending, or hang where nothing can end it. */
#define ZYGOTE_READERS_MAX 4
#define ZYGOTE_READER_ID 0

enum zygote_order_kind {
        ZYGOTE_START = 1, /* with two descriptors: the file, and the pipe for the answer */
        ZYGOTE_READ,      /* with two: the copy of modprobe.d, and the pipe for the entries */
        ZYGOTE_KILL,
};

/* From the broker to the zygote; one packet each, as all of this. */
struct zygote_order {
        uint32_t kind;
        uint32_t id;      /* ZYGOTE_READER_ID for those that read modprobe.d, and for no other */
        uint32_t seconds; /* of processor time, for ZYGOTE_START and ZYGOTE_READ */
        char expected[MODULE_NAME_MAX + 1];
};

/* From the zygote to the broker, once for each ZYGOTE_START, when all is over. */
struct zygote_report {
        uint32_t id;
        int32_t error;  /* negative errno: there was no child */
        int32_t status; /* of the child, as from waitpid(2) */
};

/* What the broker holds of it. */
struct zygote_link {
        int socket; /* -1: the zygote is known to be gone */
        pid_t pid;  /* not waited for before the end, so it is nobody else's */
};

int zygote_start(struct zygote_link *ret);
void zygote_end(struct zygote_link *link);
int zygote_send_order(const struct zygote_link *link, const struct zygote_order *order, int file, int pipe);
int zygote_receive_report(const struct zygote_link *link, struct zygote_report *ret);
bool zygote_has_orders(const struct zygote_link *link);
