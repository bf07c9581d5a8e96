/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "library.h"

void require_report(void);
int require_library(const struct library *library);
