/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Status
 *
 * The line of ours that `systemctl status` shows: how much is under way, and how much was loaded. It is told to the service
 * manager when it has changed, but only so often: requests begin and end as fast as strangers like, and what the manager
 * reads, everybody waits for.
 */

#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdlib.h>
#include <systemd/sd-daemon.h>

#include "status.h"

struct status {
        const struct context *context;
        sd_event_source *post;
        sd_event_source *timer;
        uint64_t interval_usec;
        unsigned requests; /* as told */
        size_t modules;
};

/* Runs after each other event, but not for a while after something was told: that costs each event a round of the loop. */
static int on_post(sd_event_source *source, void *userdata) {
        struct status *status = userdata;
        unsigned requests = status->context->n_requests;
        size_t modules = status->context->registry->n_modules;

        (void) source;
        if (requests == status->requests && modules == status->modules)
                return 0;
        (void) sd_notifyf(false, "STATUS=Requests in progress: %u. Modules loaded: %zu.", requests, modules);
        status->requests = requests;
        status->modules = modules;
        if (sd_event_source_set_time_relative(status->timer, status->interval_usec) >= 0 &&
            sd_event_source_set_enabled(status->timer, SD_EVENT_ONESHOT) >= 0)
                (void) sd_event_source_set_enabled(status->post, SD_EVENT_OFF);
        return 0;
}

static int on_timer(sd_event_source *source, uint64_t usec, void *userdata) {
        struct status *status = userdata;

        (void) usec;
        (void) sd_event_source_set_enabled(status->post, SD_EVENT_ON);
        return on_post(source, status);
}

/**
 * status_new() - tell the service manager from now on how things stand
 * @context:            the broker's context, with its event loop and registry; must outlive the status
 * @interval_usec:      for how long after one line no other one is sent, in µs
 * @ret:                owned by the caller
 *
 * Return: 0 or a negative errno.
 */
int status_new(const struct context *context, uint64_t interval_usec, struct status **ret) {
        struct status *status = calloc(1, sizeof *status);
        int r;

        if (!status)
                return -ENOMEM;
        status->context = context;
        status->interval_usec = interval_usec;
        /* Nothing is told yet, so whatever there is has changed. */
        status->requests = UINT_MAX;
        r = sd_event_add_time_relative(context->event, &status->timer, CLOCK_MONOTONIC, interval_usec, 0,
                                       on_timer, status);
        if (r >= 0)
                r = sd_event_source_set_enabled(status->timer, SD_EVENT_OFF);
        if (r >= 0)
                r = sd_event_add_post(context->event, &status->post, on_post, status);
        if (r < 0) {
                status_free(status);
                return r;
        }
        *ret = status;
        return 0;
}

/**
 * status_free() - tell nothing any more
 * @status:     or NULL
 *
 * Return: NULL.
 */
struct status *status_free(struct status *status) {
        if (!status)
                return NULL;
        sd_event_source_unref(status->post);
        sd_event_source_unref(status->timer);
        free(status);
        return NULL;
}
