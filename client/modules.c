/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Modules
 *
 * What moduled says of the modules that it loaded.
 */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "bus.h"
#include "cleanup.h"
#include "modules.h"
#include "names.h"
#include "properties.h"

static const struct property module_properties[] = {
        { "Name", "s", offsetof(struct module, name) },
        { "Path", "s", offsetof(struct module, path) },
        { "Origin", "s", offsetof(struct module, origin) },
        { "LoadedBy", "u", offsetof(struct module, loaded_by) },
        { "LoadedAt", "t", offsetof(struct module, loaded_at) },
        { NULL, NULL, 0 },
};

/**
 * modules_clear() - give back what modules_read() allocated
 * @modules:    the modules; empty afterwards
 */
void modules_clear(struct modules *modules) {
        free(modules->all);
        *modules = (struct modules){ 0 };
}

/**
 * modules_ask() - have moduled say which modules it loaded
 * @bus:        the connection
 * @ret:        the answer, owned by the caller
 *
 * Return: as bus_call().
 */
int modules_ask(sd_bus *bus, sd_bus_message **ret) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL;
        int r;

        r = sd_bus_message_new_method_call(bus, &m, MODULED_BUS_NAME, MODULED_OBJECT_PATH,
                                           "org.freedesktop.DBus.ObjectManager", "GetManagedObjects");
        return r < 0 ? r : bus_call(bus, m, ret);
}

/**
 * modules_read_one() - read the properties of a module, a{sv}
 * @m:          the message, standing before them; borrowed, and what is read borrows from it
 * @ret:        the module
 *
 * Return: 0 or a negative errno.
 */
int modules_read_one(sd_bus_message *m, struct module *ret) {
        struct module module = { .object = "", .name = "", .path = "", .origin = "" };
        int r;

        r = properties_read(m, module_properties, &module);
        if (r < 0)
                return r;
        *ret = module;
        return 0;
}

static int append(sd_bus_message *m, const char *object, struct modules *modules) {
        struct module module, *grown;
        int r;

        r = modules_read_one(m, &module);
        if (r < 0)
                return r;
        module.object = object;
        grown = reallocarray(modules->all, modules->n + 1, sizeof(module));
        if (!grown)
                return -ENOMEM;
        modules->all = grown;
        modules->all[modules->n++] = module;
        return 0;
}

/* a{sa{sv}}: what one object says of itself, interface by interface */
static int read_object(sd_bus_message *m, const char *object, struct modules *modules) {
        int r;

        r = sd_bus_message_enter_container(m, 'a', "{sa{sv}}");
        while (r >= 0 && (r = sd_bus_message_enter_container(m, 'e', "sa{sv}")) > 0) {
                const char *interface;

                r = sd_bus_message_read(m, "s", &interface);
                if (r < 0)
                        break;
                if (strcmp(interface, MODULED_MODULE_INTERFACE) == 0)
                        r = append(m, object, modules);
                else
                        r = sd_bus_message_skip(m, "a{sv}");
                if (r >= 0)
                        r = sd_bus_message_exit_container(m);
        }
        return r < 0 ? r : sd_bus_message_exit_container(m);
}

static int compare(const void *left, const void *right) {
        const struct module *a = left, *b = right;

        if (a->loaded_at != b->loaded_at)
                return a->loaded_at < b->loaded_at ? -1 : 1;
        return strcmp(a->name, b->name);
}

/**
 * modules_read() - read the answer that modules_ask() got, a{oa{sa{sv}}}
 * @m:          the answer; borrowed, and what is read borrows from it
 * @modules:    empty; the modules, oldest first, also after an error to be given to modules_clear()
 *
 * Return: 0 or a negative errno.
 */
int modules_read(sd_bus_message *m, struct modules *modules) {
        int r;

        r = sd_bus_message_enter_container(m, 'a', "{oa{sa{sv}}}");
        while (r >= 0 && (r = sd_bus_message_enter_container(m, 'e', "oa{sa{sv}}")) > 0) {
                const char *object;

                r = sd_bus_message_read(m, "o", &object);
                if (r >= 0)
                        r = read_object(m, object, modules);
                if (r >= 0)
                        r = sd_bus_message_exit_container(m);
        }
        if (r < 0)
                return r;
        if (modules->n > 0)
                qsort(modules->all, modules->n, sizeof(*modules->all), compare);
        r = sd_bus_message_exit_container(m);
        return r < 0 ? r : 0;
}

/**
 * modules_find() - find a module by its name
 * @modules:    where
 * @name:       as the kernel has it
 *
 * Return: the module, or NULL.
 */
const struct module *modules_find(const struct modules *modules, const char *name) {
        for (size_t i = 0; i < modules->n; i++)
                if (strcmp(modules->all[i].name, name) == 0)
                        return &modules->all[i];
        return NULL;
}
