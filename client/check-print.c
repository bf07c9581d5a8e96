/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Check print
 *
 * A verdict for people and for programs. For programs every key of the answer is passed on, also those of later versions
 * of the service.
 */

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "check-print.h"
#include "message.h"
#include "text.h"

static void print_line(const char *label, const char *raw) {
        _cleanup_free_ char *text = printable(raw);

        printf("%-16s%s\n", label, text ? text : "?");
}

static int print_requirement(sd_bus_message *m, bool is_first) {
        _cleanup_free_ char *shown_name = NULL, *shown = NULL;
        const char *name, *found;
        int required, holds, r;

        r = sd_bus_message_read(m, "(sbbs)", &name, &required, &holds, &found);
        if (r <= 0)
                return r;
        shown_name = printable(name);
        shown = printable(found);
        printf("%-16s%-16s%-14s%s%s%s\n", is_first ? "Requirements:" : "", shown_name ? shown_name : "?",
               required ? "required" : "not required", holds ? "holds" : "does not hold", *found ? ": " : "",
               shown ? shown : "?");
        return 1;
}

static int print_requirements(sd_bus_message *m) {
        bool is_first = true;
        int r;

        r = sd_bus_message_enter_container(m, 'v', "a(sbbs)");
        if (r > 0)
                r = sd_bus_message_enter_container(m, 'a', "(sbbs)");
        while (r > 0 && (r = print_requirement(m, is_first)) > 0)
                is_first = false;
        if (r >= 0)
                r = sd_bus_message_exit_container(m);
        return r < 0 ? r : sd_bus_message_exit_container(m);
}

/* Of the whole dictionary only the requirements are left to be shown. */
static int print_dictionary(sd_bus_message *m) {
        int r;

        r = sd_bus_message_enter_container(m, 'a', "{sv}");
        while (r >= 0 && (r = sd_bus_message_enter_container(m, 'e', "sv")) > 0) {
                const char *key, *type;

                r = sd_bus_message_read(m, "s", &key);
                if (r >= 0)
                        r = sd_bus_message_peek_type(m, NULL, &type);
                if (r >= 0 && strcmp(key, "Requirements") == 0 && strcmp(type, "a(sbbs)") == 0)
                        r = print_requirements(m);
                else if (r >= 0)
                        r = sd_bus_message_skip(m, "v");
                if (r >= 0)
                        r = sd_bus_message_exit_container(m);
        }
        return r < 0 ? r : sd_bus_message_exit_container(m);
}

/**
 * check_print_verdict() - show a verdict to people
 * @verdict:    the verdict; its answer is read
 * @is_first:   whether nothing was shown before it
 *
 * Return: 0 or more, or a negative errno if the answer cannot be read.
 */
int check_print_verdict(struct verdict *verdict, bool is_first) {
        if (!is_first)
                putchar('\n');
        print_line("File:", verdict->path);
        print_line("Verdict:", verdict->accepted            ? "accepted"
                               : verdict_is_loaded(verdict) ? "loaded already"
                                                            : "refused");
        if (*verdict->reason)
                print_line("Reason:", verdict->reason);
        if (*verdict->origin)
                print_line("Origin:", verdict->origin);
        return print_dictionary(verdict->answer);
}

/**
 * check_print_need() - show to people what holds of a module that is needed
 * @name:       the module's
 * @verdict:    its verdict
 * @is_first:   whether it is the first of them
 */
void check_print_need(const char *name, const struct verdict *verdict, bool is_first) {
        _cleanup_free_ char *reason = printable(verdict->reason), *shown = printable(name);

        printf("%-16s%s: ", is_first ? "Needs:" : "", shown ? shown : "?");
        if (verdict->accepted)
                puts("accepted");
        else if (verdict_is_loaded(verdict))
                puts("loaded already");
        else
                printf("refused: %s\n", reason ? reason : "?");
}

/* "FilesystemType" is "filesystem_type", as the names in modctl's other documents are. */
static void write_key(const char *key) {
        putchar('"');
        for (const char *c = key; *c; c++) {
                if (isupper((unsigned char) *c) && c != key)
                        putchar('_');
                if (isalnum((unsigned char) *c))
                        putchar(tolower((unsigned char) *c));
        }
        printf("\": ");
}

/* A basic value, or NULL in @ret_text if it was written as what it is. */
static int write_basic(sd_bus_message *m, char type) {
        const char *text;
        int truth, r;

        if (type == 'b') {
                r = sd_bus_message_read_basic(m, type, &truth);
                if (r > 0)
                        fputs(truth ? "true" : "false", stdout);
        } else {
                r = sd_bus_message_read_basic(m, type, &text);
                if (r > 0)
                        text_write_json(stdout, text);
        }
        return r;
}

/* A struct of strings and booleans, or one of them alone. */
static int write_item(sd_bus_message *m, const char *type, const char *const *names) {
        int r = 1;

        if (*type != '(')
                return write_basic(m, *type);
        r = sd_bus_message_enter_container(m, 'r', NULL);
        if (r <= 0)
                return r;
        for (size_t i = 0; r > 0 && names[i]; i++) {
                printf("%s\"%s\": ", i > 0 ? ", " : "{", names[i]);
                r = write_basic(m, type[i + 1]);
        }
        printf("}");
        return r < 0 ? r : sd_bus_message_exit_container(m);
}

static int write_array(sd_bus_message *m, const char *type, const char *const *names) {
        const char *separator = "";
        int r;

        r = sd_bus_message_enter_container(m, 'a', type);
        printf("[");
        while (r > 0 && (r = sd_bus_message_at_end(m, false)) == 0) {
                printf("%s", separator);
                r = write_item(m, type, names);
                separator = ", ";
        }
        printf("]");
        return r < 0 ? r : sd_bus_message_exit_container(m);
}

/* What has another type is of a later version: null. */
static int write_value(sd_bus_message *m) {
        static const char *const requirement[] = { "name", "required", "holds", "found", NULL };
        static const char *const parameter[] = { "name", "type", "description", NULL };
        char type[sizeof "a(sbbs)"] = "";
        const char *contents;
        int r;

        r = sd_bus_message_peek_type(m, NULL, &contents);
        if (r < 0)
                return r;
        (void) snprintf(type, sizeof type, "%s", contents);
        if (strcmp(type, "s") != 0 && strcmp(type, "b") != 0 && strcmp(type, "as") != 0 &&
            strcmp(type, "a(sbbs)") != 0 && strcmp(type, "a(sss)") != 0) {
                printf("null");
                return sd_bus_message_skip(m, "v");
        }
        r = sd_bus_message_enter_container(m, 'v', type);
        if (r >= 0)
                r = *type == 'a' ? write_array(m, type + 1,
                                               strcmp(type, "a(sss)") == 0 ? parameter : requirement)
                                 : write_basic(m, *type);
        return r < 0 ? r : sd_bus_message_exit_container(m);
}

/**
 * check_write_verdict() - begin an object of JSON with a verdict
 * @verdict:    the verdict; its answer is read
 * @is_first:   whether no object was written before it
 *
 * The object is left open for check_write_need() and check_write_end().
 *
 * Return: 0 or more, or a negative errno if the answer cannot be read.
 */
int check_write_verdict(struct verdict *verdict, bool is_first) {
        sd_bus_message *m = verdict->answer;
        int r;

        printf("%s\n      {", is_first ? "" : ",");
        r = sd_bus_message_enter_container(m, 'a', "{sv}");
        while (r >= 0 && (r = sd_bus_message_enter_container(m, 'e', "sv")) > 0) {
                const char *key;

                r = sd_bus_message_read(m, "s", &key);
                if (r >= 0) {
                        printf("\n         ");
                        write_key(key);
                        r = write_value(m);
                        printf(",");
                }
                if (r >= 0)
                        r = sd_bus_message_exit_container(m);
        }
        printf("\n         \"needs\": [");
        return r < 0 ? r : sd_bus_message_exit_container(m);
}

/**
 * check_write_need() - write what holds of a module that is needed
 * @name:       the module's
 * @verdict:    its verdict
 * @is_first:   whether it is the first of them
 */
void check_write_need(const char *name, const struct verdict *verdict, bool is_first) {
        printf("%s\n            {\"name\": ", is_first ? "" : ",");
        text_write_json(stdout, name);
        printf(", \"accepted\": %s, \"error\": ", verdict->accepted ? "true" : "false");
        text_write_json(stdout, verdict->error);
        printf(", \"reason\": ");
        text_write_json(stdout, verdict->reason);
        printf("}");
}

/**
 * check_write_end() - end the object
 */
void check_write_end(void) {
        printf("]\n      }");
}
