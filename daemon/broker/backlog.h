/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <systemd/sd-event.h>

#include "quota.h"

struct backlog;

typedef void (*backlog_go_t)(void *userdata);

/* Belongs to who is in the backlog; begins as { 0 }. */
struct backlog_entry {
        struct user *user; /* NULL: it is in none */
        backlog_go_t go;
        void *userdata;
        TAILQ_ENTRY(backlog_entry) link;
};

int backlog_new(sd_event *event, struct backlog **ret);
struct backlog *backlog_free(struct backlog *backlog);

int backlog_add(struct backlog *backlog, struct user *user, struct backlog_entry *entry, backlog_go_t go,
                void *userdata);
void backlog_remove(struct backlog *backlog, struct backlog_entry *entry);
