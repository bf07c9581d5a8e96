/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#define CLOCK_TEXT_MAX 64

void clock_format(uint64_t usec, bool utc, char ret[static CLOCK_TEXT_MAX]);
int clock_parse(const char *text, time_t now, time_t *ret);
