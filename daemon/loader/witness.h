/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/* A text in memory that shows whether somebody has read it to its end. */
struct witness {
        const char *text;
        char *last; /* the page with nothing but the text's NUL in it */
        size_t page;
};

int witness_place(struct witness *ret, const char *text);
int witness_was_read(const struct witness *witness);
