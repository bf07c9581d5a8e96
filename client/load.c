/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * modctl load
 *
 * Finds and opens the files as the user who calls, so that no more is asked of the service than that user may read.
 */

#include <errno.h>
#include <limits.h>
#include <stdint.h>
#include <string.h>

#include "bus.h"
#include "cleanup.h"
#include "command.h"
#include "deliver.h"
#include "failure.h"
#include "message.h"
#include "parameters.h"
#include "plain.h"
#include "plan.h"
#include "resolve.h"
#include "show.h"

/* Flags of finit_module(2), in linux/module.h. */
#define FLAG_IGNORE_MODVERSIONS 1U
#define FLAG_IGNORE_VERMAGIC 2U

#define OPTIONS_FORCE (OPTION_FORCE | OPTION_FORCE_MODVERSION | OPTION_FORCE_VERMAGIC)

static const char help[] =
                "Usage: modctl load [OPTION...] TARGET... [PARAM=VALUE...]\n"
                "\n"
                "Loads kernel modules, after what they need. A TARGET is\n"
                "  a module's name       dummy, snd-pcm; - and _ are the same\n"
                "  an alias              usb:v046DpC52B..., fs-btrfs: all modules that go by it\n"
                "  a file                ./dummy.ko, /opt/vendor/dummy.ko.xz\n"
                "You must be able to read the files, and they must stand where /etc/moduled.conf lets\n"
                "modules come from. You may be asked for a password, once as a rule. PARAM=VALUE goes\n"
                "to the one TARGET, not to what it needs; quote blanks in a VALUE for your shell only.\n"
                "\n"
                "On a terminal it says what was loaded; elsewhere it says nothing. A module that is\n"
                "loaded already is no failure.\n"
                "\n"
                "Options:\n"
                "      --show               load nothing, and print what would be loaded, in order;\n"
                "                           with -v also what moduled says of each\n"
                "      --root DIR           with --show: of the tree below DIR\n"
                "      --kernel RELEASE     with --show: of another kernel\n"
                "      --first-time         fail if the module is loaded already\n"
                "      --force-vermagic     ignore the kernel version that the modules were built for\n"
                "      --force-modversion   ignore the versions of the symbols that they use\n"
                "      --force              both; moduled.conf must allow any of the three\n"
                "      --no-ask-password    fail rather than ask for a password\n"
                "  -q, --quiet              say nothing but what failed\n"
                "  -v, --verbose            say what was loaded, on a terminal or not\n"
                "  -h, --help               show this\n"
                "\n"
                "Exit codes: 0 loaded, 1 failed, 2 wrong usage, 3 a file or a module is refused, 4 not\n"
                "authorized.\n";

struct load {
        const struct options *options;
        const char *parameters;
        struct resolver *resolver;
        struct plan plan;
        sd_bus *bus; /* about to be connected; NULL if that has failed */
        int bus_error;
};

static uint64_t kernel_flags(unsigned options) {
        uint64_t flags = 0;

        if (options & (OPTION_FORCE | OPTION_FORCE_MODVERSION))
                flags |= FLAG_IGNORE_MODVERSIONS;
        if (options & (OPTION_FORCE | OPTION_FORCE_VERMAGIC))
                flags |= FLAG_IGNORE_VERMAGIC;
        return flags;
}

static int join_parameters(char **arguments, char **ret) {
        const char *bad;
        int r;

        r = parameters_join(arguments, ret, &bad);
        if (r == -ENOMEM) {
                say("There is no memory left; end other programs and try again.");
                return EXIT_FAILED;
        }
        if (r < 0) {
                say("The parameter '%s' cannot be passed: it must be NAME or NAME=VALUE, with no blank in its name, and "
                    "VALUE may not have blanks and double quotes, or one double quote alone.",
                    bad);
                return EXIT_USAGE;
        }
        return EXIT_DONE;
}

/* How many of the arguments are targets: the first, and those that follow it up to PARAM=VALUE. */
static size_t count_targets(char **arguments) {
        size_t n = 1;

        while (arguments[n] && arguments[n][strcspn(arguments[n], "=/:")] != '=')
                n++;
        return n;
}

/* A module that needs no file: what is left to say of it. @target is what the user wrote. */
static int pass_over(const struct match *match, const char *target, const struct load *load, int state) {
        const char *name = kmod_module_get_name(match->module);
        bool failed = load->options->set & OPTION_FIRST_TIME;

        if (state == KMOD_MODULE_BUILTIN) {
                if (failed || !(load->options->set & OPTION_QUIET))
                        say("%s is built into the kernel %s; there is nothing to load.", name,
                            load->resolver->release);
        } else if (state == KMOD_MODULE_LIVE) {
                if (*load->parameters && (failed || !(load->options->set & OPTION_QUIET)))
                        say("%s is loaded already, and gets no parameters any more; run 'modctl unload %s' first.",
                            name, name);
                else if (failed || !(load->options->set & OPTION_QUIET))
                        say("%s is loaded already.", name);
        } else if (kmod_module_get_install_commands(match->module)) {
                say("%s has an 'install' command in modprobe.d instead of a file, and moduled runs none; an administrator can change it.",
                    name);
                return EXIT_REFUSED;
        } else {
                say("'%s' stands for the module %s in modprobe.d, and the kernel %s has none of that name; an administrator can change it.",
                    target, name, load->resolver->release);
                return EXIT_FAILED;
        }
        return failed ? EXIT_FAILED : EXIT_DONE;
}

static int plan_match(struct load *load, const char *target, struct match *match) {
        int state, r;

        if (!match->file) {
                state = kmod_module_get_initstate(match->module);
                if (state == KMOD_MODULE_BUILTIN || state == KMOD_MODULE_LIVE ||
                    !kmod_module_get_path(match->module))
                        return pass_over(match, target, load, state);
        }
        r = plan_add(&load->plan, load->resolver, match);
        if (r == -ENOMEM)
                say("There is no memory left; end other programs and try again.");
        return r < 0 ? EXIT_FAILED : EXIT_DONE;
}

/* Of what an alias stands for, what is blacklisted is left out, as modprobe(8) does. */
static int plan_matches(struct load *load, const char *target, struct matches *matches) {
        int code = EXIT_DONE, r;
        size_t n_left_out = 0;

        for (size_t i = 0; i < matches->n; i++) {
                struct match *match = &matches->items[i];

                r = match->aliased ? resolver_is_blacklisted(load->resolver, match->module) : 0;
                if (r > 0)
                        n_left_out++;
                else if (r < 0)
                        say("There is no memory left; end other programs and try again.");
                r = r > 0 ? EXIT_DONE : r < 0 ? EXIT_FAILED : plan_match(load, target, match);
                if (code == EXIT_DONE)
                        code = r;
        }
        if (n_left_out == matches->n && !(load->options->set & OPTION_QUIET))
                say("All that the alias '%s' stands for is blacklisted in modprobe.d, so nothing is loaded; an administrator can change it.",
                    target);
        return code;
}

/* Return: whether it is a file that is loaded alone; then @ret is an exit code. */
static bool plan_plain(struct load *load, const char *target, int *ret) {
        char name[NAME_MAX + 1];
        int fd, r;

        fd = target_is_file(target) ? plain_open(target, name) : -1;
        if (fd < 0)
                return false;
        r = plan_add_plain(&load->plan, name, fd);
        if (r < 0)
                say("There is no memory left; end other programs and try again.");
        *ret = r < 0 ? EXIT_FAILED : EXIT_DONE;
        return true;
}

static int plan_target(struct load *load, const char *target) {
        _cleanup_(matches_clear) struct matches matches = { 0 };
        int r;

        r = resolver_find(load->resolver, target, &matches);
        return r == EXIT_DONE ? plan_matches(load, target, &matches) : r;
}

/* Only for those that need it, because it takes long to load. */
static int need_resolver(struct load *load, size_t n_targets) {
        int r;

        if (load->resolver)
                return EXIT_DONE;
        r = resolver_new(NULL, NULL, &load->resolver);
        if (r < 0)
                return resolver_report(r);
        resolver_expect(load->resolver, n_targets);
        return EXIT_DONE;
}

static int plan_targets(struct load *load, char **targets, size_t n) {
        int code = EXIT_DONE;

        for (size_t i = 0; i < n; i++) {
                int r;

                /* What the bus has asked meanwhile. */
                bus_go_on(load->bus);
                if (!plan_plain(load, targets[i], &r)) {
                        r = need_resolver(load, n);
                        if (r != EXIT_DONE)
                                return r;
                        bus_go_on(load->bus);
                        r = plan_target(load, targets[i]);
                        if (r != EXIT_DONE && i > 0 && !strpbrk(targets[i], "/.:"))
                                say("If '%s' is meant as a parameter, write it with its value: %s=1.",
                                    targets[i], targets[i]);
                }
                if (code == EXIT_DONE)
                        code = r;
        }
        bus_go_on(load->bus);
        return code;
}

/* Without anything to load it does not matter whether there is a bus. */
static int load_plan(struct load *load) {
        int r;

        if (load->plan.n == 0)
                return EXIT_DONE;
        r = load->bus ? bus_finish(load->bus) : load->bus_error;
        if (r < 0)
                return failure_report_unreachable(r);
        return deliver(
                        &(struct delivery){
                                        .bus = load->bus,
                                        .options = load->options,
                                        .parameters = load->parameters,
                                        .flags = kernel_flags(load->options->set),
                        },
                        &load->plan);
}

static int check_usage(const struct options *options, size_t n_targets, char **parameters) {
        if (n_targets > 1 && *parameters) {
                say("Parameters can be given to one module at a time; load the others by a command of their own.");
                return EXIT_USAGE;
        }
        if (options->set & (OPTION_ROOT | OPTION_KERNEL) && !(options->set & OPTION_SHOW)) {
                say("Modules are loaded into the running kernel alone; use --root and --kernel with --show.");
                return EXIT_USAGE;
        }
        return EXIT_DONE;
}

/* The bus is about its part meanwhile. */
static int load_targets(struct load *load, char **targets, size_t n) {
        int code, r;

        load->bus_error = bus_begin(&load->bus);
        code = plan_targets(load, targets, n);
        r = load_plan(load);
        return code == EXIT_DONE ? r : code;
}

static void load_clear(struct load *load) {
        plan_clear(&load->plan);
        sd_bus_close_unref(load->bus);
        resolver_free(load->resolver);
}

static int show(const struct options *options, char **targets, size_t n, const char *parameters) {
        _cleanup_(resolver_freep) struct resolver *resolver = NULL;
        int r;

        r = resolver_new(options->root, options->kernel, &resolver);
        if (r < 0)
                return resolver_report(r);
        resolver_expect(resolver, n);
        return show_targets(resolver, options, targets, n, parameters);
}

static int run(const struct options *options, char **arguments) {
        _cleanup_(load_clear) struct load load = { .options = options };
        _cleanup_free_ char *parameters = NULL;
        size_t n = count_targets(arguments);
        int r;

        r = check_usage(options, n, arguments + n);
        if (r == EXIT_DONE)
                r = join_parameters(arguments + n, &parameters);
        if (r != EXIT_DONE)
                return r;
        if (options->set & OPTION_SHOW)
                return show(options, arguments, n, parameters);
        load.parameters = parameters;
        return load_targets(&load, arguments, n);
}

const struct command command_load = {
        .name = "load",
        .arguments = "TARGET... [PARAM=VALUE...]",
        .summary = "load kernel modules with all that they need",
        .help = help,
        .options = OPTION_FIRST_TIME | OPTIONS_FORCE | OPTION_NO_ASK_PASSWORD | OPTION_QUIET |
                   OPTION_VERBOSE | OPTION_SHOW | OPTION_ROOT | OPTION_KERNEL,
        .min_arguments = 1,
        .max_arguments = INT_MAX,
        .run = run,
};
