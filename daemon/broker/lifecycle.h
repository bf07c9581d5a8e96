/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "context.h"

struct lifecycle;

int lifecycle_new(struct context *context, struct lifecycle **ret);
struct lifecycle *lifecycle_free(struct lifecycle *lifecycle);
void lifecycle_stop(struct lifecycle *lifecycle);
int lifecycle_reload(struct lifecycle *lifecycle);
