/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "library.h"

void library_report(void);
int library_require(const struct library *library);
