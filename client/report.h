/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "modules.h"

/* A module that came or went. */
struct report {
        uint64_t time; /* µs since the epoch */
        const char *name;
        bool is_removal;
        bool is_ours;         /* moduled told of it */
        bool is_known;        /* whether @module is */
        struct module module; /* what moduled says of it */
};

void report_print(const struct report *report, unsigned options);
