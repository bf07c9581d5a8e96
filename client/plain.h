/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <limits.h>

int plain_open(const char *path, char ret_name[NAME_MAX + 1]);
