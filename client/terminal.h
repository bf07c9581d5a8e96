/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/* Sequences of ECMA-48, for where terminal_has_colours(). */
#define COLOUR_HEADING "\033[4m"
#define COLOUR_BAD "\033[1;31m"
#define COLOUR_GOOD "\033[32m"
#define COLOUR_OFF "\033[0m"

bool terminal_has_colours(int fd);
size_t terminal_rows(int fd);
size_t terminal_columns(int fd);
