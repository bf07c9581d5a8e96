/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stdbool.h>
#include <systemd/sd-bus.h>

#include "authorization.h"
#include "finding.h"
#include "modinfo.h"
#include "protocol.h"

int failure_from_errno(int error, sd_bus_error *ret);
int failure_from_finding(const struct finding *finding, sd_bus_error *ret);
int failure_from_loader(int r, const char *module, bool loads, sd_bus_error *ret);
int failure_from_reply(const struct loader_reply *reply, const char *module, bool loads, sd_bus_error *ret);
int failure_from_kernel_load(const struct loader_reply *reply, const char *module, sd_bus_error *ret);
int failure_from_kernel_unload(int error, const char *module, sd_bus_error *ret);
int failure_from_authorization(enum authorization_outcome outcome, enum authority_answer answer,
                               const struct question *question, sd_bus_error *ret);
int failure_from_inspection(int result, const char *module, sd_bus_error *ret);
int failure_from_arguments(const char *parameters, const struct modinfo *info, const char *module,
                           sd_bus_error *ret);
int failure_from_module_state(int state, const char *module, sd_bus_error *ret);
