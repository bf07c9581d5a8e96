/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Caller
 *
 * Asks the bus who a connection belongs to, without waiting for the answer. sd-bus' own sd_bus_query_sender_creds()
 * waits.
 *
 * The bus gives a unique name to one connection only, as long as it runs, and says the same of it each time; see "Unique
 * Connection Name" and GetConnectionCredentials in the D-Bus Specification. So an answer is kept until the connection ends,
 * which the bus tells.
 */

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include "caller.h"
#include "cleanup.h"
#include "intake.h"

#define BUS "org.freedesktop.DBus"

/*
 * The bus answers at once. But dbus-daemon drops what is for a connection that does not keep up with all that it is sent,
 * strangers' descriptors above all, and drops its own answers like anything else. So it is asked again, and in case that it is
 * only slow it has twice as long each time. In µs; and how often.
 */
#define ANSWER_TIMEOUT UINT64_C(1000000)
#define QUESTIONS_MAX 5

/* Connections that are remembered; the one that has not called for longest is forgotten for another. */
#define KNOWN_MAX 128
/* With the NUL. The specification allows for more, but no bus counts so far. */
#define SENDER_MAX 32

struct known {
        uid_t uid;
        pid_t pid;
        TAILQ_ENTRY(known) link;
        char sender[SENDER_MAX];
};

TAILQ_HEAD(known_list, known);

struct callers {
        sd_bus *bus;
        sd_bus_slot *departures;
        callers_gone_t gone;
        void *userdata;
        struct known_list known; /* the latest to call first */
        struct known_list free;
        struct known places[KNOWN_MAX]; /* in one or the other of the lists */
};

struct caller_query {
        struct callers *callers;
        sd_bus_slot *slot;
        char *sender;
        unsigned asked; /* how often */
        caller_answer_t answer;
        void *userdata;
};

static int read_credentials(sd_bus_message *reply, uid_t *ret_uid, pid_t *ret_pid) {
        uint32_t uid = UINT32_MAX, pid = 0;
        int r;

        r = sd_bus_message_enter_container(reply, 'a', "{sv}");
        if (r < 0)
                return r;
        while ((r = sd_bus_message_enter_container(reply, 'e', "sv")) > 0) {
                const char *key;

                r = sd_bus_message_read(reply, "s", &key);
                if (r < 0)
                        return r;
                if (strcmp(key, "UnixUserID") == 0)
                        r = sd_bus_message_read(reply, "v", "u", &uid);
                else if (strcmp(key, "ProcessID") == 0)
                        r = sd_bus_message_read(reply, "v", "u", &pid);
                else
                        r = sd_bus_message_skip(reply, "v");
                if (r < 0)
                        return r;
                r = sd_bus_message_exit_container(reply);
                if (r < 0)
                        return r;
        }
        if (r < 0)
                return r;
        if (uid == UINT32_MAX)
                return -ENODATA;
        *ret_uid = (uid_t) uid;
        *ret_pid = (pid_t) pid;
        return 0;
}

static struct known *find(const struct callers *callers, const char *sender) {
        struct known *known;

        TAILQ_FOREACH(known, &callers->known, link)
                if (strcmp(known->sender, sender) == 0)
                        return known;
        return NULL;
}

static void forget(struct callers *callers, struct known *known) {
        TAILQ_REMOVE(&callers->known, known, link);
        TAILQ_INSERT_HEAD(&callers->free, known, link);
}

/* Where a name is too long for it the bus is asked again. */
static void remember(struct callers *callers, const char *sender, uid_t uid, pid_t pid) {
        size_t size = strlen(sender) + 1;
        struct known *known;

        /* Another query may have been under way for the same. */
        if (size > sizeof known->sender || find(callers, sender))
                return;
        if (TAILQ_EMPTY(&callers->free))
                forget(callers, TAILQ_LAST(&callers->known, known_list));
        known = TAILQ_FIRST(&callers->free);
        TAILQ_REMOVE(&callers->free, known, link);
        known->uid = uid;
        known->pid = pid;
        memcpy(known->sender, sender, size);
        TAILQ_INSERT_HEAD(&callers->known, known, link);
}

static int ask(struct caller_query *query);

static int on_reply(sd_bus_message *reply, void *userdata, sd_bus_error *error) {
        struct caller_query *query = userdata;
        uid_t uid = (uid_t) -1;
        pid_t pid = 0;
        int r;

        (void) error;
        intake_discard();
        if (sd_bus_message_is_method_error(reply, SD_BUS_ERROR_NAME_HAS_NO_OWNER))
                r = -ESRCH;
        else if (sd_bus_message_is_method_error(reply, NULL))
                r = -sd_bus_message_get_errno(reply);
        else
                r = read_credentials(reply, &uid, &pid);
        if (r == -ETIMEDOUT && query->asked < QUESTIONS_MAX && ask(query) >= 0)
                return 0;
        if (r == 0)
                remember(query->callers, query->sender, uid, pid);
        query->answer(r, uid, pid, query->userdata);
        return 0;
}

static int ask(struct caller_query *query) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *question = NULL;
        sd_bus *bus = query->callers->bus;
        int r;

        query->slot = sd_bus_slot_unref(query->slot);
        r = sd_bus_message_new_method_call(bus, &question, BUS, "/org/freedesktop/DBus", BUS,
                                           "GetConnectionCredentials");
        if (r >= 0)
                r = sd_bus_message_append(question, "s", query->sender);
        if (r >= 0)
                r = sd_bus_call_async(bus, &query->slot, question, on_reply, query,
                                      ANSWER_TIMEOUT << query->asked++);
        return r;
}

static int on_departure(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        const char *sender = sd_bus_message_get_sender(message);
        struct callers *callers = userdata;
        struct known *known;
        const char *name;

        (void) error;
        /* Anybody may send us such a signal, and sd-bus does not look at the sender of what a match is for. */
        if (!sender || strcmp(sender, BUS) != 0 || sd_bus_message_read(message, "s", &name) < 0)
                return 0;
        known = find(callers, name);
        if (known)
                forget(callers, known);
        callers->gone(name, callers->userdata);
        return 0;
}

/**
 * callers_new() - make what knows who calls
 * @bus:        the bus; not attached to an event loop yet
 * @gone:       called with each name that nobody has any more, unique or not
 * @userdata:   handed to @gone
 * @ret:        owned by the caller; to be given back after all queries
 *
 * Return: 0 or a negative errno.
 */
int callers_new(sd_bus *bus, callers_gone_t gone, void *userdata, struct callers **ret) {
        struct callers *callers = calloc(1, sizeof *callers);
        int r;

        if (!callers)
                return -ENOMEM;
        callers->bus = sd_bus_ref(bus);
        callers->gone = gone;
        callers->userdata = userdata;
        TAILQ_INIT(&callers->known);
        TAILQ_INIT(&callers->free);
        for (size_t i = 0; i < KNOWN_MAX; i++)
                TAILQ_INSERT_TAIL(&callers->free, &callers->places[i], link);
        /* One for all: the bus works through two messages less for each call, and there are few who leave. */
        r = sd_bus_add_match_async(
                        bus, &callers->departures,
                        "type='signal',sender='org.freedesktop.DBus',path='/org/freedesktop/DBus',"
                        "interface='org.freedesktop.DBus',member='NameOwnerChanged',arg2=''",
                        on_departure, NULL, callers);
        if (r < 0) {
                callers_free(callers);
                return r;
        }
        *ret = callers;
        return 0;
}

/**
 * callers_free() - give back what callers_new() gave
 * @callers:    or NULL
 *
 * Return: NULL.
 */
struct callers *callers_free(struct callers *callers) {
        if (!callers)
                return NULL;
        sd_bus_slot_unref(callers->departures);
        sd_bus_unref(callers->bus);
        free(callers);
        return NULL;
}

/**
 * caller_query_new() - find out who a connection belongs to
 * @callers:    what knows who calls
 * @sender:     the connection's unique name
 * @answer:     called once, unless the query is freed before; may free it; maybe before this function returns
 * @userdata:   handed to @answer
 * @ret:        the query, owned by the caller; NULL if @answer has been called; set before that
 *
 * Return: 0 or a negative errno.
 */
int caller_query_new(struct callers *callers, const char *sender, caller_answer_t answer, void *userdata,
                     struct caller_query **ret) {
        struct known *known = find(callers, sender);
        struct caller_query *query;
        int r;

        if (known) {
                TAILQ_REMOVE(&callers->known, known, link);
                TAILQ_INSERT_HEAD(&callers->known, known, link);
                *ret = NULL;
                answer(0, known->uid, known->pid, userdata);
                return 0;
        }
        query = calloc(1, sizeof *query);
        if (!query)
                return -ENOMEM;
        query->callers = callers;
        query->answer = answer;
        query->userdata = userdata;
        query->sender = strdup(sender);
        r = -ENOMEM;
        if (query->sender)
                r = ask(query);
        if (r < 0) {
                caller_query_free(query);
                return r;
        }
        *ret = query;
        return 0;
}

/**
 * caller_query_free() - give back a query; an answer that is still to come is dropped
 * @query:      the query, or NULL
 *
 * Return: NULL.
 */
struct caller_query *caller_query_free(struct caller_query *query) {
        if (!query)
                return NULL;
        sd_bus_slot_unref(query->slot);
        free(query->sender);
        free(query);
        return NULL;
}
