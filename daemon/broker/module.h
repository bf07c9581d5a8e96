/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "context.h"

int module_objects_attach(struct context *context);
int module_object_path(const char *name, char **ret);
void module_object_added(struct context *context, const struct module *module);
void module_object_removed(struct context *context, const char *name);
