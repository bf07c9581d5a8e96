/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <libkmod.h>
#include <stdbool.h>
#include <stddef.h>

/* References to modules, in an order that means something. Of each module libkmod has one object at a time. */
struct module_array {
        struct kmod_module **items;
        size_t n;
};

int module_array_add(struct module_array *array, struct kmod_module *module);
int module_array_add_list(struct module_array *array, struct kmod_list *list);
bool module_array_contains(const struct module_array *array, const struct kmod_module *module);
void module_array_clear(struct module_array *array);
