/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "resolve.h"

/* What a file says of one parameter; texts are not terminated where they have a length. */
struct info_parameter {
        const char *name;
        size_t name_length;
        const char *description; /* NULL if the file gives none */
        const char *type;        /* likewise */
};

/* What a module's file says of the module. */
struct info {
        char *file;                /* absolute, or "(builtin)" */
        const char *builtin_name;  /* NULL if it is in a file of its own */
        struct kmod_list *entries; /* keys and values, as they stand in the file; the signature's last */
        struct info_parameter *parameters; /* borrowed from @entries; last first, as modinfo(8) has them */
        size_t n_parameters;
};

int info_read(const struct match *match, struct info *ret);
bool info_is_parameter(const char *key);
void info_clear(struct info *info);
