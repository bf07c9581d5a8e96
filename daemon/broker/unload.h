/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "context.h"

int unload_begin(struct context *context, sd_bus_message *message, const char *name, uint64_t flags,
                 sd_bus_error *error);
