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
#include <time.h>

#include "cleanup.h"
#include "closer.h"

/* A thread runs one system call; the libraries' smallest stack will do, twice over. */
#define STACK_SIZE ((size_t) 2 * 16384)
/* In s: a burst is served by the same threads, and what an attack made necessary does not outlive it by long. */
#define IDLE_MAX 2

struct job {
        int fd;
        void *owner;
        STAILQ_ENTRY(job) link;
};

STAILQ_HEAD(jobs, job);

struct closer {
        pthread_mutex_t mutex;
        pthread_cond_t wake;
        struct jobs queue;
        struct jobs done;
        unsigned threads, threads_max, idle;
        bool ends;
        int null_fd;
        int event_fd;
        unsigned references; /* one for the owner, one for each thread */
};

static void closer_destroy(struct closer *closer) {
        struct jobs *lists[] = { &closer->queue, &closer->done };

        for (size_t i = 0; i < 2; i++) {
                struct job *job;

                while ((job = STAILQ_FIRST(lists[i]))) {
                        STAILQ_REMOVE_HEAD(lists[i], link);
                        free(job);
                }
        }
        cleanup_closep(&closer->null_fd);
        cleanup_closep(&closer->event_fd);
        pthread_mutex_destroy(&closer->mutex);
        pthread_cond_destroy(&closer->wake);
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
static struct job *wait_for_job(struct closer *closer) {
        struct timespec until;
        int r = 0;

        (void) clock_gettime(CLOCK_MONOTONIC, &until);
        until.tv_sec += IDLE_MAX;
        closer->idle++;
        while (!closer->ends && STAILQ_EMPTY(&closer->queue) && r == 0)
                r = pthread_cond_clockwait(&closer->wake, &closer->mutex, CLOCK_MONOTONIC, &until);
        closer->idle--;
        /* One that comes while this thread is on its way out counts on it. */
        return closer->ends ? NULL : STAILQ_FIRST(&closer->queue);
}

static void *thread_main(void *userdata) {
        struct closer *closer = userdata;
        struct job *job;

        pthread_mutex_lock(&closer->mutex);
        while ((job = wait_for_job(closer))) {
                STAILQ_REMOVE_HEAD(&closer->queue, link);
                pthread_mutex_unlock(&closer->mutex);
                replace(closer, job->fd);
                pthread_mutex_lock(&closer->mutex);
                STAILQ_INSERT_TAIL(&closer->done, job, link);
                (void) eventfd_write(closer->event_fd, 1);
        }
        closer->threads--;
        closer_unref_unlock(closer);
        return NULL;
}

/* Signals belong to the main thread. */
static int start_thread(struct closer *closer) {
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
        r = pthread_create(&thread, &attributes, thread_main, closer);
        pthread_sigmask(SIG_SETMASK, &old, NULL);
        (void) pthread_attr_destroy(&attributes);
        if (r != 0)
                return -r;
        closer->threads++;
        closer->references++;
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
        pthread_mutex_init(&closer->mutex, NULL);
        pthread_cond_init(&closer->wake, NULL);
        STAILQ_INIT(&closer->queue);
        STAILQ_INIT(&closer->done);
        closer->null_fd = open("/dev/null", O_RDWR | O_CLOEXEC);
        closer->event_fd = closer->null_fd < 0 ? -1 : eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
        if (closer->event_fd < 0) {
                r = -errno;
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
        if (!closer)
                return NULL;
        pthread_mutex_lock(&closer->mutex);
        closer->ends = true;
        pthread_cond_broadcast(&closer->wake);
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

/**
 * closer_submit() - have a descriptor's file closed
 * @closer:     the closer
 * @fd:         the descriptor; must stay open until it comes out of closer_reap()
 * @owner:      handed to the callback
 *
 * Return: 0 or a negative errno; then nothing was done.
 */
int closer_submit(struct closer *closer, int fd, void *owner) {
        struct job *job;
        unsigned queued = 1;
        int r = 0;

        job = calloc(1, sizeof *job);
        if (!job)
                return -ENOMEM;
        job->fd = fd;
        job->owner = owner;

        pthread_mutex_lock(&closer->mutex);
        for (const struct job *j = STAILQ_FIRST(&closer->queue); j && queued <= closer->idle;
             j = STAILQ_NEXT(j, link))
                queued++;
        if (queued > closer->idle && closer->threads < closer->threads_max)
                r = start_thread(closer);
        if (r < 0 && closer->threads == 0)
                free(job);
        else {
                STAILQ_INSERT_TAIL(&closer->queue, job, link);
                pthread_cond_signal(&closer->wake);
                r = 0;
        }
        pthread_mutex_unlock(&closer->mutex);
        return r;
}

/**
 * closer_reap() - learn what has been closed
 * @closer:     the closer
 * @done:       called for each descriptor that is /dev/null now; it is to be closed by its owner
 */
void closer_reap(struct closer *closer, closer_done_t done) {
        struct jobs jobs = STAILQ_HEAD_INITIALIZER(jobs);
        struct job *job;
        eventfd_t count;

        pthread_mutex_lock(&closer->mutex);
        (void) eventfd_read(closer->event_fd, &count);
        STAILQ_CONCAT(&jobs, &closer->done);
        pthread_mutex_unlock(&closer->mutex);

        while ((job = STAILQ_FIRST(&jobs))) {
                STAILQ_REMOVE_HEAD(&jobs, link);
                done(job->fd, job->owner);
                free(job);
        }
}
