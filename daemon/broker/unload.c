/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Unload
 *
 * The method Unload: one name, one question to polkit, one call of the loader.
 */

#include <errno.h>
#include <string.h>

#include "announce.h"
#include "cleanup.h"
#include "failure.h"
#include "names.h"
#include "policy.h"
#include "request.h"
#include "unload.h"

static void on_loader(int r, const struct loader_reply *reply, void *userdata) {
        _cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
        struct request *request = userdata;
        struct item *item = &request->items[0];

        if (!reply || reply->outcome != OUTCOME_DONE) {
                r = reply ? failure_from_reply(reply, item->name, false, &error)
                          : failure_from_loader(r, item->name, false, &error);
                request_fail(request, item, r, &error);
                return;
        }

        announce_gone(request->context, item->name);
        if (!request->left)
                (void) sd_bus_reply_method_return(request->message, NULL);
        request_record(request, item, NULL);
        request_free(request);
}

/* The loader ends what it has begun, whoever has left. */
static void go_on(struct request *request) {
        (void) request;
}

static void send_to_loader(void *userdata) {
        _cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
        struct loader_request message = { .kind = REQUEST_UNLOAD };
        struct request *request = userdata;
        struct item *item = &request->items[0];
        int r;

        r = policy_check_loaded(item->name, &error);
        if (r < 0) {
                request_fail(request, item, r, &error);
                return;
        }
        (void) snprintf(message.text, sizeof message.text, "%s", item->name);
        r = loader_call_send(request->loader, &message, -1);
        if (r < 0)
                request_fail_errno(request, item, r, "The loader cannot be reached");
        else
                request->give_up = go_on;
}

static void on_authorization(enum authorization_outcome outcome, enum authority_answer answer,
                             const struct question *question, void *userdata) {
        _cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
        struct request *request = userdata;
        struct item *item = &request->items[0];
        int r;

        if (outcome != AUTHORIZATION_GIVEN) {
                r = failure_from_authorization(outcome, answer, question, &error);
                request_fail(request, item, r, &error);
                return;
        }
        r = turn_new(&request->context->turns, item->name, send_to_loader, request, &request->turn);
        if (r < 0)
                request_fail(request, item, r, &error);
}

static void authorize(struct request *request) {
        struct item *item = &request->items[0];
        struct question question = {
                .action = registry_find(request->context->registry, item->name)
                                          ? MODULED_ACTION_UNLOAD
                                          : MODULED_ACTION_UNLOAD_FOREIGN,
                .details = { .module = item->name },
        };
        struct asker asker;
        int r;

        request_asker(request, &asker);
        r = loader_call_new(request->context->event, request->context->loader_socket, on_loader, request,
                            &request->loader);
        if (r < 0) {
                request_fail_errno(request, item, r, "The loader cannot be reached");
                return;
        }
        r = authorization_new(&asker, &question, 1, on_authorization, request, &request->authorization);
        if (r < 0)
                request_fail_errno(request, item, r, "polkit cannot be asked");
        else
                request_learn_unit(request);
}

static void proceed(struct request *request) {
        _cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
        struct item *item = &request->items[0];
        int r;

        r = policy_check_modules_enabled(&error);
        if (r >= 0)
                r = policy_check_loaded(item->name, &error);
        if (r < 0)
                request_fail(request, item, r, &error);
        else
                authorize(request);
}

/**
 * unload_begin() - begin an unload
 * @context:    the broker's context
 * @message:    the call; answered when the request ends
 * @name:       the module's name; - and _ are the same
 * @flags:      must be 0
 * @error:      set on failure
 *
 * To be called from the message's handler.
 *
 * Return: 1 if the request is under way, or a negative errno if it was not begun.
 */
int unload_begin(struct context *context, sd_bus_message *message, const char *name, uint64_t flags,
                 sd_bus_error *error) {
        if (flags != 0)
                return sd_bus_error_set(error, SD_BUS_ERROR_INVALID_ARGS,
                                        "The flags of Unload are for the future; they must be 0.");
        return request_begin_named(context, message, "unload", proceed, name, error);
}
