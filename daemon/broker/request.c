/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Request
 *
 * One call of a method that takes time, from the message to the reply: who calls, whether that user has room for another
 * one, and what becomes of it when the caller leaves. What is done between is the methods' own (load.c, unload.c,
 * check.c). Nothing waits: each step begins something and returns, and the answer to it begins the next.
 */

#include <assert.h>
#include <errno.h>
#include <malloc.h>
#include <string.h>
#include <syslog.h>
#include <systemd/sd-login.h>

#include "cleanup.h"
#include "failure.h"
#include "names.h"
#include "request.h"

/*
 * Descriptors of a user that wait to be closed: when something of the user's does not let go of one; and before that is known,
 * as many as one may have under way.
 */
#define PARKED_STUCK 64
#define PARKED_MAX 512

/* After so many requests at a time there is memory worth giving back. */
#define CROWD 32

/**
 * request_free() - give back a request, answered or not, and call off what is under way for it
 * @request:    the request
 */
void request_free(struct request *request) {
        struct context *context = request->context;
        struct user *user = request->user;

        LIST_REMOVE(request, link);
        context->n_requests--;
        caller_query_free(request->caller);
        backlog_remove(context->backlog, &request->backlog);
        authorization_free(request->authorization);
        loader_call_free(request->loader);
        sd_event_source_unref(request->slow);
        sd_bus_error_free(&request->failure);

        if (user)
                user->requests--;
        else
                (void) user_get(&context->users, UID_UNKNOWN, &user);
        /* Without memory for an account the parcel stays with the claimed ones until the service ends. */
        if (user)
                parcel_release(request->parcel, user);
        user_unref(user);

        sd_bus_message_unref(request->message);
        for (size_t i = 0; i < request->n_items; i++)
                item_clear(&request->items[i]);
        free(request->unit);
        /* Last: it may set off another request. */
        turn_free(request->turn);
        free(request);
        if (context->n_requests == 0 && context->is_crowded) {
                context->is_crowded = false;
                (void) malloc_trim(0);
        }
}

static bool is_refusal(const char *name) {
        static const char *const refusals[] = {
                MODULED_ERROR_BAD_DESCRIPTOR,   MODULED_ERROR_ORIGIN_REFUSED,
                MODULED_ERROR_POLICY_REFUSED,   SD_BUS_ERROR_ACCESS_DENIED,
                SD_BUS_ERROR_LIMITS_EXCEEDED,   SD_BUS_ERROR_INTERACTIVE_AUTHORIZATION_REQUIRED,
                MODULED_ERROR_MODULES_DISABLED, MODULED_ERROR_BAD_PARAMETERS,
        };

        for (size_t i = 0; i < sizeof refusals / sizeof *refusals; i++)
                if (strcmp(name, refusals[i]) == 0)
                        return true;
        return false;
}

/**
 * request_learn_unit() - find out which unit the caller belongs to, for the journal
 * @request:    the request
 *
 * Takes thirty system calls, so it is to be called while others are at work, or else when it is needed.
 */
void request_learn_unit(struct request *request) {
        if (request->pid > 0)
                (void) sd_pid_get_unit(request->pid, &request->unit);
        /* Not again: there may be none. */
        request->is_unit_learnt = true;
}

/* What was to be done is done, or was not, for this item; NULL if it is not known yet what it is about. */
static const char *message_id(const struct request *request, const sd_bus_error *error) {
        if (strcmp(request->verb, "unload") == 0)
                return error ? JOURNAL_UNLOAD_FAILED : JOURNAL_MODULE_UNLOADED;
        if (!error)
                return request->undoing ? JOURNAL_MODULE_UNLOADED : JOURNAL_MODULE_LOADED;
        return is_refusal(error->name) ? JOURNAL_LOAD_REFUSED : JOURNAL_LOAD_FAILED;
}

/**
 * request_record() - write into the journal what came of an item
 * @request:    the request
 * @item:       the item, or NULL if it was about none in particular
 * @error:      why it failed, or NULL if it did not
 */
void request_record(struct request *request, const struct item *item, const sd_bus_error *error) {
        uid_t uid = request->user ? request->user->uid : UID_UNKNOWN;
        struct journal_entry entry = {
                .message_id = message_id(request, error),
                .priority = error ? LOG_WARNING : LOG_NOTICE,
                .message = error ? error->message : NULL,
                .uid = uid,
                .pid = request->pid,
                .module = item ? item->name : NULL,
                .path = item ? item->path : NULL,
                .origin = item ? item->origin : NULL,
                .parameters = item ? item->parameters : NULL,
                .result = error ? error->name : "done",
        };
        _cleanup_free_ char *sentence = NULL;

        if (!request->is_unit_learnt && (!error || !journal_suppresses(request->context->journal, uid)))
                request_learn_unit(request);
        entry.unit = request->unit;
        if (!error) {
                bool unloaded = request->undoing || strcmp(request->verb, "unload") == 0;

                if (asprintf(&sentence, "%s module %s for uid %ju%s.", unloaded ? "Unloaded" : "Loaded",
                             item->name, (uintmax_t) entry.uid,
                             request->undoing ? ", because a later one of the same call failed" : "") < 0)
                        return;
                entry.message = sentence;
        }
        journal_write(request->context->journal, &entry);
}

/**
 * request_fail() - end a request with an error
 * @request:    the request; freed
 * @item:       what the error is about, or NULL
 * @r:          negative errno, for an error that there was no memory to set, or that has no words of its own
 * @error:      the error, if it is set
 */
void request_fail(struct request *request, const struct item *item, int r, sd_bus_error *error) {
        _cleanup_(sd_bus_error_free) sd_bus_error fallback = SD_BUS_ERROR_NULL;

        if (!sd_bus_error_is_set(error)) {
                (void) failure_from_errno(r, &fallback);
                error = &fallback;
        }
        request_record(request, item, error);
        if (!request->left)
                (void) sd_bus_reply_method_error(request->message, error);
        request_free(request);
}

/**
 * request_fail_errno() - end a request with an error of ours
 * @request:    the request; freed
 * @item:       what the error is about, or NULL
 * @r:          negative errno
 * @what:       what went wrong, the beginning of a sentence
 */
void request_fail_errno(struct request *request, const struct item *item, int r, const char *what) {
        _cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;

        (void) sd_bus_error_setf(
                        &error, SD_BUS_ERROR_FAILED,
                        "%s: %s; try again, and if it stays so ask an administrator to look at 'systemctl "
                        "status moduled moduled-loader.socket'.",
                        what, strerror(-r));
        request_fail(request, item, r, &error);
}

/**
 * request_asker() - on whose behalf polkit is asked, and how far one may go
 * @request:    the request
 * @ret:        strings belong to the request
 */
void request_asker(const struct request *request, struct asker *ret) {
        const struct limits *limits = &request->context->config->limits;

        *ret = (struct asker){
                .authority = request->context->authority,
                .sender = sd_bus_message_get_sender(request->message),
                .user = request->user,
                .may_prompt = sd_bus_message_get_allow_interactive_authorization(request->message) > 0,
                .prompt_usec = limits->prompt_sec * UINT64_C(1000000),
                .prompts_per_user = limits->prompts_per_user,
                .prompts_in_all = limits->prompts_in_all,
        };
}

static int check_limits(const struct request *request, sd_bus_error *error) {
        unsigned max = request->context->config->limits.requests_per_user;

        if (request->user->requests > max)
                return sd_bus_error_setf(
                                error, SD_BUS_ERROR_LIMITS_EXCEEDED,
                                "You have %u requests under way already; wait for one of them to end.", max);
        if (request->user->parked > (request->user->stuck > 0 ? PARKED_STUCK : PARKED_MAX))
                return sd_bus_error_set(
                                error, SD_BUS_ERROR_LIMITS_EXCEEDED,
                                "Too many of the descriptors that you have sent cannot be closed; end the file "
                                "servers that do not let go of them.");
        return 0;
}

static void on_turn(void *userdata) {
        struct request *request = userdata;

        request->proceed(request);
}

static void on_caller(int r, uid_t uid, pid_t pid, void *userdata) {
        _cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
        struct request *request = userdata;

        request->caller = caller_query_free(request->caller);
        if (r >= 0)
                r = user_get(&request->context->users, uid, &request->user);
        if (r == -ESRCH)
                request_free(request);
        else if (r < 0)
                request_fail_errno(request, NULL, r, "The bus did not say who you are");
        if (r < 0)
                return;

        request->user->requests++;
        request->pid = pid;
        r = check_limits(request, &error);
        if (r >= 0)
                r = backlog_add(request->context->backlog, request->user, &request->backlog, on_turn,
                                request);
        if (r < 0)
                request_fail(request, NULL, r, &error);
}

static struct request *first_of(const struct context *context, const char *sender) {
        struct request *request;

        LIST_FOREACH(request, &context->requests, link)
                if (!request->left && strcmp(sd_bus_message_get_sender(request->message), sender) == 0)
                        return request;
        return NULL;
}

/**
 * requests_give_up() - a caller has left the bus: what has not begun does not begin any more
 * @context:    the broker's context
 * @sender:     the caller's unique name
 */
void requests_give_up(struct context *context, const char *sender) {
        struct request *request;

        while ((request = first_of(context, sender))) {
                request->left = true;
                if (request->give_up)
                        request->give_up(request);
                else
                        request_free(request);
        }
}

/**
 * request_new() - take a call on
 * @context:    the broker's context
 * @message:    the call; answered when the request ends
 * @verb:       "load", "unload" or "check"; static
 * @proceed:    called from the event loop when it is known who calls, that this user has room for another request, and
 *              it is that user's turn
 * @ret:        the request; the caller adds what it is about, and then calls request_begin() or request_free()
 * @error:      set if there is no room
 *
 * To be called from the message's handler.
 *
 * Return: 0 or a negative errno.
 */
int request_new(struct context *context, sd_bus_message *message, const char *verb, request_step_t proceed,
                struct request **ret, sd_bus_error *error) {
        struct request *request;

        if (context->n_requests >= context->config->limits.requests_in_all) {
                (void) sd_bus_error_set(error, SD_BUS_ERROR_LIMITS_EXCEEDED,
                                        "moduled has too many requests under way; try again in a moment.");
                return -ENOBUFS;
        }
        request = calloc(1, sizeof *request);
        if (!request)
                return -ENOMEM;
        request->context = context;
        request->message = sd_bus_message_ref(message);
        request->verb = verb;
        request->proceed = proceed;
        LIST_INSERT_HEAD(&context->requests, request, link);
        context->n_requests++;
        context->is_crowded |= context->n_requests >= CROWD;
        *ret = request;
        return 0;
}

/**
 * request_begin() - find out who calls, and go on from there
 * @request:    the request; freed on failure
 *
 * Return: 1, or a negative errno if it was not begun, for the message's handler to return.
 */
int request_begin(struct request *request) {
        const char *sender = sd_bus_message_get_sender(request->message);
        int r;

        request->parcel = parcel_claim(request->context->parcels, request->message);
        for (size_t i = 0; i < request->n_items; i++) {
                request->items[i].request = request;
                request->items[i].fd = parcel_get(request->parcel, request->items[i].fd);
        }
        r = sender ? caller_query_new(request->context->callers, sender, on_caller, request,
                                      &request->caller)
                   : -ENODATA;
        if (r < 0) {
                request_free(request);
                return r;
        }
        return 1;
}

/**
 * request_begin_named() - take a call on that is about one module, by its name
 * @context:    the broker's context
 * @message:    the call; answered when the request ends
 * @verb:       as for request_new()
 * @proceed:    as for request_new()
 * @name:       the module's name; - and _ are the same
 * @error:      set on failure
 *
 * To be called from the message's handler.
 *
 * Return: 1 if the request is under way, or a negative errno if it was not begun.
 */
int request_begin_named(struct context *context, sd_bus_message *message, const char *verb,
                        request_step_t proceed, const char *name, sd_bus_error *error) {
        struct request *request;
        int r;

        r = request_new(context, message, verb, proceed, &request, error);
        if (r < 0)
                return r;
        r = item_set_name(&request->items[0], name, error);
        if (r < 0) {
                request_free(request);
                return r;
        }
        request->n_items = 1;
        return request_begin(request);
}

static struct request *first_to_refuse(const struct context *context) {
        struct request *request;

        LIST_FOREACH(request, &context->requests, link)
                if (!request->give_up)
                        return request;
        return NULL;
}

/**
 * requests_refuse() - end what the loader has not begun, because the service is being stopped
 * @context:    the broker's context
 */
void requests_refuse(struct context *context) {
        struct request *request;

        while ((request = first_to_refuse(context))) {
                _cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;

                (void) sd_bus_error_set(&error, SD_BUS_ERROR_NO_REPLY,
                                        "moduled is being stopped, and nothing was done; try again.");
                request_fail(request, request->n_items > 0 ? &request->items[0] : NULL, -ECONNRESET, &error);
        }
}

/**
 * requests_drop() - give back all requests, unanswered
 * @context:    the broker's context
 *
 * What the loader has begun it ends all the same.
 */
void requests_drop(struct context *context) {
        struct request *request;

        while ((request = LIST_FIRST(&context->requests)))
                request_free(request);
}
