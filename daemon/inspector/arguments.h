/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "modinfo.h"

int arguments_next(const char **list, char **ret_name);
int arguments_find_undeclared(const char *list, const struct modinfo *info, char **ret_name);
char *arguments_declared(const struct modinfo *info);
