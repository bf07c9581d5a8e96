/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * modctl unload
 */

#include <stdint.h>
#include <string.h>

#include "bus.h"
#include "cleanup.h"
#include "command.h"
#include "failure.h"
#include "message.h"
#include "names.h"

static const char help[] =
                "Usage: modctl unload [OPTION...] NAME\n"
                "\n"
                "Unloads the kernel module NAME, unless it is in use. You may be asked for a password.\n"
                "On a terminal it says what was unloaded; elsewhere it says nothing.\n"
                "\n"
                "Options:\n"
                "      --no-ask-password    fail rather than ask for a password\n"
                "  -q, --quiet              say nothing but what failed\n"
                "  -v, --verbose            say what was unloaded, on a terminal or not\n"
                "  -h, --help               show this\n"
                "\n"
                "Exit codes: 0 unloaded, 1 failed, 2 wrong usage, 4 not authorized.\n";

static int make_call(sd_bus *bus, const char *name, sd_bus_message **ret) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL;
        int r;

        r = sd_bus_message_new_method_call(bus, &m, MODULED_BUS_NAME, MODULED_OBJECT_PATH,
                                           MODULED_MANAGER_INTERFACE, "Unload");
        if (r >= 0)
                r = sd_bus_message_append(m, "st", name, UINT64_C(0));
        if (r < 0)
                return r;
        *ret = take_pointer(&m);
        return 0;
}

static int run(const struct options *options, char **arguments) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL, *answer = NULL;
        _cleanup_(sd_bus_close_unrefp) sd_bus *bus = NULL;
        const char *name = arguments[0];
        int r;

        if (strchr(name, '/')) {
                say("'%s' is a file; give the module's name, as 'modctl list' shows it.", name);
                return EXIT_USAGE;
        }
        r = bus_open(&bus);
        if (r < 0)
                return failure_report_unreachable(r);

        r = make_call(bus, name, &m);
        if (r == -EINVAL) {
                say("'%s' is no module's name; 'modctl list' shows names.", name);
                return EXIT_USAGE;
        }
        if (r >= 0)
                r = bus_call_authorized(bus, m, !(options->set & OPTION_NO_ASK_PASSWORD), &answer);
        if (r != 0)
                return failure_report(r, answer, options->set);

        announce(options->set, "Unloaded", name);
        return EXIT_DONE;
}

const struct command command_unload = {
        .name = "unload",
        .arguments = "NAME",
        .summary = "unload the kernel module NAME",
        .help = help,
        .options = OPTION_NO_ASK_PASSWORD | OPTION_QUIET | OPTION_VERBOSE,
        .min_arguments = 1,
        .max_arguments = 1,
        .run = run,
};
