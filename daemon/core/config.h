/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stdbool.h>
#include <sys/queue.h>

/* One entry of the allowlist. Strings belong to the struct. */
struct origin {
        char *name;
        char *directory; /* absolute, %r replaced */
        char *file;      /* where the section first stood */
        unsigned line;
        TAILQ_ENTRY(origin) link;
};

TAILQ_HEAD(origin_list, origin);

/* A list of shell patterns of module names, - and _ alike. */
struct patterns {
        char **items; /* ends with NULL, or is NULL */
        size_t n;
};

struct config {
        struct origin_list origins; /* in the order of the configuration */
        struct patterns allow;      /* empty: every name */
        struct patterns deny;
        bool allow_forced;
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

bool config_allows_name(const struct config *config, const char *name, const char **ret_pattern);
