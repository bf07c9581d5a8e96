/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stdint.h>
#include <systemd/sd-bus.h>

#include "config.h"
#include "modprobe.h"

/* The flags of Load. */
#define POLICY_FLAGS_FORCE UINT64_C(3)
#define POLICY_FLAG_COMPRESSED UINT64_C(4)

int policy_check_flags(uint64_t flags, sd_bus_error *error);
int policy_check_parameters(const struct config *config, const char *parameters, sd_bus_error *error);
int policy_check_modules_enabled(sd_bus_error *error);
int policy_check_name(const struct config *config, const char *name, uint64_t flags, sd_bus_error *error);
int policy_check_modprobe(struct modprobe *modprobe, const char *name, struct modprobe_policy *ret,
                          sd_bus_error *error);
int policy_check_absent(const char *name, sd_bus_error *error);
int policy_check_loaded(const char *name, sd_bus_error *error);
int policy_check_compression(const char *name, const char *path, sd_bus_error *error);
