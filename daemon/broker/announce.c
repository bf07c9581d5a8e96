/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Announce
 *
 * Tells the bus what came and what went: the object of a module, and the signals about it.
 */

#include "announce.h"
#include "cleanup.h"
#include "names.h"
#include "system.h"

/**
 * announce_path() - the object of a module
 * @name:       the module's name, normalized
 * @ret:        the path; owned by the caller
 *
 * Return: 0 or a negative errno.
 */
int announce_path(const char *name, char **ret) {
        int r = sd_bus_path_encode(MODULED_MODULE_PREFIX, name, ret);

        return r < 0 ? r : 0;
}

/**
 * announce_loaded() - tell the bus that a module was loaded
 * @context:    the broker's context
 * @module:     the module; in the registry
 */
void announce_loaded(struct context *context, const struct module *module) {
        _cleanup_free_ char *path = NULL;

        if (announce_path(module->name, &path) < 0)
                return;
        (void) sd_bus_emit_object_added(context->bus, path);
        (void) sd_bus_emit_signal(context->bus, MODULED_OBJECT_PATH, MODULED_MANAGER_INTERFACE,
                                  "ModuleLoaded", "so", module->name, path);
}

/**
 * announce_gone() - forget a module that was unloaded, and tell the bus
 * @context:    the broker's context
 * @name:       its name; nothing is done if moduled did not load it, or it is known to be gone already
 */
void announce_gone(struct context *context, const char *name) {
        struct module *module = registry_find(context->registry, name);
        _cleanup_free_ char *path = NULL;

        if (!module)
                return;
        /* While it is still in the registry, as sd_bus_emit_object_removed(3) wants it. */
        if (announce_path(name, &path) >= 0) {
                (void) sd_bus_emit_object_removed(context->bus, path);
                (void) sd_bus_emit_signal(context->bus, MODULED_OBJECT_PATH, MODULED_MANAGER_INTERFACE,
                                          "ModuleUnloaded", "so", module->name, path);
        }
        registry_remove(context->registry, module);
}

/**
 * announce_absent() - forget all modules that the kernel has not any more, and tell the bus
 * @context:    the broker's context
 */
void announce_absent(struct context *context) {
        struct module *module, *next;

        for (module = TAILQ_FIRST(&context->registry->modules); module; module = next) {
                next = TAILQ_NEXT(module, link);
                if (system_module_state(module->name) == MODULE_ABSENT)
                        announce_gone(context, module->name);
        }
}
