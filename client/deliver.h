/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stdint.h>
#include <systemd/sd-bus.h>

#include "command.h"
#include "plan.h"

/* How to have a plan carried out. */
struct delivery {
        sd_bus *bus;
        const struct options *options;
        const char *parameters; /* of the targets */
        uint64_t flags;         /* of all */
};

int deliver(const struct delivery *delivery, struct plan *plan);
