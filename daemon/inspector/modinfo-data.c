/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Modinfo data
 *
 * What a module's file says of itself, as it is noted in the process that reads the file, and again in the one that reads
 * the answer. Every text is bounded, and so is what all of them take together.
 */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "modinfo.h"

/* Return: 0, 1 if there is no room for it, or -ENOMEM. */
static int copy_text(struct modinfo *info, const char *text, char **ret) {
        size_t n = strnlen(text, MODINFO_TEXT_MAX);
        char *copy;

        if (info->size + n + MODINFO_TEXT_OVERHEAD > MODINFO_SIZE_MAX)
                return 1;
        copy = strndup(text, n);
        if (!copy)
                return -ENOMEM;
        info->size += n + MODINFO_TEXT_OVERHEAD;
        *ret = copy;
        return 0;
}

/**
 * modinfo_new() - make one that says nothing
 *
 * Return: it, owned by the caller, or NULL if there is no memory.
 */
struct modinfo *modinfo_new(void) {
        struct modinfo *info = calloc(1, sizeof *info);

        if (info)
                info->compression = "";
        return info;
}

static void list_clear(struct modinfo_list *list) {
        for (size_t i = 0; i < list->n; i++)
                free(list->items[i]);
        free(list->items);
}

/**
 * modinfo_free() - give it back
 * @info:       it, or NULL
 *
 * Return: NULL.
 */
struct modinfo *modinfo_free(struct modinfo *info) {
        if (!info)
                return NULL;

        free(info->name);
        free(info->version);
        free(info->license);
        free(info->vermagic);
        free(info->srcversion);
        list_clear(&info->depends);
        list_clear(&info->softdeps);
        for (size_t i = 0; i < info->n_parameters; i++) {
                free(info->parameters[i].name);
                free(info->parameters[i].type);
                free(info->parameters[i].description);
        }
        free(info->parameters);
        free(info);
        return NULL;
}

/**
 * modinfo_set_compression() - note how the file is compressed
 * @info:        where to note it
 * @compression: "", "gzip", "xz" or "zstd"; copied
 *
 * Return: 0, or 1 if it is none of these.
 */
int modinfo_set_compression(struct modinfo *info, const char *compression) {
        static const char *const known[] = { "", "gzip", "xz", "zstd" };

        for (size_t i = 0; i < sizeof known / sizeof *known; i++)
                if (strcmp(compression, known[i]) == 0) {
                        info->compression = known[i];
                        return 0;
                }
        return 1;
}

/**
 * modinfo_text() - go through the texts that a module has once
 * @info:       where they are noted
 * @index:      from 0
 * @ret_key:    the text's key in .modinfo
 *
 * Return: the text's place in @info, or NULL if there are no more.
 */
char **modinfo_text(struct modinfo *info, size_t index, const char **ret_key) {
        struct {
                const char *key;
                char **field;
        } const texts[] = {
                { "name", &info->name },
                { "version", &info->version },
                { "license", &info->license },
                { "vermagic", &info->vermagic },
                { "srcversion", &info->srcversion },
        };

        if (index >= sizeof texts / sizeof *texts)
                return NULL;
        *ret_key = texts[index].key;
        return texts[index].field;
}

/**
 * modinfo_set_text() - note a text that a module has once
 * @info:       where to note it
 * @field:      the text's place in @info
 * @text:       the text; copied, and cut if it is longer than MODINFO_TEXT_MAX
 *
 * Return: 0, 1 if it is noted already or there is no room for it, or -ENOMEM.
 */
int modinfo_set_text(struct modinfo *info, char **field, const char *text) {
        return *field ? 1 : copy_text(info, text, field);
}

/**
 * modinfo_clear_text() - forget a text
 * @info:       where it is noted
 * @field:      the text's place in @info; NULL there afterwards
 */
void modinfo_clear_text(struct modinfo *info, char **field) {
        if (*field)
                info->size -= strlen(*field) + MODINFO_TEXT_OVERHEAD;
        free(*field);
        *field = NULL;
}

/**
 * modinfo_add() - note one of a list of texts
 * @info:       where to note it
 * @list:       the list in @info
 * @text:       as for modinfo_set_text()
 *
 * Return: 0, 1 if there is no room for it, or -ENOMEM.
 */
int modinfo_add(struct modinfo *info, struct modinfo_list *list, const char *text) {
        char **items;
        int r;

        items = reallocarray(list->items, list->n + 1, sizeof *items);
        if (!items)
                return -ENOMEM;
        list->items = items;
        r = copy_text(info, text, &items[list->n]);
        if (r == 0)
                list->n++;
        return r;
}

static struct modinfo_parameter *find_parameter(const struct modinfo *info, const char *name) {
        for (size_t i = 0; i < info->n_parameters; i++)
                if (strcmp(info->parameters[i].name, name) == 0)
                        return &info->parameters[i];
        return NULL;
}

/**
 * modinfo_add_parameter() - note a parameter, or find it
 * @info:       where to note it
 * @name:       its name; copied
 * @ret:        the parameter, until the next one is added; its type and description can be set by modinfo_set_text()
 *
 * Return: 0, 1 if there is no room for it or no parameter has such a name, or -ENOMEM.
 */
int modinfo_add_parameter(struct modinfo *info, const char *name, struct modinfo_parameter **ret) {
        struct modinfo_parameter *parameters, *found = find_parameter(info, name);
        size_t n = strnlen(name, MODINFO_PARAMETER_NAME_MAX + 1);
        int r;

        if (found) {
                *ret = found;
                return 0;
        }
        if (n == 0 || n > MODINFO_PARAMETER_NAME_MAX || info->n_parameters >= MODINFO_PARAMETERS_MAX)
                return 1;

        parameters = reallocarray(info->parameters, info->n_parameters + 1, sizeof *parameters);
        if (!parameters)
                return -ENOMEM;
        info->parameters = parameters;
        parameters[info->n_parameters] = (struct modinfo_parameter){ 0 };
        r = copy_text(info, name, &parameters[info->n_parameters].name);
        if (r == 0)
                *ret = &parameters[info->n_parameters++];
        return r;
}
