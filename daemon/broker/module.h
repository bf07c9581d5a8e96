/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "context.h"

int module_objects_attach(struct context *context);
