/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Journal
 *
 * The record of what was loaded, refused and unloaded, for whom. Written in the journal's native protocol on a socket
 * that never waits: sd_journal_send(3) does, once journald has stopped reading. An entry that journald does not take is
 * lost, and how many were is said with the next one that it takes. See systemd's "Native Journal Protocol".
 */

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "cleanup.h"
#include "escape.h"
#include "journal.h"

#define JOURNAL_SOCKET "/run/systemd/journal/socket"
#define FIELD_MAX 4096

struct journal {
        int socket;
        unsigned long lost;
};

/**
 * journal_new() - make a journal
 * @ret:        the journal; owned by the caller
 *
 * Without journald there is nothing to write to, and entries get lost quietly.
 *
 * Return: 0 or a negative errno.
 */
int journal_new(struct journal **ret) {
        struct journal *journal = calloc(1, sizeof *journal);

        if (!journal)
                return -ENOMEM;
        journal->socket = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        if (journal->socket < 0) {
                int r = -errno;

                free(journal);
                return r;
        }
        *ret = journal;
        return 0;
}

/**
 * journal_free() - give back a journal
 * @journal:    the journal, or NULL
 *
 * Return: NULL.
 */
struct journal *journal_free(struct journal *journal) {
        if (!journal)
                return NULL;
        cleanup_closep(&journal->socket);
        free(journal);
        return NULL;
}

/* Escaped text has no newline, so the protocol's simple form KEY=VALUE does. */
static void put_text(FILE *f, const char *key, const char *value) {
        _cleanup_free_ char *escaped = NULL;

        if (!value)
                return;
        escaped = escape(value, FIELD_MAX);
        if (escaped)
                fprintf(f, "%s=%s\n", key, escaped);
}

static void put_number(FILE *f, const char *key, long long value) {
        fprintf(f, "%s=%lld\n", key, value);
}

static void put_entry(FILE *f, const struct journal_entry *entry, unsigned long lost) {
        if (entry->message)
                fprintf(f, "MESSAGE=%s\n", entry->message);
        put_text(f, "MESSAGE_ID", entry->message_id);
        put_number(f, "PRIORITY", entry->priority);
        put_text(f, "SYSLOG_IDENTIFIER", "moduled");
        if (entry->uid != (uid_t) -1)
                put_number(f, "MODULED_CALLER_UID", entry->uid);
        if (entry->pid > 0)
                put_number(f, "MODULED_CALLER_PID", entry->pid);
        put_text(f, "MODULED_CALLER_UNIT", entry->unit);
        put_text(f, "MODULED_MODULE", entry->module);
        put_text(f, "MODULED_PATH", entry->path);
        put_text(f, "MODULED_ORIGIN", entry->origin);
        put_text(f, "MODULED_PARAMETERS", entry->parameters);
        put_text(f, "MODULED_RESULT", entry->result);
        if (lost > 0)
                put_number(f, "MODULED_LOST_ENTRIES", (long long) lost);
}

/**
 * journal_write() - write an entry
 * @journal:    the journal
 * @entry:      the entry
 *
 * Never waits.
 */
void journal_write(struct journal *journal, const struct journal_entry *entry) {
        static const struct sockaddr_un address = { .sun_family = AF_UNIX, .sun_path = JOURNAL_SOCKET };
        _cleanup_free_ char *text = NULL;
        size_t size = 0;
        FILE *f;

        f = open_memstream(&text, &size);
        if (!f) {
                journal->lost++;
                return;
        }
        put_entry(f, entry, journal->lost);
        if (fclose(f) != 0 || sendto(journal->socket, text, size, MSG_DONTWAIT | MSG_NOSIGNAL,
                                     (const struct sockaddr *) &address, sizeof address) < 0)
                journal->lost++;
        else
                journal->lost = 0;
}
