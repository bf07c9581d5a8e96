/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stdbool.h>

#include "modprobe.h"

/* Why modprobe.d's options and the caller's parameters cannot go together. */
enum options_outcome {
        OPTIONS_JOINED = 0,
        OPTIONS_OVERRIDDEN, /* the caller gives a parameter that modprobe.d gives */
        OPTIONS_UNCLOSED, /* a double quote in modprobe.d is not closed, so it would take in what follows */
        OPTIONS_TOO_LONG, /* together they are longer than PROTOCOL_PARAMETERS_MAX */
};

/* Strings belong to the struct. */
struct options {
        char *text; /* what goes to the kernel; NULL unless OPTIONS_JOINED */
        char *name; /* the parameter of OPTIONS_OVERRIDDEN and OPTIONS_UNCLOSED; any bytes */
        char *file; /* where that stands */
        struct modprobe_option *dropped; /* what the module does not have, one argument each */
        size_t n_dropped;
};

typedef bool (*options_declares_t)(const char *name, void *userdata);

int options_join(const struct modprobe_policy *policy, const char *parameters, options_declares_t declares,
                 void *userdata, struct options *ret);
void options_clear(struct options *options);
