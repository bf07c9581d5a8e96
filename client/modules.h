/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <systemd/sd-bus.h>

/* What moduled says of a module that it loaded; the texts are borrowed from its answer. */
struct module {
        const char *object;
        const char *name;
        const char *path;
        const char *origin;
        uint32_t loaded_by;
        uint64_t loaded_at;
};

struct modules {
        struct module *all;
        size_t n;
};

void modules_clear(struct modules *modules);
int modules_ask(sd_bus *bus, sd_bus_message **ret);
int modules_read(sd_bus_message *m, struct modules *modules);
int modules_read_one(sd_bus_message *m, struct module *ret);
const struct module *modules_find(const struct modules *modules, const char *name);
