/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "config.h"
#include "tree.h"

int requirement_check_mount_point(const char *mount_point, const struct place *directory, char **ret_culprit,
                                  char **ret_found);
int requirement_check_filesystem(const struct words *types, const struct place *place, char **ret_found);
int requirement_check(enum requirement requirement, const struct place *place, char **ret_found);
