/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stdbool.h>
#include <systemd/sd-bus.h>

#include "cleanup.h"

/* What the service would do with a file. Strings are borrowed from the answer. */
struct verdict {
        sd_bus_message *answer; /* standing before the dictionary that was read */
        int accepted;
        const char *error; /* "" if it is accepted */
        const char *reason;
        const char *path;
        const char *origin; /* "" if none was looked at */
};

int verdict_ask(sd_bus *bus, int fd, struct verdict *ret);
bool verdict_is_loaded(const struct verdict *verdict);
bool verdict_is_refusal(const struct verdict *verdict);
void verdict_clear(struct verdict *verdict);
