/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stdint.h>
#include <sys/types.h>
#include <systemd/sd-event.h>

#define JOURNAL_SOCKET "/run/systemd/journal/socket"
/* In µs: as long as journald's own limit of what one service may write is counted (RateLimitIntervalSec=). */
#define JOURNAL_INTERVAL (30 * UINT64_C(1000000))

/* Described in systemd/moduled.catalog. */
#define JOURNAL_MODULE_LOADED "c27afa63badf458bb67ff05d8f192ef5"
#define JOURNAL_LOAD_REFUSED "a5296f9c60fb4d918dd11e3a0ce70312"
#define JOURNAL_LOAD_FAILED "d67f05f5243845368accfa4d55678a6f"
#define JOURNAL_MODULE_UNLOADED "4d7966bc4e074379b748adbb9f35cc4d"
#define JOURNAL_UNLOAD_FAILED "51df86eabf164baea95963787178c414"
#define JOURNAL_SUPPRESSED "6a1fc0b6531d47e29db7887e7752a0b0"

/* The result of what was loaded or unloaded. */
#define JOURNAL_DONE "done"

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
        const char *result; /* JOURNAL_DONE, or the name of the error */
};

struct journal;

int journal_new(sd_event *event, const char *path, uint64_t interval, struct journal **ret);
struct journal *journal_free(struct journal *journal);
void journal_write(struct journal *journal, const struct journal_entry *entry);
