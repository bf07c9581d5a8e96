/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * moduled
 *
 * The program on the bus. It parses what strangers send and holds no privilege at all: what it was started with it gives
 * up first. The loader, another program of another user, does what needs one.
 */

#include <cap-ng.h>
#include <getopt.h>
#include <malloc.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <systemd/sd-daemon.h>

#include "announce.h"
#include "build.h"
#include "cleanup.h"
#include "lifecycle.h"
#include "manager.h"
#include "names.h"
#include "reader.h"
#include "request.h"
#include "service.h"
#include "system.h"
#include "uevents.h"

/*
 * A predecessor that was killed while a thread of it could not end may have kept its connection, and its name with it. Who
 * else may have the name is the bus policy's to say.
 */
#define NAME_FLAGS (SD_BUS_NAME_ALLOW_REPLACEMENT | SD_BUS_NAME_REPLACE_EXISTING)

/* In bytes. */
#define ALLOCATION_LARGE (128 * 1024)

struct options {
        const char *root;
        const char *loader_socket;
        const char *state_directory;
};

struct broker {
        struct context context;
        struct lifecycle *lifecycle;
        struct uevents *uevents;
        struct options options;
};

static void help(void) {
        printf("moduled [OPTION...]\n\n"
               "Load kernel modules for unprivileged programs. Started by the bus; see modctl.\n\n"
               "  --help                 show this help\n"
               "  --version              show the version\n"
               "  --config-root=DIR      read the configuration below DIR\n"
               "  --loader-socket=PATH   the loader's socket (default: " MODULED_LOADER_SOCKET ")\n"
               "  --state-directory=DIR  where to remember what was loaded (default: " MODULED_STATE_DIRECTORY
               ")\n");
}

/* Return: 0 to go on, 1 to exit with success, or a negative errno. */
static int parse_options(int argc, char *argv[], struct options *options) {
        static const struct option known[] = {
                { "help", no_argument, NULL, 'h' },
                { "version", no_argument, NULL, 'v' },
                { "config-root", required_argument, NULL, 'r' },
                { "loader-socket", required_argument, NULL, 'l' },
                { "state-directory", required_argument, NULL, 's' },
                { 0 },
        };
        int c;

        while ((c = getopt_long(argc, argv, "h", known, NULL)) >= 0)
                switch (c) {
                case 'h':
                        help();
                        return 1;
                case 'v':
                        puts("moduled " PROJECT_VERSION);
                        return 1;
                case 'r':
                        options->root = optarg;
                        break;
                case 'l':
                        options->loader_socket = optarg;
                        break;
                case 's':
                        options->state_directory = optarg;
                        break;
                default:
                        return -EINVAL;
                }
        if (optind < argc) {
                fprintf(stderr, "moduled takes no arguments; see --help.\n");
                return -EINVAL;
        }
        return 0;
}

/* As a service it has none to begin with; this is for whoever starts it by hand as root. */
static int drop_privilege(void) {
        capng_select_t set = CAPNG_SELECT_CAPS;

        /* The bounding set can be emptied only with CAP_SETPCAP; without it there is nothing left to be gained from it. */
        if (capng_get_caps_process() < 0)
                return -errno;
        if (capng_have_capability(CAPNG_EFFECTIVE, CAP_SETPCAP))
                set = CAPNG_SELECT_ALL;
        /* The unit's seccomp filter has no capset(2), and there is nothing to give up. */
        if (capng_have_capabilities(CAPNG_SELECT_CAPS) > CAPNG_NONE) {
                capng_clear(CAPNG_SELECT_ALL);
                if (capng_apply(set) < 0)
                        return -EPERM;
        }
        return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ? -errno : 0;
}

/* Strangers send descriptors; if there were no number left for one of them the bus would drop us. */
static void raise_descriptor_limit(void) {
        struct rlimit limit;

        if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
                return;
        limit.rlim_cur = limit.rlim_max;
        (void) setrlimit(RLIMIT_NOFILE, &limit);
}

static void use_config(struct broker *broker, struct config *config) {
        config_free(broker->context.config);
        broker->context.config = config;
        inspector_set_time(broker->context.inspector, config->limits.inspection_sec * UINT64_C(1000000));
}

static int on_reload(sd_event_source *source, const struct signalfd_siginfo *info, void *userdata) {
        struct broker *broker = userdata;
        struct config *config;

        (void) source;
        (void) info;
        (void) sd_notify(false, "RELOADING=1");
        if (service_read_config(broker->options.root, &config) < 0)
                service_complain(
                                "The configuration has an error, and the one before stays in force; correct it and reload.");
        else {
                use_config(broker, config);
                (void) lifecycle_reload(broker->lifecycle);
        }
        (void) sd_notify(false, "READY=1");
        return 0;
}

static int on_stop(sd_event_source *source, const struct signalfd_siginfo *info, void *userdata) {
        struct broker *broker = userdata;

        (void) source;
        (void) info;
        lifecycle_stop(broker->lifecycle);
        return 0;
}

/* A new one could be forked only from a process that holds no stranger's descriptor: the next start of this one. */
static void on_inspector_died(void *userdata) {
        struct broker *broker = userdata;

        service_complain(
                        "The inspector has died, and the service ends until the next call; report it if it happens again.");
        lifecycle_stop(broker->lifecycle);
}

static int attach_signals(struct broker *broker) {
        sd_event *event = broker->context.event;
        sigset_t signals;
        int r;

        sigemptyset(&signals);
        sigaddset(&signals, SIGTERM);
        sigaddset(&signals, SIGINT);
        sigaddset(&signals, SIGHUP);
        if (sigprocmask(SIG_BLOCK, &signals, NULL) < 0)
                return -errno;
        r = sd_event_add_signal(event, NULL, SIGTERM, on_stop, broker);
        if (r >= 0)
                r = sd_event_add_signal(event, NULL, SIGINT, on_stop, broker);
        if (r >= 0)
                r = sd_event_add_signal(event, NULL, SIGHUP, on_reload, broker);
        return r < 0 ? r : 0;
}

static int on_name(sd_bus_message *reply, void *userdata, sd_bus_error *error) {
        struct broker *broker = userdata;

        (void) error;
        if (sd_bus_message_is_method_error(reply, NULL)) {
                service_complain(
                                "The bus does not give us our name (%s); end another moduled if there is one, and look whether "
                                "the bus policy is installed.",
                                sd_bus_message_get_error(reply)->message);
                return sd_event_exit(broker->context.event, EXIT_FAILURE);
        }
        (void) sd_notify(false, "READY=1");
        return 0;
}

/* The bus went away; what was asked cannot be answered any more. The service manager starts us again. */
static int on_disconnected(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        struct broker *broker = userdata;

        (void) message;
        (void) error;
        service_complain("The connection to the bus is gone; see 'systemctl status dbus'.");
        return sd_event_exit(broker->context.event, EXIT_FAILURE);
}

static void on_caller_gone(const char *name, void *userdata) {
        requests_give_up(userdata, name);
}

/* Nothing is asked synchronously, not even the name: parcel.c rests on it. */
static int open_bus(struct broker *broker) {
        struct context *context = &broker->context;
        int r;

        r = sd_bus_open_system_with_description(&context->bus, "moduled");
        if (r >= 0)
                r = reader_attach(context);
        if (r >= 0)
                r = authority_new(context->event, context->bus, &context->authority);
        if (r >= 0)
                r = callers_new(context->bus, on_caller_gone, context, &context->callers);
        if (r >= 0)
                r = backlog_new(context->event, &context->backlog);
        if (r >= 0)
                r = parcels_new(context->event, context->bus, context->callers, &context->users,
                                &context->parcels);
        if (r >= 0)
                r = manager_attach(context);
        if (r >= 0)
                r = sd_bus_match_signal_async(context->bus, NULL, "org.freedesktop.DBus.Local",
                                              "/org/freedesktop/DBus/Local", "org.freedesktop.DBus.Local",
                                              "Disconnected", on_disconnected, NULL, broker);
        if (r >= 0)
                r = sd_bus_request_name_async(context->bus, NULL, MODULED_BUS_NAME, NAME_FLAGS, on_name,
                                              broker);
        if (r >= 0)
                r = sd_bus_attach_event(context->bus, context->event, SD_EVENT_PRIORITY_NORMAL);
        if (r < 0)
                service_complain("The system bus cannot be used: %s; see 'systemctl status dbus'.",
                                 strerror(-r));
        return r;
}

/* What somebody else unloads disappears; what somebody else loads is none of ours. */
static void on_uevent(enum uevent uevent, const char *name, void *userdata) {
        struct broker *broker = userdata;
        int state;

        if (uevent == UEVENT_RESYNC)
                announce_absent(&broker->context);
        if (uevent != UEVENT_REMOVED)
                return;
        /* The kernel says so before its directory in sysfs is gone; and it may be there again by now. */
        state = system_module_state(name);
        if (state != MODULE_LIVE && state != MODULE_COMING)
                announce_gone(&broker->context, name);
}

static int start(struct broker *broker) {
        struct context *context = &broker->context;
        struct config *config;
        int r;

        LIST_INIT(&context->requests);
        LIST_INIT(&context->users.list);
        TAILQ_INIT(&context->turns);
        context->loader_socket = broker->options.loader_socket;

        r = drop_privilege();
        if (r < 0) {
                service_complain("The privileges cannot be given up: %s; start moduled by its unit.",
                                 strerror(-r));
                return r;
        }
        raise_descriptor_limit();
        service_never_wait_for_journald();
        r = inspector_new(&context->inspector);
        if (r < 0) {
                service_complain(
                                "The inspector cannot be started: %s; try again, and look at the limits of the unit.",
                                strerror(-r));
                return r;
        }
        r = service_read_config(broker->options.root, &config);
        if (r < 0)
                return r;
        use_config(broker, config);
        r = registry_new(broker->options.state_directory, &context->registry);
        if (r < 0) {
                service_complain(
                                "The directory %s cannot be used: %s; make it one of the user moduled's, as its unit does.",
                                broker->options.state_directory, strerror(-r));
                return r;
        }
        r = sd_event_default(&context->event);
        if (r >= 0)
                r = journal_new(context->event, JOURNAL_SOCKET, JOURNAL_INTERVAL, &context->journal);
        if (r >= 0)
                r = modprobe_new(modprobe_directories, inspector_zygote(context->inspector),
                                 &context->modprobe);
        if (r >= 0)
                r = attach_signals(broker);
        if (r >= 0)
                r = sd_event_set_watchdog(context->event, true);
        if (r < 0) {
                service_complain(
                                "The service cannot start: %s; try again, and look at the limits of the unit.",
                                strerror(-r));
                return r;
        }
        r = inspector_attach(context->inspector, context->event, on_inspector_died, broker);
        if (r < 0) {
                service_complain(
                                "The inspector cannot be used: %s; try again, and look at the limits of the unit.",
                                strerror(-r));
                return r;
        }
        r = uevents_new(context->event, on_uevent, broker, &broker->uevents);
        if (r < 0) {
                service_complain(
                                "The kernel's events about modules cannot be heard: %s; see that the unit allows AF_NETLINK.",
                                strerror(-r));
                return r;
        }
        r = open_bus(broker);
        if (r < 0)
                return r;
        return lifecycle_new(context, &broker->lifecycle);
}

static void stop(struct broker *broker) {
        struct context *context = &broker->context;

        requests_drop(context);
        lifecycle_free(broker->lifecycle);
        uevents_free(broker->uevents);
        authority_free(context->authority);
        parcels_free(context->parcels);
        callers_free(context->callers);
        backlog_free(context->backlog);
        sd_bus_flush_close_unref(context->bus);
        inspector_free(context->inspector);
        registry_free(context->registry);
        journal_free(context->journal);
        modprobe_free(context->modprobe);
        config_free(context->config);
        sd_event_unref(context->event);
}

/*
 * Messages may be large and come in crowds. What mallopt(3) is told here goes back to the system when it is freed; left alone
 * the C library learns from the first large one to keep the next, and has a heap for each thread. What it keeps at hand of
 * small pieces has no such switch; the unit has one in GLIBC_TUNABLES.
 */
static void keep_no_memory(void) {
        (void) mallopt(M_MMAP_THRESHOLD, ALLOCATION_LARGE);
        (void) mallopt(M_TRIM_THRESHOLD, ALLOCATION_LARGE);
        (void) mallopt(M_ARENA_MAX, 1);
}

int main(int argc, char *argv[]) {
        struct broker broker = {
                .options = {
                        .root = "",
                        .loader_socket = MODULED_LOADER_SOCKET,
                        .state_directory = MODULED_STATE_DIRECTORY,
                },
        };
        int r;

        r = parse_options(argc, argv, &broker.options);
        if (r != 0)
                return r < 0 ? EXIT_FAILURE : EXIT_SUCCESS;

        keep_no_memory();
        r = start(&broker);
        if (r >= 0)
                r = sd_event_loop(broker.context.event);
        stop(&broker);
        return r == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
