/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Parcel
 *
 * The descriptors that came with a message, whether its body mentions them or not, whether anybody asked for the message
 * or not. intake.c has taken them out of it, and disposal.c closes them.
 */

#include <stdint.h>
#include <string.h>

#include "cleanup.h"
#include "disposal.h"
#include "intake.h"
#include "parcel.h"

struct parcel {
        struct parcels *parcels;
        struct arrival arrivals[INTAKE_MAX];
        const sd_bus_message *message; /* to be told by, while it is being handled */
        char *sender;
        size_t n;
        struct bundle *bundle;      /* for when they are given back */
        struct caller_query *query; /* for a message that nobody claimed */
        TAILQ_ENTRY(parcel) link;
};

TAILQ_HEAD(parcel_list, parcel);

struct parcels {
        sd_bus *bus;
        struct callers *callers;
        struct users *users;
        struct disposal *disposal;
        sd_event_source *unclaimed_source;
        sd_bus_slot *filter;
        unsigned n_strays;          /* messages that sd-bus has dropped */
        struct parcel *current;     /* of the message that is being handled */
        struct parcel_list claimed; /* by a request, or waiting for the bus to say whose they are */
};

static void parcel_free(struct parcel *parcel) {
        caller_query_free(parcel->query);
        free(parcel->sender);
        free(parcel->bundle);
        free(parcel);
}

/**
 * parcel_release() - have the descriptors of a message closed
 * @parcel:     the parcel, as parcel_claim() gave it, or NULL; not the caller's any more
 * @user:       against whom they are counted until then; borrowed
 */
void parcel_release(struct parcel *parcel, struct user *user) {
        struct disposal *disposal;
        struct bundle *bundle;

        if (!parcel)
                return;
        disposal = parcel->parcels->disposal;
        bundle = take_pointer(&parcel->bundle);
        for (size_t i = 0; i < parcel->n; i++)
                bundle->fds[i] = parcel->arrivals[i].fd;
        TAILQ_REMOVE(&parcel->parcels->claimed, parcel, link);
        parcel_free(parcel);
        disposal_add(disposal, bundle, user);
}

static void on_caller(int error, uid_t uid, pid_t pid, void *userdata) {
        struct parcel *parcel = userdata;
        struct user *user;

        (void) pid;
        parcel->query = caller_query_free(parcel->query);
        /* Without memory the parcel stays as it is, in the list of the claimed. */
        if (user_get(parcel->parcels->users, error < 0 ? UID_UNKNOWN : uid, &user) < 0)
                return;
        parcel_release(parcel, user);
        user_unref(user);
}

/* Runs after the message has been handled: nobody has claimed it. */
static int on_unclaimed(sd_event_source *source, void *userdata) {
        struct parcels *parcels = userdata;
        struct parcel *parcel = parcels->current;

        (void) source;
        if (!parcel)
                return 0;
        parcels->current = NULL;
        TAILQ_INSERT_TAIL(&parcels->claimed, parcel, link);
        if (!parcel->sender ||
            caller_query_new(parcels->callers, parcel->sender, on_caller, parcel, &parcel->query) < 0)
                on_caller(-ENODATA, UID_UNKNOWN, 0, parcel);
        return 0;
}

static int on_message(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        struct parcels *parcels = userdata;
        const char *sender = sd_bus_message_get_sender(message);
        const struct arrival *pending;
        struct parcel *parcel;
        size_t n;

        (void) error;
        (void) on_unclaimed(parcels->unclaimed_source, parcels);
        /* A reply to a question that nobody waits for any more. */
        if (sender && strcmp(sender, "org.freedesktop.DBus") == 0) {
                intake_discard();
                return 0;
        }

        n = intake_pending(&pending);
        if (n == 0)
                return 0;
        /* Without memory what came with this message waits for the next. */
        parcel = calloc(1, sizeof *parcel);
        if (!parcel)
                return -ENOMEM;
        parcel->bundle = bundle_new(n);
        if (!parcel->bundle) {
                parcel_free(parcel);
                return -ENOMEM;
        }
        parcel->n = intake_take(parcel->arrivals);
        parcel->parcels = parcels;
        parcel->message = message;
        parcel->sender = sender ? strdup(sender) : NULL;
        parcels->current = parcel;
        (void) sd_event_source_set_enabled(parcels->unclaimed_source, SD_EVENT_ONESHOT);
        return 0;
}

/**
 * parcel_claim() - take the descriptors of the message that is being handled
 * @parcels:    all parcels
 * @message:    the message
 *
 * To be called from the message's handler, before it returns.
 *
 * Return: the parcel, to be given back with parcel_release(), or NULL if the message has none.
 */
struct parcel *parcel_claim(struct parcels *parcels, sd_bus_message *message) {
        struct parcel *parcel = parcels->current;

        if (!parcel || parcel->message != message)
                return NULL;
        parcels->current = NULL;
        TAILQ_INSERT_TAIL(&parcels->claimed, parcel, link);
        return parcel;
}

/**
 * parcel_get() - the descriptor that a message speaks of
 * @parcel:     the message's parcel, or NULL if it has none
 * @shown:      what was read from the message
 *
 * Return: the descriptor; it belongs to the parcel. -1 if there is none.
 */
int parcel_get(const struct parcel *parcel, int shown) {
        for (size_t i = 0; parcel && shown >= 0 && i < parcel->n; i++)
                if (parcel->arrivals[i].shown == shown)
                        return parcel->arrivals[i].fd;
        return -1;
}

/* Nobody knows whose they are. Without memory they stay open: better a number lost than a thread. */
static void on_stray(const int *fds, size_t n, void *userdata) {
        struct parcels *parcels = userdata;
        struct bundle *bundle = bundle_new(n);
        struct user *user;

        parcels->n_strays++;
        if (!bundle || user_get(parcels->users, UID_UNKNOWN, &user) < 0) {
                free(bundle);
                return;
        }
        memcpy(bundle->fds, fds, n * sizeof *fds);
        disposal_add(parcels->disposal, bundle, user);
        user_unref(user);
}

static size_t put(const struct arrival *arrivals, size_t n, int *fds, size_t at) {
        for (size_t i = 0; fds && i < n; i++)
                fds[at + i] = arrivals[i].fd;
        return at + n;
}

/* See disposal_lent_t(). */
static size_t list_lent(int *fds, void *userdata) {
        const struct parcels *parcels = userdata;
        const struct parcel *parcel;
        const struct arrival *pending;
        size_t n = intake_pending(&pending);

        n = put(pending, n, fds, 0);
        if (parcels->current)
                n = put(parcels->current->arrivals, parcels->current->n, fds, n);
        TAILQ_FOREACH(parcel, &parcels->claimed, link)
                n = put(parcel->arrivals, parcel->n, fds, n);
        return n;
}

static int attach(struct parcels *parcels, sd_event *event) {
        int r;

        r = sd_event_add_defer(event, &parcels->unclaimed_source, on_unclaimed, parcels);
        if (r >= 0)
                r = sd_event_source_set_enabled(parcels->unclaimed_source, SD_EVENT_OFF);
        if (r >= 0)
                r = sd_bus_add_filter(parcels->bus, &parcels->filter, on_message, parcels);
        return r < 0 ? r : 0;
}

/**
 * parcels_new() - look after the descriptors of all messages
 * @event:      the event loop
 * @bus:        the bus; not attached to @event yet
 * @callers:    what knows who calls; must outlive the result
 * @users:      the accounts; must outlive the result
 * @ret:        owned by the caller
 *
 * Return: 0 or a negative errno.
 */
int parcels_new(sd_event *event, sd_bus *bus, struct callers *callers, struct users *users,
                struct parcels **ret) {
        struct parcels *parcels = calloc(1, sizeof *parcels);
        int r;

        if (!parcels)
                return -ENOMEM;
        TAILQ_INIT(&parcels->claimed);
        parcels->bus = sd_bus_ref(bus);
        parcels->callers = callers;
        parcels->users = users;

        r = sd_bus_get_fd(bus);
        if (r >= 0)
                r = intake_begin(r, on_stray, parcels);
        if (r >= 0)
                r = disposal_new(event, users, list_lent, parcels, &parcels->disposal);
        if (r >= 0)
                r = attach(parcels, event);
        if (r < 0) {
                parcels_free(parcels);
                return r;
        }
        *ret = parcels;
        return 0;
}

/**
 * parcels_are_closing() - are there descriptors that have not been closed yet
 * @parcels:    all parcels
 */
bool parcels_are_closing(const struct parcels *parcels) {
        return !disposal_is_empty(parcels->disposal) || !TAILQ_EMPTY(&parcels->claimed);
}

/**
 * parcels_count_strays() - how many messages sd-bus has dropped
 * @parcels:    all parcels
 *
 * It loses the numbers that came with each of them, up to 64 bytes.
 */
unsigned parcels_count_strays(const struct parcels *parcels) {
        return parcels->n_strays;
}

/**
 * parcels_free() - give back what parcels_new() gave
 * @parcels:    or NULL
 *
 * What is not closed yet stays so: the process is about to end.
 *
 * Return: NULL.
 */
struct parcels *parcels_free(struct parcels *parcels) {
        struct parcel *parcel;

        if (!parcels)
                return NULL;
        sd_bus_slot_unref(parcels->filter);
        sd_event_source_unref(parcels->unclaimed_source);
        disposal_free(parcels->disposal);
        while ((parcel = TAILQ_FIRST(&parcels->claimed))) {
                TAILQ_REMOVE(&parcels->claimed, parcel, link);
                parcel_free(parcel);
        }
        if (parcels->current)
                parcel_free(parcels->current);
        sd_bus_unref(parcels->bus);
        free(parcels);
        return NULL;
}
