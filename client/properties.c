/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Properties
 *
 * Dictionaries of names and values on the bus. More names may come with later versions of the service, so what is
 * not wanted is passed over.
 */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "properties.h"

/**
 * texts_free() - give back a list of texts
 * @texts:      up to NULL; or NULL
 */
void texts_free(char **texts) {
        for (size_t i = 0; texts && texts[i]; i++)
                free(texts[i]);
        free(texts);
}

static const struct property *find(const struct property *wanted, const char *name, const char *type) {
        for (; wanted->name; wanted++)
                if (strcmp(wanted->name, name) == 0 && strcmp(wanted->type, type) == 0)
                        return wanted;
        return NULL;
}

static int read_texts(sd_bus_message *m, char ***texts) {
        char **read = NULL;
        int r;

        r = sd_bus_message_enter_container(m, 'v', "as");
        if (r >= 0)
                r = sd_bus_message_read_strv(m, &read);
        if (r >= 0)
                r = sd_bus_message_exit_container(m);
        if (r < 0) {
                texts_free(read);
                return r;
        }
        texts_free(*texts);
        *texts = read;
        return 0;
}

static int read_value(sd_bus_message *m, const char *name, const struct property *wanted, void *target) {
        const struct property *property;
        const char *type;
        int r;

        r = sd_bus_message_peek_type(m, NULL, &type);
        if (r < 0)
                return r;
        property = find(wanted, name, type);
        if (!property)
                return sd_bus_message_skip(m, "v");
        if (strcmp(type, "as") == 0)
                return read_texts(m, (char ***) ((char *) target + property->offset));
        return sd_bus_message_read(m, "v", property->type, (char *) target + property->offset);
}

/**
 * properties_read() - read a dictionary a{sv}
 * @m:          the message, standing before the dictionary, and behind it afterwards
 * @wanted:     the properties wanted, up to one without a name
 * @target:     where their values go; strings are borrowed from @m, lists of them are
 *              the caller's; a property that is not there or is of another
 *              type leaves its value as it was
 *
 * Return: 0, or a negative errno if there is no dictionary.
 */
int properties_read(sd_bus_message *m, const struct property *wanted, void *target) {
        int r;

        r = sd_bus_message_enter_container(m, 'a', "{sv}");
        if (r == 0)
                return -EBADMSG;
        while (r >= 0 && (r = sd_bus_message_enter_container(m, 'e', "sv")) > 0) {
                const char *name;

                r = sd_bus_message_read(m, "s", &name);
                if (r >= 0)
                        r = read_value(m, name, wanted, target);
                if (r >= 0)
                        r = sd_bus_message_exit_container(m);
        }
        return r < 0 ? r : sd_bus_message_exit_container(m);
}
