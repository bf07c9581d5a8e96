/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Uevents
 *
 * Modules that come and go, whoever loads and unloads them, as the kernel tells it. It is the kernel that we listen to
 * and not udevd: udevd's multicast group does not reach into a network namespace of our own, the kernel's reaches into
 * each that belongs to the initial user namespace.
 */

#include <errno.h>
#include <libudev.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "cleanup.h"
#include "uevents.h"

/* Messages to take before the event loop gets a turn. */
#define BATCH_MAX 256

struct uevents {
        struct udev *udev;
        struct udev_monitor *monitor;
        sd_event_source *source;
        uevent_handler_t handler;
        void *userdata;
        bool is_behind; /* messages were lost since the queue was empty */
};

DEFINE_CLEANUP(struct uevents *, uevents_free);

static void handle(struct uevents *uevents, struct udev_device *device) {
        const char *action = udev_device_get_action(device), *name = udev_device_get_sysname(device);

        if (!action || !name)
                return;
        if (strcmp(action, "add") == 0)
                uevents->handler(UEVENT_ADDED, name, uevents->userdata);
        else if (strcmp(action, "remove") == 0)
                uevents->handler(UEVENT_REMOVED, name, uevents->userdata);
}

/*
 * The kernel says once that the queue is full, by ENOBUFS, and drops messages without a word until it has been emptied;
 * see netlink(7) and netlink_overrun() in net/netlink/af_netlink.c. So it is emptied first. Whatever else cannot be read
 * is a message lost, too.
 */
static int on_io(sd_event_source *source, int fd, uint32_t revents, void *userdata) {
        struct uevents *uevents = userdata;

        (void) source;
        (void) fd;
        (void) revents;
        for (size_t i = 0; i < BATCH_MAX; i++) {
                struct udev_device *device = udev_monitor_receive_device(uevents->monitor);

                if (device) {
                        handle(uevents, device);
                        udev_device_unref(device);
                        continue;
                }
                if (errno != EAGAIN && errno != EINTR) {
                        uevents->is_behind = true;
                        continue;
                }
                if (uevents->is_behind) {
                        uevents->is_behind = false;
                        uevents->handler(UEVENT_RESYNC, NULL, uevents->userdata);
                }
                break;
        }
        return 0;
}

/**
 * uevents_new() - listen for modules that come and go
 * @event:      the event loop
 * @handler:    called for each; the name, as the kernel has it, is borrowed
 * @userdata:   handed to @handler
 * @ret:        owned by the caller
 *
 * Return: 0 or a negative errno.
 */
int uevents_new(sd_event *event, uevent_handler_t handler, void *userdata, struct uevents **ret) {
        _cleanup_(uevents_freep) struct uevents *uevents = NULL;
        int r;

        uevents = calloc(1, sizeof *uevents);
        if (!uevents)
                return -ENOMEM;
        uevents->handler = handler;
        uevents->userdata = userdata;
        uevents->udev = udev_new();
        if (!uevents->udev)
                return -errno;
        uevents->monitor = udev_monitor_new_from_netlink(uevents->udev, "kernel");
        if (!uevents->monitor)
                return -errno;
        r = udev_monitor_filter_add_match_subsystem_devtype(uevents->monitor, "module", NULL);
        if (r >= 0)
                r = udev_monitor_enable_receiving(uevents->monitor);
        if (r >= 0)
                r = sd_event_add_io(event, &uevents->source, udev_monitor_get_fd(uevents->monitor), EPOLLIN,
                                    on_io, uevents);
        if (r < 0)
                return r;
        *ret = take_pointer(&uevents);
        return 0;
}

/**
 * uevents_free() - stop listening
 * @uevents:    or NULL
 *
 * Return: NULL.
 */
struct uevents *uevents_free(struct uevents *uevents) {
        if (!uevents)
                return NULL;
        sd_event_source_unref(uevents->source);
        udev_monitor_unref(uevents->monitor);
        udev_unref(uevents->udev);
        free(uevents);
        return NULL;
}
