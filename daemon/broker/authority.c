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
 * there are few, do not. A question that is given up counts until polkit has answered it: the bus counts it, too.
 *
 * A prompt that is given up is closed, but not at once. When polkitd cancels a check just as the agent's answer to it comes
 * in, its main thread wants GDBus's lock to tell the agent, while GDBus's thread has that lock and waits in
 * g_cancellable_disconnect() until the main thread is done with cancelling: polkit answers nobody on the machine any more
 * (122 and 126, tried). An agent on a terminal would be just in time, since it ends when its caller does, or when the caller
 * has its answer. So the agent's end goes first; in which order polkitd reads the two is all that matters.
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
/* In µs, until a prompt that was given up is closed. What ends with a caller takes milliseconds for it. */
#define CLOSE_DELAY UINT64_C(1000000)
#define CLOSE_ACCURACY UINT64_C(100000)

/*
 * Nothing is cut that somebody or a rule decides by: a path or parameters of PATH_MAX, each byte escaped; and as many of
 * those, with a name and words between, as one message has descriptors.
 */
#define DETAIL_MAX ((size_t) 4 * 4096)
#define DETAIL_MODULES_MAX (16 * (DETAIL_MAX + 256))

TAILQ_HEAD(query_queue, authority_query);

struct authority {
        sd_event *event;
        sd_bus *bus;
        struct query_queue waiting;
        struct query_queue given_up;
        unsigned sent; /* questions without a prompt that are under way */
        uint64_t cancellations;
};

struct authority_query {
        struct authority *authority;
        sd_bus_message *message; /* while it waits */
        sd_bus_slot *slot;       /* while it is under way */
        char *cancellation;      /* while a prompt may be open */
        struct user *user;       /* the same: whose it is */
        sd_event_source *timer;  /* until the prompt is closed */
        bool interactive;
        uint64_t deadline;         /* CLOCK_MONOTONIC, in µs */
        authority_answer_t answer; /* NULL: given up */
        void *userdata;
        TAILQ_ENTRY(authority_query) link;
};

static uint64_t now(void) {
        struct timespec ts;

        (void) clock_gettime(CLOCK_MONOTONIC, &ts);
        return (uint64_t) ts.tv_sec * UINT64_C(1000000) + (uint64_t) ts.tv_nsec / 1000;
}

static void count_prompt(struct authority_query *query, struct user *user) {
        user->references++;
        user->prompts++;
        user->users->prompts++;
        query->user = user;
}

static void forget_prompt(struct authority_query *query) {
        free(query->cancellation);
        query->cancellation = NULL;
        if (!query->user)
                return;
        query->user->prompts--;
        query->user->users->prompts--;
        query->user = user_unref(query->user);
}

/* The answer goes nowhere: a prompt that is closed already is what was wanted. */
static void close_prompt(const struct authority_query *query) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *message = NULL;

        if (sd_bus_message_new_method_call(query->authority->bus, &message, POLKIT_NAME, POLKIT_PATH,
                                           POLKIT_INTERFACE, "CancelCheckAuthorization") >= 0 &&
            sd_bus_message_append(message, "s", query->cancellation) >= 0 &&
            sd_bus_message_set_expect_reply(message, 0) >= 0)
                (void) sd_bus_send(query->authority->bus, message, NULL);
}

static bool is_timed_out(const struct authority_query *query, const sd_bus_error *error) {
        /* NoReply is both sd-bus' word for a timeout and the bus' for a polkit that died. */
        return query->interactive && sd_bus_error_has_name(error, SD_BUS_ERROR_NO_REPLY) &&
               now() >= query->deadline;
}

static enum authority_answer read_error(const struct authority_query *query, const sd_bus_error *error) {
        if (is_timed_out(query, error))
                return AUTHORITY_TIMED_OUT;
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

static void destroy(struct authority_query *query) {
        forget_prompt(query);
        sd_event_source_disable_unref(query->timer);
        sd_bus_message_unref(query->message);
        sd_bus_slot_unref(query->slot);
        free(query);
}

static void drop(struct authority_query *query) {
        TAILQ_REMOVE(&query->authority->given_up, query, link);
        destroy(query);
}

static int on_reply(sd_bus_message *reply, void *userdata, sd_bus_error *error) {
        struct authority_query *query = userdata;
        enum authority_answer answer;

        (void) error;
        if (sd_bus_message_is_method_error(reply, NULL))
                answer = read_error(query, sd_bus_message_get_error(reply));
        else
                answer = read_answer(reply);
        /* What polkit has not answered in time stays open until it is told. */
        if (answer != AUTHORITY_TIMED_OUT)
                forget_prompt(query);
        end(query);
        if (query->answer)
                query->answer(answer, query->userdata);
        else if (answer != AUTHORITY_TIMED_OUT || !query->timer)
                drop(query);
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

static int on_timer(sd_event_source *source, uint64_t usec, void *userdata) {
        struct authority_query *query = userdata;

        (void) source;
        (void) usec;
        close_prompt(query);
        query->timer = sd_event_source_disable_unref(query->timer);
        if (!query->slot)
                drop(query);
        return 0;
}

static void give_up(struct authority_query *query) {
        query->answer = NULL;
        TAILQ_INSERT_TAIL(&query->authority->given_up, query, link);
        if (!query->cancellation)
                return;
        if (sd_event_add_time_relative(query->authority->event, &query->timer, CLOCK_MONOTONIC, CLOSE_DELAY,
                                       CLOSE_ACCURACY, on_timer, query) >= 0)
                return;
        close_prompt(query);
        if (!query->slot)
                drop(query);
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
 * @event:      the event loop
 * @bus:        the bus
 * @ret:        owned by the caller; to be given back after all of its queries
 *
 * Return: 0 or -ENOMEM.
 */
int authority_new(sd_event *event, sd_bus *bus, struct authority **ret) {
        struct authority *authority = calloc(1, sizeof *authority);

        if (!authority)
                return -ENOMEM;
        authority->event = sd_event_ref(event);
        authority->bus = sd_bus_ref(bus);
        TAILQ_INIT(&authority->waiting);
        TAILQ_INIT(&authority->given_up);
        *ret = authority;
        return 0;
}

/**
 * authority_free() - give back what authority_new() gave
 * @authority:  or NULL
 *
 * Prompts that are still to be closed polkit closes itself, when the connection ends through which it was asked.
 *
 * Return: NULL.
 */
struct authority *authority_free(struct authority *authority) {
        struct authority_query *query;

        if (!authority)
                return NULL;
        while ((query = TAILQ_FIRST(&authority->given_up)))
                drop(query);
        sd_bus_unref(authority->bus);
        sd_event_unref(authority->event);
        free(authority);
        return NULL;
}

/**
 * authority_query_new() - ask whether a caller may do something
 * @authority:          the authority
 * @sender:             the caller's unique name; never a pid, which may be somebody else's by now
 * @action:             the polkit action
 * @details:            for rules and the prompt; escaped here
 * @prompt:             somebody may be asked for a password; NULL: nobody
 * @answer:             called once, unless the query is freed before, never before this returns; may free it
 * @userdata:           handed to @answer
 * @ret:                the query; owned by the caller
 *
 * Return: 0 or a negative errno.
 */
int authority_query_new(struct authority *authority, const char *sender, const char *action,
                        const struct authority_details *details, const struct authority_prompt *prompt,
                        authority_answer_t answer, void *userdata, struct authority_query **ret) {
        struct authority_query *query = calloc(1, sizeof *query);
        int r;

        if (!query)
                return -ENOMEM;
        query->authority = authority;
        query->interactive = prompt;
        query->deadline = now() + (prompt ? prompt->usec : RULES_TIMEOUT);
        query->answer = answer;
        query->userdata = userdata;

        r = prompt ? name_cancellation(query) : 0;
        if (r >= 0)
                r = new_message(query, sender, action, details, &query->message);
        if (r >= 0) {
                if (prompt || authority->sent < SENT_MAX)
                        r = send_query(query);
                else
                        TAILQ_INSERT_TAIL(&authority->waiting, query, link);
        }
        if (r < 0) {
                destroy(query);
                return r;
        }
        if (prompt)
                count_prompt(query, prompt->user);
        *ret = query;
        return 0;
}

/**
 * authority_query_free() - give back a query; a prompt that is still open is closed a second later
 * @query:      the query, or NULL
 *
 * Return: NULL.
 */
struct authority_query *authority_query_free(struct authority_query *query) {
        if (!query)
                return NULL;
        if (query->message) {
                TAILQ_REMOVE(&query->authority->waiting, query, link);
                destroy(query);
        } else if (query->slot || query->cancellation) {
                give_up(query);
        } else {
                destroy(query);
        }
        return NULL;
}
