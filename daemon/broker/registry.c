/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Registry
 *
 * What we loaded, and for whom. Kept in a directory below /run, one file for each module, so that it survives the
 * service and does not survive the kernel. Only what the kernel still has loaded counts.
 */

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>
#include <systemd/sd-daemon.h>

#include "cleanup.h"
#include "module-name.h"
#include "registry.h"
#include "system.h"

static struct module *module_free(struct module *module) {
        if (!module)
                return NULL;
        free(module->name);
        free(module->path);
        free(module->origin);
        free(module->parameters);
        free(module);
        return NULL;
}

DEFINE_CLEANUP(struct module *, module_free);

static int state_path(const struct registry *registry, const char *name, const char *suffix, char **ret) {
        return asprintf(ret, "%s/%s%s", registry->directory, name, suffix) < 0 ? -ENOMEM : 0;
}

/*
 * A NUL ends each string; the numbers stand first. The file is written beside its place and moved there, so that it is
 * whole or not there.
 */
static int state_write(const struct registry *registry, const struct module *module) {
        _cleanup_free_ char *path = NULL, *temporary = NULL;
        _cleanup_fclose_ FILE *f = NULL;
        _cleanup_close_ int fd = -1;

        if (state_path(registry, module->name, "", &path) < 0 ||
            state_path(registry, module->name, ".new", &temporary) < 0)
                return -ENOMEM;
        /* The parameters are for whoever gave them. */
        fd = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
        if (fd < 0)
                return -errno;
        f = fdopen(fd, "w");
        if (!f)
                return -errno;
        (void) take_fd(&fd);
        fprintf(f, "%ju %" PRIu64, (uintmax_t) module->loaded_by, module->loaded_at);
        fputc('\0', f);
        fwrite(module->path, strlen(module->path) + 1, 1, f);
        fwrite(module->origin, strlen(module->origin) + 1, 1, f);
        fwrite(module->parameters, strlen(module->parameters) + 1, 1, f);
        if (fflush(f) != 0 || ferror(f) || rename(temporary, path) < 0) {
                int r = errno > 0 ? -errno : -EIO;

                (void) unlink(temporary);
                return r;
        }
        return 0;
}

/* What there was no room for may find some now. */
static void write_rest(struct registry *registry) {
        struct module *module;

        TAILQ_FOREACH(module, &registry->modules, link)
                if (!module->written && state_write(registry, module) >= 0)
                        module->written = true;
}

static int read_string(FILE *f, char **ret) {
        size_t size = 0;

        /* At the end of the file getdelim(3) gives what there is; a string without its NUL is no string. */
        if (getdelim(ret, &size, '\0', f) < 0)
                return -EBADMSG;
        return feof(f) ? -EBADMSG : 0;
}

static int state_read(const struct registry *registry, const char *name, struct module **ret) {
        _cleanup_(module_freep) struct module *module = calloc(1, sizeof *module);
        _cleanup_free_ char *path = NULL, *numbers = NULL;
        _cleanup_fclose_ FILE *f = NULL;
        uintmax_t uid;
        int r;

        if (!module || state_path(registry, name, "", &path) < 0 || !(module->name = strdup(name)))
                return -ENOMEM;
        f = fopen(path, "re");
        if (!f)
                return -errno;
        r = read_string(f, &numbers);
        if (r >= 0 && sscanf(numbers, "%ju %" SCNu64, &uid, &module->loaded_at) != 2)
                r = -EBADMSG;
        if (r >= 0)
                r = read_string(f, &module->path);
        if (r >= 0)
                r = read_string(f, &module->origin);
        if (r >= 0)
                r = read_string(f, &module->parameters);
        if (r < 0)
                return r;
        module->loaded_by = (uid_t) uid;
        module->written = true;
        *ret = take_pointer(&module);
        return 0;
}

static void state_remove(const struct registry *registry, const char *name) {
        _cleanup_free_ char *path = NULL;

        if (state_path(registry, name, "", &path) >= 0)
                (void) unlink(path);
}

static void insert_by_time(struct registry *registry, struct module *module) {
        struct module *other;

        registry->n_modules++;
        TAILQ_FOREACH_REVERSE(other, &registry->modules, module_list, link)
        if (other->loaded_at <= module->loaded_at) {
                TAILQ_INSERT_AFTER(&registry->modules, other, module, link);
                return;
        }
        TAILQ_INSERT_HEAD(&registry->modules, module, link);
}

static int read_all(struct registry *registry) {
        DIR *directory = opendir(registry->directory);
        struct dirent *entry;

        if (!directory)
                return errno == ENOENT ? 0 : -errno;
        while ((entry = readdir(directory))) {
                struct module *module = NULL;

                if (!module_name_is_plain(entry->d_name))
                        continue;
                /* Unloaded behind our back, or damaged: not ours any more. */
                if (system_module_state(entry->d_name) != MODULE_LIVE ||
                    state_read(registry, entry->d_name, &module) < 0)
                        state_remove(registry, entry->d_name);
                else
                        insert_by_time(registry, module);
        }
        (void) closedir(directory);
        return 0;
}

/**
 * registry_new() - make a registry of what was loaded since the kernel was booted
 * @directory:  where the state is kept; made if it is not there
 * @ret:        the registry; owned by the caller
 *
 * Return: 0 or a negative errno.
 */
int registry_new(const char *directory, struct registry **ret) {
        struct registry *registry = calloc(1, sizeof *registry);
        int r = 0;

        if (!registry)
                return -ENOMEM;
        TAILQ_INIT(&registry->modules);
        registry->directory = strdup(directory);
        if (!registry->directory)
                r = -ENOMEM;
        else if (mkdir(directory, 0755) < 0 && errno != EEXIST)
                r = -errno;
        if (r >= 0)
                r = read_all(registry);
        if (r < 0) {
                registry_free(registry);
                return r;
        }
        *ret = registry;
        return 0;
}

/**
 * registry_free() - give back a registry; the state stays, and what could not be written is tried once more
 * @registry:   the registry, or NULL
 *
 * Return: NULL.
 */
struct registry *registry_free(struct registry *registry) {
        struct module *module;

        if (!registry)
                return NULL;
        write_rest(registry);
        while ((module = TAILQ_FIRST(&registry->modules))) {
                TAILQ_REMOVE(&registry->modules, module, link);
                module_free(module);
        }
        free(registry->directory);
        free(registry);
        return NULL;
}

/**
 * registry_find() - look up a module
 * @registry:   the registry
 * @name:       the module's name, normalized
 *
 * Return: the module, which belongs to the registry, or NULL.
 */
struct module *registry_find(struct registry *registry, const char *name) {
        struct module *module;

        TAILQ_FOREACH(module, &registry->modules, link)
                if (strcmp(module->name, name) == 0)
                        return module;
        return NULL;
}

/**
 * registry_add() - remember a module
 * @registry:   the registry; one of the same name is replaced
 * @module:     the module; copied
 * @ret:        the registry's copy; belongs to the registry
 *
 * Return: 0, or -ENOMEM. That the state could not be written is no error here: the module is loaded all the same, and
 * known until the service ends. Until then it is tried again with each change.
 */
int registry_add(struct registry *registry, const struct module *module, struct module **ret) {
        _cleanup_(module_freep) struct module *copy = calloc(1, sizeof *copy);
        struct module *old;

        if (!copy)
                return -ENOMEM;
        copy->name = strdup(module->name);
        copy->path = strdup(module->path);
        copy->origin = strdup(module->origin);
        copy->parameters = strdup(module->parameters);
        copy->loaded_by = module->loaded_by;
        copy->loaded_at = module->loaded_at;
        if (!copy->name || !copy->path || !copy->origin || !copy->parameters)
                return -ENOMEM;

        old = registry_find(registry, module->name);
        if (old)
                registry_remove(registry, old);
        insert_by_time(registry, copy);
        write_rest(registry);
        if (!copy->written)
                fprintf(stderr,
                        SD_WARNING
                        "%s has no room for what is known of module %s; make some there, or it will be forgotten "
                        "when the service ends.\n",
                        registry->directory, copy->name);
        *ret = take_pointer(&copy);
        return 0;
}

/**
 * registry_remove() - forget a module
 * @registry:   the registry
 * @module:     one of its modules; freed
 */
void registry_remove(struct registry *registry, struct module *module) {
        state_remove(registry, module->name);
        TAILQ_REMOVE(&registry->modules, module, link);
        registry->n_modules--;
        module_free(module);
        write_rest(registry);
}
