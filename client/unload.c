/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * modctl unload
 */

#include <errno.h>
#include <limits.h>
#include <stdint.h>
#include <string.h>

#include "bus.h"
#include "command.h"
#include "failure.h"
#include "message.h"
#include "names.h"
#include "resolve.h"

static const char help[] =
                "Usage: modctl unload [OPTION...] NAME...\n"
                "\n"
                "Unloads kernel modules, in the order given, unless they are in use. NAME is a module's\n"
                "name, or an alias: then all loaded modules that go by it. You may be asked for a\n"
                "password. On a terminal it says what was unloaded; elsewhere it says nothing.\n"
                "\n"
                "Options:\n"
                "      --with-unused        then unload also what they needed, where nothing else uses\n"
                "                           it; what you may not unload stays, and that is said\n"
                "      --no-ask-password    fail rather than ask for a password\n"
                "  -q, --quiet              say nothing but what failed\n"
                "  -v, --verbose            say what was unloaded, on a terminal or not\n"
                "  -h, --help               show this\n"
                "\n"
                "Exit codes: 0 unloaded, 1 failed, 2 wrong usage, 4 not authorized.\n";

struct unloading {
        sd_bus *bus;
        const struct options *options;
        struct resolver *resolver; /* NULL until it is needed */
        bool is_several;           /* so that it must be said what has failed */
};

static int make_call(sd_bus *bus, const char *name, sd_bus_message **ret) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL;
        int r;

        r = sd_bus_message_new_method_call(bus, &m, MODULED_BUS_NAME, MODULED_OBJECT_PATH,
                                           MODULED_MANAGER_INTERFACE, "Unload");
        if (r >= 0)
                r = sd_bus_message_append(m, "st", name, UINT64_C(0));
        if (r < 0)
                return r;
        *ret = take_pointer(&m);
        return 0;
}

static int unload(const struct unloading *unloading, const char *name) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL, *answer = NULL;
        unsigned options = unloading->options->set;
        int r;

        r = make_call(unloading->bus, name, &m);
        if (r == -EINVAL) {
                say("'%s' is no module's name; 'modctl list' shows names.", name);
                return EXIT_USAGE;
        }
        if (r >= 0)
                r = bus_call_authorized(unloading->bus, m, !(options & OPTION_NO_ASK_PASSWORD), &answer);
        if (r != 0)
                return failure_report(r, answer, options);
        announce(options, "Unloaded", name);
        return EXIT_DONE;
}

static bool is_held_by(const struct kmod_module *module, const struct module_array *holders) {
        struct kmod_list *list = kmod_module_get_holders(module), *entry;
        bool is_held = false;

        kmod_list_foreach(entry, list) {
                struct kmod_module *holder = kmod_module_get_module(entry);

                is_held = is_held || module_array_contains(holders, holder);
                kmod_module_unref(holder);
        }
        kmod_module_unref_list(list);
        return is_held;
}

/*
 * What a module needs as the kernel has it now: @ret begins with the module, and each comes before what it needs itself,
 * because the kernel lists its modules the last loaded first.
 */
static int find_needed(struct resolver *resolver, const char *name, struct module_array *ret) {
        struct kmod_module *module = NULL;
        struct kmod_list *loaded = NULL, *entry;
        int r;

        r = kmod_module_new_from_name(resolver->context, name, &module);
        if (r >= 0)
                r = module_array_add(ret, module);
        kmod_module_unref(module);
        if (r >= 0)
                r = kmod_module_new_from_loaded(resolver->context, &loaded);
        /* A kernel that loads no modules has no list of them. */
        if (r < 0)
                return r == -ENOENT ? 0 : r;
        kmod_list_foreach(entry, loaded) {
                struct kmod_module *other = kmod_module_get_module(entry);

                if (r >= 0 && is_held_by(other, ret))
                        r = module_array_add(ret, other);
                kmod_module_unref(other);
        }
        kmod_module_unref_list(loaded);
        return r;
}

static int unload_unused(const struct unloading *unloading, const struct module_array *needed) {
        int code = EXIT_DONE, r;

        for (size_t i = 1; i < needed->n; i++) {
                if (kmod_module_get_refcnt(needed->items[i]) != 0)
                        continue;
                r = unload(unloading, kmod_module_get_name(needed->items[i]));
                if (r != EXIT_DONE)
                        say("So %s stays loaded, though nothing uses it any more.",
                            kmod_module_get_name(needed->items[i]));
                if (code == EXIT_DONE)
                        code = r;
        }
        return code;
}

static int unload_all_of(const struct unloading *unloading, const char *name) {
        struct module_array needed = { 0 };
        int code, r = 0;

        /* Afterwards nothing tells what it needed. */
        if (unloading->options->set & OPTION_WITH_UNUSED)
                r = find_needed(unloading->resolver, name, &needed);
        code = unload(unloading, name);
        if (code != EXIT_DONE && unloading->is_several)
                say("So %s was not unloaded.", name);
        if (code == EXIT_DONE && r < 0) {
                say("What %s needed is not known (%s), and stays loaded; see 'modctl list'.", name,
                    strerror(-r));
                code = EXIT_FAILED;
        } else if (code == EXIT_DONE)
                code = unload_unused(unloading, &needed);
        module_array_clear(&needed);
        return code;
}

/* Whether the kernel has it, loaded or built in. */
static bool is_known(const char *name) {
        _cleanup_free_ char *path = NULL;

        if (asprintf(&path, "/sys/module/%s", name) < 0) {
                path = NULL;
                return false;
        }
        for (char *c = path + strlen("/sys/module/"); *c; c++)
                if (*c == '-')
                        *c = '_';
        return access(path, F_OK) == 0;
}

/* Of what an alias stands for, what is loaded. */
static int find_loaded(struct resolver *resolver, const char *alias, struct module_array *ret) {
        struct kmod_list *list = NULL, *entry;
        int r;

        r = kmod_module_new_from_lookup(resolver->context, alias, &list);
        /* The service will say what is wrong with it. */
        if (r < 0)
                return r == -ENOMEM ? r : 0;
        kmod_list_foreach(entry, list) {
                struct kmod_module *module = kmod_module_get_module(entry);

                if (r >= 0 && kmod_module_get_initstate(module) == KMOD_MODULE_LIVE)
                        r = module_array_add(ret, module);
                kmod_module_unref(module);
        }
        kmod_module_unref_list(list);
        return r;
}

static int unload_target(struct unloading *unloading, const char *target) {
        struct module_array loaded = { 0 };
        bool is_name = is_known(target);
        int code = EXIT_DONE, r = 0;

        if (!unloading->resolver && (!is_name || unloading->options->set & OPTION_WITH_UNUSED))
                r = resolver_new(NULL, NULL, &unloading->resolver);
        if (r >= 0 && !is_name)
                r = find_loaded(unloading->resolver, target, &loaded);
        if (r < 0) {
                module_array_clear(&loaded);
                return resolver_report(r);
        }
        if (loaded.n == 0)
                return unload_all_of(unloading, target);
        for (size_t i = 0; i < loaded.n; i++) {
                r = unload_all_of(unloading, kmod_module_get_name(loaded.items[i]));
                if (code == EXIT_DONE)
                        code = r;
        }
        module_array_clear(&loaded);
        return code;
}

static int run(const struct options *options, char **arguments) {
        _cleanup_(sd_bus_close_unrefp) sd_bus *bus = NULL;
        struct unloading unloading = { .options = options, .is_several = arguments[1] };
        int code = EXIT_DONE, r;

        for (char **name = arguments; *name; name++) {
                if (!strchr(*name, '/'))
                        continue;
                say("'%s' is a file; give the module's name, as 'modctl list' shows it.", *name);
                return EXIT_USAGE;
        }
        r = bus_open(&bus);
        if (r < 0)
                return failure_report_unreachable(r);

        unloading.bus = bus;
        for (char **name = arguments; *name; name++) {
                r = unload_target(&unloading, *name);
                if (code == EXIT_DONE)
                        code = r;
        }
        resolver_free(unloading.resolver);
        return code;
}

const struct command command_unload = {
        .name = "unload",
        .arguments = "NAME...",
        .summary = "unload kernel modules",
        .help = help,
        .options = OPTION_NO_ASK_PASSWORD | OPTION_QUIET | OPTION_VERBOSE | OPTION_WITH_UNUSED,
        .min_arguments = 1,
        .max_arguments = INT_MAX,
        .run = run,
};
