/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <linux/filter.h>
#include <sys/resource.h>

/* What unpacking one file may take; see sandbox.c for the reason. */
#define SANDBOX_MEMORY_MAX ((rlim_t) 256 * 1024 * 1024)

struct sandbox {
        struct sock_fprog
                        filter; /* as the kernel takes it: making it takes longer than looking into a file */
        rlim_t occupied;        /* address space, in bytes, of a process that has done nothing yet */
};

int sandbox_prepare(struct sandbox *ret);
void sandbox_clear(struct sandbox *sandbox);
int sandbox_limit(const struct sandbox *sandbox, int file, int pipe, unsigned seconds);
int sandbox_enter(const struct sandbox *sandbox, int file, int pipe, unsigned seconds);
