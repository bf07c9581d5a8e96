/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <systemd/sd-event.h>

#include "quota.h"

struct disposal;

/* Descriptors that came together. */
struct bundle {
        struct disposal *disposal;
        struct user *user; /* against whom they are counted */
        struct bundle_list *list;
        TAILQ_ENTRY(bundle) link;
        TAILQ_ENTRY(bundle) waiting;
        unsigned closing; /* a thread is at them */
        bool lasts;       /* it was when somebody last looked */
        bool is_stuck;    /* one has taken long, and threads have been at it ever since */
        size_t n, next;   /* those before next have been handed to the closer */
        int fds[];        /* -1: closed */
};

/**
 * disposal_lent_t() - the strangers' descriptors that are needed still
 * @fds:        where to put them, or NULL only to count them
 *
 * Return: how many.
 */
typedef size_t (*disposal_lent_t)(int *fds, void *userdata);

int disposal_new(sd_event *event, struct users *users, disposal_lent_t lent, void *userdata,
                 struct disposal **ret);
struct disposal *disposal_free(struct disposal *disposal);
struct bundle *bundle_new(size_t n);
void disposal_add(struct disposal *disposal, struct bundle *bundle, struct user *user);
bool disposal_is_empty(const struct disposal *disposal);
