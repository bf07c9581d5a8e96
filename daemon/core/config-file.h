/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "config.h"

/* A place in a file of the configuration; in a callback all but argument and key are set. Strings are borrowed. */
struct config_place {
        const char *file;
        unsigned line;
        const char *section;  /* "Origin" of [Origin vendor] */
        const char *argument; /* "vendor" of [Origin vendor], or NULL */
        const char *key;      /* NULL at the section's head */
};

typedef int (*config_assign_t)(const struct config_place *place, const char *value, void *userdata);

int config_file_read(const char *path, int fd, config_assign_t assign, void *userdata,
                     struct config_error *error);
int config_error_set(struct config_error *error, const struct config_place *place, const char *format, ...)
                __attribute__((format(printf, 3, 4)));
