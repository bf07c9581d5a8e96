/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stdbool.h>
#include <sys/stat.h>
#include <time.h>

/* What stood at a path. */
struct stamp {
        int error; /* 0, or why it could not be looked at, a positive errno */
        struct statx stx;
};

void stamp_take(const char *path, struct stamp *ret);
bool stamp_is_same(const struct stamp *a, const struct stamp *b);
bool stamp_is_settled(const struct stamp *stamp, const struct timespec *taken);
