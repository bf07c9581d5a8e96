/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stdbool.h>

int needs_read(const char *path, char **ret);
bool needs_is_sound(const char *path);
bool needs_nothing(int fd);
