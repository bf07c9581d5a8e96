/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stdbool.h>

/* The kernel's MODULE_NAME_LEN, 64 less the size of a long, is one more than the longest name. */
#define MODULE_NAME_MAX 55
#define MODULE_NAME_CHARACTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-"

void module_name_normalize(char *name);
bool module_name_is_plain(const char *name);
int module_name_from_path(const char *path, char **ret);
const char *module_compression_from_path(const char *path);
