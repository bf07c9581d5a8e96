/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stddef.h>

#define KERNEL_LOG_MARK_MAX 1024

/* The last record of the log at some moment. */
struct kernel_log_mark {
        char record[KERNEL_LOG_MARK_MAX];
        size_t n;
};

/* What lines say of the reason why a module did not load. */
enum kernel_log_cause {
        KERNEL_LOG_SYMBOL = 1 << 0,    /* it needs a symbol that is not there */
        KERNEL_LOG_VERSION = 1 << 1,   /* it was built for another kernel */
        KERNEL_LOG_SIGNATURE = 1 << 2, /* its signature is missing or will not do */
        KERNEL_LOG_PARAMETER = 1 << 3, /* a parameter's value was refused */
        KERNEL_LOG_LATE = 1 << 4,      /* a check that the kernel makes after it has read the parameters */
};

struct kernel_log_subject {
        const char *module;
        /* Positive errno: lines that name no module count if they go with it. 0: none of them does. */
        int error;
};

void kernel_log_mark(struct kernel_log_mark *ret);
unsigned kernel_log_since(const struct kernel_log_mark *mark, const struct kernel_log_subject *subject,
                          char *ret, size_t size);
unsigned kernel_log_select(const char *log, size_t n, const struct kernel_log_mark *mark,
                           const struct kernel_log_subject *subject, char *ret, size_t size);
