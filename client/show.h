/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "command.h"
#include "resolve.h"

int show_targets(struct resolver *resolver, const struct options *options, char **targets, size_t n,
                 const char *parameters);
