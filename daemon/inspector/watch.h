/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <systemd/sd-event.h>

#include "zygote.h"

struct watch {
        const struct zygote_link *zygote;
        sd_event *event;
        sd_event_source *timer; /* runs out when the zygote has been without a sign of life for too long */
        uint64_t last_order;    /* when it was sent: CLOCK_MONOTONIC, in µs */
};

int watch_begin(struct watch *watch, const struct zygote_link *zygote, sd_event *event);
void watch_order(struct watch *watch);
bool watch_is_stopped(struct watch *watch);
void watch_end(struct watch *watch);
