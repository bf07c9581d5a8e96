/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "config.h"

void service_never_wait_for_journald(void);
void service_complain(const char *format, ...) __attribute__((format(printf, 1, 2)));
int service_read_config(const char *root, struct config **ret);
