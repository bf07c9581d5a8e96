/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * modctl load
 *
 * Opens the file as the user who calls, so that no more is asked of the service than that user may read.
 */

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdint.h>
#include <string.h>

#include "bus.h"
#include "cleanup.h"
#include "command.h"
#include "failure.h"
#include "message.h"
#include "names.h"
#include "parameters.h"

/* Flags of finit_module(2), in linux/module.h. */
#define FLAG_IGNORE_MODVERSIONS 1U
#define FLAG_IGNORE_VERMAGIC 2U

#define OPTIONS_FORCE (OPTION_FORCE | OPTION_FORCE_MODVERSION | OPTION_FORCE_VERMAGIC)

static const char help[] =
                "Usage: modctl load [OPTION...] FILE [PARAM=VALUE...]\n"
                "\n"
                "Loads the kernel module in FILE. You must be able to read FILE, and it must stand\n"
                "where /etc/moduled.conf lets modules come from. You may be asked for a password.\n"
                "Blanks in a VALUE are kept; quote them for your shell only.\n"
                "\n"
                "On a terminal it says what was loaded; elsewhere it says nothing. A module that is\n"
                "loaded already is no failure.\n"
                "\n"
                "Options:\n"
                "      --first-time         fail if the module is loaded already\n"
                "      --force-vermagic     ignore the kernel version that the module was built for\n"
                "      --force-modversion   ignore the versions of the symbols that it uses\n"
                "      --force              both; moduled.conf must allow any of the three\n"
                "      --no-ask-password    fail rather than ask for a password\n"
                "  -q, --quiet              say nothing but what failed\n"
                "  -v, --verbose            say what was loaded, on a terminal or not\n"
                "  -h, --help               show this\n"
                "\n"
                "Exit codes: 0 loaded, 1 failed, 2 wrong usage, 3 the file or the module is refused,\n"
                "4 not authorized.\n";

static uint64_t kernel_flags(unsigned options) {
        uint64_t flags = 0;

        if (options & (OPTION_FORCE | OPTION_FORCE_MODVERSION))
                flags |= FLAG_IGNORE_MODVERSIONS;
        if (options & (OPTION_FORCE | OPTION_FORCE_VERMAGIC))
                flags |= FLAG_IGNORE_VERMAGIC;
        return flags;
}

/* Returns a descriptor, or -1 and the exit code after saying why. */
static int open_file(const char *path, int *ret_exit_code) {
        /* A fifo or a device must not make us wait; that it is no module is for the service to say. */
        int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);

        if (fd >= 0)
                return fd;
        if (errno == ENOENT && !strpbrk(path, "/.")) {
                say("There is no file '%s', and names of modules are not looked up yet; give the module's file, which "
                    "'/sbin/modinfo -n %s' prints.",
                    path, path);
                *ret_exit_code = EXIT_USAGE;
                return -1;
        }
        if (errno == EACCES)
                say("Cannot open %s: %s; you must be able to read the file yourself.", path,
                    strerror(errno));
        else
                say("Cannot open %s: %s.", path, strerror(errno));
        *ret_exit_code = EXIT_FAILED;
        return -1;
}

static int join_parameters(char **arguments, char **ret) {
        const char *bad;
        int r;

        r = parameters_join(arguments, ret, &bad);
        if (r == -ENOMEM) {
                say("Out of memory.");
                return EXIT_FAILED;
        }
        if (r < 0) {
                say("The parameter '%s' cannot be passed: it must be NAME or NAME=VALUE, with no blank in its name, and "
                    "VALUE may not have blanks and double quotes, or one double quote alone.",
                    bad);
                return EXIT_USAGE;
        }
        return EXIT_DONE;
}

static int make_call(sd_bus *bus, int fd, const char *parameters, uint64_t flags, sd_bus_message **ret) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL;
        int r;

        r = sd_bus_message_new_method_call(bus, &m, MODULED_BUS_NAME, MODULED_OBJECT_PATH,
                                           MODULED_MANAGER_INTERFACE, "Load");
        if (r >= 0)
                r = sd_bus_message_append(m, "hst", fd, parameters, flags);
        if (r < 0)
                return r;
        *ret = take_pointer(&m);
        return 0;
}

static int announce_loaded(sd_bus_message *answer, unsigned options) {
        _cleanup_free_ char *name = NULL;
        const char *path;
        int r;

        r = sd_bus_message_read(answer, "o", &path);
        if (r >= 0)
                r = sd_bus_path_decode(path, MODULED_MODULE_PREFIX, &name);
        if (r <= 0)
                return failure_report_answer(r < 0 ? r : -EBADMSG);
        announce(options, "Loaded", name);
        return EXIT_DONE;
}

static int report(int result, sd_bus_message *answer, unsigned options) {
        const char *accepted = options & OPTION_FIRST_TIME ? NULL : MODULED_ERROR_ALREADY_LOADED;

        if (result == 0)
                return announce_loaded(answer, options);
        if (result < 0 || !accepted || sd_bus_message_is_method_error(answer, accepted) <= 0)
                return failure_report(result, answer, options);
        if (!(options & OPTION_QUIET))
                (void) failure_report(result, answer, options);
        return EXIT_DONE;
}

static int run(const struct options *options, char **arguments) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL, *answer = NULL;
        _cleanup_(sd_bus_close_unrefp) sd_bus *bus = NULL;
        _cleanup_free_ char *parameters = NULL;
        _cleanup_close_ int fd = -1;
        int r;

        r = join_parameters(arguments + 1, &parameters);
        if (r != EXIT_DONE)
                return r;
        fd = open_file(arguments[0], &r);
        if (fd < 0)
                return r;
        r = bus_open(&bus);
        if (r < 0)
                return failure_report_unreachable(r);

        r = make_call(bus, fd, parameters, kernel_flags(options->set), &m);
        if (r == -EINVAL) {
                say("The parameters are not UTF-8, and the bus carries no other text.");
                return EXIT_USAGE;
        }
        if (r >= 0)
                r = bus_call_authorized(bus, m, !(options->set & OPTION_NO_ASK_PASSWORD), &answer);
        return report(r, answer, options->set);
}

const struct command command_load = {
        .name = "load",
        .arguments = "FILE [PARAM=VALUE...]",
        .summary = "load the kernel module in FILE",
        .help = help,
        .options = OPTION_FIRST_TIME | OPTIONS_FORCE | OPTION_NO_ASK_PASSWORD | OPTION_QUIET |
                   OPTION_VERBOSE,
        .min_arguments = 1,
        .max_arguments = INT_MAX,
        .run = run,
};
