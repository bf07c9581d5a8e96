/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
#include <systemd/sd-event.h>

#include "journal-ids.h"

#define JOURNAL_SOCKET "/run/systemd/journal/socket"
/* In µs: as long as journald's own limit of what one service may write is counted (RateLimitIntervalSec=). */
#define JOURNAL_INTERVAL (30 * UINT64_C(1000000))

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
bool journal_suppresses(struct journal *journal, uid_t uid);
void journal_write(struct journal *journal, const struct journal_entry *entry);
