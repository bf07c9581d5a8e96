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

#include "bus.h"
#include "cleanup.h"
#include "command.h"
#include "failure.h"
#include "message.h"
#include "names.h"
#include "properties.h"

static const char help[] =
                "Usage: modctl status [OPTION...]\n"
                "\n"
                "Shows moduled's version, what the running kernel allows, and the origins: where\n"
                "moduled.conf lets modules come from, and which of them are closed now, and why.\n"
                "\n"
                "Options:\n"
                "      --json   print JSON: {\"version\": ..., \"origins\": [{\"name\": ...}]}\n"
                "  -h, --help   show this\n";

struct status {
        const char *version;
        const char *kernel_release;
        const char *lockdown;
        const char *decompression;
        int modules_disabled;
        int signature_enforced;
};

struct origin {
        const char *name;
        const char *directory;
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
        { "Holds", "b", offsetof(struct origin, holds) },
        { "Reason", "s", offsetof(struct origin, reason) },
        { NULL, NULL, 0 },
};

static void origins_clear(struct origins *origins) {
        free(origins->all);
        *origins = (struct origins){ 0 };
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
        if (r < 0)
                return r;
        grown = reallocarray(origins->all, origins->n + 1, sizeof(origin));
        if (!grown)
                return -ENOMEM;
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

static void print_line(const char *label, const char *raw, const char *if_empty) {
        _cleanup_free_ char *text = printable(raw);

        printf("%-21s%s\n", label, !text ? "?" : *text ? text : if_empty);
}

static void print_text(const struct status *status, const struct origins *origins) {
        print_line("Version:", status->version, "not known");
        print_line("Kernel:", status->kernel_release, "not known");
        print_line("Modules disabled:", status->modules_disabled ? "yes" : "no", "");
        print_line("Signatures enforced:", status->signature_enforced ? "yes" : "no", "");
        print_line("Lockdown:", status->lockdown, "not known");
        print_line("Decompression:", status->decompression, "none");
        if (origins->n == 0)
                print_line("Origins:", "none, so nothing can be loaded", "");
        for (size_t i = 0; i < origins->n; i++) {
                _cleanup_free_ char *name = printable(origins->all[i].name);
                _cleanup_free_ char *directory = printable(origins->all[i].directory);

                _cleanup_free_ char *reason = printable(origins->all[i].reason);

                printf("%-21s%s (%s)\n", i == 0 ? "Origins:" : "", name ? name : "?",
                       directory ? directory : "?");
                if (!origins->all[i].holds)
                        printf("%-23sclosed: %s\n", "", reason ? reason : "?");
        }
}

/* After printable() only two characters mean something to JSON. */
static void print_json_string(const char *raw) {
        _cleanup_free_ char *text = printable(raw);

        putchar('"');
        for (const char *p = text ? text : ""; *p; p++) {
                if (*p == '"' || *p == '\\')
                        putchar('\\');
                putchar(*p);
        }
        putchar('"');
}

static void print_json_member(const char *name, const char *value, const char *end) {
        printf("\"%s\": ", name);
        print_json_string(value);
        fputs(end, stdout);
}

/* libsmartcols makes a document of one table; here is an object with a table in it. */
static void print_json(const struct status *status, const struct origins *origins) {
        printf("{\n   ");
        print_json_member("version", status->version, ",\n   ");
        print_json_member("kernel_release", status->kernel_release, ",\n   ");
        printf("\"modules_disabled\": %s,\n   ", status->modules_disabled ? "true" : "false");
        printf("\"signature_enforced\": %s,\n   ", status->signature_enforced ? "true" : "false");
        print_json_member("lockdown", status->lockdown, ",\n   ");
        print_json_member("decompression", status->decompression, ",\n   ");
        printf("\"origins\": [");
        for (size_t i = 0; i < origins->n; i++) {
                printf("%s\n      { ", i == 0 ? "" : ",");
                print_json_member("name", origins->all[i].name, ", ");
                print_json_member("directory", origins->all[i].directory, ", ");
                printf("\"holds\": %s, ", origins->all[i].holds ? "true" : "false");
                print_json_member("reason", origins->all[i].reason, " }");
        }
        printf("\n   ]\n}\n");
}

static int run(const struct options *options, char **arguments) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *properties = NULL, *listed = NULL;
        _cleanup_(sd_bus_close_unrefp) sd_bus *bus = NULL;
        struct status status = { .version = "", .kernel_release = "", .lockdown = "", .decompression = "" };
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

        r = properties_read(properties, status_properties, &status);
        if (r >= 0)
                r = read_origins(listed, &origins);
        if (r < 0)
                return failure_report_answer(r);

        if (options->set & OPTION_JSON)
                print_json(&status, &origins);
        else
                print_text(&status, &origins);
        return EXIT_DONE;
}

const struct command command_status = {
        .name = "status",
        .arguments = "",
        .summary = "show what may be loaded, and from where",
        .help = help,
        .options = OPTION_JSON,
        .run = run,
};
