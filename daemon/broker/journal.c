/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Journal
 *
 * The record of what was loaded, refused and unloaded, for whom. Written in the journal's native protocol on a socket
 * that never waits: sd_journal_send(3) does, once journald has stopped reading. An entry that journald does not take is
 * lost, and how many were is said with the next one that it takes. See systemd's "Native Journal Protocol".
 *
 * journald limits what a service writes, whoever made it write. So that nobody can push the loads out of the record by
 * asking for what is refused, refusals and failures are limited here for each user, and summed up beyond that; what was
 * done is always written.
 */

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <syslog.h>

#include "cleanup.h"
#include "escape.h"
#include "journal.h"

#define FIELD_MAX 4096

/* More than a person causes by mistake in an interval; with all accounts together less than journald's limit. */
#define BURST 20
/*
 * Users who are told apart; the others share the last account. Somebody with subordinate uids (subuid(5)) can be
 * thousands of users.
 */
#define ACCOUNTS_MAX 64

/* What a user was refused in the present interval. */
struct account {
        uid_t uid;
        uint64_t end; /* of the interval: CLOCK_MONOTONIC, in µs; 0: the account is free */
        unsigned written;
        unsigned long suppressed;
};

struct journal {
        int socket;
        struct sockaddr_un address;
        unsigned long lost;
        uint64_t interval;
        sd_event *event;
        sd_event_source *timer; /* for the interval that ends first */
        struct account accounts[ACCOUNTS_MAX + 1];
};

#define OTHERS ACCOUNTS_MAX

DEFINE_CLEANUP(struct journal *, journal_free);

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

static void put_entry(FILE *f, const struct journal_entry *entry, unsigned long lost,
                      unsigned long suppressed) {
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
        if (suppressed > 0)
                put_number(f, "MODULED_SUPPRESSED", (long long) suppressed);
}

static bool send_entry(struct journal *journal, const struct journal_entry *entry,
                       unsigned long suppressed) {
        _cleanup_free_ char *text = NULL;
        size_t size = 0;
        FILE *f;

        f = open_memstream(&text, &size);
        if (!f)
                return false;
        put_entry(f, entry, journal->lost, suppressed);
        if (fclose(f) != 0 ||
            sendto(journal->socket, text, size, MSG_DONTWAIT | MSG_NOSIGNAL,
                   (const struct sockaddr *) &journal->address, sizeof journal->address) < 0)
                return false;
        journal->lost = 0;
        return true;
}

/* What cannot be said now stays in the account. */
static void sum_up(struct journal *journal, struct account *account) {
        bool is_others = account == &journal->accounts[OTHERS];
        struct journal_entry entry = {
                .message_id = JOURNAL_SUPPRESSED,
                .priority = LOG_WARNING,
                .uid = is_others ? (uid_t) -1 : account->uid,
        };
        _cleanup_free_ char *sentence = NULL;
        int n;

        if (is_others)
                n = asprintf(&sentence, "%lu further requests of other users were refused or failed.",
                             account->suppressed);
        else
                n = asprintf(&sentence, "%lu further requests of uid %ju were refused or failed.",
                             account->suppressed, (uintmax_t) account->uid);
        if (n < 0)
                return;
        entry.message = sentence;
        if (send_entry(journal, &entry, account->suppressed))
                account->suppressed = 0;
}

static uint64_t now(const struct journal *journal) {
        uint64_t usec = 0;

        (void) sd_event_now(journal->event, CLOCK_MONOTONIC, &usec);
        return usec;
}

/* Without a timer the sum is written with the end of the service. */
static void set_timer(struct journal *journal) {
        uint64_t first = UINT64_MAX;

        for (size_t i = 0; i <= OTHERS; i++)
                if (journal->accounts[i].end > 0 && journal->accounts[i].end < first)
                        first = journal->accounts[i].end;
        (void) sd_event_source_set_time(journal->timer, first);
        (void) sd_event_source_set_enabled(journal->timer,
                                           first < UINT64_MAX ? SD_EVENT_ONESHOT : SD_EVENT_OFF);
}

/* Who goes on without a pause gets a sum after each interval and no burst again. */
static int on_timer(sd_event_source *source, uint64_t usec, void *userdata) {
        struct journal *journal = userdata;

        (void) source;
        (void) usec;
        for (size_t i = 0; i <= OTHERS; i++) {
                struct account *account = &journal->accounts[i];

                if (account->end == 0 || account->end > now(journal))
                        continue;
                if (account->suppressed == 0) {
                        *account = (struct account){ 0 };
                        continue;
                }
                sum_up(journal, account);
                account->end = now(journal) + journal->interval;
        }
        set_timer(journal);
        return 0;
}

static struct account *find_account(struct journal *journal, uid_t uid) {
        struct account *free_one = &journal->accounts[OTHERS];

        if (uid == (uid_t) -1)
                return free_one;
        for (size_t i = OTHERS; i-- > 0;) {
                struct account *account = &journal->accounts[i];

                if (account->end > 0 && account->uid == uid)
                        return account;
                if (account->end == 0)
                        free_one = account;
        }
        return free_one;
}

/* Return: true if the user has been refused so much in this interval that it is only counted. */
static bool suppress(struct journal *journal, uid_t uid) {
        struct account *account = find_account(journal, uid);

        if (account->end == 0) {
                *account = (struct account){ .uid = uid, .end = now(journal) + journal->interval };
                set_timer(journal);
        }
        if (account->written >= BURST) {
                account->suppressed++;
                return true;
        }
        account->written++;
        return false;
}

/**
 * journal_new() - make a journal
 * @event:      the event loop
 * @path:       journald's socket
 * @interval:   how often one user's refusals are summed up, in µs
 * @ret:        the journal; owned by the caller
 *
 * Without journald there is nothing to write to, and entries get lost quietly.
 *
 * Return: 0, -ENAMETOOLONG, or another negative errno.
 */
int journal_new(sd_event *event, const char *path, uint64_t interval, struct journal **ret) {
        _cleanup_(journal_freep) struct journal *journal = NULL;
        int r;

        journal = calloc(1, sizeof *journal);
        if (!journal)
                return -ENOMEM;
        journal->interval = interval;
        journal->event = sd_event_ref(event);
        journal->address.sun_family = AF_UNIX;
        journal->socket = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        if (journal->socket < 0)
                return -errno;
        if (strlen(path) >= sizeof journal->address.sun_path)
                return -ENAMETOOLONG;
        strcpy(journal->address.sun_path, path);
        r = sd_event_add_time(event, &journal->timer, CLOCK_MONOTONIC, UINT64_MAX, 0, on_timer, journal);
        if (r < 0)
                return r;
        set_timer(journal);
        *ret = take_pointer(&journal);
        return 0;
}

/**
 * journal_free() - sum up what there is to be summed up, and give back a journal
 * @journal:    the journal, or NULL
 *
 * Return: NULL.
 */
struct journal *journal_free(struct journal *journal) {
        if (!journal)
                return NULL;
        for (size_t i = 0; i <= OTHERS; i++)
                if (journal->accounts[i].suppressed > 0)
                        sum_up(journal, &journal->accounts[i]);
        sd_event_source_unref(journal->timer);
        sd_event_unref(journal->event);
        cleanup_closep(&journal->socket);
        free(journal);
        return NULL;
}

/**
 * journal_suppresses() - is a user refused so much that the next refusal would only be counted
 * @journal:    the journal
 * @uid:        the user
 */
bool journal_suppresses(struct journal *journal, uid_t uid) {
        const struct account *account = find_account(journal, uid);

        return account->end > 0 && account->written >= BURST;
}

/**
 * journal_write() - write an entry
 * @journal:    the journal
 * @entry:      the entry
 *
 * Never waits. An entry whose result is not JOURNAL_DONE may be left out and only counted.
 */
void journal_write(struct journal *journal, const struct journal_entry *entry) {
        bool is_done = entry->result && strcmp(entry->result, JOURNAL_DONE) == 0;

        if (!is_done && suppress(journal, entry->uid))
                return;
        if (!send_entry(journal, entry, 0))
                journal->lost++;
}
