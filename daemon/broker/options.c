/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Options
 *
 * A module's parameters: those that the administrator has set in modprobe.d, and behind them those that the caller
 * gives. To the kernel they are one list, in which the last of a name counts and a quote reaches as far as the next one;
 * so what the caller gives is kept from changing what the administrator has set. What a package brings in the vendor's
 * directories are defaults: systemd's own "options dummy numdummies=0" is not meant to keep anybody from making some.
 */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "arguments.h"
#include "cleanup.h"
#include "options.h"
#include "protocol.h"

/* An argument of modprobe.d's. */
struct argument {
        const char *file;
        char *name;
        char *text;
};

struct joining {
        options_declares_t declares;
        void *userdata;
        struct argument *arguments; /* those that the module has */
        size_t n_arguments;
        struct options options;
};

/**
 * options_clear() - give back what options_join() gave
 * @options:    the options; valid and empty afterwards
 */
void options_clear(struct options *options) {
        modprobe_options_free(options->dropped, options->n_dropped);
        free(options->text);
        free(options->name);
        free(options->file);
        *options = (struct options){ 0 };
}

static void arguments_clear(struct joining *joining) {
        for (size_t i = 0; i < joining->n_arguments; i++) {
                free(joining->arguments[i].name);
                free(joining->arguments[i].text);
        }
        free(joining->arguments);
}

static int conclude(struct joining *joining, enum options_outcome outcome, const char *name,
                    const char *file) {
        joining->options.name = strdup(name);
        joining->options.file = strdup(file);
        return joining->options.name && joining->options.file ? (int) outcome : -ENOMEM;
}

static int drop(struct joining *joining, const char *file, const char *text) {
        struct options *options = &joining->options;
        struct modprobe_option *dropped, *last;

        dropped = reallocarray(options->dropped, options->n_dropped + 1, sizeof *dropped);
        if (!dropped)
                return -ENOMEM;
        options->dropped = dropped;
        last = &dropped[options->n_dropped++];
        last->file = strdup(file);
        last->text = strdup(text);
        return last->file && last->text ? 0 : -ENOMEM;
}

static int keep(struct joining *joining, const char *file, char **name, char **text) {
        struct argument *arguments;

        arguments = reallocarray(joining->arguments, joining->n_arguments + 1, sizeof *arguments);
        if (!arguments)
                return -ENOMEM;
        joining->arguments = arguments;
        arguments[joining->n_arguments++] = (struct argument){
                .file = file,
                .name = take_pointer(name),
                .text = take_pointer(text),
        };
        return 0;
}

static bool is_closed(const char *text) {
        bool is_inside = false;

        for (; *text; text++)
                is_inside = is_inside != (*text == '"');
        return !is_inside;
}

static int take_option(struct joining *joining, const struct modprobe_option *option) {
        const char *list = option->text;
        int r;

        for (;;) {
                const char *start = list + strspn(list, ARGUMENTS_BLANKS);
                _cleanup_free_ char *name = NULL, *text = NULL;

                r = arguments_next(&list, &name);
                if (r <= 0)
                        return r;
                text = strndup(start, (size_t) (list - start));
                if (!text)
                        return -ENOMEM;
                if (!is_closed(text))
                        return conclude(joining, OPTIONS_UNCLOSED, name, option->file);
                if (joining->declares(name, joining->userdata))
                        r = keep(joining, option->file, &name, &text);
                else
                        r = drop(joining, option->file, text);
                if (r < 0)
                        return r;
        }
}

static bool is_vendors(const char *file) {
        static const char *const directories[] = { "/usr/lib/", "/usr/local/lib/", "/lib/" };

        for (size_t i = 0; i < sizeof directories / sizeof *directories; i++)
                if (strncmp(file, directories[i], strlen(directories[i])) == 0)
                        return true;
        return false;
}

static int check_parameters(struct joining *joining, const char *parameters) {
        for (;;) {
                _cleanup_free_ char *name = NULL;
                int r;

                r = arguments_next(&parameters, &name);
                if (r <= 0)
                        return r;
                for (size_t i = 0; i < joining->n_arguments; i++)
                        if (!is_vendors(joining->arguments[i].file) &&
                            arguments_is_same_name(joining->arguments[i].name, name))
                                return conclude(joining, OPTIONS_OVERRIDDEN, name,
                                                joining->arguments[i].file);
        }
}

static int write_text(struct joining *joining, const char *parameters) {
        _cleanup_free_ char *text = NULL;
        const char *separator = "";
        size_t size;
        FILE *f;

        f = open_memstream(&text, &size);
        if (!f)
                return -ENOMEM;
        for (size_t i = 0; i < joining->n_arguments; i++) {
                fprintf(f, "%s%s", separator, joining->arguments[i].text);
                separator = " ";
        }
        if (parameters[0])
                fprintf(f, "%s%s", separator, parameters);
        if (fclose(f) != 0)
                return -ENOMEM;
        if (size > PROTOCOL_PARAMETERS_MAX)
                return OPTIONS_TOO_LONG;
        joining->options.text = take_pointer(&text);
        return 0;
}

/**
 * options_join() - put modprobe.d's options and the caller's parameters together
 * @policy:     with the options
 * @parameters: the caller's; each double quote in it must be closed
 * @declares:   does the module, or the kernel for each module, have a parameter of this name; - and _ are the same
 * @userdata:   handed to @declares
 * @ret:        what came of it; to be given to options_clear()
 *
 * The options come first, in their order. Those that the module does not have are left out, because the kernel would
 * only complain of them; modprobe(8) leaves them in. Of those in files below /usr/lib, /usr/local/lib and /lib the caller
 * may give others.
 *
 * Return: an enum options_outcome, or -ENOMEM.
 */
int options_join(const struct modprobe_policy *policy, const char *parameters, options_declares_t declares,
                 void *userdata, struct options *ret) {
        struct joining joining = { .declares = declares, .userdata = userdata };
        int r = 0;

        for (size_t i = 0; r == 0 && i < policy->n_options; i++)
                r = take_option(&joining, &policy->options[i]);
        if (r == 0)
                r = check_parameters(&joining, parameters);
        if (r == 0)
                r = write_text(&joining, parameters);
        arguments_clear(&joining);
        if (r < 0) {
                options_clear(&joining.options);
                return r;
        }
        *ret = joining.options;
        return r;
}
