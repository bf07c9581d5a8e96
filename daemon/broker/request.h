/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "context.h"

int request_load(struct context *context, sd_bus_message *message, int fd, const char *parameters,
                 uint64_t flags, sd_bus_error *error);
int request_unload(struct context *context, sd_bus_message *message, const char *name, uint64_t flags,
                   sd_bus_error *error);
void requests_drop(struct context *context);
