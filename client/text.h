/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stdio.h>

char *text_shown(const char *text, int indentation);
void text_write_json(FILE *out, const char *text);
