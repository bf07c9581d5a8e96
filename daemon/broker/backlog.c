/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Backlog
 *
 * What users have asked for and nobody has looked at yet. Most of what it costs to refuse a call is to look where the
 * descriptor leads. So that one who calls without end does not hold up the others, everything else goes first: whoever has
 * just called gets into the backlog, whoever waited for polkit or the loader goes on. Then it is each user's turn, for one
 * call at a time.
 *
 * The bus may have something for us without end, too. So after some rounds of the event loop the backlog goes first.
 */

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

#include "backlog.h"

#define PRIORITY_LATE (SD_EVENT_PRIORITY_NORMAL + 10)
#define PRIORITY_EARLY (SD_EVENT_PRIORITY_NORMAL - 10)
/* Rounds of the event loop that the backlog lets others go first. */
#define PATIENCE 8

struct backlog {
        sd_event_source *source; /* on while there is anybody */
        TAILQ_HEAD(, user) users;
        unsigned waited; /* rounds of the event loop since the last one went */
};

static void leave(struct backlog *backlog, struct backlog_entry *entry) {
        struct user *user = entry->user;

        TAILQ_REMOVE(&user->backlog, entry, link);
        entry->user = NULL;
        TAILQ_REMOVE(&backlog->users, user, round);
        if (!TAILQ_EMPTY(&user->backlog))
                TAILQ_INSERT_TAIL(&backlog->users, user, round);
        if (TAILQ_EMPTY(&backlog->users))
                (void) sd_event_source_set_enabled(backlog->source, SD_EVENT_OFF);
}

static int on_turn(sd_event_source *source, void *userdata) {
        struct backlog *backlog = userdata;
        struct user *user = TAILQ_FIRST(&backlog->users);
        struct backlog_entry *entry;

        (void) source;
        assert(user);
        backlog->waited = 0;
        entry = TAILQ_FIRST(&user->backlog);
        leave(backlog, entry);
        entry->go(entry->userdata);
        return 0;
}

/* Before each round of the event loop. */
static int on_round(sd_event_source *source, void *userdata) {
        struct backlog *backlog = userdata;

        /* An error would have the event loop switch the backlog off for good. */
        (void) sd_event_source_set_priority(source,
                                            backlog->waited++ < PATIENCE ? PRIORITY_LATE : PRIORITY_EARLY);
        return 0;
}

/**
 * backlog_new() - make a backlog
 * @event:      the event loop
 * @ret:        owned by the caller
 *
 * Return: 0 or a negative errno.
 */
int backlog_new(sd_event *event, struct backlog **ret) {
        struct backlog *backlog = calloc(1, sizeof *backlog);
        int r;

        if (!backlog)
                return -ENOMEM;
        TAILQ_INIT(&backlog->users);
        r = sd_event_add_defer(event, &backlog->source, on_turn, backlog);
        if (r >= 0)
                r = sd_event_source_set_prepare(backlog->source, on_round);
        if (r >= 0)
                r = sd_event_source_set_enabled(backlog->source, SD_EVENT_OFF);
        if (r < 0) {
                backlog_free(backlog);
                return r;
        }
        *ret = backlog;
        return 0;
}

/**
 * backlog_free() - give back what backlog_new() gave
 * @backlog:    empty, or NULL
 *
 * Return: NULL.
 */
struct backlog *backlog_free(struct backlog *backlog) {
        if (!backlog)
                return NULL;
        sd_event_source_unref(backlog->source);
        free(backlog);
        return NULL;
}

/**
 * backlog_add() - have something done when it is the user's turn
 * @backlog:    the backlog
 * @user:       whose it is; borrowed until then
 * @entry:      in no backlog; borrowed until then
 * @go:         called once, from the event loop, unless the entry is removed before
 * @userdata:   handed to @go
 *
 * Return: 0 or a negative errno.
 */
int backlog_add(struct backlog *backlog, struct user *user, struct backlog_entry *entry, backlog_go_t go,
                void *userdata) {
        if (TAILQ_EMPTY(&backlog->users)) {
                int r = sd_event_source_set_enabled(backlog->source, SD_EVENT_ON);

                if (r < 0)
                        return r;
                backlog->waited = 0;
        }
        if (TAILQ_EMPTY(&user->backlog))
                TAILQ_INSERT_TAIL(&backlog->users, user, round);
        *entry = (struct backlog_entry){ .user = user, .go = go, .userdata = userdata };
        TAILQ_INSERT_TAIL(&user->backlog, entry, link);
        return 0;
}

/**
 * backlog_remove() - have it not done
 * @backlog:    the backlog
 * @entry:      in it or not
 */
void backlog_remove(struct backlog *backlog, struct backlog_entry *entry) {
        if (entry->user)
                leave(backlog, entry);
}
