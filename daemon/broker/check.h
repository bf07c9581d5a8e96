/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "context.h"

int check_begin(struct context *context, sd_bus_message *message, int fd, sd_bus_error *error);
