/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * modctl
 *
 * The command line of moduled: finds the command and its options, and leaves the rest to the command's own file.
 */

#include <errno.h>
#include <getopt.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "build.h"
#include "command.h"
#include "message.h"

static const struct command *const commands[] = {
        &command_load, &command_unload, &command_check,   &command_info,
        &command_list, &command_status, &command_monitor, &command_log,
};

static const struct option long_options[] = {
        { "help", no_argument, NULL, OPTION_HELP },
        { "version", no_argument, NULL, OPTION_VERSION },
        { "quiet", no_argument, NULL, OPTION_QUIET },
        { "verbose", no_argument, NULL, OPTION_VERBOSE },
        { "no-ask-password", no_argument, NULL, OPTION_NO_ASK_PASSWORD },
        { "first-time", no_argument, NULL, OPTION_FIRST_TIME },
        { "force", no_argument, NULL, OPTION_FORCE },
        { "force-modversion", no_argument, NULL, OPTION_FORCE_MODVERSION },
        { "force-vermagic", no_argument, NULL, OPTION_FORCE_VERMAGIC },
        { "json", no_argument, NULL, OPTION_JSON },
        { "no-legend", no_argument, NULL, OPTION_NO_LEGEND },
        { "no-pager", no_argument, NULL, OPTION_NO_PAGER },
        { "output", required_argument, NULL, OPTION_OUTPUT },
        { "show", no_argument, NULL, OPTION_SHOW },
        { "root", required_argument, NULL, OPTION_ROOT },
        { "kernel", required_argument, NULL, OPTION_KERNEL },
        { "with-unused", no_argument, NULL, OPTION_WITH_UNUSED },
        { "mine", no_argument, NULL, OPTION_MINE },
        { "all", no_argument, NULL, OPTION_ALL },
        { "since", required_argument, NULL, OPTION_SINCE },
        { "lines", required_argument, NULL, OPTION_LINES },
        { "field", required_argument, NULL, OPTION_FIELD },
        { NULL, 0, NULL, 0 },
};

#define N_COMMANDS (sizeof(commands) / sizeof(commands[0]))

/* Where the argument of an option goes, or NULL if it takes none. */
static const char **text_of(struct options *options, unsigned option) {
        switch (option) {
        case OPTION_OUTPUT:
                return &options->output;
        case OPTION_ROOT:
                return &options->root;
        case OPTION_KERNEL:
                return &options->kernel;
        case OPTION_SINCE:
                return &options->since;
        case OPTION_LINES:
                return &options->lines;
        case OPTION_FIELD:
                return &options->field;
        default:
                return NULL;
        }
}

static void print_help(const struct command *command) {
        if (command) {
                fputs(command->help, stdout);
                return;
        }
        printf("Usage: modctl COMMAND [OPTION...] [ARGUMENT...]\n"
               "\n"
               "Has kernel modules loaded by moduled, without being root.\n"
               "\n"
               "Commands:\n");
        for (size_t i = 0; i < N_COMMANDS; i++)
                printf("  %-8s%-28s%s\n", commands[i]->name, commands[i]->arguments, commands[i]->summary);
        printf("\n"
               "Options:\n"
               "  -h, --help      show this, or a command's own help: modctl COMMAND --help\n"
               "      --version   show the version\n"
               "\n"
               "Exit codes: 0 done, 1 failed, 2 wrong usage, 3 refused by an origin or by policy,\n"
               "4 not authorized.\n");
}

/* The long option that a short one stands for, or the long option itself. */
static unsigned option_of(int c) {
        static const struct {
                char letter;
                unsigned option;
        } letters[] = {
                { 'h', OPTION_HELP },  { 'n', OPTION_LINES },   { 'o', OPTION_OUTPUT },
                { 'q', OPTION_QUIET }, { 'v', OPTION_VERBOSE }, { 'F', OPTION_FIELD },
        };

        for (size_t i = 0; i < sizeof(letters) / sizeof(letters[0]); i++)
                if (letters[i].letter == c)
                        return letters[i].option;
        return (unsigned) c;
}

/* Reads options, wherever they stand; moves the other arguments behind them. */
static int parse_options(int argc, char **argv, struct options *options) {
        const char **text;
        int c;

        while ((c = getopt_long(argc, argv, "F:hn:o:qv", long_options, NULL)) != -1) {
                unsigned option;

                if (c == '?')
                        /* getopt_long() has said what. */
                        return -EINVAL;
                option = option_of(c);
                options->set |= option;
                text = text_of(options, option);
                if (text)
                        *text = optarg;
        }
        return 0;
}

static const struct command *find_command(const char *name) {
        for (size_t i = 0; i < N_COMMANDS; i++)
                if (strcmp(commands[i]->name, name) == 0)
                        return commands[i];
        return NULL;
}

/* Whether @command can do something with what it was given; says why not. */
static bool is_usable(const struct command *command, unsigned options, int n_arguments) {
        unsigned strange = options & ~command->options;

        for (const struct option *o = long_options; o->name; o++) {
                if (!(strange & (unsigned) o->val))
                        continue;
                say("'modctl %s' has no option --%s; see 'modctl %s --help'.", command->name, o->name,
                    command->name);
                return false;
        }
        if (n_arguments < command->min_arguments || n_arguments > command->max_arguments) {
                say("'modctl %s' takes %s; see 'modctl %s --help'.", command->name,
                    *command->arguments ? command->arguments : "no arguments", command->name);
                return false;
        }
        return true;
}

static int dispatch(const struct options *options, char **arguments, int n_arguments) {
        const struct command *command = NULL;

        if (n_arguments > 0) {
                command = find_command(arguments[0]);
                if (!command) {
                        say("There is no command '%s'; 'modctl --help' lists them.", arguments[0]);
                        return EXIT_USAGE;
                }
        }
        if (options->set & OPTION_HELP) {
                print_help(command);
                return EXIT_DONE;
        }
        if (options->set & OPTION_VERSION) {
                printf("modctl %s\n", PROJECT_VERSION);
                return EXIT_DONE;
        }
        if (!command) {
                say("A command is missing; 'modctl --help' lists them.");
                return EXIT_USAGE;
        }
        if (!is_usable(command, options->set, n_arguments - 1))
                return EXIT_USAGE;
        return command->run(options, arguments + 1);
}

int main(int argc, char *argv[]) {
        static char name[] = "modctl";
        struct options options = { 0 };
        int r;

        /* What getopt_long() says begins with this; no path belongs there. */
        argv[0] = name;
        if (parse_options(argc, argv, &options) < 0) {
                say("'modctl --help' and 'modctl COMMAND --help' list the options.");
                return EXIT_USAGE;
        }
        r = dispatch(&options, argv + optind, argc - optind);
        if ((fflush(stdout) != 0 || ferror(stdout)) && r == EXIT_DONE) {
                say("The output could not be written (%s); look whether there is room where it goes.",
                    strerror(errno));
                return EXIT_FAILED;
        }
        return r;
}
