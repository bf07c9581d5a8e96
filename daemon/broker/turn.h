/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <sys/queue.h>

struct turn;

TAILQ_HEAD(turns, turn);

typedef void (*turn_go_t)(void *userdata);

int turn_new(struct turns *turns, const char *name, turn_go_t go, void *userdata, struct turn **ret);
struct turn *turn_free(struct turn *turn);
