/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Parameters
 *
 * A module's parameters are one string to the kernel and several arguments to a shell. The kernel takes the string
 * apart with next_arg() in lib/cmdline.c: blanks separate, a double quote starts or ends a stretch in which they do
 * not, and a pair of quotes around a whole value is taken off. Nothing quotes a quote. So
 *
 *      name=plain              goes as it is,
 *      name=two words          gets quotes around its value: name="two words",
 *      name="two words"        is in that form already and goes as it is,
 *      name=a "b c" d          cannot be said: the inner quotes would pair with ours,
 *      name=5" next=1          cannot be said: one quote alone would take in what follows.
 */

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cleanup.h"
#include "parameters.h"

/* The kernel's isspace() (lib/ctype.c) is Latin-1's, where 0xa0 is a blank; in UTF-8 that byte is part of letters. */
#define BLANKS " \t\n\v\f\r\xa0"

static size_t count_quotes(const char *text) {
        size_t n = 0;

        for (; *text; text++)
                n += *text == '"';
        return n;
}

/* Whether the kernel reads @name as one name. */
static bool name_is_sound(const char *name, size_t length) {
        return length > 0 && strcspn(name, BLANKS "\"") >= length;
}

/* 0 if @value goes as it is, 1 if it needs quotes around it, -EINVAL if it cannot be said. */
static int value_needs_quotes(const char *value) {
        size_t length = strlen(value), quotes = count_quotes(value);
        bool blanks = value[strcspn(value, BLANKS)];

        if (quotes == 0)
                return blanks;
        if (quotes == 2 && value[0] == '"' && value[length - 1] == '"')
                return 0;
        return blanks || quotes % 2 != 0 ? -EINVAL : 0;
}

static int append(FILE *out, const char *argument) {
        size_t name_length = strcspn(argument, "=");
        const char *value = argument + name_length;
        int r = 0;

        if (!name_is_sound(argument, name_length))
                return -EINVAL;
        if (*value == '=')
                r = value_needs_quotes(++value);
        if (r < 0)
                return r;

        fwrite(argument, 1, (size_t) (value - argument), out);
        if (r > 0)
                fprintf(out, "\"%s\"", value);
        else
                fputs(value, out);
        return 0;
}

/**
 * parameters_join() - make a module's parameters from a command's arguments
 * @arguments:  each PARAM=VALUE, or PARAM alone where the module takes that for "yes"; ends with NULL
 * @ret:        the string for the kernel, owned by the caller; empty if there are no arguments
 * @ret_bad:    the argument that cannot be said, borrowed from @arguments; written on -EINVAL
 *
 * Whether the module has such parameters is not known here.
 *
 * Return: 0, -EINVAL if an argument cannot be said to the kernel, or -ENOMEM.
 */
int parameters_join(char **arguments, char **ret, const char **ret_bad) {
        _cleanup_free_ char *joined = NULL;
        size_t size;
        FILE *out;
        int r = 0;

        out = open_memstream(&joined, &size);
        if (!out)
                return -ENOMEM;
        for (char **a = arguments; *a && r >= 0; a++) {
                if (a != arguments)
                        fputc(' ', out);
                r = append(out, *a);
                if (r < 0)
                        *ret_bad = *a;
        }
        if (fclose(out) != 0)
                return -ENOMEM;
        if (r < 0)
                return r;

        *ret = take_pointer(&joined);
        return 0;
}
