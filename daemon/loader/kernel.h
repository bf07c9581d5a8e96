/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stddef.h>

/* Flags of finit_module(2). */
#define KERNEL_IGNORE_MODVERSIONS 1
#define KERNEL_IGNORE_VERMAGIC 2
#define KERNEL_COMPRESSED_FILE 4

int kernel_load(int fd, const char *parameters, int flags);
int kernel_unload(const char *name);
int kernel_log_read(char *buffer, size_t size);
int kernel_log_size(void);
