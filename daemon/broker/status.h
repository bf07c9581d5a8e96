/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stdint.h>

#include "context.h"

/* In µs. Enough for whoever looks, and nothing that the service manager would feel. */
#define STATUS_INTERVAL UINT64_C(500000)

struct status;

int status_new(const struct context *context, uint64_t interval_usec, struct status **ret);
struct status *status_free(struct status *status);
