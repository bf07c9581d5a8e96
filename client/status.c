/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * modctl status
 *
 * What the service and the kernel make of modules on this system, and where they may come from.
 */

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "bus.h"
#include "cleanup.h"
#include "command.h"
#include "failure.h"
#include "json.h"
#include "message.h"
#include "modules.h"
#include "names.h"
#include "pager.h"
#include "properties.h"
#include "terminal.h"

static const char help[] =
                "Usage: modctl status [OPTION...]\n"
                "\n"
                "Shows how moduled is, what the running kernel allows, and the origins: where\n"
                "moduled.conf lets modules come from, what it requires of them, and which of them\n"
                "are closed now, and why.\n"
                "\n"
                "Options:\n"
                "      --json       print JSON: {\"version\": ..., \"origins\": [{\"name\": ...}]}\n"
                "      --no-pager   print all at once, however long it is\n"
                "  -h, --help       show this\n";

struct status {
        const char *version;
        const char *kernel_release;
        const char *lockdown;
        const char *decompression;
        int modules_disabled;
        int signature_enforced;
        size_t modules;
        /* As the service manager has them; NULL where it does not answer. */
        char *service;
        char *loader;
};

struct origin {
        const char *name;
        const char *directory;
        const char *mount_point;
        char **filesystem_types;
        char **requirements;
        const char *reason;
        int holds;
};

struct origins {
        struct origin *all;
        size_t n;
};

static const struct property status_properties[] = {
        { "Version", "s", offsetof(struct status, version) },
        { "KernelRelease", "s", offsetof(struct status, kernel_release) },
        { "Lockdown", "s", offsetof(struct status, lockdown) },
        { "Decompression", "s", offsetof(struct status, decompression) },
        { "ModulesDisabled", "b", offsetof(struct status, modules_disabled) },
        { "SignatureEnforced", "b", offsetof(struct status, signature_enforced) },
        { NULL, NULL, 0 },
};

static const struct property origin_properties[] = {
        { "Name", "s", offsetof(struct origin, name) },
        { "Directory", "s", offsetof(struct origin, directory) },
        { "MountPoint", "s", offsetof(struct origin, mount_point) },
        { "FilesystemType", "as", offsetof(struct origin, filesystem_types) },
        { "Require", "as", offsetof(struct origin, requirements) },
        { "Holds", "b", offsetof(struct origin, holds) },
        { "Reason", "s", offsetof(struct origin, reason) },
        { NULL, NULL, 0 },
};

static void status_clear(struct status *status) {
        free(status->service);
        free(status->loader);
}

static void origin_clear(struct origin *origin) {
        texts_free(origin->filesystem_types);
        texts_free(origin->requirements);
}

static void origins_clear(struct origins *origins) {
        for (size_t i = 0; i < origins->n; i++)
                origin_clear(&origins->all[i]);
        free(origins->all);
        *origins = (struct origins){ 0 };
}

/* The state of a unit in a word, or NULL: without systemd(1) there is none. */
static char *unit_state(sd_bus *bus, const char *unit) {
        _cleanup_free_ char *path = NULL;
        char *state = NULL;

        if (sd_bus_path_encode("/org/freedesktop/systemd1/unit", unit, &path) < 0 ||
            sd_bus_get_property_string(bus, "org.freedesktop.systemd1", path,
                                       "org.freedesktop.systemd1.Unit", "ActiveState", NULL, &state) < 0)
                return NULL;
        return state;
}

static int get_all(sd_bus *bus, sd_bus_message **ret) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL;
        int r;

        r = sd_bus_message_new_method_call(bus, &m, MODULED_BUS_NAME, MODULED_OBJECT_PATH,
                                           "org.freedesktop.DBus.Properties", "GetAll");
        if (r >= 0)
                r = sd_bus_message_append(m, "s", MODULED_MANAGER_INTERFACE);
        return r < 0 ? r : bus_call(bus, m, ret);
}

static int list_origins(sd_bus *bus, sd_bus_message **ret) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL;
        int r;

        r = sd_bus_message_new_method_call(bus, &m, MODULED_BUS_NAME, MODULED_OBJECT_PATH,
                                           MODULED_MANAGER_INTERFACE, "ListOrigins");
        return r < 0 ? r : bus_call(bus, m, ret);
}

static int read_origin(sd_bus_message *m, struct origins *origins) {
        struct origin origin = { .name = "", .directory = "", .reason = "" };
        struct origin *grown;
        int r;

        r = properties_read(m, origin_properties, &origin);
        grown = r < 0 ? NULL : reallocarray(origins->all, origins->n + 1, sizeof(origin));
        if (!grown) {
                origin_clear(&origin);
                return r < 0 ? r : -ENOMEM;
        }
        origins->all = grown;
        origins->all[origins->n++] = origin;
        return 0;
}

/* aa{sv}; the strings are borrowed from @m */
static int read_origins(sd_bus_message *m, struct origins *origins) {
        int r;

        r = sd_bus_message_enter_container(m, 'a', "a{sv}");
        while (r >= 0 && (r = sd_bus_message_at_end(m, 0)) == 0)
                r = read_origin(m, origins);
        return r < 0 ? r : sd_bus_message_exit_container(m);
}

static void print_line(FILE *out, const char *label, const char *raw, const char *if_empty) {
        _cleanup_free_ char *text = printable(raw);

        fprintf(out, "%-21s%s\n", label, !text ? "?" : *text ? text : if_empty);
}

static void print_words(FILE *out, char **words) {
        for (size_t i = 0; words && words[i]; i++) {
                _cleanup_free_ char *word = printable(words[i]);

                fprintf(out, " %s", word ? word : "?");
        }
}

static void print_requirements(FILE *out, const struct origin *origin) {
        if (origin->mount_point) {
                _cleanup_free_ char *mount_point = printable(origin->mount_point);

                fprintf(out, "%-23srequires the mount %s\n", "", mount_point ? mount_point : "?");
        }
        if (origin->filesystem_types) {
                fprintf(out, "%-23srequires a filesystem of type", "");
                print_words(out, origin->filesystem_types);
                fputc('\n', out);
        }
        if (origin->requirements) {
                fprintf(out, "%-23srequires", "");
                print_words(out, origin->requirements);
                fputc('\n', out);
        }
}

static void print_origin(FILE *out, const struct origin *origin, const char *label) {
        bool colours = terminal_has_colours(STDOUT_FILENO);
        _cleanup_free_ char *name = printable(origin->name), *directory = printable(origin->directory);
        _cleanup_free_ char *reason = printable(origin->reason);

        fprintf(out, "%-21s%s (%s)\n", label, name ? name : "?", directory ? directory : "?");
        print_requirements(out, origin);
        if (origin->holds)
                fprintf(out, "%-23s%sopen%s\n", "", colours ? COLOUR_GOOD : "", colours ? COLOUR_OFF : "");
        else
                fprintf(out, "%-23s%sclosed:%s %s\n", "", colours ? COLOUR_BAD : "",
                        colours ? COLOUR_OFF : "", reason ? reason : "?");
}

static void print_text(FILE *out, const struct status *status, const struct origins *origins) {
        char modules[32];

        snprintf(modules, sizeof(modules), "%zu", status->modules);
        /* It has answered, whatever the service manager knows of it. */
        print_line(out, "Service:", status->service ? status->service : "active", "not known");
        print_line(out, "Loader's socket:", status->loader ? status->loader : "not known", "not known");
        print_line(out, "Modules loaded:", modules, "");
        print_line(out, "Version:", status->version, "not known");
        print_line(out, "Kernel:", status->kernel_release, "not known");
        print_line(out, "Modules disabled:", status->modules_disabled ? "yes" : "no", "");
        print_line(out, "Signatures enforced:", status->signature_enforced ? "yes" : "no", "");
        print_line(out, "Lockdown:", status->lockdown, "not known");
        print_line(out, "Decompression:", status->decompression, "none");
        if (origins->n == 0)
                print_line(out, "Origins:", "none, so nothing can be loaded", "");
        for (size_t i = 0; i < origins->n; i++)
                print_origin(out, &origins->all[i], i == 0 ? "Origins:" : "");
}

static void print_json(FILE *out, const struct status *status, const struct origins *origins) {
        struct json json = json_begin(out);

        json_text(&json, "service", status->service ? status->service : "active");
        json_text(&json, "loader_socket", status->loader);
        json_number(&json, "modules", (int64_t) status->modules);
        json_text(&json, "version", status->version);
        json_text(&json, "kernel_release", status->kernel_release);
        json_bool(&json, "modules_disabled", status->modules_disabled);
        json_bool(&json, "signature_enforced", status->signature_enforced);
        json_text(&json, "lockdown", status->lockdown);
        json_text(&json, "decompression", status->decompression);
        json_name(&json, "origins");
        for (size_t i = 0; i < origins->n; i++) {
                const struct origin *origin = &origins->all[i];
                struct json object;

                fputs(i == 0 ? "[\n" : ",\n", out);
                object = json_begin(out);
                json_text(&object, "name", origin->name);
                json_text(&object, "directory", origin->directory);
                json_text(&object, "mount_point", origin->mount_point);
                json_list(&object, "filesystem_types", origin->filesystem_types);
                json_list(&object, "requirements", origin->requirements);
                json_bool(&object, "holds", origin->holds);
                json_text(&object, "reason", origin->reason);
                json_end(&object);
        }
        fputs(origins->n == 0 ? "[]" : "\n]", out);
        json_end(&json);
        fputc('\n', out);
}

static int print(const struct status *status, const struct origins *origins, unsigned options) {
        _cleanup_free_ char *text = NULL;
        size_t size = 0;
        FILE *out = open_memstream(&text, &size);

        if (!out)
                return -ENOMEM;
        if (options & OPTION_JSON)
                print_json(out, status, origins);
        else
                print_text(out, status, origins);
        if (fclose(out) != 0)
                return -ENOMEM;
        pager_show(text, options);
        return 0;
}

/* Return: as bus_call(), or a negative errno of reading the answer. */
static int count_modules(sd_bus *bus, sd_bus_message **answer, struct status *status) {
        _cleanup_(modules_clear) struct modules modules = { 0 };
        int r;

        r = modules_ask(bus, answer);
        if (r == 0)
                r = modules_read(*answer, &modules);
        if (r == 0)
                status->modules = modules.n;
        return r;
}

static int run(const struct options *options, char **arguments) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *properties = NULL, *listed = NULL, *modules = NULL;
        _cleanup_(sd_bus_close_unrefp) sd_bus *bus = NULL;
        _cleanup_(status_clear) struct status status = {
                .version = "", .kernel_release = "", .lockdown = "", .decompression = ""
        };
        _cleanup_(origins_clear) struct origins origins = { 0 };
        int r;

        (void) arguments;
        r = bus_open(&bus);
        if (r < 0)
                return failure_report_unreachable(r);
        r = get_all(bus, &properties);
        if (r != 0)
                return failure_report(r, properties, options->set);
        r = list_origins(bus, &listed);
        if (r != 0)
                return failure_report(r, listed, options->set);
        r = count_modules(bus, &modules, &status);
        if (r > 0 || (r < 0 && !modules))
                return failure_report(r, modules, options->set);

        if (r >= 0)
                r = properties_read(properties, status_properties, &status);
        if (r >= 0)
                r = read_origins(listed, &origins);
        if (r < 0)
                return failure_report_answer(r);
        status.service = unit_state(bus, "moduled.service");
        status.loader = unit_state(bus, "moduled-loader.socket");
        r = print(&status, &origins, options->set);
        return r < 0 ? failure_report_answer(r) : EXIT_DONE;
}

const struct command command_status = {
        .name = "status",
        .arguments = "",
        .summary = "show what may be loaded, and from where",
        .help = help,
        .options = OPTION_JSON | OPTION_NO_PAGER,
        .run = run,
};
