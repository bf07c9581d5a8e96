/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Module
 *
 * The object on the bus of a module that moduled loaded. There is none for a module that somebody else loaded.
 */

#include <errno.h>
#include <stddef.h>

#include "announce.h"
#include "cleanup.h"
#include "module.h"
#include "names.h"
#include "reader.h"
#include "unload.h"

static int get_uid(sd_bus *bus, const char *path, const char *interface, const char *property,
                   sd_bus_message *reply, void *userdata, sd_bus_error *error) {
        const uid_t *uid = userdata;

        (void) bus;
        (void) path;
        (void) interface;
        (void) property;
        (void) error;
        return sd_bus_message_append(reply, "u", (uint32_t) *uid);
}

/* The object is the module; the context is what the vtable was attached with. */
static int method_unload(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        struct context *context =
                        sd_bus_slot_get_userdata(sd_bus_get_current_slot(sd_bus_message_get_bus(message)));
        const struct module *module = userdata;
        uint64_t flags;
        int r;

        r = sd_bus_message_read(message, "t", &flags);
        if (r < 0)
                return r;
        return unload_begin(context, message, module->name, flags, error);
}

static const sd_bus_vtable module_vtable[] = {
        SD_BUS_VTABLE_START(0),
        SD_BUS_PROPERTY("Name", "s", NULL, offsetof(struct module, name), SD_BUS_VTABLE_PROPERTY_CONST),
        SD_BUS_PROPERTY("Path", "s", NULL, offsetof(struct module, path), SD_BUS_VTABLE_PROPERTY_CONST),
        SD_BUS_PROPERTY("Origin", "s", NULL, offsetof(struct module, origin), SD_BUS_VTABLE_PROPERTY_CONST),
        SD_BUS_PROPERTY("LoadedBy", "u", get_uid, offsetof(struct module, loaded_by),
                        SD_BUS_VTABLE_PROPERTY_CONST),
        SD_BUS_PROPERTY("LoadedAt", "t", NULL, offsetof(struct module, loaded_at),
                        SD_BUS_VTABLE_PROPERTY_CONST),
        SD_BUS_PROPERTY("Parameters", "s", reader_refuse, 0,
                        SD_BUS_VTABLE_PROPERTY_CONST | SD_BUS_VTABLE_PROPERTY_EXPLICIT),
        SD_BUS_METHOD_WITH_ARGS("Unload", SD_BUS_ARGS("t", flags), SD_BUS_NO_RESULT, method_unload,
                                SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_VTABLE_END,
};

static int find(sd_bus *bus, const char *path, const char *interface, void *userdata, void **ret,
                sd_bus_error *error) {
        struct context *context = userdata;
        _cleanup_free_ char *name = NULL;
        struct module *module;
        int r;

        (void) bus;
        (void) interface;
        (void) error;
        r = sd_bus_path_decode(path, MODULED_MODULE_PREFIX, &name);
        if (r <= 0)
                return r;
        module = registry_find(context->registry, name);
        if (!module)
                return 0;
        *ret = module;
        return 1;
}

static int enumerate(sd_bus *bus, const char *prefix, void *userdata, char ***ret, sd_bus_error *error) {
        struct context *context = userdata;
        const struct module *module;
        char **paths;
        size_t n = 0;

        (void) bus;
        (void) prefix;
        (void) error;
        TAILQ_FOREACH(module, &context->registry->modules, link)
                n++;
        paths = calloc(n + 1, sizeof *paths);
        if (!paths)
                return -ENOMEM;
        n = 0;
        TAILQ_FOREACH(module, &context->registry->modules, link) {
                if (announce_path(module->name, &paths[n]) < 0) {
                        while (n > 0)
                                free(paths[--n]);
                        free(paths);
                        return -ENOMEM;
                }
                n++;
        }
        *ret = paths;
        return 0;
}

/**
 * module_objects_attach() - put the objects of all modules on the bus
 * @context:    the broker's context
 *
 * Return: 0 or a negative errno.
 */
int module_objects_attach(struct context *context) {
        int r;

        r = sd_bus_add_fallback_vtable(context->bus, NULL, MODULED_MODULE_PREFIX, MODULED_MODULE_INTERFACE,
                                       module_vtable, find, context);
        if (r >= 0)
                r = sd_bus_add_node_enumerator(context->bus, NULL, MODULED_MODULE_PREFIX, enumerate,
                                               context);
        if (r >= 0)
                r = sd_bus_add_object_manager(context->bus, NULL, MODULED_OBJECT_PATH);
        return r < 0 ? r : 0;
}
