/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "modinfo.h"

/* What the kernel takes for a blank; the last one is Latin-1's no-break space. */
#define ARGUMENTS_BLANKS " \t\n\v\f\r\xa0"

int arguments_next(const char **list, char **ret_name);
bool arguments_is_same_name(const char *a, const char *b);
bool arguments_is_declared(const struct modinfo *info, const char *name);
int arguments_find_undeclared(const char *list, const struct modinfo *info, char **ret_name);
char *arguments_declared(const struct modinfo *info);
