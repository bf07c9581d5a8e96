/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stddef.h>

/* Twice what a bus relays in one message; its policy lets through fewer. */
#define INTAKE_MAX 32

/* A descriptor that came in over the bus, and what the message has in its place: a number of /dev/null's, or -1. */
struct arrival {
        int fd;
        int shown;
};

typedef void (*intake_stray_t)(const int *fds, size_t n, void *userdata);

int intake_begin(int stream, intake_stray_t stray, void *userdata);
size_t intake_pending(const struct arrival **ret);
size_t intake_take(struct arrival ret[static INTAKE_MAX]);
void intake_discard(void);
