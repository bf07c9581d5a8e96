/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stddef.h>

/*
 * Numbers below this one are in every table. The kernel copies a table in words of this many bits, and never less than
 * one; what it copied in vain it would close, and wait. See dup_fd() and __close_range() in its fs/file.c.
 */
#define TABLE_FIRST 64

/* What becomes of the descriptors from TABLE_FIRST up when a thread leaves its table. */
struct table_split {
        int sockets[2]; /* a connected pair of stream sockets, below TABLE_FIRST; borrowed */
        int null_fd;    /* /dev/null, below TABLE_FIRST; borrowed */
        int *taken;     /* those that are in the new table, too, ascending */
        size_t n_taken;
        int *own; /* those of them that are nobody else's */
        size_t n_own;
        size_t n_sent; /* messages */
};

int table_reserve(int null_fd);
int table_prepare(struct table_split *split, int *left, size_t n_left, int *lent, size_t n_lent);
int table_leave(struct table_split *split);
void table_strip(const struct table_split *split, int event_fd);
void table_forsake(void);
void table_split_clear(struct table_split *split);
