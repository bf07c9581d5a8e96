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

/* A bit for each option. */
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
        OPTION_NO_PAGER = 1 << 11,
        OPTION_OUTPUT = 1 << 12,
        OPTION_SHOW = 1 << 13,
        OPTION_ROOT = 1 << 14,
        OPTION_KERNEL = 1 << 15,
        OPTION_WITH_UNUSED = 1 << 16,
        OPTION_MINE = 1 << 17,
        OPTION_ALL = 1 << 18,
        OPTION_SINCE = 1 << 19,
        OPTION_LINES = 1 << 20,
        OPTION_FIELD = 1 << 21,
};

/* What was given on the command line; texts are NULL where their option was not. */
struct options {
        unsigned set; /* of the OPTION_ above */
        const char *output;
        const char *root;
        const char *kernel;
        const char *since;
        const char *lines;
        const char *field;
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
        int (*run)(const struct options *options, char **arguments);
};

extern const struct command command_load;
extern const struct command command_unload;
extern const struct command command_list;
extern const struct command command_log;
extern const struct command command_monitor;
extern const struct command command_status;
extern const struct command command_check;
extern const struct command command_info;
