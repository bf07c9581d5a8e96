/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Info
 *
 * Reads what a module's file says of the module, by libkmod, and puts together what it says of each parameter: the
 * description and the type are entries of their own.
 */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "info-read.h"
#include "needs.h"

/**
 * info_is_parameter() - whether an entry is about a parameter
 * @key:        the entry's
 */
bool info_is_parameter(const char *key) {
        return strcmp(key, "parm") == 0 || strcmp(key, "parmtype") == 0;
}

static struct info_parameter *find_parameter(const struct info *info, const char *name, size_t length) {
        for (size_t i = 0; i < info->n_parameters; i++)
                if (info->parameters[i].name_length == length &&
                    memcmp(info->parameters[i].name, name, length) == 0)
                        return &info->parameters[i];
        return NULL;
}

static int add_parameter(struct info *info, const char *key, const char *value) {
        const char *colon = strchr(value, ':');
        struct info_parameter *parameter, *parameters;
        size_t length;

        /* Neither type nor description of anything. */
        if (!colon)
                return 0;
        length = (size_t) (colon - value);
        parameter = find_parameter(info, value, length);
        if (!parameter) {
                parameters = reallocarray(info->parameters, info->n_parameters + 1, sizeof *parameters);
                if (!parameters)
                        return -ENOMEM;
                info->parameters = parameters;
                memmove(parameters + 1, parameters, info->n_parameters * sizeof *parameters);
                info->n_parameters++;
                parameter = parameters;
                *parameter = (struct info_parameter){ .name = value, .name_length = length };
        }
        if (strcmp(key, "parm") == 0)
                parameter->description = colon + 1;
        else
                parameter->type = colon + 1;
        return 0;
}

static char *absolute(const char *file) {
        _cleanup_free_ char *here = NULL;
        char *path;

        if (*file == '/')
                return strdup(file);
        here = getcwd(NULL, 0);
        return here && asprintf(&path, "%s/%s", here, file) >= 0 ? path : NULL;
}

static int read_all(const struct match *match, struct info *info) {
        const char *path = kmod_module_get_path(match->module);
        struct kmod_list *entry;
        int r;

        if (!path)
                info->builtin_name = kmod_module_get_name(match->module);
        info->file = match->file ? absolute(match->file) : strdup(path ? path : "(builtin)");
        if (!info->file)
                return -ENOMEM;
        r = !path || needs_is_sound(path) ? kmod_module_get_info(match->module, &info->entries) : -ENOEXEC;
        /* Before Linux 5.2 there is no list of what is built in says of itself. */
        if (r < 0)
                return !path && r == -ENOENT ? 0 : r;
        r = 0;
        kmod_list_foreach(entry, info->entries) {
                const char *key = kmod_module_info_get_key(entry);

                if (r >= 0 && info_is_parameter(key))
                        r = add_parameter(info, key, kmod_module_info_get_value(entry));
        }
        return r;
}

/**
 * info_read() - read what a module says of itself
 * @match:      the module, which is one; borrowed until info_clear()
 * @ret:        what it says
 *
 * Return: 0, or a negative errno, libkmod's if it makes nothing of the file.
 */
int info_read(const struct match *match, struct info *ret) {
        struct info info = { 0 };
        int r;

        r = read_all(match, &info);
        if (r < 0) {
                info_clear(&info);
                return r;
        }
        *ret = info;
        return 0;
}

/**
 * info_clear() - give back what was read
 * @info:       what was read; valid and empty afterwards
 */
void info_clear(struct info *info) {
        kmod_module_info_free_list(info->entries);
        free(info->parameters);
        free(info->file);
        *info = (struct info){ 0 };
}
