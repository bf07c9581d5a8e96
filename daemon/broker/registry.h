/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>
#include <sys/types.h>

/* A module that moduled loaded. */
struct module {
        char *name;
        char *path;
        char *origin;
        char *parameters;
        uid_t loaded_by;
        uint64_t loaded_at; /* µs, realtime */
        bool written;       /* into the state */
        TAILQ_ENTRY(module) link;
};

TAILQ_HEAD(module_list, module);

struct registry {
        struct module_list modules; /* in the order in which they were loaded */
        size_t n_modules;
        char *directory; /* where the state is kept */
};

int registry_new(const char *directory, struct registry **ret);
struct registry *registry_free(struct registry *registry);
struct module *registry_find(struct registry *registry, const char *name);
int registry_add(struct registry *registry, const struct module *module, struct module **ret);
void registry_remove(struct registry *registry, struct module *module);
