/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stdbool.h>

#include "cleanup.h"

struct agent;

struct agent *agent_new(void);
void agent_free(struct agent *agent);
int agent_interrupt_fd(const struct agent *agent);
bool agent_is_interrupted(const struct agent *agent);

DEFINE_CLEANUP(struct agent *, agent_free);
