/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stdbool.h>

#include "verdict.h"

int check_print_verdict(struct verdict *verdict, bool is_first);
void check_print_need(const char *name, const struct verdict *verdict, bool is_first);
int check_write_verdict(struct verdict *verdict, bool is_first);
void check_write_need(const char *name, const struct verdict *verdict, bool is_first);
void check_write_end(void);
