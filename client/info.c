/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * modctl info
 *
 * What a module's file says of the module, as modinfo(8) prints it, and below it what moduled would do with the file. The
 * file is read in the user's own process. Anybody can have written it.
 */

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "bus.h"
#include "command.h"
#include "info-read.h"
#include "message.h"
#include "text.h"
#include "verdict.h"

static const char help[] =
                "Usage: modctl info [OPTION...] TARGET...\n"
                "\n"
                "Shows what the file of a kernel module says of the module, as modinfo does, and what\n"
                "moduled would do with it. A TARGET is a module's name, an alias, or a file.\n"
                "\n"
                "Options:\n"
                "  -F, --field NAME       print only the values of this field\n"
                "      --json             print JSON: {\"modules\": [{\"filename\": ..., \"fields\": {...}}]}\n"
                "      --root DIR         look in the tree below DIR; moduled is not asked then\n"
                "      --kernel RELEASE   look among the modules of another kernel; nor then\n"
                "  -h, --help             show this\n"
                "\n"
                "Exit codes: 0 shown, 1 failed, 2 wrong usage.\n";

/* modinfo(8) puts values into this column. */
#define COLUMN 16

struct view {
        const struct options *options;
        sd_bus *bus; /* NULL if the service does not matter */
        size_t n_shown;
};

static bool is_verdict(const char *field) {
        return strcmp(field, "origin") == 0 || strcmp(field, "verdict") == 0;
}

static void print_field(const char *key, const char *raw) {
        _cleanup_free_ char *name = text_shown(key, 0), *value = text_shown(raw, COLUMN);
        int length = name ? (int) strnlen(name, COLUMN) : 0;

        printf("%s:%-*s%s\n", name ? name : "?", length < COLUMN ? COLUMN - 1 - length : 0, "",
               value ? value : "?");
}

/* Of one without a description modinfo(8) prints another form if only this field is wanted. */
static char *parameter_text(const struct info_parameter *parameter, bool alone) {
        int length = (int) parameter->name_length, r;
        char *text;

        if (parameter->description && parameter->type)
                r = asprintf(&text, "%.*s:%s (%s)", length, parameter->name, parameter->description,
                             parameter->type);
        else if (parameter->description)
                r = asprintf(&text, "%.*s:%s", length, parameter->name, parameter->description);
        else
                r = asprintf(&text, alone ? "%.*s: (%s)" : "%.*s:%s", length, parameter->name,
                             parameter->type);
        return r < 0 ? NULL : text;
}

static void print_value(const char *raw) {
        _cleanup_free_ char *value = text_shown(raw, COLUMN);

        puts(value ? value : "?");
}

static void print_one_field(const struct info *info, const char *field) {
        struct kmod_list *entry;

        if (strcmp(field, "filename") == 0)
                print_value(info->file);
        else if (strcmp(field, "name") == 0 && info->builtin_name)
                print_value(info->builtin_name);
        if (strcmp(field, "parm") == 0) {
                for (size_t i = 0; i < info->n_parameters; i++) {
                        _cleanup_free_ char *text = parameter_text(&info->parameters[i], true);

                        print_value(text ? text : "?");
                }
                return;
        }
        kmod_list_foreach(entry, info->entries) {
                if (strcmp(kmod_module_info_get_key(entry), field) == 0)
                        print_value(kmod_module_info_get_value(entry));
        }
}

static void print_text(const struct info *info) {
        struct kmod_list *entry;

        if (info->builtin_name)
                print_field("name", info->builtin_name);
        print_field("filename", info->file);
        kmod_list_foreach(entry, info->entries) {
                const char *key = kmod_module_info_get_key(entry);

                /* No file speaks for the service. */
                if (is_verdict(key))
                        print_field(*key == 'o' ? "file's origin" : "file's verdict",
                                    kmod_module_info_get_value(entry));
                else if (!info_is_parameter(key))
                        print_field(key, kmod_module_info_get_value(entry));
        }
        for (size_t i = 0; i < info->n_parameters; i++) {
                _cleanup_free_ char *text = parameter_text(&info->parameters[i], false);

                print_field("parm", text ? text : "?");
        }
}

static bool is_first_of_key(const struct info *info, const struct kmod_list *which) {
        const char *key = kmod_module_info_get_key(which);
        struct kmod_list *entry;

        kmod_list_foreach(entry, info->entries) {
                if (entry == which)
                        return true;
                if (strcmp(kmod_module_info_get_key(entry), key) == 0)
                        return false;
        }
        return true;
}

/* All values of the key of @from, at which they begin. */
static void write_values(const struct info *info, struct kmod_list *from) {
        const char *key = kmod_module_info_get_key(from), *separator = "";

        text_write_json(stdout, key);
        printf(": [");
        for (struct kmod_list *entry = from; entry; entry = kmod_list_next(info->entries, entry)) {
                if (strcmp(kmod_module_info_get_key(entry), key) != 0)
                        continue;
                fputs(separator, stdout);
                text_write_json(stdout, kmod_module_info_get_value(entry));
                separator = ", ";
        }
        printf("]");
}

static void write_parameters(const struct info *info) {
        printf(",\n         \"parameters\": [");
        for (size_t i = 0; i < info->n_parameters; i++) {
                const struct info_parameter *parameter = &info->parameters[i];
                _cleanup_free_ char *name = strndup(parameter->name, parameter->name_length);

                printf("%s\n            {\"name\": ", i > 0 ? "," : "");
                text_write_json(stdout, name ? name : "?");
                printf(", \"type\": ");
                text_write_json(stdout, parameter->type ? parameter->type : "");
                printf(", \"description\": ");
                text_write_json(stdout, parameter->description ? parameter->description : "");
                printf("}");
        }
        printf("]");
}

static void write_fields(const struct info *info) {
        const char *separator = "\n";
        struct kmod_list *entry;

        printf(",\n         \"fields\": {");
        if (info->builtin_name) {
                printf("\n            \"name\": [");
                text_write_json(stdout, info->builtin_name);
                printf("]");
                separator = ",\n";
        }
        kmod_list_foreach(entry, info->entries) {
                if (info_is_parameter(kmod_module_info_get_key(entry)) || !is_first_of_key(info, entry))
                        continue;
                printf("%s            ", separator);
                write_values(info, entry);
                separator = ",\n";
        }
        printf("}");
}

/* What the file says has a place of its own, whatever it calls its fields. */
static void write_json(const struct info *info, const struct verdict *verdict, bool is_first) {
        printf("%s\n      {\n         \"filename\": ", is_first ? "" : ",");
        text_write_json(stdout, info->file);
        write_fields(info);
        write_parameters(info);
        if (verdict) {
                printf(",\n         \"origin\": ");
                text_write_json(stdout, verdict->origin);
                printf(",\n         \"accepted\": %s,\n         \"reason\": ",
                       verdict->accepted ? "true" : "false");
                text_write_json(stdout, verdict->reason);
        }
        printf("\n      }");
}

/* NULL if there is nobody to ask, or no file: then nothing is said of it. */
static const struct verdict *ask(struct view *view, const struct match *match, struct verdict *verdict) {
        const char *path = kmod_module_get_path(match->module);
        _cleanup_close_ int fd = -1;

        if (!view->bus || !path)
                return NULL;
        fd = match->fd >= 0 ? fcntl(match->fd, F_DUPFD_CLOEXEC, 3) : open(path, O_RDONLY | O_CLOEXEC);
        if (fd < 0)
                return NULL;
        if (verdict_ask(view->bus, fd, verdict) == 0)
                return verdict;
        /* It will not answer for the others either, and might take its time. */
        sd_bus_close(view->bus);
        view->bus = NULL;
        return NULL;
}

static void print_verdict(const struct verdict *verdict) {
        print_field("origin", verdict->origin);
        print_field("verdict", verdict->accepted ? "accepted" : verdict->reason);
}

static void print_info(struct view *view, const struct match *match, const struct info *info) {
        _cleanup_(verdict_clear) struct verdict answer = { 0 };
        const struct verdict *verdict;
        const char *field = view->options->field;

        if (field && !is_verdict(field)) {
                print_one_field(info, field);
                return;
        }
        verdict = ask(view, match, &answer);
        if (field && verdict)
                print_value(*field == 'o'       ? verdict->origin
                            : verdict->accepted ? "accepted"
                                                : verdict->reason);
        if (field)
                return;
        if (view->options->set & OPTION_JSON)
                write_json(info, verdict, view->n_shown++ == 0);
        else {
                print_text(info);
                if (verdict)
                        print_verdict(verdict);
        }
}

static int show_match(struct view *view, const struct match *match, const char *target) {
        struct info info = { 0 };
        int r;

        r = match->module ? info_read(match, &info) : -ENOEXEC;
        if (r < 0) {
                if (r == -ENOMEM)
                        say("There is no memory left; end other programs and try again.");
                else if (r == -EACCES || r == -EPERM)
                        say("%s cannot be read: %s; you must be able to read the file yourself.",
                            match->file ? match->file : kmod_module_get_path(match->module), strerror(-r));
                else
                        say("%s is not a kernel module that can be read (%s); give another file.",
                            match->file ? match->file : target, strerror(-r));
                return EXIT_FAILED;
        }
        print_info(view, match, &info);
        info_clear(&info);
        return EXIT_DONE;
}

static int show_target(struct view *view, struct resolver *resolver, const char *target) {
        _cleanup_(matches_clear) struct matches matches = { 0 };
        int code, r;

        code = resolver_find(resolver, target, &matches);
        for (size_t i = 0; i < matches.n; i++) {
                r = show_match(view, &matches.items[i], target);
                if (code == EXIT_DONE)
                        code = r;
        }
        return code;
}

/* It knows the modules of the kernel that runs here alone. */
static bool needs_service(const struct options *options) {
        return !(options->set & (OPTION_ROOT | OPTION_KERNEL)) &&
               (!options->field || is_verdict(options->field));
}

static int run(const struct options *options, char **arguments) {
        _cleanup_(resolver_freep) struct resolver *resolver = NULL;
        _cleanup_(sd_bus_close_unrefp) sd_bus *bus = NULL;
        struct view view = { .options = options };
        int code = EXIT_DONE, r;
        size_t n = 0;

        r = resolver_new(options->root, options->kernel, &resolver);
        if (r < 0)
                return resolver_report(r);
        while (arguments[n])
                n++;
        resolver_expect(resolver, n);
        if (needs_service(options) && bus_open(&bus) >= 0)
                view.bus = bus;

        if (options->set & OPTION_JSON)
                printf("{\n   \"modules\": [");
        for (size_t i = 0; i < n; i++) {
                r = show_target(&view, resolver, arguments[i]);
                if (code == EXIT_DONE)
                        code = r;
        }
        if (options->set & OPTION_JSON)
                printf("%s]\n}\n", view.n_shown > 0 ? "\n   " : "");
        return code;
}

const struct command command_info = {
        .name = "info",
        .arguments = "TARGET...",
        .summary = "show what modules say of themselves",
        .help = help,
        .options = OPTION_FIELD | OPTION_JSON | OPTION_ROOT | OPTION_KERNEL,
        .min_arguments = 1,
        .max_arguments = INT_MAX,
        .run = run,
};
