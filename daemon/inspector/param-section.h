/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "image.h"
#include "modinfo.h"

int param_section_read(const struct image *image, struct modinfo *info);
