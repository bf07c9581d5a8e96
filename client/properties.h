/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stddef.h>
#include <systemd/sd-bus.h>

/* A property that somebody wants: its type on the bus, and where its value goes. */
struct property {
        const char *name;
        const char *type; /* "s", "u", "t", "b" or "as" */
        size_t offset;    /* of a const char *, uint32_t, uint64_t, int or char ** */
};

void texts_free(char **texts);
int properties_read(sd_bus_message *m, const struct property *wanted, void *target);
