/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Modinfo
 *
 * What a module's file says of itself: the section .modinfo, strings KEY=VALUE each with its NUL, as modinfo(8) shows
 * it. Nothing of the file is believed. What does not fit into the bounds of modinfo-data.c is left out.
 */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cleanup.h"
#include "image.h"
#include "modinfo.h"
#include "module-name.h"
#include "param-section.h"

DEFINE_CLEANUP(struct modinfo *, modinfo_free);

/* @value is NAME:TEXT. Of several texts the last one counts, as for modinfo(8): pm80xx describes its zoned twice. */
static int read_parameter(struct modinfo *info, const char *value, bool is_type) {
        const char *colon = strchr(value, ':');
        struct modinfo_parameter *parameter;
        _cleanup_free_ char *name = NULL;
        char **field;
        int r;

        if (!colon || colon - value > MODINFO_PARAMETER_NAME_MAX)
                return 0;
        name = strndup(value, (size_t) (colon - value));
        if (!name)
                return -ENOMEM;
        r = modinfo_add_parameter(info, name, &parameter);
        if (r != 0)
                return r < 0 ? r : 0;
        field = is_type ? &parameter->type : &parameter->description;
        modinfo_clear_text(info, field);
        r = modinfo_set_text(info, field, colon + 1);
        return r < 0 ? r : 0;
}

static int read_depends(struct modinfo *info, const char *value) {
        _cleanup_free_ char *copy = strndup(value, MODINFO_TEXT_MAX);
        char *state = NULL;

        if (!copy)
                return -ENOMEM;
        for (char *word = strtok_r(copy, ",", &state); word; word = strtok_r(NULL, ",", &state)) {
                int r = modinfo_add(info, &info->depends, word);

                if (r < 0)
                        return r;
        }
        return 0;
}

static bool is_key(const char *entry, size_t n, const char *key) {
        return strlen(key) == n && memcmp(entry, key, n) == 0;
}

static int read_entry(struct modinfo *info, const char *entry) {
        const char *equals = strchr(entry, '='), *key, *value;
        char **field;
        size_t n;
        int r = 0;

        if (!equals)
                return 0;
        n = (size_t) (equals - entry);
        value = equals + 1;

        if (is_key(entry, n, "parm"))
                return read_parameter(info, value, false);
        if (is_key(entry, n, "parmtype"))
                return read_parameter(info, value, true);
        if (is_key(entry, n, "depends"))
                return read_depends(info, value);
        if (is_key(entry, n, "softdep"))
                r = modinfo_add(info, &info->softdeps, value);
        for (size_t i = 0; (field = modinfo_text(info, i, &key)); i++)
                if (is_key(entry, n, key))
                        r = modinfo_set_text(info, field, value);
        return r < 0 ? r : 0;
}

static int read_entries(struct modinfo *info, const struct section *section) {
        const char *p = (const char *) section->bytes, *end = p + section->size;

        for (; p < end; p += strlen(p) + 1) {
                int r = read_entry(info, p);

                if (r < 0)
                        return r;
        }
        return 0;
}

/* - and _ are the same in a module's name. */
static int check_name(const struct modinfo *info, const char *expected) {
        _cleanup_free_ char *wanted = NULL, *name = NULL;

        if (!info->name)
                return MODINFO_NO_NAME;
        name = strdup(info->name);
        wanted = strdup(expected);
        if (!name || !wanted)
                return -ENOMEM;
        module_name_normalize(name);
        module_name_normalize(wanted);
        return module_name_is_plain(name) && strcmp(name, wanted) == 0 ? MODINFO_GOOD : MODINFO_OTHER_NAME;
}

static int read_image(const struct image *image, const char *expected, struct modinfo *info) {
        struct section section;
        int r;

        info->is_signed = image_is_signed(image);
        r = image_find_section(image, ".modinfo", &section);
        if (r != 0)
                return r;
        if (section.size == 0 || section.bytes[section.size - 1] != '\0')
                return MODINFO_MALFORMED;
        r = read_entries(info, &section);
        if (r < 0)
                return r;
        r = param_section_read(image, info);
        if (r < 0)
                return r;
        info->parameters_complete = r == 0;
        return check_name(info, expected);
}

/* Takes what came of opening the image, and closes it. */
static int read_opened(struct image *image, int outcome, const char *expected, struct modinfo **ret) {
        _cleanup_(modinfo_freep) struct modinfo *info = modinfo_new();
        int r = outcome;

        if (!info)
                r = -ENOMEM;
        if (r >= 0 && image->compression)
                r = modinfo_set_compression(info, image->compression) == 0 ? r : -EINVAL;
        if (r == 0)
                r = read_image(image, expected, info);
        image_close(image);
        if (r >= 0)
                *ret = take_pointer(&info);
        return r;
}

/**
 * modinfo_read() - read what a module's file says of itself
 * @fd:         the file, borrowed; where it stands may change
 * @expected:   what the module should be called, by its file's name
 * @ret:        what it says; whatever the outcome, as far as it could be read; owned by the caller
 *
 * For a process that nobody will miss: a file that is cut meanwhile ends it by SIGBUS, and one that is compressed takes
 * as much memory as there is.
 *
 * Return: 0, a MODINFO_, or a negative errno.
 */
int modinfo_read(int fd, const char *expected, struct modinfo **ret) {
        struct image image = { 0 };

        return read_opened(&image, image_open(fd, &image), expected, ret);
}

/**
 * modinfo_parse() - the same for what is in memory
 * @bytes:      the file's content, not compressed; borrowed
 * @size:       how much of it
 * @expected:   as for modinfo_read()
 * @ret:        as for modinfo_read()
 *
 * Return: as modinfo_read().
 */
int modinfo_parse(const void *bytes, size_t size, const char *expected, struct modinfo **ret) {
        struct image image = { 0 };

        return read_opened(&image, image_open_memory(bytes, size, &image), expected, ret);
}
