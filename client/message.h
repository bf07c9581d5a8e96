/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

char *printable(const char *text);
void say(const char *format, ...) __attribute__((format(printf, 1, 2)));
void announce(unsigned options, const char *what, const char *name);
