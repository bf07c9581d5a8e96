/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Command
 *
 * What modctl.c must know of a command, and how a command tells how it went.
 */

/* Exit codes; part of the interface, listed in the manual. */
enum {
        EXIT_DONE = 0,
        EXIT_FAILED = 1,
        EXIT_USAGE = 2,
        EXIT_REFUSED = 3,      /* by an origin or by policy: asking again changes nothing */
        EXIT_UNAUTHORIZED = 4, /* by polkit or by the bus: somebody else may be allowed */
};

/* Options; none takes an argument, so a set of them is all that there is to know. */
enum {
        OPTION_HELP = 1 << 0,
        OPTION_VERSION = 1 << 1,
        OPTION_QUIET = 1 << 2,
        OPTION_VERBOSE = 1 << 3,
        OPTION_NO_ASK_PASSWORD = 1 << 4,
        OPTION_FIRST_TIME = 1 << 5,
        OPTION_FORCE = 1 << 6,
        OPTION_FORCE_MODVERSION = 1 << 7,
        OPTION_FORCE_VERMAGIC = 1 << 8,
        OPTION_JSON = 1 << 9,
        OPTION_NO_LEGEND = 1 << 10,
};

struct command {
        const char *name;
        const char *arguments; /* in words, "" if there are none */
        const char *summary;   /* one line, for modctl --help */
        const char *help;      /* all of modctl COMMAND --help */
        unsigned options;      /* those that mean something to it, besides OPTION_HELP and OPTION_VERSION */
        int min_arguments;
        int max_arguments;

        /* Does it and returns an exit code; has said why if that is not EXIT_DONE. @arguments ends with NULL. */
        int (*run)(unsigned options, char **arguments);
};

extern const struct command command_load;
extern const struct command command_unload;
extern const struct command command_list;
extern const struct command command_status;
