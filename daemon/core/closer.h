/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stddef.h>

struct closer;

typedef void (*closer_done_t)(int fd, void *owner);
typedef void (*closer_gone_t)(void *owner);

int closer_new(unsigned threads_max, struct closer **ret);
struct closer *closer_free(struct closer *closer);
int closer_fd(const struct closer *closer);
int closer_submit(struct closer *closer, int fd, void *owner);
void closer_reap(struct closer *closer, closer_done_t done);
int closer_reserve(struct closer *closer);
int closer_leave(struct closer *closer, int *left, size_t n_left, int *lent, size_t n_lent,
                 closer_gone_t gone, void *owner);
