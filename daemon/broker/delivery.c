/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Delivery
 *
 * Hands the modules of a request that has been authorized to the loader, one after the other. If one fails, those that
 * this call has loaded are unloaded again, last first. From the first one on the caller's leaving stops nothing: half a
 * chain is of no use to anybody.
 */

#include <errno.h>
#include <string.h>
#include <systemd/sd-daemon.h>
#include <time.h>

#include "announce.h"
#include "cleanup.h"
#include "delivery.h"
#include "failure.h"
#include "names.h"
#include "policy.h"

static void deliver_next(struct request *request);
static void undo_next(struct request *request);

static uint64_t now_realtime(void) {
        struct timespec ts;

        (void) clock_gettime(CLOCK_REALTIME, &ts);
        return (uint64_t) ts.tv_sec * UINT64_C(1000000) + (uint64_t) ts.tv_nsec / 1000;
}

static void go_on(struct request *request) {
        (void) request;
}

static int on_slow(sd_event_source *source, uint64_t usec, void *userdata) {
        const struct request *request = userdata;

        (void) source;
        (void) usec;
        fprintf(stderr,
                SD_WARNING
                "The init of module %s has not returned for %u s; wait, or see the kernel's log. Others can be loaded meanwhile.\n",
                request->items[request->current].name, request->context->config->limits.init_warn_sec);
        return 0;
}

/* A module's init may take its time, and moduled does not break it off; but somebody may want to know. */
static void watch_time(struct request *request) {
        (void) sd_event_add_time_relative(request->context->event, &request->slow, CLOCK_MONOTONIC,
                                          request->context->config->limits.init_warn_sec * UINT64_C(1000000),
                                          0, on_slow, request);
}

/* The loader is done with this item; whoever waits for the same name may go. */
static void release(struct request *request) {
        struct turn *turn = take_pointer(&request->turn);

        request->loader = loader_call_free(request->loader);
        request->slow = sd_event_source_unref(request->slow);
        turn_free(turn);
}

static void remember(struct request *request, struct item *item) {
        struct module module = {
                .name = item->name,
                .path = item->path,
                .origin = item->origin,
                .parameters = item->parameters,
                .loaded_by = request->user->uid,
                .loaded_at = now_realtime(),
        };
        struct module *added;

        item->state = ITEM_LOADED;
        if (registry_add(request->context->registry, &module, &added) >= 0)
                announce_loaded(request->context, added);
        request_record(request, item, NULL);
}

/* --- undoing --- */

/* Says which modules could not be unloaded again. */
static int explain_rest(const struct request *request, sd_bus_error *ret) {
        _cleanup_free_ char *rest = NULL;
        size_t size;
        FILE *f;

        f = open_memstream(&rest, &size);
        if (!f)
                return -ENOMEM;
        for (size_t i = 0; i < request->n_items; i++)
                if (request->items[i].state == ITEM_LOADED)
                        fprintf(f, " %s", request->items[i].name);
        if (fclose(f) != 0)
                return -ENOMEM;
        return sd_bus_error_setf(ret, request->failure.name, "%s %s%s.", request->failure.message,
                                 rest[0] ? "Of what this call had loaded these are in use and stay:"
                                         : "What this call had loaded was unloaded again",
                                 rest);
}

static void undone(struct request *request) {
        _cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;

        (void) explain_rest(request, &error);
        if (!request->left)
                (void) sd_bus_reply_method_error(request->message,
                                                 sd_bus_error_is_set(&error) ? &error : &request->failure);
        request_free(request);
}

static void on_undone(int r, const struct loader_reply *reply, void *userdata) {
        struct request *request = userdata;
        struct item *item = &request->items[request->current];

        /* What stays, stays; it is said at the end. */
        if (r >= 0 && reply->outcome == OUTCOME_DONE) {
                announce_gone(request->context, item->name);
                request_record(request, item, NULL);
                item->state = ITEM_WANTED;
        }
        release(request);
        undo_next(request);
}

static void send_undo(void *userdata) {
        struct loader_request message = { .kind = REQUEST_UNLOAD };
        struct request *request = userdata;
        int r;

        (void) snprintf(message.text, sizeof message.text, "%s", request->items[request->current].name);
        r = loader_call_new(request->context->event, request->context->loader_socket, on_undone, request,
                            &request->loader);
        if (r >= 0)
                r = loader_call_send(request->loader, &message, -1);
        if (r < 0)
                on_undone(r, NULL, request);
}

static void undo_next(struct request *request) {
        int r;

        while (request->current > 0 && request->items[request->current - 1].state != ITEM_LOADED)
                request->current--;
        if (request->current == 0) {
                undone(request);
                return;
        }
        request->current--;
        r = turn_new(&request->context->turns, request->items[request->current].name, send_undo, request,
                     &request->turn);
        if (r < 0)
                on_undone(r, NULL, request);
}

static bool has_loaded(const struct request *request) {
        for (size_t i = 0; i < request->n_items; i++)
                if (request->items[i].state == ITEM_LOADED)
                        return true;
        return false;
}

static void fail(struct request *request, struct item *item, int r, sd_bus_error *error) {
        if (!has_loaded(request)) {
                request_fail(request, item, r, error);
                return;
        }
        if (!sd_bus_error_is_set(error))
                (void) failure_from_errno(r, error);
        (void) sd_bus_error_copy(&request->failure, error);
        request_record(request, item, error);
        request->undoing = true;
        release(request);
        undo_next(request);
}

/* --- loading --- */

static int append_answer(sd_bus_message *reply, const struct request *request) {
        int r;

        r = sd_bus_message_open_container(reply, 'a', "(ob)");
        for (size_t i = 0; r >= 0 && i < request->n_items; i++) {
                _cleanup_free_ char *path = NULL;

                r = announce_path(request->items[i].name, &path);
                if (r >= 0)
                        r = sd_bus_message_append(reply, "(ob)", path,
                                                  request->items[i].state == ITEM_LOADED);
        }
        return r < 0 ? r : sd_bus_message_close_container(reply);
}

static void succeed(struct request *request) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
        _cleanup_free_ char *path = NULL;
        int r;

        r = request->left ? 0 : sd_bus_message_new_method_return(request->message, &reply);
        if (r >= 0 && reply && request->chain)
                r = append_answer(reply, request);
        else if (r >= 0 && reply) {
                r = announce_path(request->items[0].name, &path);
                if (r >= 0)
                        r = sd_bus_message_append(reply, "o", path);
        }
        if (r >= 0 && reply)
                (void) sd_bus_send(NULL, reply, NULL);
        request_free(request);
}

/* In a chain a module that is there already is none to wait for. */
static bool pass_over(struct request *request, struct item *item, const sd_bus_error *error) {
        if (!request->chain || !sd_bus_error_has_name(error, MODULED_ERROR_ALREADY_LOADED))
                return false;
        item->state = ITEM_PASSED;
        release(request);
        deliver_next(request);
        return true;
}

static void on_loaded(int r, const struct loader_reply *reply, void *userdata) {
        _cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
        struct request *request = userdata;
        struct item *item = &request->items[request->current];

        if (reply && reply->outcome == OUTCOME_DONE) {
                remember(request, item);
                release(request);
                deliver_next(request);
                return;
        }
        r = reply ? failure_from_reply(reply, item->name, true, &error)
                  : failure_from_loader(r, item->name, true, &error);
        if (!pass_over(request, item, &error))
                fail(request, item, r, &error);
}

static int send_item(struct request *request, struct item *item, sd_bus_error *error) {
        struct loader_request message = { .kind = REQUEST_LOAD, .flags = item->flags };
        int r;

        /* The configuration and the kernel may have changed while somebody looked for a password. */
        r = item_check(item, request->context->config, request->context->modprobe, error);
        if (r < 0)
                return r;
        (void) snprintf(message.text, sizeof message.text, "%s", item->joined);
        if (!request->loader) {
                r = delivery_prepare(request);
                if (r < 0)
                        return r;
        }
        return loader_call_send(request->loader, &message, item->fd);
}

static void send_current(void *userdata) {
        _cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
        struct request *request = userdata;
        struct item *item = &request->items[request->current];
        int r;

        r = send_item(request, item, &error);
        if (r >= 0) {
                watch_time(request);
                request->give_up = go_on;
                return;
        }
        if (pass_over(request, item, &error))
                return;
        if (!sd_bus_error_is_set(&error))
                r = sd_bus_error_setf(
                                &error, SD_BUS_ERROR_FAILED,
                                "The loader cannot be reached: %s; try again, and if it stays so ask an "
                                "administrator to look at 'systemctl status moduled-loader.socket'.",
                                strerror(-r));
        fail(request, item, r, &error);
}

static void deliver_next(struct request *request) {
        _cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
        int r;

        while (request->current < request->n_items && request->items[request->current].state != ITEM_WANTED)
                request->current++;
        if (request->current == request->n_items) {
                succeed(request);
                return;
        }
        r = turn_new(&request->context->turns, request->items[request->current].name, send_current, request,
                     &request->turn);
        if (r < 0)
                fail(request, &request->items[request->current], r, &error);
}

/**
 * delivery_prepare() - open the connection to the loader
 * @request:    the request
 *
 * To be called while polkit is being asked: that starts a loader that is not running, and shows one that cannot be.
 *
 * Return: 0 or a negative errno.
 */
int delivery_prepare(struct request *request) {
        return loader_call_new(request->context->event, request->context->loader_socket, on_loaded, request,
                               &request->loader);
}

/**
 * delivery_begin() - load what a request is about, and answer it
 * @request:    the request, authorized; freed when it has been answered, maybe before this returns
 */
void delivery_begin(struct request *request) {
        deliver_next(request);
}
