/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * modctl list
 *
 * The modules that moduled loaded, in the order in which it did; or all that the kernel has, in the kernel's order.
 */

#include <errno.h>
#include <libkmod.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "bus.h"
#include "cleanup.h"
#include "command.h"
#include "failure.h"
#include "kmod.h"
#include "message.h"
#include "modules.h"
#include "names.h"
#include "require.h"
#include "table.h"

static const char help[] =
                "Usage: modctl list [OPTION...]\n"
                "\n"
                "Lists the kernel modules that moduled loaded, oldest first: the name, the origin in\n"
                "moduled.conf that accepted the file, who had it loaded and when, and the file.\n"
                "\n"
                "Options:\n"
                "      --mine             only those that you had loaded\n"
                "      --all              all that the kernel has, newest first, as lsmod(8) does\n"
                "  -o, --output COLUMNS   these columns, separated by commas: NAME, SIZE, USES, USED-BY,\n"
                "                         STATE, ORIGIN, BY, UID, SINCE, PATH, PARAMETERS\n"
                "      --json             print JSON: {\"modules\": [{\"name\": ...}]}, times in UTC\n"
                "      --no-legend        print no headings\n"
                "      --no-pager         print all at once, however long it is\n"
                "  -h, --help             show this\n"
                "\n"
                "PARAMETERS are shown to who had the module loaded, and to root.\n";

enum {
        COLUMN_NAME,
        COLUMN_SIZE,
        COLUMN_USES,
        COLUMN_USED_BY,
        COLUMN_STATE,
        COLUMN_ORIGIN,
        COLUMN_BY,
        COLUMN_UID,
        COLUMN_SINCE,
        COLUMN_PATH,
        COLUMN_PARAMETERS,
};

static const struct column columns[] = {
        [COLUMN_NAME] = { "NAME", COLUMN_TEXT },
        [COLUMN_SIZE] = { "SIZE", COLUMN_NUMBER },
        [COLUMN_USES] = { "USES", COLUMN_NUMBER },
        [COLUMN_USED_BY] = { "USED-BY", COLUMN_LIST },
        [COLUMN_STATE] = { "STATE", COLUMN_TEXT },
        [COLUMN_ORIGIN] = { "ORIGIN", COLUMN_TEXT },
        [COLUMN_BY] = { "BY", COLUMN_TEXT },
        [COLUMN_UID] = { "UID", COLUMN_NUMBER },
        [COLUMN_SINCE] = { "SINCE", COLUMN_TIME },
        [COLUMN_PATH] = { "PATH", COLUMN_LONG },
        [COLUMN_PARAMETERS] = { "PARAMETERS", COLUMN_LONG },
        { NULL, 0 },
};

static const unsigned shown_of_ours[] = {
        COLUMN_NAME, COLUMN_ORIGIN, COLUMN_BY, COLUMN_SINCE, COLUMN_PATH, COLUMN_END,
};

static const unsigned shown_of_all[] = {
        COLUMN_NAME, COLUMN_SIZE, COLUMN_USES, COLUMN_STATE, COLUMN_BY, COLUMN_USED_BY, COLUMN_END,
};

/* Where what is listed comes from: moduled, or NULL if it does not answer, and the kernel. */
struct sources {
        sd_bus *bus;
        sd_bus_message *answer;
        struct modules ours;
        struct kmod_ctx *kmod;
};

static void sources_clear(struct sources *sources) {
        modules_clear(&sources->ours);
        sd_bus_message_unref(sources->answer);
        sd_bus_close_unref(sources->bus);
        kmod_unref(sources->kmod);
}

/* Returns EXIT_DONE, or the exit code after saying why not. */
static int ask_moduled(struct sources *sources, const struct options *options) {
        int r;

        r = bus_open(&sources->bus);
        if (r < 0)
                return failure_report_unreachable(r);
        r = modules_ask(sources->bus, &sources->answer);
        if (r != 0)
                return failure_report(r, sources->answer, options->set);
        r = modules_read(sources->answer, &sources->ours);
        return r < 0 ? failure_report_answer(r) : EXIT_DONE;
}

/*
 * Only the loader and root are told; and who is not root need not try for others' modules. A moduled that does not
 * know the property leaves the column empty, as one that refuses it does.
 */
static void set_parameters(struct table *table, const struct sources *sources, const struct module *module) {
        _cleanup_free_ char *parameters = NULL;

        if (!table_wants(table, COLUMN_PARAMETERS) || (geteuid() != 0 && geteuid() != module->loaded_by))
                return;
        if (sd_bus_get_property_string(sources->bus, MODULED_BUS_NAME, module->object,
                                       MODULED_MODULE_INTERFACE, "Parameters", NULL, &parameters) >= 0)
                table_set_text(table, COLUMN_PARAMETERS, parameters);
}

static void set_ours(struct table *table, const struct sources *sources, const struct module *module) {
        table_set_text(table, COLUMN_ORIGIN, module->origin);
        table_set_user(table, COLUMN_BY, module->loaded_by);
        table_set_number(table, COLUMN_UID, module->loaded_by);
        table_set_time(table, COLUMN_SINCE, module->loaded_at);
        table_set_text(table, COLUMN_PATH, module->path);
        set_parameters(table, sources, module);
}

static void set_used_by(struct table *table, const struct kmod_module *module) {
        struct kmod_list *holders, *entry;

        holders = kmod_module_get_holders(module);
        kmod_list_foreach(entry, holders) {
                struct kmod_module *holder = kmod_module_get_module(entry);

                table_set_item(table, COLUMN_USED_BY, kmod_module_get_name(holder));
                (void) kmod_module_unref(holder);
        }
        (void) kmod_module_unref_list(holders);
}

/* A module may be unloaded while it is looked at; what is not there any more stays empty. */
static void set_kernels(struct table *table, struct kmod_module *module) {
        if (table_wants(table, COLUMN_SIZE)) {
                long size = kmod_module_get_size(module);

                if (size >= 0)
                        table_set_number(table, COLUMN_SIZE, size);
        }
        if (table_wants(table, COLUMN_USES)) {
                int uses = kmod_module_get_refcnt(module);

                if (uses >= 0)
                        table_set_number(table, COLUMN_USES, uses);
        }
        if (table_wants(table, COLUMN_STATE)) {
                int state = kmod_module_get_initstate(module);

                if (state >= 0)
                        table_set_text(table, COLUMN_STATE,
                                       kmod_module_initstate_str((enum kmod_module_initstate) state));
        }
        if (table_wants(table, COLUMN_USED_BY))
                set_used_by(table, module);
}

static void fill_with_ours(struct table *table, const struct sources *sources,
                           const struct options *options) {
        for (size_t i = 0; i < sources->ours.n; i++) {
                const struct module *module = &sources->ours.all[i];
                struct kmod_module *kernels = NULL;

                if (options->set & OPTION_MINE && module->loaded_by != getuid())
                        continue;
                table_add(table);
                table_set_text(table, COLUMN_NAME, module->name);
                set_ours(table, sources, module);
                if (kmod_module_new_from_name(sources->kmod, module->name, &kernels) >= 0)
                        set_kernels(table, kernels);
                (void) kmod_module_unref(kernels);
        }
}

/* Returns EXIT_DONE, or the exit code after saying why not. */
static int fill_with_all(struct table *table, const struct sources *sources) {
        struct kmod_list *all = NULL, *entry;
        int r;

        r = kmod_module_new_from_loaded(sources->kmod, &all);
        if (r < 0) {
                say("The kernel's list of modules, /proc/modules, cannot be read (%s); look whether /proc is mounted.",
                    strerror(-r));
                return EXIT_FAILED;
        }
        kmod_list_foreach(entry, all) {
                struct kmod_module *kernels = kmod_module_get_module(entry);
                const struct module *module = modules_find(&sources->ours, kmod_module_get_name(kernels));

                table_add(table);
                table_set_text(table, COLUMN_NAME, kmod_module_get_name(kernels));
                set_kernels(table, kernels);
                if (module)
                        set_ours(table, sources, module);
                (void) kmod_module_unref(kernels);
        }
        (void) kmod_module_unref_list(all);
        return EXIT_DONE;
}

static bool is_empty_for_people(const struct sources *sources, const struct options *options) {
        bool any = false;

        for (size_t i = 0; i < sources->ours.n; i++)
                any |= !(options->set & OPTION_MINE) || sources->ours.all[i].loaded_by == getuid();
        return !any && !(options->set & (OPTION_JSON | OPTION_NO_LEGEND | OPTION_ALL));
}

static int run(const struct options *options, char **arguments) {
        static const char *const no_configuration[] = { NULL };
        _cleanup_(sources_clear) struct sources sources = { 0 };
        _cleanup_(table_freep) struct table *table = NULL;
        bool all = options->set & OPTION_ALL;
        int r;

        (void) arguments;
        if (all && options->set & OPTION_MINE) {
                say("--all and --mine exclude each other; see 'modctl list --help'.");
                return EXIT_USAGE;
        }
        r = table_new("modules", columns, all ? shown_of_all : shown_of_ours, options, &table);
        if (r < 0)
                return table_report(r);
        if (libkmod_load() < 0) {
                require_report();
                return EXIT_FAILED;
        }
        sources.kmod = kmod_new(NULL, no_configuration);
        if (!sources.kmod)
                return failure_report_answer(-ENOMEM);
        /* What is amiss is said here, in our words. */
        kmod_set_log_priority(sources.kmod, 0);

        r = ask_moduled(&sources, options);
        if (r != EXIT_DONE && !all)
                return r;
        if (r != EXIT_DONE)
                say("So the list tells of no module who had it loaded.");
        if (is_empty_for_people(&sources, options)) {
                printf("moduled has loaded no module%s.\n", options->set & OPTION_MINE ? " for you" : "");
                return EXIT_DONE;
        }
        if (!all)
                fill_with_ours(table, &sources, options);
        else if ((r = fill_with_all(table, &sources)) != EXIT_DONE)
                return r;
        r = table_print(table);
        return r < 0 ? failure_report_answer(r) : EXIT_DONE;
}

const struct command command_list = {
        .name = "list",
        .arguments = "",
        .summary = "list the modules that moduled loaded, or all",
        .help = help,
        .options = OPTION_MINE | OPTION_ALL | OPTION_OUTPUT | OPTION_JSON | OPTION_NO_LEGEND |
                   OPTION_NO_PAGER,
        .run = run,
};
