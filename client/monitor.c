/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * modctl monitor
 *
 * Modules as they come and go. moduled tells of its own, by signals. The kernel tells of all, by uevents, and earlier:
 * of a module that comes before its init has run. So what the kernel tells waits for a while whether moduled tells of it,
 * too; what moduled is silent about is somebody else's.
 */

#include <errno.h>
#include <libudev.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/queue.h>
#include <systemd/sd-event.h>
#include <time.h>
#include <unistd.h>

#include "bus.h"
#include "cleanup.h"
#include "command.h"
#include "failure.h"
#include "message.h"
#include "modules.h"
#include "names.h"
#include "report.h"
#include "require.h"
#include "subject.h"

/* clang-format off */
#define FUNCTIONS(function)                                        \
        function(udev_device_get_action)                           \
        function(udev_device_get_sysname)                          \
        function(udev_device_unref)                                \
        function(udev_monitor_enable_receiving)                    \
        function(udev_monitor_filter_add_match_subsystem_devtype)  \
        function(udev_monitor_get_fd)                              \
        function(udev_monitor_new_from_netlink)                    \
        function(udev_monitor_receive_device)                      \
        function(udev_monitor_unref)                               \
        function(udev_new)                                         \
        function(udev_unref)
/* clang-format on */

LIBRARY(libudev, "libudev.so.1", "modctl monitor", "recommended")

/* From the end of a module's init to moduled's signal it is milliseconds, on slow machines a hundred times more. */
#define GRACE_USEC (UINT64_C(1000) * 1000)

static const char help[] =
                "Usage: modctl monitor [OPTION...]\n"
                "\n"
                "Shows modules as they are loaded and unloaded, from now on until ^C: by moduled for\n"
                "whom and from where, and those that moduled has nothing to do with.\n"
                "\n"
                "Options:\n"
                "      --json   print JSON, an object a line: {\"time\": ..., \"event\": \"loaded\", ...}\n"
                "  -h, --help   show this\n";

/* Something that the kernel told, and moduled has not yet. */
struct pending {
        LIST_ENTRY(pending) entries;
        struct monitor *monitor;
        sd_event_source *timer;
        bool is_removal;
        uint64_t time;
        char name[];
};

struct monitor {
        sd_bus *bus;
        sd_event *event;
        struct udev *udev;
        struct udev_monitor *uevents;
        unsigned options;
        LIST_HEAD(, pending) pending;
};

static void pending_free(struct pending *pending) {
        LIST_REMOVE(pending, entries);
        (void) sd_event_source_disable_unref(pending->timer);
        free(pending);
}

static void monitor_clear(struct monitor *monitor) {
        struct pending *pending;

        while ((pending = LIST_FIRST(&monitor->pending)))
                pending_free(pending);
        if (monitor->udev) {
                (void) lib_udev_monitor_unref(monitor->uevents);
                (void) lib_udev_unref(monitor->udev);
        }
        sd_bus_close_unref(monitor->bus);
        sd_event_unref(monitor->event);
}

static uint64_t now(void) {
        struct timespec time;

        (void) clock_gettime(CLOCK_REALTIME, &time);
        return (uint64_t) time.tv_sec * UINT64_C(1000000) + (uint64_t) time.tv_nsec / 1000;
}

static int on_grace(sd_event_source *source, uint64_t usec, void *userdata) {
        struct pending *pending = userdata;
        struct report report = { .time = pending->time,
                                 .name = pending->name,
                                 .is_removal = pending->is_removal };

        (void) usec;
        /* It may initialize for minutes, and moduled says nothing before the end. */
        if (!pending->is_removal && subject_is_coming(pending->name))
                return sd_event_source_set_time_relative(source, GRACE_USEC);
        report_print(&report, pending->monitor->options);
        pending_free(pending);
        return 0;
}

static int keep(struct monitor *monitor, const char *name, bool is_removal) {
        struct pending *pending = calloc(1, sizeof(*pending) + strlen(name) + 1);
        int r;

        if (!pending)
                return -ENOMEM;
        pending->monitor = monitor;
        pending->is_removal = is_removal;
        pending->time = now();
        strcpy(pending->name, name);
        LIST_INSERT_HEAD(&monitor->pending, pending, entries);
        r = sd_event_add_time_relative(monitor->event, &pending->timer, CLOCK_MONOTONIC, GRACE_USEC, 0,
                                       on_grace, pending);
        if (r >= 0)
                r = sd_event_source_set_enabled(pending->timer, SD_EVENT_ON);
        if (r < 0)
                pending_free(pending);
        return r;
}

/* What moduled tells now the kernel has told before. */
static void forget(struct monitor *monitor, const char *name, bool is_removal) {
        struct pending *pending, *next;

        for (pending = LIST_FIRST(&monitor->pending); pending; pending = next) {
                next = LIST_NEXT(pending, entries);
                if (pending->is_removal == is_removal && strcmp(pending->name, name) == 0)
                        pending_free(pending);
        }
}

static int on_uevent(sd_event_source *source, int fd, uint32_t events, void *userdata) {
        struct monitor *monitor = userdata;
        struct udev_device *device;
        const char *action, *name;
        int r = 0;

        (void) source;
        (void) fd;
        (void) events;
        device = lib_udev_monitor_receive_device(monitor->uevents);
        if (!device) {
                if (errno == ENOBUFS)
                        say("The kernel told more than could be read, and some modules are missing here; see 'modctl list --all'.");
                return 0;
        }
        action = lib_udev_device_get_action(device);
        name = lib_udev_device_get_sysname(device);
        if (action && name && strcmp(action, "add") == 0)
                r = keep(monitor, name, false);
        else if (action && name && strcmp(action, "remove") == 0)
                r = keep(monitor, name, true);
        lib_udev_device_unref(device);
        return r;
}

/* Who had it loaded; without starting a moduled that has left since, and for no longer than a moment. */
static void ask_about(sd_bus *bus, const char *object, struct report *report, sd_bus_message **answer) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL;
        int r;

        r = sd_bus_message_new_method_call(bus, &m, MODULED_BUS_NAME, object,
                                           "org.freedesktop.DBus.Properties", "GetAll");
        if (r >= 0)
                r = sd_bus_message_append(m, "s", MODULED_MODULE_INTERFACE);
        if (r >= 0)
                r = sd_bus_message_set_auto_start(m, false);
        if (r >= 0)
                r = sd_bus_call(bus, m, 0, NULL, answer);
        if (r >= 0)
                r = modules_read_one(*answer, &report->module);
        report->is_known = r >= 0;
}

static int on_signal(sd_bus_message *m, struct monitor *monitor, bool is_removal) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *answer = NULL;
        struct report report = { .time = now(), .is_removal = is_removal, .is_ours = true };
        const char *object;

        /*
         * The bus lets through to us what moduled sends to everybody, and what anybody sends to us alone; sd-bus does not look
         * whether that comes from whom a match names. What is no signal of moduled's as we know them is passed over, too.
         */
        if (sd_bus_message_get_destination(m) || sd_bus_message_read(m, "so", &report.name, &object) < 0)
                return 0;
        forget(monitor, report.name, is_removal);
        if (!is_removal)
                ask_about(monitor->bus, object, &report, &answer);
        report_print(&report, monitor->options);
        return 0;
}

static int on_loaded(sd_bus_message *m, void *userdata, sd_bus_error *ret_error) {
        (void) ret_error;
        return on_signal(m, userdata, false);
}

static int on_unloaded(sd_bus_message *m, void *userdata, sd_bus_error *ret_error) {
        (void) ret_error;
        return on_signal(m, userdata, true);
}

static int on_disconnected(sd_bus_message *m, void *userdata, sd_bus_error *ret_error) {
        struct monitor *monitor = userdata;

        (void) m;
        (void) ret_error;
        say("The system bus has closed the connection; run it again when the bus is back.");
        return sd_event_exit(monitor->event, EXIT_FAILED);
}

static int listen_to_moduled(struct monitor *monitor) {
        int r;

        r = sd_bus_match_signal(monitor->bus, NULL, MODULED_BUS_NAME, MODULED_OBJECT_PATH,
                                MODULED_MANAGER_INTERFACE, "ModuleLoaded", on_loaded, monitor);
        if (r >= 0)
                r = sd_bus_match_signal(monitor->bus, NULL, MODULED_BUS_NAME, MODULED_OBJECT_PATH,
                                        MODULED_MANAGER_INTERFACE, "ModuleUnloaded", on_unloaded, monitor);
        if (r >= 0)
                r = sd_bus_match_signal(monitor->bus, NULL, "org.freedesktop.DBus.Local",
                                        "/org/freedesktop/DBus/Local", "org.freedesktop.DBus.Local",
                                        "Disconnected", on_disconnected, monitor);
        if (r >= 0)
                r = sd_bus_attach_event(monitor->bus, monitor->event, SD_EVENT_PRIORITY_NORMAL);
        return r;
}

static int listen_to_kernel(struct monitor *monitor) {
        int r;

        monitor->udev = lib_udev_new();
        if (!monitor->udev)
                return -errno;
        monitor->uevents = lib_udev_monitor_new_from_netlink(monitor->udev, "kernel");
        if (!monitor->uevents)
                return -errno;
        r = lib_udev_monitor_filter_add_match_subsystem_devtype(monitor->uevents, "module", NULL);
        if (r >= 0)
                r = lib_udev_monitor_enable_receiving(monitor->uevents);
        if (r >= 0)
                r = sd_event_add_io(monitor->event, NULL, lib_udev_monitor_get_fd(monitor->uevents), EPOLLIN,
                                    on_uevent, monitor);
        return r;
}

/* To end is what it is told to do, and no failure. */
static int prepare_end(struct monitor *monitor) {
        static const int ending[] = { SIGHUP, SIGINT, SIGTERM };
        sigset_t blocked;
        int r = 0;

        sigemptyset(&blocked);
        for (size_t i = 0; i < sizeof(ending) / sizeof(ending[0]); i++)
                sigaddset(&blocked, ending[i]);
        if (sigprocmask(SIG_BLOCK, &blocked, NULL) < 0)
                return -errno;
        for (size_t i = 0; r >= 0 && i < sizeof(ending) / sizeof(ending[0]); i++)
                r = sd_event_add_signal(monitor->event, NULL, ending[i], NULL, NULL);
        return r;
}

static int run(const struct options *options, char **arguments) {
        _cleanup_(monitor_clear) struct monitor monitor = { .options = options->set };
        int r;

        (void) arguments;
        if (require_library(&libudev) < 0)
                return EXIT_FAILED;
        r = bus_open(&monitor.bus);
        if (r < 0)
                return failure_report_unreachable(r);
        r = sd_event_new(&monitor.event);
        if (r >= 0)
                r = prepare_end(&monitor);
        if (r >= 0)
                r = listen_to_moduled(&monitor);
        if (r >= 0)
                r = listen_to_kernel(&monitor);
        if (r < 0) {
                say("Cannot listen to moduled and the kernel (%s); try again.", strerror(-r));
                return EXIT_FAILED;
        }
        /* Whoever reads along has each line at once. */
        (void) setvbuf(stdout, NULL, _IOLBF, 0);
        if (isatty(STDOUT_FILENO) && !(options->set & OPTION_JSON))
                printf("Waiting for modules to be loaded and unloaded; ^C ends it.\n");
        r = sd_event_loop(monitor.event);
        return r < 0 ? EXIT_FAILED : r;
}

const struct command command_monitor = {
        .name = "monitor",
        .arguments = "",
        .summary = "show modules as they come and go",
        .help = help,
        .options = OPTION_JSON,
        .run = run,
};
