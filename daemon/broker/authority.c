/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Authority
 *
 * Asks polkit, without waiting, whether the owner of a bus connection may do something. See the reference of
 * org.freedesktop.PolicyKit1.Authority.
 *
 * polkit keeps an authorization that somebody gave under a rule with _keep for the action alone, whatever the details:
 * the password for one module would load any other. An answer that rests on such a memory, or would make one, is no yes.
 *
 * The bus lets a connection wait for 128 answers at a time (max_replies_per_connection), and one that it refuses would
 * look as if polkit were not there. So questions that nobody is prompted for queue once there are many; prompts, of which
 * there are few, do not.
 */

#include <inttypes.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <time.h>

#include "authority.h"
#include "cleanup.h"
#include "escape.h"

#define POLKIT_NAME "org.freedesktop.PolicyKit1"
#define POLKIT_PATH "/org/freedesktop/PolicyKit1/Authority"
#define POLKIT_INTERFACE "org.freedesktop.PolicyKit1.Authority"
#define POLKIT_ALLOW_USER_INTERACTION UINT32_C(1)

/* In µs. Rules run in milliseconds, on a bad day seconds. */
#define RULES_TIMEOUT (25 * UINT64_C(1000000))
/* Half of what the bus allows, which leaves room for prompts and for what sd-bus asks itself. */
#define SENT_MAX 64

/*
 * Nothing is cut that somebody or a rule decides by: a path or parameters of PATH_MAX, each byte escaped; and as many of
 * those, with a name and words between, as one message has descriptors.
 */
#define DETAIL_MAX ((size_t) 4 * 4096)
#define DETAIL_MODULES_MAX (16 * (DETAIL_MAX + 256))

TAILQ_HEAD(query_queue, authority_query);

struct authority {
        sd_bus *bus;
        struct query_queue waiting;
        unsigned sent; /* questions without a prompt that are under way */
        uint64_t cancellations;
};

struct authority_query {
        struct authority *authority;
        sd_bus_message *message; /* while it waits */
        sd_bus_slot *slot;       /* while it is under way */
        char *cancellation;      /* while an interactive query is under way */
        bool interactive;
        uint64_t deadline; /* CLOCK_MONOTONIC, in µs */
        authority_answer_t answer;
        void *userdata;
        TAILQ_ENTRY(authority_query) link;
};

static uint64_t now(void) {
        struct timespec ts;

        (void) clock_gettime(CLOCK_MONOTONIC, &ts);
        return (uint64_t) ts.tv_sec * UINT64_C(1000000) + (uint64_t) ts.tv_nsec / 1000;
}

/* The answer goes nowhere: a prompt that is gone already is what was wanted. */
static void cancel(struct authority_query *query) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *message = NULL;

        if (!query->cancellation)
                return;
        if (sd_bus_message_new_method_call(query->authority->bus, &message, POLKIT_NAME, POLKIT_PATH,
                                           POLKIT_INTERFACE, "CancelCheckAuthorization") >= 0 &&
            sd_bus_message_append(message, "s", query->cancellation) >= 0 &&
            sd_bus_message_set_expect_reply(message, 0) >= 0)
                (void) sd_bus_send(query->authority->bus, message, NULL);
        free(query->cancellation);
        query->cancellation = NULL;
}

static enum authority_answer read_error(struct authority_query *query, const sd_bus_error *error) {
        /* NoReply is both sd-bus' word for a timeout and the bus' for a polkit that died. */
        if (sd_bus_error_has_name(error, SD_BUS_ERROR_NO_REPLY)) {
                cancel(query);
                return query->interactive && now() >= query->deadline ? AUTHORITY_TIMED_OUT
                                                                      : AUTHORITY_ABSENT;
        }
        if (sd_bus_error_has_name(error, "org.freedesktop.PolicyKit1.Error.Cancelled"))
                return AUTHORITY_DISMISSED;
        return AUTHORITY_ABSENT;
}

static int read_details(sd_bus_message *reply, bool *ret_kept, bool *ret_dismissed) {
        const char *key, *value;
        int r;

        r = sd_bus_message_enter_container(reply, 'a', "{ss}");
        if (r < 0)
                return r;
        while ((r = sd_bus_message_read(reply, "{ss}", &key, &value)) > 0) {
                if (strcmp(key, "polkit.temporary_authorization_id") == 0 ||
                    strcmp(key, "polkit.retains_authorization_after_challenge") == 0)
                        *ret_kept = true;
                if (strcmp(key, "polkit.dismissed") == 0)
                        *ret_dismissed = true;
        }
        return r;
}

static enum authority_answer read_answer(sd_bus_message *reply) {
        int authorized, challenge, r;
        bool kept = false, dismissed = false;

        r = sd_bus_message_enter_container(reply, 'r', "bba{ss}");
        if (r >= 0)
                r = sd_bus_message_read(reply, "bb", &authorized, &challenge);
        if (r >= 0)
                r = read_details(reply, &kept, &dismissed);
        if (r < 0)
                return AUTHORITY_NO;
        if (kept)
                return AUTHORITY_KEPT;
        if (authorized)
                return AUTHORITY_YES;
        if (dismissed)
                return AUTHORITY_DISMISSED;
        return challenge ? AUTHORITY_CHALLENGE : AUTHORITY_NO;
}

static void end(struct authority_query *query);

static int on_reply(sd_bus_message *reply, void *userdata, sd_bus_error *error) {
        struct authority_query *query = userdata;
        enum authority_answer answer;

        (void) error;
        if (sd_bus_message_is_method_error(reply, NULL))
                answer = read_error(query, sd_bus_message_get_error(reply));
        else
                answer = read_answer(reply);
        free(query->cancellation);
        query->cancellation = NULL;
        end(query);
        query->answer(answer, query->userdata);
        return 0;
}

static int send_query(struct authority_query *query) {
        struct authority *authority = query->authority;
        uint64_t at = now();
        int r;

        /* 0 would be sd-bus' own time. */
        r = sd_bus_call_async(authority->bus, &query->slot, query->message, on_reply, query,
                              query->deadline > at ? query->deadline - at : 1);
        query->message = sd_bus_message_unref(query->message);
        if (r >= 0 && !query->interactive)
                authority->sent++;
        return r < 0 ? r : 0;
}

static void send_waiting(struct authority *authority) {
        struct authority_query *query;

        while (authority->sent < SENT_MAX && (query = TAILQ_FIRST(&authority->waiting))) {
                TAILQ_REMOVE(&authority->waiting, query, link);
                if (send_query(query) < 0) {
                        query->answer(AUTHORITY_ABSENT, query->userdata);
                        return;
                }
        }
}

/* It is not under way any more, so another one can be. */
static void end(struct authority_query *query) {
        if (!query->slot)
                return;
        query->slot = sd_bus_slot_unref(query->slot);
        if (query->interactive)
                return;
        query->authority->sent--;
        send_waiting(query->authority);
}

static int append_detail(sd_bus_message *message, const char *key, const char *value, size_t max) {
        _cleanup_free_ char *escaped = NULL;

        if (!value)
                return 0;
        escaped = escape(value, max);
        return escaped ? sd_bus_message_append(message, "{ss}", key, escaped) : -ENOMEM;
}

static int append_details(sd_bus_message *message, const struct authority_details *details) {
        int r;

        r = sd_bus_message_open_container(message, 'a', "{ss}");
        if (r >= 0)
                r = append_detail(message, "module", details->module, DETAIL_MAX);
        if (r >= 0)
                r = append_detail(message, "path", details->path, DETAIL_MAX);
        if (r >= 0)
                r = append_detail(message, "origin", details->origin, DETAIL_MAX);
        if (r >= 0)
                r = append_detail(message, "parameters", details->parameters, DETAIL_MAX);
        if (r >= 0)
                r = append_detail(message, "modules", details->modules, DETAIL_MODULES_MAX);
        return r < 0 ? r : sd_bus_message_close_container(message);
}

static int new_message(struct authority_query *query, const char *sender, const char *action,
                       const struct authority_details *details, sd_bus_message **ret) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *message = NULL;
        int r;

        r = sd_bus_message_new_method_call(query->authority->bus, &message, POLKIT_NAME, POLKIT_PATH,
                                           POLKIT_INTERFACE, "CheckAuthorization");
        if (r >= 0)
                r = sd_bus_message_append(message, "(sa{sv})s", "system-bus-name", 1, "name", "s", sender,
                                          action);
        if (r >= 0)
                r = append_details(message, details);
        if (r >= 0)
                r = sd_bus_message_append(message, "us",
                                          query->interactive ? POLKIT_ALLOW_USER_INTERACTION : 0,
                                          query->cancellation ? query->cancellation : "");
        if (r < 0)
                return r;
        *ret = take_pointer(&message);
        return 0;
}

/* polkit wants an identifier of ours that no other query under way has. */
static int name_cancellation(struct authority_query *query) {
        return asprintf(&query->cancellation, "moduled-%" PRIu64, ++query->authority->cancellations) < 0
                               ? -ENOMEM
                               : 0;
}

/**
 * authority_new() - make what asks polkit
 * @bus:        the bus
 * @ret:        owned by the caller; to be given back after all of its queries
 *
 * Return: 0 or -ENOMEM.
 */
int authority_new(sd_bus *bus, struct authority **ret) {
        struct authority *authority = calloc(1, sizeof *authority);

        if (!authority)
                return -ENOMEM;
        authority->bus = sd_bus_ref(bus);
        TAILQ_INIT(&authority->waiting);
        *ret = authority;
        return 0;
}

/**
 * authority_free() - give back what authority_new() gave
 * @authority:  or NULL
 *
 * Return: NULL.
 */
struct authority *authority_free(struct authority *authority) {
        if (!authority)
                return NULL;
        sd_bus_unref(authority->bus);
        free(authority);
        return NULL;
}

/**
 * authority_query_new() - ask whether a caller may do something
 * @authority:          the authority
 * @sender:             the caller's unique name; never a pid, which may be somebody else's by now
 * @action:             the polkit action
 * @details:            for rules and the prompt; escaped here
 * @prompt_usec:        how long somebody may be asked for a password, in µs; 0: nobody may be asked
 * @answer:             called once, unless the query is freed before, never before this returns; may free it
 * @userdata:           handed to @answer
 * @ret:                the query; owned by the caller
 *
 * Return: 0 or a negative errno.
 */
int authority_query_new(struct authority *authority, const char *sender, const char *action,
                        const struct authority_details *details, uint64_t prompt_usec,
                        authority_answer_t answer, void *userdata, struct authority_query **ret) {
        struct authority_query *query = calloc(1, sizeof *query);
        int r;

        if (!query)
                return -ENOMEM;
        query->authority = authority;
        query->interactive = prompt_usec > 0;
        query->deadline = now() + (query->interactive ? prompt_usec : RULES_TIMEOUT);
        query->answer = answer;
        query->userdata = userdata;

        r = query->interactive ? name_cancellation(query) : 0;
        if (r >= 0)
                r = new_message(query, sender, action, details, &query->message);
        if (r >= 0) {
                if (query->interactive || authority->sent < SENT_MAX)
                        r = send_query(query);
                else
                        TAILQ_INSERT_TAIL(&authority->waiting, query, link);
        }
        if (r < 0) {
                free(query->cancellation);
                sd_bus_message_unref(query->message);
                free(query);
                return r;
        }
        *ret = query;
        return 0;
}

/**
 * authority_query_free() - give back a query; a prompt that is still open is taken down
 * @query:      the query, or NULL
 *
 * Return: NULL.
 */
struct authority_query *authority_query_free(struct authority_query *query) {
        if (!query)
                return NULL;
        cancel(query);
        if (query->message) {
                TAILQ_REMOVE(&query->authority->waiting, query, link);
                sd_bus_message_unref(query->message);
        }
        end(query);
        free(query);
        return NULL;
}
