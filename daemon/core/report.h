/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "config.h"

#define FACTS_MAX 5

/* One thing that an origin can require, and what was found. */
struct fact {
        const char *name; /* as in moduled.conf; static */
        bool required;
        bool holds;
        char *found;
};

struct report {
        struct fact facts[FACTS_MAX];
        size_t n;
};

int report_read(const struct origin *origin, const char *path, struct report *ret);
const struct fact *report_find(const struct report *report, const char *name);
void report_clear(struct report *report);
