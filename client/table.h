/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "cleanup.h"
#include "command.h"

enum column_type {
        COLUMN_TEXT,
        COLUMN_LONG, /* text that may be broken into lines where the terminal is narrow */
        COLUMN_NUMBER,
        COLUMN_TIME,
        COLUMN_LIST,
};

struct column {
        const char *name; /* the heading; JSON has it in lower case and with _ for - */
        enum column_type type;
};

struct table;

int table_new(const char *name, const struct column *columns, const unsigned *shown,
              const struct options *options, struct table **ret);
int table_report(int error);
struct table *table_free(struct table *table);
bool table_wants(const struct table *table, unsigned column);
void table_add(struct table *table);
void table_set_text(struct table *table, unsigned column, const char *raw);
void table_set_number(struct table *table, unsigned column, int64_t number);
void table_set_time(struct table *table, unsigned column, uint64_t usec);
void table_set_user(struct table *table, unsigned column, uid_t uid);
void table_set_item(struct table *table, unsigned column, const char *raw);
void table_set_colour(struct table *table, unsigned column, const char *sequence);
int table_print(struct table *table);

/* One past the last of @shown. */
#define COLUMN_END UINT32_MAX

static inline void table_freep(struct table **table) {
        (void) table_free(*table);
}
