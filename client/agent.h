/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stdbool.h>

#include "cleanup.h"
#include "interrupt.h"

struct agent;

struct agent *agent_new(const struct interrupt *interrupt);
void agent_free(struct agent *agent);
bool agent_asks_here(const struct agent *agent);

DEFINE_CLEANUP(struct agent *, agent_free);
