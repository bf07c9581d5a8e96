/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Watch
 *
 * Whether the zygote lives. It takes each order at once, unless somebody has stopped it; then nothing would ever come of
 * an inspection, and it is killed: what is stopped ends by SIGKILL all the same.
 */

#include <signal.h>

#include "watch.h"

#define USEC_PER_SEC UINT64_C(1000000)
#define ACCURACY_USEC UINT64_C(100000)
/* From the zygote's not having taken an order in all the time of an inspection to its end. */
#define STUCK_USEC (2 * USEC_PER_SEC)
#define ON_ITS_WAY_USEC (USEC_PER_SEC / 2)

static uint64_t now(const struct watch *watch) {
        uint64_t usec = 0;

        (void) sd_event_now(watch->event, CLOCK_MONOTONIC, &usec);
        return usec;
}

static int on_stuck(sd_event_source *source, uint64_t usec, void *userdata) {
        const struct watch *watch = userdata;

        (void) usec;
        if (zygote_has_orders(watch->zygote))
                (void) kill(watch->zygote->pid, SIGKILL);
        return sd_event_source_set_enabled(source, SD_EVENT_OFF);
}

/**
 * watch_begin() - watch a zygote
 * @watch:      the watch, zeroed; to be given to watch_end(), also after a failure
 * @zygote:     the zygote; borrowed until then
 * @event:      the event loop
 *
 * Return: 0 or a negative errno.
 */
int watch_begin(struct watch *watch, const struct zygote_link *zygote, sd_event *event) {
        int r;

        watch->zygote = zygote;
        watch->event = sd_event_ref(event);
        r = sd_event_add_time(event, &watch->timer, CLOCK_MONOTONIC, UINT64_MAX, ACCURACY_USEC, on_stuck,
                              watch);
        if (r >= 0)
                r = sd_event_source_set_enabled(watch->timer, SD_EVENT_OFF);
        return r < 0 ? r : 0;
}

/**
 * watch_order() - an order was sent
 * @watch:      the watch
 */
void watch_order(struct watch *watch) {
        watch->last_order = now(watch);
}

/**
 * watch_is_stopped() - is that why an inspection has not ended
 * @watch:      the watch
 *
 * An order that was just sent may still be on its way, but not if others had to wait before it. For the same reason a zygote
 * that is suspected is killed some seconds later, if there are orders still.
 *
 * Return: whether it is suspected now.
 */
bool watch_is_stopped(struct watch *watch) {
        int suspected = SD_EVENT_OFF;

        (void) sd_event_source_get_enabled(watch->timer, &suspected);
        if (!zygote_has_orders(watch->zygote) ||
            (suspected == SD_EVENT_OFF && now(watch) - watch->last_order < ON_ITS_WAY_USEC))
                return false;
        if (sd_event_source_set_time_relative(watch->timer, STUCK_USEC) >= 0)
                (void) sd_event_source_set_enabled(watch->timer, SD_EVENT_ONESHOT);
        return true;
}

/**
 * watch_end() - watch no more
 * @watch:      the watch, begun or zeroed
 */
void watch_end(struct watch *watch) {
        watch->timer = sd_event_source_disable_unref(watch->timer);
        watch->event = sd_event_unref(watch->event);
}
