/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stddef.h>

#define KERNEL_LOG_MARK_MAX 1024

/* The last record of the log at some moment. */
struct kernel_log_mark {
        char record[KERNEL_LOG_MARK_MAX];
        size_t n;
};

void kernel_log_mark(struct kernel_log_mark *ret);
void kernel_log_since(const struct kernel_log_mark *mark, const char *module, char *ret, size_t size);
size_t kernel_log_select(const char *log, size_t n, const struct kernel_log_mark *mark, const char *module,
                         char *ret, size_t size);
