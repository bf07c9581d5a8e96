/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Authority
 *
 * Asks polkit, without waiting, whether the owner of a bus connection may do something. See the reference of
 * org.freedesktop.PolicyKit1.Authority.
 *
 * polkit keeps an authorization that somebody gave under a rule with _keep for the action alone, whatever the details:
 * the password for one module would load any other. An answer that rests on such a memory counts as no.
 */

#include <inttypes.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "authority.h"
#include "cleanup.h"
#include "escape.h"

#define POLKIT_NAME "org.freedesktop.PolicyKit1"
#define POLKIT_PATH "/org/freedesktop/PolicyKit1/Authority"
#define POLKIT_INTERFACE "org.freedesktop.PolicyKit1.Authority"
#define POLKIT_ALLOW_USER_INTERACTION UINT32_C(1)

/* In µs. A person gets five minutes to find the password; rules run in milliseconds, on a bad day seconds. */
#define PROMPT_TIMEOUT (300 * UINT64_C(1000000))
#define RULES_TIMEOUT (25 * UINT64_C(1000000))

#define DETAIL_MAX 512

struct authority_query {
        sd_bus *bus;
        sd_bus_slot *slot;
        char *cancellation; /* while an interactive query is under way */
        bool interactive;
        uint64_t deadline; /* CLOCK_MONOTONIC, in µs */
        authority_answer_t answer;
        void *userdata;
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
        if (sd_bus_message_new_method_call(query->bus, &message, POLKIT_NAME, POLKIT_PATH, POLKIT_INTERFACE,
                                           "CancelCheckAuthorization") >= 0 &&
            sd_bus_message_append(message, "s", query->cancellation) >= 0 &&
            sd_bus_message_set_expect_reply(message, 0) >= 0)
                (void) sd_bus_send(query->bus, message, NULL);
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
                if (strcmp(key, "polkit.temporary_authorization_id") == 0)
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
                return AUTHORITY_NO;
        if (authorized)
                return AUTHORITY_YES;
        if (dismissed)
                return AUTHORITY_DISMISSED;
        return challenge ? AUTHORITY_CHALLENGE : AUTHORITY_NO;
}

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
        query->answer(answer, query->userdata);
        return 0;
}

static int append_detail(sd_bus_message *message, const char *key, const char *value) {
        _cleanup_free_ char *escaped = NULL;

        if (!value)
                return 0;
        escaped = escape(value, DETAIL_MAX);
        return escaped ? sd_bus_message_append(message, "{ss}", key, escaped) : -ENOMEM;
}

static int append_details(sd_bus_message *message, const struct authority_details *details) {
        int r;

        r = sd_bus_message_open_container(message, 'a', "{ss}");
        if (r >= 0)
                r = append_detail(message, "module", details->module);
        if (r >= 0)
                r = append_detail(message, "path", details->path);
        if (r >= 0)
                r = append_detail(message, "origin", details->origin);
        if (r >= 0)
                r = append_detail(message, "parameters", details->parameters);
        return r < 0 ? r : sd_bus_message_close_container(message);
}

static int new_message(struct authority_query *query, const char *sender, const char *action,
                       const struct authority_details *details, sd_bus_message **ret) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *message = NULL;
        int r;

        r = sd_bus_message_new_method_call(query->bus, &message, POLKIT_NAME, POLKIT_PATH, POLKIT_INTERFACE,
                                           "CheckAuthorization");
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
        static uint64_t count;

        return asprintf(&query->cancellation, "moduled-%" PRIu64, ++count) < 0 ? -ENOMEM : 0;
}

/**
 * authority_query_new() - ask whether a caller may do something
 * @bus:                the bus
 * @sender:             the caller's unique name; never a pid, which may be somebody else's by now
 * @action:             the polkit action
 * @details:            for rules and the prompt; escaped here
 * @interactive:        whether somebody may be asked for a password
 * @answer:             called once, unless the query is freed before; may free it
 * @userdata:           handed to @answer
 * @ret:                the query; owned by the caller
 *
 * Return: 0 or a negative errno.
 */
int authority_query_new(sd_bus *bus, const char *sender, const char *action,
                        const struct authority_details *details, bool interactive, authority_answer_t answer,
                        void *userdata, struct authority_query **ret) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *message = NULL;
        struct authority_query *query = calloc(1, sizeof *query);
        uint64_t timeout = interactive ? PROMPT_TIMEOUT : RULES_TIMEOUT;
        int r;

        if (!query)
                return -ENOMEM;
        query->deadline = now() + timeout;
        query->bus = sd_bus_ref(bus);
        query->interactive = interactive;
        query->answer = answer;
        query->userdata = userdata;

        r = interactive ? name_cancellation(query) : 0;
        if (r >= 0)
                r = new_message(query, sender, action, details, &message);
        if (r >= 0)
                r = sd_bus_call_async(bus, &query->slot, message, on_reply, query, timeout);
        if (r < 0) {
                free(query->cancellation);
                query->cancellation = NULL;
                authority_query_free(query);
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
        sd_bus_slot_unref(query->slot);
        sd_bus_unref(query->bus);
        free(query);
        return NULL;
}
