/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <libkmod.h>
#include <stdbool.h>
#include <stddef.h>

#include "cleanup.h"
#include "module-array.h"

/* A kernel's modules, and how they are found. */
struct resolver {
        struct kmod_ctx *context;
        char *release;
        struct module_array foreign; /* files that are none of this kernel's tree */
};

/* A module that a target stands for. */
struct match {
        struct kmod_module *module; /* NULL if the file's name or kind is not that of a module */
        const char *file;           /* as it was given; NULL if the module was found by name */
        int fd;                     /* of that file, or -1 */
        bool aliased;               /* found by another name than its own */
};

struct matches {
        struct match *items;
        size_t n;
};

int resolver_new(const char *root, const char *release, struct resolver **ret);
void resolver_expect(struct resolver *resolver, size_t n);
int resolver_report(int error);
struct resolver *resolver_free(struct resolver *resolver);
int resolver_find(struct resolver *resolver, const char *target, struct matches *ret);
int resolver_is_blacklisted(struct resolver *resolver, struct kmod_module *module);
bool target_is_file(const char *target);
void matches_clear(struct matches *matches);

DEFINE_CLEANUP(struct resolver *, resolver_free);
