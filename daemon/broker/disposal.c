/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Disposal
 *
 * Strangers' descriptors that nobody needs any more. Closing one can take for good, so the closer does it, and until it has
 * they are counted against the user who sent them.
 *
 * They fill the descriptor table meanwhile, and the bus drops whoever has no number left for what it relays. So when they
 * are many, this process goes on with another table. It does so, too, when a thread is stuck: that thread would keep all
 * that is in its table, also if this process dies, and the bus would go on relaying calls to it. What is left in a table
 * is a batch, and counts until the kernel has closed it.
 */

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

#include "cleanup.h"
#include "closer.h"
#include "disposal.h"

/* Threads that may be stuck, for one user and in all. One stuck thread costs two pages of stack and a task. */
#define CLOSING_PER_USER 8
#define CLOSING_IN_ALL 64
/*
 * Descriptors that may be in the table. A batch can cost another thread, the one that closes it; so the more batches there
 * are the more goes into the next: twice as many each time, up to 64 times.
 */
#define PRESENT_MAX ((size_t) 1024)
#define DOUBLINGS_MAX 6
/* In µs: who takes longer is stuck; it may take twice that to be seen. */
#define STUCK_USEC UINT64_C(1000000)
/* Batches that there may be only because a thread was stuck. */
#define STUCK_BATCHES_MAX 64

/* What one user has in a batch, but for what threads are at. */
struct share {
        struct user *user;
        unsigned n;
        SLIST_ENTRY(share) link;
};

struct batch {
        struct disposal *disposal;
        bool large;
        SLIST_HEAD(, share) shares;
        LIST_ENTRY(batch) link;
};

struct disposal {
        sd_event *event;
        struct users *users;
        struct closer *closer;
        disposal_lent_t lent;
        void *userdata;
        sd_event_source *closed;
        sd_event_source *timer;
        struct bundle_list present; /* in the table that this process has now */
        struct bundle_list left;    /* a thread is at them, in another table */
        LIST_HEAD(, batch) batches;
        unsigned n_batches, n_large;
        unsigned closing; /* descriptors that threads are at, in all tables */
        size_t n_present,
                        n_here; /* descriptors in the present table, and those of them that threads are at */
        size_t present_max;     /* with more of them the table is left */
};

static void bundle_move(struct bundle *bundle, struct bundle_list *list) {
        if (bundle->list)
                TAILQ_REMOVE(bundle->list, bundle, link);
        bundle->list = list;
        if (list)
                TAILQ_INSERT_TAIL(list, bundle, link);
}

static void set_stuck(struct bundle *bundle, bool is_stuck) {
        bundle->user->stuck -= bundle->is_stuck;
        bundle->user->stuck += is_stuck;
        bundle->is_stuck = is_stuck;
}

static void bundle_free(struct bundle *bundle) {
        set_stuck(bundle, false);
        bundle_move(bundle, NULL);
        user_unref(bundle->user);
        free(bundle);
}

static size_t present_max(const struct disposal *disposal) {
        return PRESENT_MAX << (disposal->n_large < DOUBLINGS_MAX ? disposal->n_large : DOUBLINGS_MAX);
}

/* Hands to the closer what the user's share allows. What cannot be handed over waits for the next time. */
static void push(struct disposal *disposal, struct user *user) {
        struct bundle *bundle;

        while ((bundle = TAILQ_FIRST(&user->waiting)) && user->closing < CLOSING_PER_USER &&
               disposal->closing < CLOSING_IN_ALL) {
                if (closer_submit(disposal->closer, bundle->fds[bundle->next], bundle) < 0)
                        break;
                bundle->next++;
                bundle->closing++;
                user->closing++;
                user->parked--;
                disposal->closing++;
                disposal->n_here++;
                if (bundle->next == bundle->n)
                        TAILQ_REMOVE(&user->waiting, bundle, waiting);
        }
}

static void on_closed(int fd, void *owner) {
        struct bundle *bundle = owner;
        struct disposal *disposal = bundle->disposal;

        bundle->closing--;
        bundle->user->closing--;
        disposal->closing--;
        if (bundle->closing == 0)
                set_stuck(bundle, false);
        if (fd >= 0) {
                (void) close(fd);
                disposal->n_present--;
                disposal->n_here--;
                for (size_t i = 0; i < bundle->next; i++)
                        if (bundle->fds[i] == fd)
                                bundle->fds[i] = -1;
        }
        if (bundle->closing == 0 && bundle->next == bundle->n)
                bundle_free(bundle);
}

static int on_closer(sd_event_source *source, int fd, uint32_t events, void *userdata) {
        struct disposal *disposal = userdata;
        struct user *user;

        (void) source;
        (void) fd;
        (void) events;
        closer_reap(disposal->closer, on_closed);
        LIST_FOREACH(user, &disposal->users->list, link)
                push(disposal, user);
        return 0;
}

static void batch_free(struct batch *batch) {
        struct share *share;

        while ((share = SLIST_FIRST(&batch->shares))) {
                SLIST_REMOVE_HEAD(&batch->shares, link);
                share->user->parked -= share->n;
                user_unref(share->user);
                free(share);
        }
        free(batch);
}

static void on_gone(void *owner) {
        struct batch *batch = owner;
        struct disposal *disposal = batch->disposal;

        LIST_REMOVE(batch, link);
        disposal->n_batches--;
        disposal->n_large -= batch->large;
        disposal->present_max = present_max(disposal);
        batch_free(batch);
}

static int batch_add(struct batch *batch, struct user *user) {
        struct share *share;

        SLIST_FOREACH(share, &batch->shares, link)
                if (share->user == user)
                        return 0;
        share = calloc(1, sizeof *share);
        if (!share)
                return -ENOMEM;
        share->user = user;
        user->references++;
        SLIST_INSERT_HEAD(&batch->shares, share, link);
        return 0;
}

/* With a share for each user who has something in the present table; what it is comes with fill(). */
static int batch_new(struct disposal *disposal, struct batch **ret) {
        struct batch *batch = calloc(1, sizeof *batch);
        struct bundle *bundle;
        int r = 0;

        if (!batch)
                return -ENOMEM;
        batch->disposal = disposal;
        SLIST_INIT(&batch->shares);
        TAILQ_FOREACH(bundle, &disposal->present, link) {
                r = batch_add(batch, bundle->user);
                if (r < 0) {
                        batch_free(batch);
                        return r;
                }
        }
        *ret = batch;
        return 0;
}

/* The table has been left. What a thread is at comes out of closer_reap() one by one. */
static void fill(struct batch *batch) {
        struct disposal *disposal = batch->disposal;
        struct bundle *bundle;

        while ((bundle = TAILQ_FIRST(&disposal->present))) {
                struct share *share;

                SLIST_FOREACH(share, &batch->shares, link)
                        if (share->user == bundle->user)
                                share->n += (unsigned) (bundle->n - bundle->next);
                if (bundle->next < bundle->n)
                        TAILQ_REMOVE(&bundle->user->waiting, bundle, waiting);
                bundle->next = bundle->n;
                bundle_move(bundle, &disposal->left);
                if (bundle->closing == 0)
                        bundle_free(bundle);
        }
        batch->large = disposal->n_present > PRESENT_MAX;
        disposal->n_large += batch->large;
        disposal->n_batches++;
        disposal->n_present = disposal->n_here = 0;
        LIST_INSERT_HEAD(&disposal->batches, batch, link);
}

/* Return: how many there are in the present table, at @fds. */
static size_t list_present(const struct disposal *disposal, int *fds) {
        const struct bundle *bundle;
        size_t n = 0;

        TAILQ_FOREACH(bundle, &disposal->present, link)
                for (size_t i = 0; i < bundle->n; i++)
                        if (bundle->fds[i] >= 0)
                                fds[n++] = bundle->fds[i];
        return n;
}

static int leave_table(struct disposal *disposal) {
        _cleanup_free_ int *left = calloc(disposal->n_present, sizeof *left);
        size_t n_left, n_lent = disposal->lent(NULL, disposal->userdata);
        _cleanup_free_ int *lent = calloc(n_lent + 1, sizeof *lent);
        struct batch *batch;
        int r;

        if (!left || !lent)
                return -ENOMEM;
        n_left = list_present(disposal, left);
        (void) disposal->lent(lent, disposal->userdata);
        r = batch_new(disposal, &batch);
        if (r < 0)
                return r;
        r = closer_leave(disposal->closer, left, n_left, lent, n_lent, on_gone, batch);
        if (r < 0) {
                batch_free(batch);
                return r;
        }
        fill(batch);
        if (r > 0) {
                fputs(SD_ERR "There was no memory for a new table of descriptors; the service ends.\n",
                      stderr);
                (void) sd_event_exit(disposal->event, EXIT_FAILURE);
        }
        return 0;
}

static void leave_large_table(struct disposal *disposal) {
        if (leave_table(disposal) < 0)
                /* There is no memory; to try again with each message would cost time as well. */
                disposal->present_max = disposal->n_present + PRESENT_MAX;
        else
                disposal->present_max = present_max(disposal);
}

/* Return: whether a thread is at something that one was at the last time, too. Whose it is, is noted. */
static bool find_stuck(struct disposal *disposal) {
        struct bundle *bundle;
        bool stuck = false;

        TAILQ_FOREACH(bundle, &disposal->present, link) {
                if (bundle->closing > 0 && bundle->lasts) {
                        set_stuck(bundle, true);
                        stuck = true;
                }
                bundle->lasts = bundle->closing > 0;
        }
        return stuck;
}

static int set_timer(struct disposal *disposal) {
        int r = sd_event_source_set_time_relative(disposal->timer, STUCK_USEC);

        return r < 0 ? r : sd_event_source_set_enabled(disposal->timer, SD_EVENT_ONESHOT);
}

static int on_timer(sd_event_source *source, uint64_t usec, void *userdata) {
        struct disposal *disposal = userdata;

        (void) source;
        (void) usec;
        if (disposal->n_here == 0)
                return 0;
        if (find_stuck(disposal) && disposal->n_batches < STUCK_BATCHES_MAX)
                (void) leave_table(disposal);
        return set_timer(disposal);
}

/**
 * bundle_new() - make room for descriptors
 * @n:          how many; to be put into its fds
 *
 * Return: to be freed, or given to disposal_add(), or NULL if there is no memory.
 */
struct bundle *bundle_new(size_t n) {
        struct bundle *bundle = calloc(1, sizeof *bundle + n * sizeof *bundle->fds);

        if (bundle)
                bundle->n = n;
        return bundle;
}

/**
 * disposal_add() - have descriptors closed
 * @disposal:   the disposal
 * @bundle:     the descriptors; not the caller's any more
 * @user:       against whom they are counted until then; borrowed
 */
void disposal_add(struct disposal *disposal, struct bundle *bundle, struct user *user) {
        bundle->disposal = disposal;
        bundle->user = user;
        user->references++;
        user->parked += (unsigned) bundle->n;
        disposal->n_present += bundle->n;
        bundle_move(bundle, &disposal->present);
        TAILQ_INSERT_TAIL(&user->waiting, bundle, waiting);
        push(disposal, user);
        if (disposal->n_present > disposal->present_max)
                leave_large_table(disposal);
        if (disposal->n_here > 0 && sd_event_source_get_enabled(disposal->timer, NULL) == 0)
                (void) set_timer(disposal);
}

/**
 * disposal_is_empty() - is everything closed
 * @disposal:   the disposal
 */
bool disposal_is_empty(const struct disposal *disposal) {
        return TAILQ_EMPTY(&disposal->present) && TAILQ_EMPTY(&disposal->left) &&
               LIST_EMPTY(&disposal->batches);
}

/**
 * disposal_new() - look after what is to be closed
 * @event:      the event loop
 * @users:      the accounts; must outlive the result
 * @lent:       tells what strangers' descriptors are needed still
 * @userdata:   handed to @lent
 * @ret:        owned by the caller
 *
 * Takes all numbers below core/table.h's TABLE_FIRST; to be called before a stranger's descriptor comes in.
 *
 * Return: 0 or a negative errno.
 */
int disposal_new(sd_event *event, struct users *users, disposal_lent_t lent, void *userdata,
                 struct disposal **ret) {
        struct disposal *disposal = calloc(1, sizeof *disposal);
        int r;

        if (!disposal)
                return -ENOMEM;
        TAILQ_INIT(&disposal->present);
        TAILQ_INIT(&disposal->left);
        LIST_INIT(&disposal->batches);
        disposal->event = event;
        disposal->users = users;
        disposal->lent = lent;
        disposal->userdata = userdata;
        disposal->present_max = present_max(disposal);
        r = closer_new(CLOSING_IN_ALL, &disposal->closer);
        if (r >= 0)
                r = sd_event_add_io(event, &disposal->closed, closer_fd(disposal->closer), EPOLLIN,
                                    on_closer, disposal);
        if (r >= 0)
                r = sd_event_add_time_relative(event, &disposal->timer, CLOCK_MONOTONIC, 0, 0, on_timer,
                                               disposal);
        if (r >= 0)
                r = sd_event_source_set_enabled(disposal->timer, SD_EVENT_OFF);
        if (r >= 0)
                r = closer_reserve(disposal->closer);
        if (r < 0) {
                disposal_free(disposal);
                return r;
        }
        *ret = disposal;
        return 0;
}

/**
 * disposal_free() - give back what disposal_new() gave
 * @disposal:   or NULL
 *
 * What is not closed yet stays so: the process is about to end.
 *
 * Return: NULL.
 */
struct disposal *disposal_free(struct disposal *disposal) {
        struct bundle *bundle;
        struct batch *batch;

        if (!disposal)
                return NULL;
        sd_event_source_unref(disposal->closed);
        sd_event_source_unref(disposal->timer);
        closer_free(disposal->closer);
        TAILQ_CONCAT(&disposal->present, &disposal->left, link);
        while ((bundle = TAILQ_FIRST(&disposal->present))) {
                bundle->list = &disposal->present;
                if (bundle->next < bundle->n)
                        TAILQ_REMOVE(&bundle->user->waiting, bundle, waiting);
                bundle_free(bundle);
        }
        while ((batch = LIST_FIRST(&disposal->batches))) {
                LIST_REMOVE(batch, link);
                batch_free(batch);
        }
        free(disposal);
        return NULL;
}
