/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Caller
 *
 * Asks the bus who a connection belongs to, without waiting for the answer. sd-bus' own sd_bus_query_sender_creds()
 * waits.
 */

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "caller.h"
#include "cleanup.h"
#include "intake.h"

/* The bus itself answers; if it does not within this time, in µs, nothing goes any more. */
#define ANSWER_TIMEOUT (25 * UINT64_C(1000000))

struct caller_query {
        sd_bus_slot *slot;
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
        query->answer(r, uid, pid, query->userdata);
        return 0;
}

/**
 * caller_query_new() - ask who a connection belongs to
 * @bus:        the bus
 * @sender:     the connection's unique name
 * @answer:     called once, unless the query is freed before; may free it
 * @userdata:   handed to @answer
 * @ret:        the query; owned by the caller
 *
 * Return: 0 or a negative errno.
 */
int caller_query_new(sd_bus *bus, const char *sender, caller_answer_t answer, void *userdata,
                     struct caller_query **ret) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *message = NULL;
        struct caller_query *query;
        int r;

        r = sd_bus_message_new_method_call(bus, &message, "org.freedesktop.DBus", "/org/freedesktop/DBus",
                                           "org.freedesktop.DBus", "GetConnectionCredentials");
        if (r >= 0)
                r = sd_bus_message_append(message, "s", sender);
        if (r < 0)
                return r;

        query = calloc(1, sizeof *query);
        if (!query)
                return -ENOMEM;
        query->answer = answer;
        query->userdata = userdata;
        r = sd_bus_call_async(bus, &query->slot, message, on_reply, query, ANSWER_TIMEOUT);
        if (r < 0) {
                free(query);
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
        free(query);
        return NULL;
}
