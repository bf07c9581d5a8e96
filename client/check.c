/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * modctl check
 *
 * Whether the service would load a module, and why: what it says of the file, and of those that the module needs.
 */

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "bus.h"
#include "check-print.h"
#include "command.h"
#include "failure.h"
#include "message.h"
#include "sequence.h"
#include "text.h"

static const char help[] =
                "Usage: modctl check [OPTION...] TARGET...\n"
                "\n"
                "Shows whether moduled would load a kernel module, and why or why not: the origin that\n"
                "decides, what it requires and what was found, and what is against the modules that must\n"
                "be loaded before. Loads nothing, and asks for no password; whether you are authorized\n"
                "is not known before the load. A TARGET is a module's name, an alias, or a file.\n"
                "\n"
                "Options:\n"
                "      --json   print JSON: {\"checks\": [{\"accepted\": ..., \"needs\": [...]}]}\n"
                "  -h, --help   show this\n"
                "\n"
                "Exit codes: 0 all would be loaded, or are loaded, 1 failed, 2 wrong usage, 3 one would\n"
                "be refused.\n";

struct check {
        sd_bus *bus;
        struct resolver *resolver;
        const struct options *options;
        bool is_json;
        size_t n_shown;
};

static int ask(struct check *check, int fd, struct verdict *verdict) {
        int r;

        r = verdict_ask(check->bus, fd, verdict);
        if (r == -EBADMSG)
                return failure_report_answer(r);
        if (r != 0)
                return failure_report(r, verdict->answer, check->options->set);
        return verdict_is_refusal(verdict) ? EXIT_REFUSED : EXIT_DONE;
}

static int open_module(const char *path) {
        int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);

        if (fd < 0)
                say("Cannot open %s: %s; check its name.", path, strerror(errno));
        return fd;
}

/* A module that must be there first. */
static int check_need(struct check *check, struct kmod_module *module, size_t *n) {
        _cleanup_(verdict_clear) struct verdict verdict = { 0 };
        _cleanup_close_ int fd = -1;
        const char *path = kmod_module_get_path(module);
        int code;

        if (!path)
                return EXIT_DONE;
        fd = open_module(path);
        if (fd < 0)
                return EXIT_FAILED;
        code = ask(check, fd, &verdict);
        if (code != EXIT_DONE && code != EXIT_REFUSED)
                return code;
        if (check->is_json)
                check_write_need(kmod_module_get_name(module), &verdict, *n == 0);
        else
                check_print_need(kmod_module_get_name(module), &verdict, *n == 0);
        (*n)++;
        return code;
}

static int check_needs(struct check *check, struct kmod_module *module) {
        struct sequence sequence = { 0 };
        int code = EXIT_DONE, r;
        size_t n = 0;

        r = module ? sequence_new(check->resolver, module, &sequence) : 0;
        if (r == -ENOMEM)
                say("There is no memory left; end other programs and try again.");
        if (r < 0)
                code = EXIT_FAILED;
        for (size_t i = 0; i < sequence.n; i++) {
                struct step *step = &sequence.items[i];

                if (step->is_target || step->softdep > 0)
                        continue;
                r = check_need(check, step->module, &n);
                if (code == EXIT_DONE || code == EXIT_REFUSED)
                        code = r == EXIT_DONE ? code : r;
        }
        sequence_clear(&sequence);
        return code;
}

static int check_file(struct check *check, const struct match *match, int fd) {
        _cleanup_(verdict_clear) struct verdict verdict = { 0 };
        int code, needs_code, r;

        code = ask(check, fd, &verdict);
        if (code != EXIT_DONE && code != EXIT_REFUSED)
                return code;
        r = check->is_json ? check_write_verdict(&verdict, check->n_shown == 0)
                           : check_print_verdict(&verdict, check->n_shown == 0);
        check->n_shown++;
        needs_code = check_needs(check, match->module);
        if (check->is_json)
                check_write_end();
        if (r < 0)
                return failure_report_answer(r);
        return code == EXIT_DONE ? needs_code : code;
}

static int check_match(struct check *check, const struct match *match) {
        _cleanup_close_ int fd = -1;
        const char *path;

        if (match->file)
                return check_file(check, match, match->fd);
        path = kmod_module_get_path(match->module);
        if (!path) {
                if (kmod_module_get_initstate(match->module) == KMOD_MODULE_BUILTIN)
                        say("%s is built into the kernel %s, so there is nothing to load.",
                            kmod_module_get_name(match->module), check->resolver->release);
                else
                        say("The kernel %s has no file for the module %s; install it first.",
                            check->resolver->release, kmod_module_get_name(match->module));
                return kmod_module_get_initstate(match->module) == KMOD_MODULE_BUILTIN ? EXIT_DONE
                                                                                       : EXIT_FAILED;
        }
        fd = open_module(path);
        return fd < 0 ? EXIT_FAILED : check_file(check, match, fd);
}

static int check_target(struct check *check, const char *target) {
        _cleanup_(matches_clear) struct matches matches = { 0 };
        int code, r;

        code = resolver_find(check->resolver, target, &matches);
        for (size_t i = 0; i < matches.n; i++) {
                r = check_match(check, &matches.items[i]);
                if (code == EXIT_DONE)
                        code = r;
        }
        return code;
}

static int run(const struct options *options, char **arguments) {
        _cleanup_(resolver_freep) struct resolver *resolver = NULL;
        _cleanup_(sd_bus_close_unrefp) sd_bus *bus = NULL;
        struct check check = { .options = options, .is_json = options->set & OPTION_JSON };
        int code = EXIT_DONE, r;

        r = resolver_new(NULL, NULL, &resolver);
        if (r < 0)
                return resolver_report(r);
        r = bus_open(&bus);
        if (r < 0)
                return failure_report_unreachable(r);
        check.resolver = resolver;
        check.bus = bus;

        if (check.is_json)
                printf("{\n   \"checks\": [");
        for (; *arguments; arguments++) {
                r = check_target(&check, *arguments);
                if (code == EXIT_DONE)
                        code = r;
        }
        if (check.is_json)
                printf("%s]\n}\n", check.n_shown > 0 ? "\n   " : "");
        return code;
}

const struct command command_check = {
        .name = "check",
        .arguments = "TARGET...",
        .summary = "show whether modules would be loaded, and why",
        .help = help,
        .options = OPTION_JSON,
        .min_arguments = 1,
        .max_arguments = INT_MAX,
        .run = run,
};
