/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Resolve
 *
 * From what a user writes to the modules that it stands for: a file, a module's name, or an alias. All of it happens in
 * the user's own process, by libkmod, so it can find nothing that the user may not read; what may be loaded is for the
 * service to say.
 */

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/utsname.h>

#include "command.h"
#include "kmod.h"
#include "message.h"
#include "require.h"
#include "resolve.h"

#define TARGETS_MANY 8

/* libkmod writes to standard error what does not concern the user, or what we say better. */
static void say_nothing(void *data, int priority, const char *file, int line, const char *function,
                        const char *format, va_list arguments) {
        (void) data;
        (void) priority;
        (void) file;
        (void) line;
        (void) function;
        (void) format;
        (void) arguments;
}

static struct kmod_ctx *new_context(const char *directory, const char *const *config) {
        struct kmod_ctx *context = kmod_new(directory, config);

        if (context)
                kmod_set_log_fn(context, say_nothing, NULL);
        return context;
}

/* Where libkmod looks below another root, or for another kernel: that it was built to look there, only it knows. */
static int find_directory(const char *root, const char *release, char **ret) {
        const char *none = NULL, *directory, *slash;
        struct kmod_ctx *context = new_context(NULL, &none);
        int r = -ENOMEM;

        directory = context ? kmod_get_dirname(context) : NULL;
        slash = directory ? strrchr(directory, '/') : NULL;
        if (slash)
                r = asprintf(ret, "%s%.*s/%s", root ? root : "", (int) (slash - directory), directory,
                             release);
        kmod_unref(context);
        return r < 0 ? -ENOMEM : 0;
}

/**
 * resolver_new() - get ready to find modules
 * @root:       the directory below which the kernel's tree stands, or NULL
 * @release:    the kernel's, or NULL for the one that runs
 * @ret:        the resolver
 *
 * What modprobe.d says is this system's, as for modprobe(8).
 *
 * Return: 0 or a negative errno.
 */
int resolver_new(const char *root, const char *release, struct resolver **ret) {
        _cleanup_(resolver_freep) struct resolver *resolver = NULL;
        _cleanup_free_ char *directory = NULL;
        struct utsname names;
        int r;

        r = libkmod_load();
        if (r < 0)
                return r;
        resolver = calloc(1, sizeof *resolver);
        if (!resolver)
                return -ENOMEM;
        if (!release && uname(&names) < 0)
                return -errno;
        resolver->release = strdup(release ? release : names.release);
        if (!resolver->release)
                return -ENOMEM;
        if (root || release) {
                r = find_directory(root, resolver->release, &directory);
                if (r < 0)
                        return r;
        }
        resolver->context = new_context(directory, NULL);
        if (!resolver->context)
                return -ENOMEM;

        *ret = take_pointer(&resolver);
        return 0;
}

/**
 * resolver_expect() - be told how many targets will be looked up
 * @resolver:   the resolver
 * @n:          how many
 *
 * libkmod opens its lists anew for each, unless it is told to keep them; to keep them costs as much as a few of those.
 */
void resolver_expect(struct resolver *resolver, size_t n) {
        if (n >= TARGETS_MANY)
                (void) kmod_load_resources(resolver->context);
}

/**
 * resolver_report() - say that there is no resolver
 * @error:      what resolver_new() returned, negative
 *
 * Return: the exit code.
 */
int resolver_report(int error) {
        if (error == -ELIBACC)
                require_report();
        else
                say("The kernel's modules cannot be looked up (%s); give the module's file.",
                    strerror(-error));
        return EXIT_FAILED;
}

/**
 * resolver_free() - give back a resolver
 * @resolver:   the resolver, or NULL
 *
 * What was found by it must be given back before.
 *
 * Return: NULL.
 */
struct resolver *resolver_free(struct resolver *resolver) {
        if (!resolver)
                return NULL;
        module_array_clear(&resolver->foreign);
        kmod_unref(resolver->context);
        free(resolver->release);
        free(resolver);
        return NULL;
}

/**
 * matches_clear() - give back what was found
 * @matches:    the matches; valid and empty afterwards
 */
void matches_clear(struct matches *matches) {
        for (size_t i = 0; i < matches->n; i++) {
                kmod_module_unref(matches->items[i].module);
                cleanup_closep(&matches->items[i].fd);
        }
        free(matches->items);
        *matches = (struct matches){ 0 };
}

static bool ends_like_a_module(const char *text) {
        static const char *const ends[] = { ".ko", ".ko.xz", ".ko.gz", ".ko.zst", NULL };
        size_t length = strlen(text);

        for (const char *const *end = ends; *end; end++)
                if (length > strlen(*end) && strcmp(text + length - strlen(*end), *end) == 0)
                        return true;
        return false;
}

/**
 * target_is_file() - is a file meant
 * @target:     what the user wrote
 *
 * Some aliases have a slash in them, as in "dmi:bvn...:bd06/07/2010:" and "devname:snd/seq".
 */
bool target_is_file(const char *target) {
        size_t head = strcspn(target, "/:");

        /* devname:snd/seq is an alias, whatever stands in this directory. */
        return target[head] == '/' || ends_like_a_module(target);
}

static int add_match(struct matches *matches, struct match match) {
        struct match *items = reallocarray(matches->items, matches->n + 1, sizeof *items);

        if (!items)
                return -ENOMEM;
        matches->items = items;
        matches->items[matches->n++] = match;
        return 0;
}

static int open_file(const char *path) {
        /* A fifo or a device must not make us wait; that it is no module is for the service to say. */
        int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);

        if (fd >= 0)
                return fd;
        if (errno == EACCES)
                say("Cannot open %s: %s; you must be able to read the file yourself.", path,
                    strerror(errno));
        else
                say("Cannot open %s: %s; check its name.", path, strerror(errno));
        return -1;
}

/* The module that the tree has of the file's name, if it is that very file. */
static struct kmod_module *find_in_tree(struct resolver *resolver, const char *file, const struct stat *st) {
        const char *base = strrchr(file, '/'), *path;
        struct kmod_module *module = NULL;
        char name[NAME_MAX + 1];
        struct stat found;

        base = base ? base + 1 : file;
        (void) snprintf(name, sizeof name, "%.*s", (int) strcspn(base, "."), base);
        /* kmod_module_new_from_name_lookup() has another symbol version since kmod 31. */
        if (!*name || kmod_module_new_from_name(resolver->context, name, &module) < 0)
                return NULL;
        path = kmod_module_get_path(module);
        if (path && stat(path, &found) == 0 && found.st_dev == st->st_dev && found.st_ino == st->st_ino)
                return module;
        kmod_module_unref(module);
        return NULL;
}

/* A file that libkmod does not take for a module goes to the service all the same, which says what it is. */
static int find_file(struct resolver *resolver, const char *file, struct matches *matches) {
        struct match match = { .file = file };
        struct stat st;
        int r = 0;

        match.fd = open_file(file);
        if (match.fd < 0)
                return EXIT_FAILED;
        if (fstat(match.fd, &st) == 0 && S_ISREG(st.st_mode)) {
                match.module = find_in_tree(resolver, file, &st);
                if (!match.module && kmod_module_new_from_path(resolver->context, file, &match.module) == 0)
                        r = module_array_add(&resolver->foreign, match.module);
        }
        if (r >= 0)
                r = add_match(matches, match);
        if (r < 0) {
                kmod_module_unref(match.module);
                cleanup_closep(&match.fd);
                say("There is no memory left; end other programs and try again.");
                return EXIT_FAILED;
        }
        return EXIT_DONE;
}

/* Why there is nothing: of a kernel without its lists no module is known. */
static int say_not_found(struct resolver *resolver, const char *target) {
        const char *directory = kmod_get_dirname(resolver->context), *release = resolver->release;
        _cleanup_free_ char *list = NULL;

        if (asprintf(&list, "%s/modules.dep.bin", directory) < 0)
                say("There is no memory left; end other programs and try again.");
        else if (access(directory, F_OK) < 0)
                say("There are no modules of the kernel %s: there is no %s; install them, or give the module's file.",
                    release, directory);
        else if (access(list, R_OK) < 0)
                say("'%s' cannot be looked up: %s (%s); 'depmod %s', run by an administrator, makes that list.",
                    target, list, strerror(errno), release);
        else
                say("There is no module or alias '%s' for the kernel %s; 'find %s -name \"*.ko*\"' lists its modules.",
                    target, release, directory);
        return EXIT_FAILED;
}

static bool is_own_name(const struct kmod_module *module, const char *target) {
        const char *name = kmod_module_get_name(module);

        for (; *name && *target; name++, target++)
                if (*name != (*target == '-' ? '_' : *target))
                        return false;
        return *name == *target;
}

static int find_name(struct resolver *resolver, const char *target, struct matches *matches) {
        struct kmod_list *list = NULL, *entry;
        int r;

        r = kmod_module_new_from_lookup(resolver->context, target, &list);
        if (r == -ENOMEM) {
                say("There is no memory left; end other programs and try again.");
                return EXIT_FAILED;
        }
        if (r < 0 || !list)
                return say_not_found(resolver, target);
        kmod_list_foreach(entry, list) {
                struct match match = { .module = kmod_module_get_module(entry), .fd = -1 };

                match.aliased = !is_own_name(match.module, target);
                if (add_match(matches, match) < 0) {
                        kmod_module_unref(match.module);
                        kmod_module_unref_list(list);
                        say("There is no memory left; end other programs and try again.");
                        return EXIT_FAILED;
                }
        }
        kmod_module_unref_list(list);
        return EXIT_DONE;
}

/**
 * resolver_find() - find the modules that a target stands for
 * @resolver:   the resolver
 * @target:     what the user wrote: a file, or a module's name with - and _ alike, or an alias
 * @ret:        one or more matches, to be given to matches_clear() before @resolver is freed; they borrow @target
 *
 * Return: an exit code; has said what is wrong if it is not EXIT_DONE.
 */
int resolver_find(struct resolver *resolver, const char *target, struct matches *ret) {
        struct matches matches = { 0 };
        int r;

        r = target_is_file(target) ? find_file(resolver, target, &matches)
                                   : find_name(resolver, target, &matches);
        if (r != EXIT_DONE) {
                matches_clear(&matches);
                return r;
        }
        *ret = matches;
        return EXIT_DONE;
}

/**
 * resolver_is_blacklisted() - whether modprobe.d blacklists a module
 * @resolver:   the resolver
 * @module:     the module
 *
 * Return: 1 if it does, 0 if not, or -ENOMEM.
 */
int resolver_is_blacklisted(struct resolver *resolver, struct kmod_module *module) {
        struct kmod_config_iter *iter = kmod_config_get_blacklists(resolver->context);
        int r = 0;

        if (!iter)
                return -ENOMEM;
        while (r == 0 && kmod_config_iter_next(iter))
                r = strcmp(kmod_config_iter_get_key(iter), kmod_module_get_name(module)) == 0;
        kmod_config_iter_free_iter(iter);
        return r;
}
