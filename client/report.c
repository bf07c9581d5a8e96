/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Report
 *
 * A line about a module that came or went.
 */

#include <pwd.h>
#include <stdio.h>
#include <unistd.h>

#include "cleanup.h"
#include "clock.h"
#include "command.h"
#include "json.h"
#include "message.h"
#include "report.h"
#include "terminal.h"

static void print_json(const struct report *report, const char *by) {
        char time[CLOCK_TEXT_MAX];
        struct json json = json_begin(stdout);

        clock_format(report->time, true, time);
        json_text(&json, "time", time);
        json_text(&json, "event", report->is_removal ? "unloaded" : "loaded");
        json_text(&json, "name", report->name);
        json_bool(&json, "moduled", report->is_ours);
        json_text(&json, "by", by);
        if (report->is_known)
                json_number(&json, "uid", report->module.loaded_by);
        else
                json_null(&json, "uid");
        json_text(&json, "origin", report->is_known ? report->module.origin : NULL);
        json_text(&json, "path", report->is_known ? report->module.path : NULL);
        json_end(&json);
        putchar('\n');
}

static void print_text(const struct report *report, const char *by) {
        _cleanup_free_ char *name = printable(report->name), *origin = NULL, *path = NULL;
        bool colours = terminal_has_colours(STDOUT_FILENO);
        char time[CLOCK_TEXT_MAX];

        clock_format(report->time, false, time);
        printf("%s  %s%-8s%s  %s", time,
               !colours             ? ""
               : report->is_removal ? COLOUR_BAD
                                    : COLOUR_GOOD,
               report->is_removal ? "unloaded" : "loaded", colours ? COLOUR_OFF : "", name ? name : "?");
        if (report->is_known) {
                origin = printable(report->module.origin);
                path = printable(report->module.path);
                printf("  for %s, from origin %s, %s", by, origin ? origin : "?", path ? path : "?");
        } else if (!report->is_ours)
                printf("  (not by moduled)");
        putchar('\n');
}

/**
 * report_print() - print a report, as a line
 * @report:     the report
 * @options:    the command's
 */
void report_print(const struct report *report, unsigned options) {
        _cleanup_free_ char *by = NULL;

        if (report->is_known) {
                const struct passwd *user = getpwuid(report->module.loaded_by);

                if (user)
                        by = printable(user->pw_name);
                else if (asprintf(&by, "%u", report->module.loaded_by) < 0)
                        by = NULL;
        }
        if (options & OPTION_JSON)
                print_json(report, by);
        else
                print_text(report, by ? by : "?");
}
