/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Depends
 *
 * What a module needs. Of the kernel's own depmod(8) has written it down; of a file that depmod never saw the line `depends=`
 * in its .modinfo tells. Such files come in sets, so each name is looked for beside the file first, and then among the
 * kernel's modules.
 */

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "depends.h"
#include "message.h"
#include "needs.h"

/* From the file's own text; freed by the caller, NULL if there is none. */
static char *read_depends(struct kmod_module *module) {
        struct kmod_list *list = NULL, *entry;
        char *depends = NULL;

        if (needs_read(kmod_module_get_path(module), &depends) == 0)
                return depends;
        /* What is no module has no dependencies; what it is the service will say. */
        if (!needs_is_sound(kmod_module_get_path(module)) || kmod_module_get_info(module, &list) < 0)
                return NULL;
        kmod_list_foreach(entry, list) {
                if (strcmp(kmod_module_info_get_key(entry), "depends") == 0) {
                        depends = strdup(kmod_module_info_get_value(entry));
                        break;
                }
        }
        kmod_module_info_free_list(list);
        return depends;
}

static bool is_file_of(const char *file, const char *name) {
        for (; *name; name++, file++)
                if ((*file == '-' ? '_' : *file) != (*name == '-' ? '_' : *name))
                        return false;
        return strcmp(file, ".ko") == 0 || strcmp(file, ".ko.xz") == 0 || strcmp(file, ".ko.gz") == 0 ||
               strcmp(file, ".ko.zst") == 0;
}

/* 1 if the file was found, 0 if there is none, or a negative errno. */
static int find_beside(struct resolver *resolver, struct kmod_module *module, const char *name,
                       struct kmod_module **ret) {
        const char *path = kmod_module_get_path(module);
        _cleanup_free_ char *directory = strndup(path, (size_t) (strrchr(path, '/') - path));
        _cleanup_free_ char *found = NULL;
        struct dirent *entry;
        DIR *dir;
        int r = 0;

        if (!directory)
                return -ENOMEM;
        dir = opendir(*directory ? directory : "/");
        if (!dir)
                return 0;
        while (r == 0 && (entry = readdir(dir)))
                if (is_file_of(entry->d_name, name))
                        r = asprintf(&found, "%s/%s", directory, entry->d_name) < 0 ? -ENOMEM : 1;
        (void) closedir(dir);
        if (r <= 0) {
                found = NULL;
                return r;
        }
        if (kmod_module_new_from_path(resolver->context, found, ret) < 0)
                return 0;
        return 1;
}

static int find(struct resolver *resolver, struct kmod_module *module, const char *name,
                struct kmod_module **ret) {
        int r;

        r = find_beside(resolver, module, name, ret);
        if (r < 0)
                return r;
        if (r > 0)
                return module_array_add(&resolver->foreign, *ret);
        r = kmod_module_new_from_name(resolver->context, name, ret);
        /* It may be built in, or have been loaded from elsewhere. */
        if (r < 0 || kmod_module_get_path(*ret) || kmod_module_get_initstate(*ret) >= 0)
                return r;
        say("%s needs the module %s, which is neither beside it nor among the modules of the kernel %s; install it first.",
            kmod_module_get_path(module), name, resolver->release);
        return -ENOENT;
}

static int collect_known(struct kmod_module *module, struct module_array *all) {
        struct kmod_list *list = kmod_module_get_dependencies(module);
        int r = module_array_add_list(all, list);

        kmod_module_unref_list(list);
        return r;
}

/* What @seen has is in @all already, or will be: files that name each other come to an end here. */
static int collect(struct resolver *resolver, struct kmod_module *module, struct module_array *seen,
                   struct module_array *all) {
        _cleanup_free_ char *depends = NULL;
        char *saved, *name;
        int r;

        if (module_array_contains(seen, module))
                return 0;
        r = module_array_add(seen, module);
        depends = r < 0 ? NULL : read_depends(module);
        for (name = depends ? strtok_r(depends, ",", &saved) : NULL; name && r >= 0;
             name = strtok_r(NULL, ",", &saved)) {
                struct kmod_module *needed = NULL;

                r = find(resolver, module, name, &needed);
                if (r >= 0 && module_array_contains(&resolver->foreign, needed))
                        r = collect(resolver, needed, seen, all);
                else if (r >= 0)
                        r = collect_known(needed, all);
                if (r >= 0)
                        r = module_array_add(all, needed);
                kmod_module_unref(needed);
        }
        return r;
}

/**
 * depends_collect() - what must be loaded before a module
 * @resolver:   the resolver
 * @module:     the module
 * @ret:        where to add all that it needs, and all that those need, each after what it needs itself
 *
 * Return: 0, -ENOENT after saying which dependency there is not, or another negative errno.
 */
int depends_collect(struct resolver *resolver, struct kmod_module *module, struct module_array *ret) {
        struct module_array seen = { 0 };
        int r;

        if (!module_array_contains(&resolver->foreign, module))
                return collect_known(module, ret);
        r = collect(resolver, module, &seen, ret);
        module_array_clear(&seen);
        return r;
}
