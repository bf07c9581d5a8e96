/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stddef.h>

struct closer;

typedef void (*closer_done_t)(int fd, void *owner);

int closer_new(unsigned threads_max, struct closer **ret);
struct closer *closer_free(struct closer *closer);
int closer_fd(const struct closer *closer);
int closer_submit(struct closer *closer, int fd, void *owner);
void closer_reap(struct closer *closer, closer_done_t done);
