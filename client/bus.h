/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stdbool.h>
#include <systemd/sd-bus.h>

int bus_begin(sd_bus **ret);
void bus_go_on(sd_bus *bus);
int bus_finish(sd_bus *bus);
int bus_open(sd_bus **ret);
int bus_call(sd_bus *bus, sd_bus_message *m, sd_bus_message **ret);
int bus_call_authorized(sd_bus *bus, sd_bus_message *m, bool ask, sd_bus_message **ret);
