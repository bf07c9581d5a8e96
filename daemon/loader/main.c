/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * moduled-loader
 *
 * The program that holds the privilege. It is started by its socket, reads the configuration for itself, serves the
 * broker's user alone, and leaves when it has had nothing to do for a while.
 */

#include <fcntl.h>
#include <getopt.h>
#include <pwd.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>

#include "build.h"
#include "cleanup.h"
#include "loader.h"
#include "service.h"

/* The socket stays with the service manager, so leaving loses nothing; a cold start costs tens of milliseconds. */
#define IDLE_MS (60 * 1000)
#define LISTEN_FD 3

struct options {
        const char *root;
        const char *user;
};

static void help(void) {
        printf("moduled-loader [OPTION...]\n\n"
               "Load kernel modules for moduled. Started by moduled-loader.socket.\n\n"
               "  --help           show this help\n"
               "  --version        show the version\n"
               "  --config-root=DIR  read the configuration below DIR\n"
               "  --user=NAME      serve this user (default: " MODULED_USER ")\n");
}

/* Return: 0 to go on, 1 to exit with success, or a negative errno. */
static int parse_options(int argc, char *argv[], struct options *options) {
        static const struct option known[] = {
                { "help", no_argument, NULL, 'h' },
                { "version", no_argument, NULL, 'v' },
                { "config-root", required_argument, NULL, 'r' },
                { "user", required_argument, NULL, 'u' },
                { 0 },
        };
        int c;

        while ((c = getopt_long(argc, argv, "h", known, NULL)) >= 0)
                switch (c) {
                case 'h':
                        help();
                        return 1;
                case 'v':
                        puts("moduled-loader " PROJECT_VERSION);
                        return 1;
                case 'r':
                        options->root = optarg;
                        break;
                case 'u':
                        options->user = optarg;
                        break;
                default:
                        return -EINVAL;
                }
        if (optind < argc) {
                fprintf(stderr, "moduled-loader takes no arguments; see --help.\n");
                return -EINVAL;
        }
        return 0;
}

/* See sd_listen_fds(3); the loader does without libsystemd. */
static int take_listen_socket(void) {
        const char *pid = getenv("LISTEN_PID"), *fds = getenv("LISTEN_FDS");
        int type = 0, accepting = 0;
        socklen_t size = sizeof type;

        if (!pid || !fds || strtol(pid, NULL, 10) != getpid() || strcmp(fds, "1") != 0) {
                fprintf(stderr,
                        "moduled-loader must be started by its socket; run 'systemctl start moduled-loader.socket'.\n");
                return -EINVAL;
        }
        if (getsockopt(LISTEN_FD, SOL_SOCKET, SO_TYPE, &type, &size) < 0 ||
            getsockopt(LISTEN_FD, SOL_SOCKET, SO_ACCEPTCONN, &accepting, &size) < 0 ||
            type != SOCK_SEQPACKET || !accepting) {
                fprintf(stderr,
                        "The socket handed over is not a listening SOCK_SEQPACKET socket; start moduled-loader.socket.\n");
                return -EINVAL;
        }
        if (fcntl(LISTEN_FD, F_SETFD, FD_CLOEXEC) < 0 || fcntl(LISTEN_FD, F_SETFL, O_NONBLOCK) < 0)
                return -errno;
        return LISTEN_FD;
}

static int find_user(const char *name, uid_t *ret) {
        const struct passwd *user;

        errno = 0;
        user = getpwnam(name);
        if (!user) {
                service_complain("There is no user %s; run systemd-sysusers to make it.", name);
                return errno > 0 ? -errno : -ENOENT;
        }
        *ret = user->pw_uid;
        return 0;
}

/*
 * A loader that left because of an error in the configuration would be started again and again, as long as a request is
 * there. So it stays, refuses, and looks again before the next one.
 */
static bool look_again(struct loader *loader, const char *root) {
        struct config_error error = { 0 };
        struct config *config;
        int r;

        r = config_load(root, &config, &error);
        config_error_clear(&error);
        if (r >= 0)
                loader_set_config(loader, config);
        return r >= 0;
}

static void reload(struct loader *loader, const char *root) {
        struct config *config;

        if (service_read_config(root, &config) < 0)
                service_complain(
                                "The configuration has an error, and the one before stays in force; correct it and reload.");
        else
                loader_set_config(loader, config);
}

static int take_signals(void) {
        sigset_t signals;
        int fd;

        /* Children are waited for by their pipe; nobody asks for their status. */
        (void) signal(SIGCHLD, SIG_IGN);
        sigemptyset(&signals);
        sigaddset(&signals, SIGTERM);
        sigaddset(&signals, SIGINT);
        sigaddset(&signals, SIGHUP);
        if (sigprocmask(SIG_BLOCK, &signals, NULL) < 0)
                return -errno;
        fd = signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK);
        return fd < 0 ? -errno : fd;
}

/* Until the service is idle; or until SIGTERM, or until it has run out of descriptors, and then until no load is in flight. */
static int serve(struct loader *loader, bool configured, int signal_fd, const char *root) {
        bool ends = false;

        while (!ends || loader_is_busy(loader)) {
                struct signalfd_siginfo info;
                int r;

                if (!configured)
                        configured = look_again(loader, root);
                r = loader_run_once(loader, &signal_fd, 1, IDLE_MS);
                if (r < 0)
                        return r;
                if (r == 0 && loader_is_idle(loader))
                        return 0;
                /* A broker that has just begun has read the configuration; a reload while there was none may not have come here. */
                if (loader_is_met_by_another(loader))
                        reload(loader, root);
                while (read(signal_fd, &info, sizeof info) == sizeof info) {
                        if (info.ssi_signo == SIGHUP)
                                reload(loader, root);
                        else
                                ends = true;
                }
                if (loader_is_exhausted(loader) && !ends) {
                        service_complain(
                                        "There is no room for another descriptor; the next request starts the service anew; "
                                        "if that is seen often, an administrator must raise LimitNOFILE= in its unit.");
                        ends = true;
                }
        }
        return 0;
}

static int run(const struct options *options) {
        struct loader *loader = NULL;
        struct config *config = NULL;
        int listen_fd, signal_fd = -1, r;
        uid_t uid = (uid_t) -1;

        if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
                return -errno;
        service_never_wait_for_journald();
        r = listen_fd = take_listen_socket();
        if (r >= 0)
                r = find_user(options->user, &uid);
        if (r >= 0)
                r = signal_fd = take_signals();
        if (r < 0)
                return r;
        r = service_read_config(options->root, &config);
        if (r < 0 && r != -EINVAL)
                return r;

        r = loader_new(listen_fd, uid, config, &loader);
        if (r >= 0) {
                r = serve(loader, config != NULL, signal_fd, options->root);
                loader_free(loader);
        }
        return r;
}

int main(int argc, char *argv[]) {
        struct options options = { .root = "", .user = MODULED_USER };
        int r;

        r = parse_options(argc, argv, &options);
        if (r == 0)
                r = run(&options);
        if (r < 0 && r != -EINVAL)
                service_complain("moduled-loader failed: %s; try again.", strerror(-r));
        return r < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
