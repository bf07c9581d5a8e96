/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Entries
 *
 * What libkmod makes of modprobe.d, as bytes: for each entry its kind, one letter, its key and its value, each with its
 * NUL; and a last one of a kind of its own, so that what is cut short is noticed. They come through a pipe, and are kept
 * as they came.
 */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "entries.h"

/* The last one, without key and value. */
#define END_READ '.'
#define END_NO_LIBRARY '!'

/**
 * entries_put() - write an entry
 * @f:          where to; its errors are the caller's to notice
 * @kind:       the entry's kind
 * @key:        its key
 * @value:      its value, or NULL
 */
void entries_put(FILE *f, enum entry_kind kind, const char *key, const char *value) {
        fprintf(f, "%c%s%c%s%c", (char) kind, key, '\0', value ? value : "", '\0');
}

/**
 * entries_end() - write that these were all
 * @f:          where to
 * @outcome:    what came of it; ENTRIES_NO_LIBRARY is without entries
 */
void entries_end(FILE *f, enum entries_outcome outcome) {
        fprintf(f, "%c%c%c", outcome == ENTRIES_READ ? END_READ : END_NO_LIBRARY, '\0', '\0');
}

/* Return: what comes after the string, or NULL if it has no end. */
static const char *skip(const char *string, const char *end) {
        const char *p = memchr(string, '\0', (size_t) (end - string));

        return p ? p + 1 : NULL;
}

/* Return: what comes after the record, or NULL if it is none. */
static const char *take_record(const char *bytes, const char *end, struct entry *ret) {
        const char *value, *next;

        value = end - bytes > 1 ? skip(bytes + 1, end) : NULL;
        next = value ? skip(value, end) : NULL;
        if (next)
                *ret = (struct entry){ .kind = (enum entry_kind) * bytes, .key = bytes + 1, .value = value };
        return next;
}

/**
 * entries_decode() - understand what came out of the pipe
 * @bytes:      all of it; taken over if it is understood and something was read
 * @size:       how much of it
 * @ret:        the entries; to be given to entries_clear()
 *
 * Return: 0, ENTRIES_NO_LIBRARY, or -EBADMSG if it is nothing that entries_put() and entries_end() write.
 */
int entries_decode(char *bytes, size_t size, struct entries *ret) {
        const char *p = bytes, *end = bytes + size, *next;
        struct entry entry;

        while ((next = take_record(p, end, &entry))) {
                bool is_last = next == end && entry.key[0] == '\0' && entry.value[0] == '\0';

                switch ((int) entry.kind) {
                case ENTRY_BLACKLIST:
                case ENTRY_INSTALL:
                        if (entry.value[0] != '\0')
                                return -EBADMSG;
                        break;
                case ENTRY_OPTIONS:
                        break;
                case END_READ:
                        if (!is_last)
                                return -EBADMSG;
                        *ret = (struct entries){ .bytes = bytes, .size = (size_t) (p - bytes) };
                        return ENTRIES_READ;
                case END_NO_LIBRARY:
                        return is_last && p == bytes ? ENTRIES_NO_LIBRARY : -EBADMSG;
                default:
                        return -EBADMSG;
                }
                p = next;
        }
        return -EBADMSG;
}

/**
 * entries_next() - the next entry
 * @entries:    the entries
 * @position:   where it is; 0 for the first one, then as it was left
 * @ret:        the entry; its texts belong to the entries
 *
 * Return: whether there is one.
 */
bool entries_next(const struct entries *entries, size_t *position, struct entry *ret) {
        const char *end = entries->bytes + entries->size, *next;

        if (*position == entries->size)
                return false;
        next = take_record(entries->bytes + *position, end, ret);
        *position = (size_t) (next - entries->bytes);
        return true;
}

/**
 * entries_clear() - give back what entries hold
 * @entries:    the entries; valid and empty afterwards
 */
void entries_clear(struct entries *entries) {
        free(entries->bytes);
        *entries = (struct entries){ 0 };
}
