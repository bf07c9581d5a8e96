/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "finding.h"

int descriptor_check(int fd);
int origin_verify(const struct config *config, int fd, struct finding *ret);
int origin_examine(const struct origin *origin, struct finding *ret);
