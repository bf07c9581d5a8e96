/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <seccomp.h>
#include <sys/resource.h>

/* What the inspector of one file may use; see sandbox.c for the reasons. */
#define SANDBOX_MEMORY_MAX ((rlim_t) 256 * 1024 * 1024)
#define SANDBOX_CPU_SECONDS ((rlim_t) 10)

struct sandbox {
        scmp_filter_ctx filter;
        rlim_t occupied; /* address space, in bytes, of a process that has done nothing yet */
};

int sandbox_prepare(struct sandbox *ret);
void sandbox_clear(struct sandbox *sandbox);
int sandbox_enter(const struct sandbox *sandbox, int file, int pipe);
