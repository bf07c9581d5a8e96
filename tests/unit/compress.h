/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Compress
 *
 * Compressed files for the tests, by the programs that compress modules.
 */

#include <glib.h>
#include <stddef.h>

/* By the name that moduled has for the format. */
extern const char *const compress_formats[3];

GByteArray *compress_bytes(const char *format, const void *bytes, size_t size);
void compress_zeros(const char *format, unsigned mebibytes, const char *path);
