/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "kernel-log.h"
#include "protocol.h"

/* What became of one call of finit_module(2) or delete_module(2). */
struct attempt {
        int result; /* 0 or a negative errno */
        int arguments; /* of a load: whether the kernel has read the parameters, as witness_was_read() says it */
};

void attempt_load(int fd, const char *parameters, int flags, struct attempt *ret);
void attempt_report(const struct attempt *attempt, const struct kernel_log_mark *mark, const char *module,
                    struct loader_reply *ret);
