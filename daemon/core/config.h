/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/queue.h>

#include "limit.h"

/* A list of words. */
struct words {
        char **items; /* ends with NULL, or is NULL */
        size_t n;
};

/* What Require= can name. */
enum requirement {
        REQUIREMENT_READ_ONLY, /* of the superblock */
        REQUIREMENT_DM_VERITY, /* of the superblock's device */
        REQUIREMENT_FS_VERITY, /* of the file */
        REQUIREMENT_MAX_,
};

/* One entry of the allowlist. Strings belong to the struct. */
struct origin {
        char *name;
        char *directory;               /* absolute, %r replaced */
        char *mount_point;             /* the same; NULL: any */
        struct words filesystem_types; /* none: any */
        bool requires[REQUIREMENT_MAX_];
        char *file; /* where the section first stood */
        unsigned line;
        TAILQ_ENTRY(origin) link;
};

TAILQ_HEAD(origin_list, origin);

struct config {
        struct origin_list origins; /* in the order of the configuration */
        struct words allow;         /* shell patterns of module names, normalized; none: every name */
        struct words deny;          /* the same; none: no name */
        bool allow_forced;
        struct limits limits;
};

/* What is wrong in which place. Any of the strings may be NULL, line may be 0. */
struct config_error {
        char *file;
        unsigned line;
        char *key;
        char *reason;
};

int config_load(const char *root, struct config **ret, struct config_error *error);
struct config *config_free(struct config *config);
void config_error_clear(struct config_error *error);
char *config_error_format(const struct config_error *error);

const char *requirement_name(enum requirement requirement);
bool config_allows_name(const struct config *config, const char *name, const char **ret_pattern);
