/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stdint.h>

#include "config.h"

const char *refusal_find(const struct config *config, const char *name, uint32_t flags);
