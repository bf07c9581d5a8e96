/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Module name
 *
 * In the name of a module's file - and _ are the same; the kernel knows the module by the name with _, as
 * /proc/modules shows it. moduled uses that form throughout.
 */

#include <errno.h>
#include <string.h>

#include "cleanup.h"
#include "module-name.h"

/**
 * module_name_normalize() - give a name the form that the kernel uses
 * @name:       the name; each - becomes _ in place, but for those in the brackets of a pattern such as [a-c]
 */
void module_name_normalize(char *name) {
        bool bracket = false;

        for (; *name; name++) {
                if (*name == '[')
                        bracket = true;
                else if (*name == ']')
                        bracket = false;
                else if (*name == '-' && !bracket)
                        *name = '_';
        }
}

/**
 * module_name_is_plain() - could this be the name of a module
 * @name:       the name
 *
 * Return: true if it is not empty, not longer than the kernel allows, and holds only letters, digits, - and _.
 */
bool module_name_is_plain(const char *name) {
        size_t n = strlen(name);

        return n > 0 && n <= MODULE_NAME_MAX && strspn(name, MODULE_NAME_CHARACTERS) == n;
}

/**
 * module_name_from_path() - the name of the module in a file
 * @path:       the file's path
 * @ret:        the normalized name; owned by the caller
 *
 * Return: 0, -EINVAL if the file's name is not NAME.ko, .ko.gz, .ko.xz or .ko.zst with a plain NAME, or -ENOMEM.
 */
int module_name_from_path(const char *path, char **ret) {
        static const char *const suffixes[] = { ".ko", ".ko.gz", ".ko.xz", ".ko.zst" };
        const char *slash = strrchr(path, '/'), *base = slash ? slash + 1 : path, *dot = strchr(base, '.');
        _cleanup_free_ char *name = NULL;
        bool known = false;

        if (!dot)
                return -EINVAL;
        for (size_t i = 0; i < sizeof suffixes / sizeof *suffixes; i++)
                known = known || strcmp(dot, suffixes[i]) == 0;
        if (!known)
                return -EINVAL;

        name = strndup(base, (size_t) (dot - base));
        if (!name)
                return -ENOMEM;
        if (!module_name_is_plain(name))
                return -EINVAL;
        module_name_normalize(name);
        *ret = take_pointer(&name);
        return 0;
}

/**
 * module_compression_from_path() - how a module's file is compressed, by its name
 * @path:       the file's path
 *
 * The name decides, as it does for depmod(8); a file that is not what it is called is refused by the kernel. So nobody
 * has to read a byte of it.
 *
 * Return: "gzip", "xz" or "zstd", as /sys/module/compression calls them, or NULL if it is not compressed. Static.
 */
const char *module_compression_from_path(const char *path) {
        static const char *const formats[][2] = { { ".ko.gz", "gzip" },
                                                  { ".ko.xz", "xz" },
                                                  { ".ko.zst", "zstd" } };
        size_t n = strlen(path);

        for (size_t i = 0; i < sizeof formats / sizeof *formats; i++) {
                size_t m = strlen(formats[i][0]);

                if (n > m && strcmp(path + n - m, formats[i][0]) == 0)
                        return formats[i][1];
        }
        return NULL;
}
