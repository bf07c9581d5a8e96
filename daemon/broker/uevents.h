/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <systemd/sd-event.h>

enum uevent {
        UEVENT_ADDED,   /* a module is there; its init has not run yet, and may fail */
        UEVENT_REMOVED, /* a module is gone */
        UEVENT_RESYNC,  /* some of these were missed: look at /sys/module; without a name */
};

typedef void (*uevent_handler_t)(enum uevent uevent, const char *name, void *userdata);

struct uevents;

int uevents_new(sd_event *event, uevent_handler_t handler, void *userdata, struct uevents **ret);
struct uevents *uevents_free(struct uevents *uevents);
