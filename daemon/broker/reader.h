/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "context.h"

int reader_attach(struct context *context);
int reader_refuse(sd_bus *bus, const char *path, const char *interface, const char *property,
                  sd_bus_message *reply, void *userdata, sd_bus_error *error);
