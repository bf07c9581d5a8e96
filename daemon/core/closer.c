/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Closer
 *
 * Closing a stranger's descriptor can take for good: a FUSE server is asked to flush and need not answer, a socket may
 * linger. So it is done by threads that do nothing else. A thread puts /dev/null in the place of the descriptor; from
 * that moment the number belongs to /dev/null, whoever holds it (a bus message, say) may close it without waiting, and
 * only the thread waits for the file that was there before.
 *
 * Threads are made as they are needed, up to a limit, and leave when they have had nothing to do for a while. One that is
 * stuck cannot be helped, not even by SIGKILL; what comes after the last free thread waits in the queue, open, until one
 * comes back.
 *
 * If too much waits, the main thread leaves the descriptor table (table.c). Its threads stay in it, make up a generation,
 * and end their queue; then they leave, too, and the last one closes what nobody has queued.
 */

#include <assert.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/eventfd.h>
#include <sys/queue.h>
#include <sys/socket.h>
#include <time.h>

#include "cleanup.h"
#include "closer.h"
#include "table.h"

/* A thread runs one system call; the libraries' smallest stack will do, twice over. */
#define STACK_SIZE ((size_t) 2 * 16384)
/* In s: a burst is served by the same threads, and what an attack made necessary does not outlive it by long. */
#define IDLE_MAX 2

struct generation;

struct job {
        int fd;
        void *owner;
        bool orphan; /* a number of ours that has nobody else to close it */
        struct generation *generation;
        STAILQ_ENTRY(job) link;
};

STAILQ_HEAD(jobs, job);

/* The threads that are in one descriptor table. */
struct generation {
        struct closer *closer;
        pthread_cond_t wake;
        struct jobs queue;
        unsigned threads, idle;
        unsigned members; /* threads, those on their way out and the keeper included */
        bool left;        /* by the main thread */
        bool stays;       /* the main thread could not leave */
        struct table_split split;
        closer_gone_t gone;
        void *owner;
        LIST_ENTRY(generation) link;
};

struct closer {
        pthread_mutex_t mutex;
        struct jobs done;
        struct generation *current;
        LIST_HEAD(, generation) generations; /* those that have been left */
        unsigned threads_max;
        bool reserved; /* strangers' numbers are TABLE_FIRST and up */
        bool ends;
        int null_fd;
        int event_fd;
        int sockets[2];
        unsigned references; /* one for the owner, one for each thread */
};

static void free_jobs(struct jobs *jobs) {
        struct job *job;

        while ((job = STAILQ_FIRST(jobs))) {
                STAILQ_REMOVE_HEAD(jobs, link);
                free(job);
        }
}

static struct generation *generation_new(struct closer *closer) {
        struct generation *generation = calloc(1, sizeof *generation);

        if (!generation)
                return NULL;
        generation->closer = closer;
        generation->split.null_fd = closer->null_fd;
        generation->split.sockets[0] = closer->sockets[0];
        generation->split.sockets[1] = closer->sockets[1];
        pthread_cond_init(&generation->wake, NULL);
        STAILQ_INIT(&generation->queue);
        return generation;
}

static void generation_free(struct generation *generation) {
        if (!generation)
                return;
        free_jobs(&generation->queue);
        table_split_clear(&generation->split);
        pthread_cond_destroy(&generation->wake);
        free(generation);
}

static void closer_destroy(struct closer *closer) {
        struct generation *generation;

        while ((generation = LIST_FIRST(&closer->generations))) {
                LIST_REMOVE(generation, link);
                generation_free(generation);
        }
        generation_free(closer->current);
        free_jobs(&closer->done);
        cleanup_closep(&closer->null_fd);
        cleanup_closep(&closer->event_fd);
        cleanup_closep(&closer->sockets[0]);
        cleanup_closep(&closer->sockets[1]);
        pthread_mutex_destroy(&closer->mutex);
        free(closer);
}

static void closer_unref_unlock(struct closer *closer) {
        bool last = --closer->references == 0;

        pthread_mutex_unlock(&closer->mutex);
        if (last)
                closer_destroy(closer);
}

/* Outside the lock: this is what may take for good. */
static void replace(const struct closer *closer, int fd) {
        while (dup3(closer->null_fd, fd, O_CLOEXEC) < 0 && (errno == EINTR || errno == EBUSY))
                ;
}

/* With the lock held. Return: the next job, or NULL when this thread is to leave. */
static struct job *wait_for_job(struct generation *generation) {
        struct closer *closer = generation->closer;
        struct timespec until;
        int r = 0;

        (void) clock_gettime(CLOCK_MONOTONIC, &until);
        until.tv_sec += IDLE_MAX;
        generation->idle++;
        while (!closer->ends && !generation->left && STAILQ_EMPTY(&generation->queue) && r == 0)
                r = pthread_cond_clockwait(&generation->wake, &closer->mutex, CLOCK_MONOTONIC, &until);
        generation->idle--;
        /* One that comes while this thread is on its way out counts on it. */
        return closer->ends ? NULL : STAILQ_FIRST(&generation->queue);
}

/* With the lock held, but for what takes long. */
static void work(struct generation *generation) {
        struct closer *closer = generation->closer;
        struct job *job;

        while ((job = wait_for_job(generation))) {
                STAILQ_REMOVE_HEAD(&generation->queue, link);
                pthread_mutex_unlock(&closer->mutex);
                replace(closer, job->fd);
                pthread_mutex_lock(&closer->mutex);
                STAILQ_INSERT_TAIL(&closer->done, job, link);
                (void) eventfd_write(closer->event_fd, 1);
        }
}

/* With the lock held, which is given back. That the last one has left is told after it has closed everything. */
static void leave_unlock(struct generation *generation) {
        struct closer *closer = generation->closer;

        if (closer->reserved) {
                pthread_mutex_unlock(&closer->mutex);
                table_forsake();
                pthread_mutex_lock(&closer->mutex);
        }
        generation->members--;
        if (generation->left && generation->members == 0)
                (void) eventfd_write(closer->event_fd, 1);
        closer_unref_unlock(closer);
}

static void *thread_main(void *userdata) {
        struct generation *generation = userdata;

        pthread_mutex_lock(&generation->closer->mutex);
        work(generation);
        generation->threads--;
        leave_unlock(generation);
        return NULL;
}

/* Stays in the table while the main thread leaves it, and closes there what is ours. */
static void *keeper_main(void *userdata) {
        struct generation *generation = userdata;
        struct closer *closer = generation->closer;

        pthread_mutex_lock(&closer->mutex);
        while (!generation->left && !generation->stays)
                pthread_cond_wait(&generation->wake, &closer->mutex);
        if (generation->left) {
                pthread_mutex_unlock(&closer->mutex);
                table_strip(&generation->split, closer->event_fd);
                pthread_mutex_lock(&closer->mutex);
                work(generation);
        }
        leave_unlock(generation);
        return NULL;
}

/* With the lock held. Signals belong to the main thread. */
static int start_thread(struct generation *generation, void *(*function)(void *) ) {
        pthread_attr_t attributes;
        sigset_t all, old;
        pthread_t thread;
        int r;

        r = pthread_attr_init(&attributes);
        if (r != 0)
                return -r;
        (void) pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
        (void) pthread_attr_setstacksize(&attributes, STACK_SIZE > (size_t) PTHREAD_STACK_MIN
                                                                      ? STACK_SIZE
                                                                      : (size_t) PTHREAD_STACK_MIN);

        sigfillset(&all);
        pthread_sigmask(SIG_SETMASK, &all, &old);
        r = pthread_create(&thread, &attributes, function, generation);
        pthread_sigmask(SIG_SETMASK, &old, NULL);
        (void) pthread_attr_destroy(&attributes);
        if (r != 0)
                return -r;
        generation->members++;
        generation->closer->references++;
        return 0;
}

/**
 * closer_new() - make a closer
 * @threads_max:        how many descriptors may be stuck before others have to wait; at least 1
 * @ret:                the closer; owned by the caller
 *
 * Return: 0 or a negative errno.
 */
int closer_new(unsigned threads_max, struct closer **ret) {
        struct closer *closer;
        int r;

        closer = calloc(1, sizeof *closer);
        if (!closer)
                return -ENOMEM;
        closer->threads_max = threads_max;
        closer->references = 1;
        closer->event_fd = closer->sockets[0] = closer->sockets[1] = -1;
        pthread_mutex_init(&closer->mutex, NULL);
        STAILQ_INIT(&closer->done);
        LIST_INIT(&closer->generations);
        closer->null_fd = open("/dev/null", O_RDWR | O_CLOEXEC);
        if (closer->null_fd >= 0)
                closer->event_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
        r = closer->event_fd < 0 ? -errno : 0;
        if (r == 0 && !(closer->current = generation_new(closer)))
                r = -ENOMEM;
        if (r < 0) {
                closer_destroy(closer);
                return r;
        }
        *ret = closer;
        return 0;
}

/**
 * closer_free() - give back a closer
 * @closer:     the closer, or NULL
 *
 * Does not wait: a thread that is stuck keeps what it needs. What is still queued stays open.
 *
 * Return: NULL.
 */
struct closer *closer_free(struct closer *closer) {
        struct generation *generation;

        if (!closer)
                return NULL;
        pthread_mutex_lock(&closer->mutex);
        closer->ends = true;
        pthread_cond_broadcast(&closer->current->wake);
        LIST_FOREACH(generation, &closer->generations, link)
                pthread_cond_broadcast(&generation->wake);
        closer_unref_unlock(closer);
        return NULL;
}

/**
 * closer_fd() - what to wait for
 * @closer:     the closer
 *
 * Return: a descriptor that is readable when closer_reap() has something to do; borrowed.
 */
int closer_fd(const struct closer *closer) {
        return closer->event_fd;
}

static int submit(struct closer *closer, int fd, void *owner, bool orphan) {
        struct generation *generation = closer->current;
        struct job *job;
        unsigned queued = 1;
        int r = 0;

        job = calloc(1, sizeof *job);
        if (!job)
                return -ENOMEM;
        job->fd = fd;
        job->owner = owner;
        job->orphan = orphan;
        job->generation = generation;

        pthread_mutex_lock(&closer->mutex);
        for (const struct job *j = STAILQ_FIRST(&generation->queue); j && queued <= generation->idle;
             j = STAILQ_NEXT(j, link))
                queued++;
        if (queued > generation->idle && generation->threads < closer->threads_max) {
                r = start_thread(generation, thread_main);
                generation->threads += r == 0;
        }
        if (r < 0 && generation->threads == 0)
                free(job);
        else {
                STAILQ_INSERT_TAIL(&generation->queue, job, link);
                pthread_cond_signal(&generation->wake);
                r = 0;
        }
        pthread_mutex_unlock(&closer->mutex);
        return r;
}

/**
 * closer_submit() - have a descriptor's file closed
 * @closer:     the closer
 * @fd:         the descriptor; must stay open until it comes out of closer_reap()
 * @owner:      handed to the callback
 *
 * Return: 0 or a negative errno; then nothing was done.
 */
int closer_submit(struct closer *closer, int fd, void *owner) {
        return submit(closer, fd, owner, false);
}

static void reap_job(const struct job *job, closer_done_t done) {
        bool here = !job->generation->left;

        if (!job->orphan)
                done(here ? job->fd : -1, job->owner);
        else if (here)
                (void) close(job->fd);
}

/**
 * closer_reap() - learn what has been closed
 * @closer:     the closer
 * @done:       called for each descriptor that is /dev/null now; it is to be closed by its owner. -1 stands for one in a
 *              table that has been left
 *
 * Also calls what was handed to closer_leave(), for each table that nobody is in any more.
 */
void closer_reap(struct closer *closer, closer_done_t done) {
        struct jobs jobs = STAILQ_HEAD_INITIALIZER(jobs);
        LIST_HEAD(, generation) gone = LIST_HEAD_INITIALIZER(gone);
        struct generation *generation, *next;
        struct job *job;
        eventfd_t count;

        pthread_mutex_lock(&closer->mutex);
        (void) eventfd_read(closer->event_fd, &count);
        STAILQ_CONCAT(&jobs, &closer->done);
        for (generation = LIST_FIRST(&closer->generations); generation; generation = next) {
                next = LIST_NEXT(generation, link);
                if (generation->members > 0)
                        continue;
                LIST_REMOVE(generation, link);
                LIST_INSERT_HEAD(&gone, generation, link);
        }
        pthread_mutex_unlock(&closer->mutex);

        while ((job = STAILQ_FIRST(&jobs))) {
                STAILQ_REMOVE_HEAD(&jobs, link);
                reap_job(job, done);
                free(job);
        }
        while ((generation = LIST_FIRST(&gone))) {
                LIST_REMOVE(generation, link);
                generation->gone(generation->owner);
                generation_free(generation);
        }
}

/**
 * closer_reserve() - make closer_leave() possible
 * @closer:     the closer
 *
 * Takes all numbers below TABLE_FIRST, for good. To be called when what stays has been opened, and before there is a
 * stranger's descriptor.
 *
 * Return: 0 or a negative errno: -EMFILE if there are not enough numbers below TABLE_FIRST.
 */
int closer_reserve(struct closer *closer) {
        struct generation *generation = closer->current;

        if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, closer->sockets) < 0)
                return -errno;
        generation->split.sockets[0] = closer->sockets[0];
        generation->split.sockets[1] = closer->sockets[1];
        for (size_t i = 0; i < 2; i++)
                if (closer->sockets[i] >= TABLE_FIRST)
                        return -EMFILE;
        if (closer->null_fd >= TABLE_FIRST || closer->event_fd >= TABLE_FIRST)
                return -EMFILE;
        closer->reserved = true;
        return table_reserve(closer->null_fd);
}

/* With the lock held. Return: as table_leave(). */
static int leave_generation(struct generation *generation, int *left, size_t n_left, int *lent,
                            size_t n_lent) {
        int r;

        generation->stays = false;
        r = table_prepare(&generation->split, left, n_left, lent, n_lent);
        if (r == 0)
                r = start_thread(generation, keeper_main);
        if (r == 0) {
                r = table_leave(&generation->split);
                generation->left = r >= 0;
                generation->stays = r < 0;
                pthread_cond_broadcast(&generation->wake);
        }
        if (r < 0)
                table_split_clear(&generation->split);
        return r;
}

/**
 * closer_leave() - go on with a descriptor table that does not have these descriptors
 * @closer:     the closer
 * @left:       descriptors of strangers that are not needed any more, and all that were submitted and have not come out of
 *              closer_reap(), which still happens, with -1; will be sorted
 * @n_left:     how many
 * @lent:       all other descriptors of strangers; will be sorted. /dev/null takes the place of a socket
 * @n_lent:     how many
 * @gone:       called by closer_reap() when what was left has been closed, which may be never
 * @owner:      handed to @gone
 *
 * For the main thread alone, after closer_reserve().
 *
 * Return: 0; 1 if this has failed in the middle, so that the process had better end; or a negative errno: nothing was done.
 */
int closer_leave(struct closer *closer, int *left, size_t n_left, int *lent, size_t n_lent,
                 closer_gone_t gone, void *owner) {
        struct generation *generation = closer->current, *next;
        int r;

        assert(closer->reserved);
        next = generation_new(closer);
        if (!next)
                return -ENOMEM;
        generation->gone = gone;
        generation->owner = owner;
        pthread_mutex_lock(&closer->mutex);
        r = leave_generation(generation, left, n_left, lent, n_lent);
        if (r >= 0) {
                LIST_INSERT_HEAD(&closer->generations, generation, link);
                closer->current = next;
        }
        pthread_mutex_unlock(&closer->mutex);
        if (r < 0) {
                generation_free(next);
                return r;
        }
        /* Below TABLE_FIRST where something of ours was closed for good: it came along, and is a number here, too. */
        for (size_t i = 0; i < n_left && left[i] < TABLE_FIRST; i++)
                (void) submit(closer, left[i], NULL, true);
        return r;
}
