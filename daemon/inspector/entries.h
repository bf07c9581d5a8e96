/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

enum entries_outcome {
        ENTRIES_READ = 0,
        ENTRIES_NO_LIBRARY, /* libkmod is not there */
};

enum entry_kind {
        ENTRY_BLACKLIST = 'b',
        ENTRY_INSTALL = 'i',
        ENTRY_OPTIONS = 'o',
};

struct entry {
        enum entry_kind kind;
        const char *key;
        const char *value; /* of ENTRY_OPTIONS, else empty */
};

/* Whole records, one after the other. */
struct entries {
        char *bytes;
        size_t size;
};

void entries_put(FILE *f, enum entry_kind kind, const char *key, const char *value);
void entries_end(FILE *f, enum entries_outcome outcome);
int entries_decode(char *bytes, size_t size, struct entries *ret);
bool entries_next(const struct entries *entries, size_t *position, struct entry *ret);
void entries_clear(struct entries *entries);
