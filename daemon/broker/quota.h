/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stdbool.h>
#include <sys/queue.h>
#include <sys/types.h>

struct backlog_entry;
struct bundle;

TAILQ_HEAD(bundle_list, bundle);

/* What one user holds of what others need, too. Counted by those who hold it. */
struct user {
        uid_t uid;
        unsigned references;
        unsigned requests;          /* under way */
        unsigned prompts;           /* open */
        unsigned closing;           /* descriptors that a thread is closing */
        unsigned parked;            /* descriptors that wait for one of those to come back */
        unsigned stuck;             /* messages of which one took long, and has not come back */
        struct bundle_list waiting; /* of such descriptors, but for those in a table that was left */
        TAILQ_HEAD(, backlog_entry) backlog; /* what nobody has looked at yet */
        TAILQ_ENTRY(user) round;             /* of those who have something there */
        struct users *users;
        LIST_ENTRY(user) link;
};

struct users {
        LIST_HEAD(, user) list;
        unsigned prompts; /* open, of all users */
};

/* For callers that left before the bus could say who they were. */
#define UID_UNKNOWN ((uid_t) -1)

int user_get(struct users *users, uid_t uid, struct user **ret);
struct user *user_unref(struct user *user);
