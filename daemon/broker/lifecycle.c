/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Lifecycle
 *
 * When the broker leaves: on its own when nobody has called for a while, or when it has lost memory; and when it is told to.
 * It leaves no request behind that the loader is at.
 *
 * A call must not get lost because it comes while the broker is on its way out. So the service manager is told first,
 * which from then on queues a start and does not take us for running; then the bus is asked to take our name away. All
 * that was sent to the name before that comes in ahead of the bus's answer, and is served; what comes later makes the bus
 * start the service anew. See org.freedesktop.systemd1(5) and sd_notify(3) on STOPPING=1.
 */

#include <errno.h>
#include <stdlib.h>
#include <systemd/sd-daemon.h>

#include "lifecycle.h"
#include "names.h"
#include "request.h"
#include "status.h"

/*
 * A load that has begun is seen through, but for so long in all, in µs. The service manager is asked for more time every
 * EXTEND_INTERVAL, less than the unit's TimeoutStopSec=; see EXTEND_TIMEOUT_USEC= in sd_notify(3).
 */
#define EXTEND_INTERVAL (1 * UINT64_C(1000000))
#define EXTEND_ROUNDS 90
#define EXTEND_TIMEOUT "EXTEND_TIMEOUT_USEC=10000000"
/*
 * What comes in while we leave, and is not with the loader after so many of these rounds, waits for somebody; and everybody
 * else for that, whom the bus gives 25 s.
 */
#define REFUSE_ROUND 5
/*
 * Messages that sd-bus has dropped, each of which costs up to 64 bytes. Who sends them does not mean well: it must not be easy to
 * have somebody else's prompt taken down by them, or the next broker kept from starting by a thread that is stuck. But memory
 * has an end.
 */
#define STRAYS_SOME 10000
#define STRAYS_MAX 500000

struct lifecycle {
        struct context *context;
        struct status *status; /* until we leave */
        sd_event_source *timer;
        sd_event_source *post;
        sd_bus_slot *filter;
        sd_bus_slot *release;
        bool called; /* since the timer ran out last */
        bool leaving;
        bool released; /* the name is not ours any more, or need not be given back */
        unsigned extended;
};

/* How long nobody must have called; it may be twice that until we leave. */
static uint64_t idle_usec(const struct context *context) {
        return context->config->limits.idle_sec * UINT64_C(1000000);
}

static int on_message(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        struct lifecycle *lifecycle = userdata;

        (void) error;
        if (sd_bus_message_is_method_call(message, NULL, NULL) > 0)
                lifecycle->called = true;
        return 0;
}

/* Runs after each other event, once the service is leaving; before, each event would cost another round of the loop. */
static int on_post(sd_event_source *source, void *userdata) {
        struct lifecycle *lifecycle = userdata;

        (void) source;
        if (lifecycle->leaving && lifecycle->released && lifecycle->context->n_requests == 0)
                return sd_event_exit(lifecycle->context->event, EXIT_SUCCESS);
        return 0;
}

static int on_released(sd_bus_message *reply, void *userdata, sd_bus_error *error) {
        struct lifecycle *lifecycle = userdata;

        (void) reply;
        (void) error;
        lifecycle->released = true;
        return 0;
}

static int set_timer(struct lifecycle *lifecycle, uint64_t usec) {
        int r = sd_event_source_set_time_relative(lifecycle->timer, usec);

        return r < 0 ? r : sd_event_source_set_enabled(lifecycle->timer, SD_EVENT_ONESHOT);
}

/* Return: 0 or a negative errno. */
static int extend(struct lifecycle *lifecycle) {
        if (lifecycle->extended == REFUSE_ROUND)
                requests_refuse(lifecycle->context);
        if (lifecycle->extended++ == EXTEND_ROUNDS)
                return 0;
        if (lifecycle->context->n_requests > 0)
                (void) sd_notify(false, EXTEND_TIMEOUT);
        return set_timer(lifecycle, EXTEND_INTERVAL);
}

static void leave(struct lifecycle *lifecycle) {
        lifecycle->leaving = true;
        lifecycle->status = status_free(lifecycle->status);
        (void) sd_event_source_set_enabled(lifecycle->post, SD_EVENT_ON);
        (void) sd_notify(false, "STOPPING=1\nSTATUS=Leaving.");
        if (sd_bus_release_name_async(lifecycle->context->bus, &lifecycle->release, MODULED_BUS_NAME,
                                      on_released, lifecycle) < 0)
                lifecycle->released = true;
        (void) extend(lifecycle);
}

static int on_timer(sd_event_source *source, uint64_t usec, void *userdata) {
        struct lifecycle *lifecycle = userdata;
        unsigned n_strays = parcels_count_strays(lifecycle->context->parcels);
        bool busy = lifecycle->context->n_requests > 0 || parcels_are_closing(lifecycle->context->parcels);

        (void) source;
        (void) usec;
        if (lifecycle->leaving)
                return extend(lifecycle);
        if (!busy && (!lifecycle->called || n_strays > STRAYS_SOME)) {
                leave(lifecycle);
                return 0;
        }
        if (n_strays > STRAYS_MAX) {
                lifecycle_stop(lifecycle);
                return 0;
        }
        lifecycle->called = false;
        return set_timer(lifecycle, idle_usec(lifecycle->context));
}

/**
 * lifecycle_stop() - leave as soon as the loader is at no request of ours
 * @lifecycle:  the lifecycle
 *
 * Requests that have not got that far are answered with an error.
 */
void lifecycle_stop(struct lifecycle *lifecycle) {
        requests_refuse(lifecycle->context);
        if (!lifecycle->leaving)
                leave(lifecycle);
}

/**
 * lifecycle_reload() - begin to count anew how long nobody has called, because how long is enough may be another now
 * @lifecycle:  the lifecycle
 *
 * Return: 0 or a negative errno.
 */
int lifecycle_reload(struct lifecycle *lifecycle) {
        return lifecycle->leaving ? 0 : set_timer(lifecycle, idle_usec(lifecycle->context));
}

/**
 * lifecycle_new() - watch over when to leave
 * @context:    the broker's context, with its event loop and bus
 * @ret:        owned by the caller
 *
 * Return: 0 or a negative errno.
 */
int lifecycle_new(struct context *context, struct lifecycle **ret) {
        struct lifecycle *lifecycle = calloc(1, sizeof *lifecycle);
        int r;

        if (!lifecycle)
                return -ENOMEM;
        lifecycle->context = context;
        r = sd_event_add_time_relative(context->event, &lifecycle->timer, CLOCK_MONOTONIC,
                                       idle_usec(context), 0, on_timer, lifecycle);
        if (r >= 0)
                r = sd_event_add_post(context->event, &lifecycle->post, on_post, lifecycle);
        if (r >= 0)
                r = sd_event_source_set_enabled(lifecycle->post, SD_EVENT_OFF);
        if (r >= 0)
                r = sd_bus_add_filter(context->bus, &lifecycle->filter, on_message, lifecycle);
        if (r >= 0)
                r = status_new(context, STATUS_INTERVAL, &lifecycle->status);
        if (r < 0) {
                lifecycle_free(lifecycle);
                return r;
        }
        *ret = lifecycle;
        return 0;
}

/**
 * lifecycle_free() - give back what lifecycle_new() gave
 * @lifecycle:  or NULL
 *
 * Return: NULL.
 */
struct lifecycle *lifecycle_free(struct lifecycle *lifecycle) {
        if (!lifecycle)
                return NULL;
        status_free(lifecycle->status);
        sd_bus_slot_unref(lifecycle->filter);
        sd_bus_slot_unref(lifecycle->release);
        sd_event_source_unref(lifecycle->post);
        sd_event_source_unref(lifecycle->timer);
        free(lifecycle);
        return NULL;
}
