/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "context.h"

int announce_path(const char *name, char **ret);
void announce_loaded(struct context *context, const struct module *module);
void announce_gone(struct context *context, const char *name);
void announce_absent(struct context *context);
