/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "context.h"

/* What a caller wants loaded, as it came in the message. */
struct wanted {
        int fd;                 /* what the message has in the place of the descriptor */
        const char *parameters; /* belongs to the message */
        uint64_t flags;
};

int load_begin(struct context *context, sd_bus_message *message, const struct wanted *wanted, size_t n,
               bool chain, sd_bus_error *error);
