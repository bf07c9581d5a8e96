/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Module array
 *
 * libkmod's lists can only be walked; this can also be grown and asked.
 */

#include <errno.h>
#include <stdlib.h>

#include "module-array.h"

/**
 * module_array_add() - add a module at the end, unless it is there
 * @array:      the array
 * @module:     the module; the array takes a reference of its own
 *
 * Return: 0 or -ENOMEM.
 */
int module_array_add(struct module_array *array, struct kmod_module *module) {
        struct kmod_module **items;

        if (module_array_contains(array, module))
                return 0;
        items = reallocarray(array->items, array->n + 1, sizeof(struct kmod_module *));
        if (!items)
                return -ENOMEM;
        array->items = items;
        array->items[array->n++] = kmod_module_ref(module);
        return 0;
}

/**
 * module_array_add_list() - add the modules of a list
 * @array:      the array
 * @list:       the list; borrowed
 *
 * Return: 0 or -ENOMEM.
 */
int module_array_add_list(struct module_array *array, struct kmod_list *list) {
        struct kmod_list *entry;
        int r = 0;

        kmod_list_foreach(entry, list) {
                struct kmod_module *module = kmod_module_get_module(entry);

                r = module_array_add(array, module);
                kmod_module_unref(module);
                if (r < 0)
                        break;
        }
        return r;
}

/**
 * module_array_contains() - whether a module is in an array
 * @array:      the array
 * @module:     the module
 */
bool module_array_contains(const struct module_array *array, const struct kmod_module *module) {
        for (size_t i = 0; i < array->n; i++)
                if (array->items[i] == module)
                        return true;
        return false;
}

/**
 * module_array_clear() - give back what an array holds
 * @array:      the array; valid and empty afterwards
 */
void module_array_clear(struct module_array *array) {
        for (size_t i = 0; i < array->n; i++)
                kmod_module_unref(array->items[i]);
        free(array->items);
        *array = (struct module_array){ 0 };
}
