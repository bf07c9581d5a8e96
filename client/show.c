/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * modctl load --show
 *
 * What would be loaded, in order, as `modprobe --show-depends` prints it; with --verbose a line below each says what the
 * service would do with it.
 */

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>

#include "bus.h"
#include "failure.h"
#include "message.h"
#include "sequence.h"
#include "show.h"
#include "text.h"
#include "verdict.h"

struct show {
        struct resolver *resolver;
        const struct options *options;
        const char *parameters;
        sd_bus *bus; /* NULL unless verdicts are wanted */
        int exit_code;
};

/* As modprobe(8) joins them: with a blank behind those of modprobe.d, whatever follows. */
static void print_line(const char *what, const char *of, const char *options, const char *parameters) {
        _cleanup_free_ char *raw = NULL, *line = NULL;

        if (asprintf(&raw, "%s %s %s%s%s", what, of, options ? options : "", options && *options ? " " : "",
                     parameters) < 0)
                raw = NULL;
        line = raw ? text_shown(raw, 0) : NULL;
        puts(line ? line : "?");
}

static void print_verdict(struct show *show, const char *path) {
        _cleanup_(verdict_clear) struct verdict verdict = { 0 };
        _cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
        _cleanup_free_ char *text = NULL;
        int r;

        if (fd < 0) {
                printf("# cannot be opened: %s\n", strerror(errno));
                return;
        }
        r = verdict_ask(show->bus, fd, &verdict);
        if (r != 0) {
                show->exit_code = failure_report(r, verdict.answer, show->options->set);
                return;
        }
        text = printable(verdict.accepted ? verdict.origin : verdict.reason);
        printf(verdict.accepted ? "# accepted by the origin %s\n" : "# %s\n", text ? text : "?");
}

static void print_step(struct show *show, const struct step *step, const char *file) {
        const char *options = kmod_module_get_options(step->module),
                   *install = kmod_module_get_install_commands(step->module),
                   *path = step->is_target && file ? file : kmod_module_get_path(step->module),
                   *parameters = step->is_target ? show->parameters : "";

        if (install && !step->has_softdeps)
                print_line("install", install, options, parameters);
        else if (path) {
                print_line("insmod", path, options, parameters);
                if (show->bus)
                        print_verdict(show, path);
        } else if (kmod_module_get_initstate(step->module) == KMOD_MODULE_BUILTIN) {
                _cleanup_free_ char *name = text_shown(kmod_module_get_name(step->module), 0);

                printf("builtin %s\n", name ? name : "?");
        }
}

static int show_match(struct show *show, const struct match *match) {
        struct sequence sequence = { 0 };
        int r;

        if (!match->module) {
                print_line("insmod", match->file, NULL, show->parameters);
                return 0;
        }
        r = match->aliased ? resolver_is_blacklisted(show->resolver, match->module) : 0;
        if (r != 0)
                return r < 0 ? r : 0;
        r = sequence_new(show->resolver, match->module, &sequence);
        for (size_t i = 0; r >= 0 && i < sequence.n; i++)
                print_step(show, &sequence.items[i], match->file);
        sequence_clear(&sequence);
        return r;
}

static void show_target(struct show *show, const char *target) {
        _cleanup_(matches_clear) struct matches matches = { 0 };
        int r;

        r = resolver_find(show->resolver, target, &matches);
        if (r != EXIT_DONE) {
                show->exit_code = r;
                return;
        }
        for (size_t i = 0; i < matches.n; i++) {
                r = show_match(show, &matches.items[i]);
                if (r >= 0)
                        continue;
                if (r != -ENOENT)
                        say("%s cannot be looked at (%s); try again.", target, strerror(-r));
                show->exit_code = EXIT_FAILED;
        }
}

/**
 * show_targets() - print what would be loaded for each target
 * @resolver:   the resolver
 * @options:    the command's
 * @targets:    what the user wrote
 * @n:          how many there are
 * @parameters: what the user wants the target to have, or ""
 *
 * Goes on after a target that there is not.
 *
 * Return: an exit code.
 */
int show_targets(struct resolver *resolver, const struct options *options, char **targets, size_t n,
                 const char *parameters) {
        _cleanup_(sd_bus_close_unrefp) sd_bus *bus = NULL;
        struct show show = { .resolver = resolver, .options = options, .parameters = parameters };
        int r;

        if (options->set & OPTION_VERBOSE) {
                r = bus_open(&bus);
                if (r < 0)
                        return failure_report_unreachable(r);
        }
        show.bus = bus;
        for (size_t i = 0; i < n; i++)
                show_target(&show, targets[i]);
        return show.exit_code;
}
