/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Arguments
 *
 * The list of parameters that a caller gives to a module, taken apart as the kernel takes it (next_arg() in lib/cmdline.c
 * and parse_args() in kernel/params.c), and held against the parameters that the module has. The kernel itself would
 * load the module without an argument that it does not know, and tell only its log.
 */

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "arguments.h"
#include "cleanup.h"

static bool is_blank(char c) {
        return c && strchr(ARGUMENTS_BLANKS, c);
}

/**
 * arguments_next() - take the next argument from a list
 * @list:       the list; moved behind what was taken
 * @ret_name:   the name, as the kernel sees it; owned by the caller
 *
 * An argument ends at a blank outside double quotes; its name at the first equals sign, but one that it begins with. A
 * quote before all of it is none of its name, nor is the one after a name without value.
 *
 * Return: 1, 0 if the list is empty, or -ENOMEM.
 */
int arguments_next(const char **list, char **ret_name) {
        const char *start = *list + strspn(*list, ARGUMENTS_BLANKS), *equals = NULL, *end;
        bool is_quoted = *start == '"', is_inside = is_quoted;
        char *name;

        if (!*start)
                return 0;
        if (is_quoted)
                start++;
        for (end = start; *end && (is_inside || !is_blank(*end)); end++) {
                if (*end == '=' && end > start && !equals)
                        equals = end;
                if (*end == '"')
                        is_inside = !is_inside;
        }

        *list = end;
        if (equals)
                end = equals;
        else if (is_quoted && end > start && end[-1] == '"')
                end--;
        name = strndup(start, (size_t) (end - start));
        if (!name)
                return -ENOMEM;
        *ret_name = name;
        return 1;
}

/**
 * arguments_is_same_name() - are two names those of one parameter
 * @a:          a name
 * @b:          a name
 *
 * The kernel takes - and _ for the same in a parameter's name.
 */
bool arguments_is_same_name(const char *a, const char *b) {
        for (; *a && *b; a++, b++)
                if (*a != *b && !((*a == '-' || *a == '_') && (*b == '-' || *b == '_')))
                        return false;
        return *a == *b;
}

/* The kernel's own, for every module: unknown_module_param_cb() in kernel/module/main.c; there - is not _. */
static bool is_kernels(const char *name) {
        return strcmp(name, "async_probe") == 0 || strcmp(name, "dyndbg") == 0;
}

static bool is_known(const struct modinfo *info, const char *name) {
        for (size_t i = 0; i < info->n_parameters; i++)
                if (info->parameters[i].is_known && arguments_is_same_name(info->parameters[i].name, name))
                        return true;
        return false;
}

/**
 * arguments_is_declared() - will the kernel take an argument of this name
 * @info:       what the module says of itself
 * @name:       the name
 *
 * Return: false if it will not; true if it will, or if @info does not tell.
 */
bool arguments_is_declared(const struct modinfo *info, const char *name) {
        return !info->parameters_complete || is_kernels(name) || is_known(info, name);
}

/**
 * arguments_find_undeclared() - look for an argument that the kernel would pass over
 * @list:       the arguments
 * @info:       what the module says of itself
 * @ret_name:   the first such argument's name; owned by the caller
 *
 * If the module may have parameters that are not marked in @info, there is nothing to be found: the kernel will tell.
 *
 * Return: 1 if there is one, 0 if not, or -ENOMEM.
 */
int arguments_find_undeclared(const char *list, const struct modinfo *info, char **ret_name) {
        for (;;) {
                _cleanup_free_ char *name = NULL;
                int r;

                r = arguments_next(&list, &name);
                if (r <= 0)
                        return r;
                if (arguments_is_declared(info, name))
                        continue;
                *ret_name = take_pointer(&name);
                return 1;
        }
}

/**
 * arguments_declared() - name the parameters that the kernel will know
 * @info:       what the module says of itself
 *
 * Return: the names, separated by ", ", in the order of the file, empty if there is none; any bytes; owned by the caller.
 * NULL if there is no memory.
 */
char *arguments_declared(const struct modinfo *info) {
        char *names = NULL;
        size_t size;
        const char *separator = "";
        FILE *f;

        f = open_memstream(&names, &size);
        if (!f)
                return NULL;
        for (size_t i = 0; i < info->n_parameters; i++)
                if (info->parameters[i].is_known) {
                        fprintf(f, "%s%s", separator, info->parameters[i].name);
                        separator = ", ";
                }
        if (fclose(f) != 0) {
                free(names);
                return NULL;
        }
        return names;
}
