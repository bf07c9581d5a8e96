/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "resolve.h"

/* A file that is to be loaded. */
struct plan_item {
        char *name; /* the module's, or the file's if it is no module's */
        int fd;
        unsigned group;   /* of the target that it is for */
        unsigned softdep; /* 0 if that cannot be loaded without it; else the soft dependency that it is for */
        bool is_target;
        bool is_loaded; /* by us */
};

/* What a command has to load, in order. */
struct plan {
        struct plan_item *items;
        size_t n;
        unsigned n_groups;
};

int plan_add(struct plan *plan, struct resolver *resolver, struct match *match);
int plan_add_plain(struct plan *plan, const char *name, int fd);
void plan_clear(struct plan *plan);
