/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stdbool.h>
#include <stdint.h>

bool filesystem_is_known(const char *name);
bool filesystem_matches(const char *name, uint64_t magic);
const char *filesystem_name(uint64_t magic);
