/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * modctl list
 *
 * The modules that moduled loaded, in the order in which it did.
 */

#include <errno.h>
#include <inttypes.h>
#include <libsmartcols/libsmartcols.h>
#include <pwd.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "bus.h"
#include "cleanup.h"
#include "command.h"
#include "failure.h"
#include "message.h"
#include "names.h"
#include "properties.h"

#define USEC_PER_SEC 1000000U

static const char help[] =
                "Usage: modctl list [OPTION...]\n"
                "\n"
                "Lists the kernel modules that moduled loaded, oldest first: the name, the origin in\n"
                "moduled.conf that accepted the file, who had it loaded and when, and the file.\n"
                "What others loaded is in lsmod(8).\n"
                "\n"
                "Options:\n"
                "      --json        print JSON: {\"modules\": [{\"name\": ...}]}, times in UTC\n"
                "      --no-legend   print no headings\n"
                "  -h, --help        show this\n";

struct module {
        const char *name;
        const char *path;
        const char *origin;
        uint32_t loaded_by;
        uint64_t loaded_at;
};

struct modules {
        struct module *all;
        size_t n;
};

enum { COLUMN_NAME, COLUMN_ORIGIN, COLUMN_BY, COLUMN_SINCE, COLUMN_PATH, COLUMN_UID };

static const struct property module_properties[] = {
        { "Name", "s", offsetof(struct module, name) },
        { "Path", "s", offsetof(struct module, path) },
        { "Origin", "s", offsetof(struct module, origin) },
        { "LoadedBy", "u", offsetof(struct module, loaded_by) },
        { "LoadedAt", "t", offsetof(struct module, loaded_at) },
        { NULL, NULL, 0 },
};

DEFINE_CLEANUP(struct libscols_table *, scols_unref_table);

static void modules_clear(struct modules *modules) {
        free(modules->all);
        *modules = (struct modules){ 0 };
}

static int read_module(sd_bus_message *m, struct modules *modules) {
        struct module module = { .name = "", .path = "", .origin = "" };
        struct module *grown;
        int r;

        r = properties_read(m, module_properties, &module);
        if (r < 0)
                return r;
        grown = reallocarray(modules->all, modules->n + 1, sizeof(module));
        if (!grown)
                return -ENOMEM;
        modules->all = grown;
        modules->all[modules->n++] = module;
        return 0;
}

/* a{sa{sv}}: what one object says of itself, interface by interface */
static int read_object(sd_bus_message *m, struct modules *modules) {
        int r;

        r = sd_bus_message_enter_container(m, 'a', "{sa{sv}}");
        while (r >= 0 && (r = sd_bus_message_enter_container(m, 'e', "sa{sv}")) > 0) {
                const char *interface;

                r = sd_bus_message_read(m, "s", &interface);
                if (r < 0)
                        break;
                if (strcmp(interface, MODULED_MODULE_INTERFACE) == 0)
                        r = read_module(m, modules);
                else
                        r = sd_bus_message_skip(m, "a{sv}");
                if (r >= 0)
                        r = sd_bus_message_exit_container(m);
        }
        return r < 0 ? r : sd_bus_message_exit_container(m);
}

/* a{oa{sa{sv}}}; the modules' strings are borrowed from @m */
static int read_objects(sd_bus_message *m, struct modules *modules) {
        int r;

        r = sd_bus_message_enter_container(m, 'a', "{oa{sa{sv}}}");
        while (r >= 0 && (r = sd_bus_message_enter_container(m, 'e', "oa{sa{sv}}")) > 0) {
                r = sd_bus_message_skip(m, "o");
                if (r >= 0)
                        r = read_object(m, modules);
                if (r >= 0)
                        r = sd_bus_message_exit_container(m);
        }
        return r < 0 ? r : sd_bus_message_exit_container(m);
}

static int compare(const void *left, const void *right) {
        const struct module *a = left, *b = right;

        if (a->loaded_at != b->loaded_at)
                return a->loaded_at < b->loaded_at ? -1 : 1;
        return strcmp(a->name, b->name);
}

/* Names and paths are the service's, which a terminal need not believe. */
static int set_text(struct libscols_line *line, size_t column, const char *raw) {
        _cleanup_free_ char *text = printable(raw);

        return text ? scols_line_set_data(line, column, text) : -ENOMEM;
}

static int set_user(struct libscols_line *line, uint32_t uid, bool json) {
        char number[sizeof("4294967295")];
        const struct passwd *user = getpwuid(uid);
        int r;

        snprintf(number, sizeof(number), "%" PRIu32, uid);
        r = set_text(line, COLUMN_BY, user ? user->pw_name : number);
        return r < 0 || !json ? r : scols_line_set_data(line, COLUMN_UID, number);
}

/* The clock on the wall for people, UTC by RFC 3339 for programs. */
static int set_time(struct libscols_line *line, uint64_t usec, bool json) {
        time_t seconds = (time_t) (usec / USEC_PER_SEC);
        char text[64] = "";
        struct tm tm;

        if (json ? gmtime_r(&seconds, &tm) : localtime_r(&seconds, &tm))
                (void) strftime(text, sizeof(text), json ? "%Y-%m-%dT%H:%M:%SZ" : "%Y-%m-%d %H:%M:%S", &tm);
        return scols_line_set_data(line, COLUMN_SINCE, text);
}

static int add_line(struct libscols_table *table, const struct module *module, bool json) {
        struct libscols_line *line = scols_table_new_line(table, NULL);
        int r;

        if (!line)
                return -ENOMEM;
        r = set_text(line, COLUMN_NAME, module->name);
        if (r >= 0)
                r = set_text(line, COLUMN_ORIGIN, module->origin);
        if (r >= 0)
                r = set_user(line, module->loaded_by, json);
        if (r >= 0)
                r = set_time(line, module->loaded_at, json);
        return r < 0 ? r : set_text(line, COLUMN_PATH, module->path);
}

static int add_columns(struct libscols_table *table, bool json) {
        static const char *const names[] = { "NAME", "ORIGIN", "BY", "SINCE", "PATH", "UID" };

        for (size_t i = 0; i < (json ? COLUMN_UID : COLUMN_PATH) + 1U; i++) {
                struct libscols_column *column = scols_table_new_column(table, names[i], 0, 0);

                if (!column)
                        return -ENOMEM;
                if (i == COLUMN_UID)
                        scols_column_set_json_type(column, SCOLS_JSON_NUMBER);
        }
        return 0;
}

static int print(const struct modules *modules, unsigned options) {
        _cleanup_(scols_unref_tablep) struct libscols_table *table = scols_new_table();
        bool json = options & OPTION_JSON;
        int r;

        if (!table)
                return -ENOMEM;
        scols_table_enable_json(table, json);
        scols_table_enable_noheadings(table, (options & OPTION_NO_LEGEND) != 0);
        /* The texts are escaped already; libsmartcols would do it again. */
        scols_table_enable_noencoding(table, 1);
        r = scols_table_set_name(table, "modules");
        if (r >= 0)
                r = add_columns(table, json);
        for (size_t i = 0; r >= 0 && i < modules->n; i++)
                r = add_line(table, &modules->all[i], json);
        return r < 0 ? r : scols_print_table(table);
}

static int call_get_managed_objects(sd_bus *bus, sd_bus_message **ret) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL;
        int r;

        r = sd_bus_message_new_method_call(bus, &m, MODULED_BUS_NAME, MODULED_OBJECT_PATH,
                                           "org.freedesktop.DBus.ObjectManager", "GetManagedObjects");
        return r < 0 ? r : bus_call(bus, m, ret);
}

static int run(const struct options *options, char **arguments) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *answer = NULL;
        _cleanup_(sd_bus_close_unrefp) sd_bus *bus = NULL;
        _cleanup_(modules_clear) struct modules modules = { 0 };
        int r;

        (void) arguments;
        r = bus_open(&bus);
        if (r < 0)
                return failure_report_unreachable(r);
        r = call_get_managed_objects(bus, &answer);
        if (r != 0)
                return failure_report(r, answer, options->set);
        r = read_objects(answer, &modules);
        if (r < 0)
                return failure_report_answer(r);

        if (modules.n > 0)
                qsort(modules.all, modules.n, sizeof(*modules.all), compare);
        else if (!(options->set & (OPTION_JSON | OPTION_NO_LEGEND))) {
                printf("moduled has loaded no module.\n");
                return EXIT_DONE;
        }
        r = print(&modules, options->set);
        return r < 0 ? failure_report_answer(-ENOMEM) : EXIT_DONE;
}

const struct command command_list = {
        .name = "list",
        .arguments = "",
        .summary = "list the modules that moduled loaded",
        .help = help,
        .options = OPTION_JSON | OPTION_NO_LEGEND,
        .run = run,
};
