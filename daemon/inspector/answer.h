/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stddef.h>

#include "modinfo.h"

/* Holds MODINFO_SIZE_MAX of texts: none has a key that is longer than MODINFO_TEXT_OVERHEAD allows for. */
#define ANSWER_MAX ((size_t) 256 * 1024)

int answer_send(int pipe, int result, struct modinfo *info);
int answer_decode(const void *bytes, size_t size, int *ret_result, struct modinfo **ret);
