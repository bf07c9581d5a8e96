/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "resolve.h"

int depends_collect(struct resolver *resolver, struct kmod_module *module, struct module_array *ret);
