/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <sys/types.h>

/* Described in systemd/moduled.catalog. */
#define JOURNAL_MODULE_LOADED "c27afa63badf458bb67ff05d8f192ef5"
#define JOURNAL_LOAD_REFUSED "a5296f9c60fb4d918dd11e3a0ce70312"
#define JOURNAL_LOAD_FAILED "d67f05f5243845368accfa4d55678a6f"
#define JOURNAL_MODULE_UNLOADED "4d7966bc4e074379b748adbb9f35cc4d"
#define JOURNAL_UNLOAD_FAILED "51df86eabf164baea95963787178c414"

/* What happened to a request. Strings are escaped by journal_write(), but for the message; NULL is left out. */
struct journal_entry {
        const char *message_id;
        int priority; /* as in syslog(3) */
        const char *message; /* a sentence in printable ASCII: whatever of it came from outside is escaped already */
        uid_t uid;
        pid_t pid; /* 0 if not known */
        const char *unit;
        const char *module;
        const char *path;
        const char *origin;
        const char *parameters;
        const char *result; /* "done", or the name of the error */
};

struct journal;

int journal_new(struct journal **ret);
struct journal *journal_free(struct journal *journal);
void journal_write(struct journal *journal, const struct journal_entry *entry);
