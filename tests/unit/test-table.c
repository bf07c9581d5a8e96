/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * How the main thread gets out of a descriptor table, with the closer's threads in it. What is stuck there is a socket that
 * lingers.
 */

#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <poll.h>
#include <stdbool.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "closer.h"
#include "support.h"
#include "table.h"

/* How long what must happen may take, and what must not happen is waited for, in ms. */
#define SOON_MS 20000
#define A_WHILE_MS 200
/* More than fit into one message. */
#define MANY 600

struct fixture {
        struct closer *closer;
        bool was_free[TABLE_FIRST]; /* before closer_reserve() */
        size_t descriptors;
        unsigned here, elsewhere; /* came out, in this table and in one that was left */
        unsigned gone;
        int last;
};

static struct fixture *fixture;
static int unshare_error;

int __real_close_range(unsigned first, unsigned last, int flags);
int __wrap_close_range(unsigned first, unsigned last, int flags);

int __wrap_close_range(unsigned first, unsigned last, int flags) {
        if (unshare_error != 0 && flags != 0) {
                errno = unshare_error;
                return -1;
        }
        return __real_close_range(first, last, flags);
}

static bool is_open(int fd) {
        return fcntl(fd, F_GETFD) >= 0;
}

static bool is_null(int fd) {
        struct stat st;

        return fstat(fd, &st) == 0 && S_ISCHR(st.st_mode) && st.st_rdev == makedev(1, 3);
}

static void set_up(struct fixture *f, gconstpointer data) {
        (void) data;
        fixture = f;
        f->descriptors = support_count_descriptors();
        for (int fd = 0; fd < TABLE_FIRST; fd++)
                f->was_free[fd] = !is_open(fd);
        g_assert_cmpint(closer_new(2, &f->closer), ==, 0);
        g_assert_cmpint(closer_reserve(f->closer), ==, 0);
        for (int fd = 0; fd < TABLE_FIRST; fd++)
                g_assert_true(is_open(fd));
}

static void await_threads(size_t n) {
        for (int ms = 0; ms < SOON_MS && support_count_threads() > n; ms += 10)
                g_usleep(10 * 1000);
        g_assert_cmpuint(support_count_threads(), ==, n);
}

static void tear_down(struct fixture *f, gconstpointer data) {
        (void) data;
        closer_free(f->closer);
        await_threads(1);
        for (int fd = 0; fd < TABLE_FIRST; fd++)
                if (f->was_free[fd])
                        (void) close(fd);
        g_assert_cmpuint(support_count_descriptors(), ==, f->descriptors);
}

static void on_done(int fd, void *owner) {
        (void) owner;
        if (fd < 0) {
                fixture->elsewhere++;
                return;
        }
        fixture->here++;
        g_assert_true(is_null(fd));
        g_assert_no_errno(close(fd));
}

static void on_gone(void *owner) {
        g_assert_true(owner == fixture);
        fixture->gone++;
}

/* Until so many in all have come out. */
static void reap(struct fixture *f, unsigned here, unsigned elsewhere, unsigned gone) {
        struct pollfd p = { .fd = closer_fd(f->closer), .events = POLLIN };

        while (f->here < here || f->elsewhere < elsewhere || f->gone < gone) {
                g_assert_cmpint(poll(&p, 1, SOON_MS), ==, 1);
                closer_reap(f->closer, on_done);
        }
        g_assert_cmpuint(f->here, ==, here);
        g_assert_cmpuint(f->elsewhere, ==, elsewhere);
        g_assert_cmpuint(f->gone, ==, gone);
}

static void nothing_comes(struct fixture *f) {
        struct pollfd p = { .fd = closer_fd(f->closer), .events = POLLIN };

        g_assert_cmpint(poll(&p, 1, A_WHILE_MS), ==, 0);
}

static int leave(struct fixture *f, int *left, size_t n_left, int *lent, size_t n_lent) {
        return closer_leave(f->closer, left, n_left, lent, n_lent, on_gone, f);
}

static void get_stuck(struct fixture *f, int fd) {
        g_assert_cmpint(closer_submit(f->closer, fd, f), ==, 0);
        for (int ms = 0; ms < SOON_MS && !is_null(fd); ms++)
                g_usleep(1000);
        g_assert_true(is_null(fd));
}

static bool hangs_up(int fd, int timeout_ms) {
        struct pollfd p = { .fd = fd };

        return poll(&p, 1, timeout_ms) == 1 && (p.revents & POLLHUP);
}

static void make_pipe(int ends[2]) {
        g_assert_no_errno(pipe2(ends, O_CLOEXEC));
        g_assert_cmpint(ends[0], >=, TABLE_FIRST);
}

/* One is stuck, one waits that would be, and a pipe waits behind it. */
static void test_left_behind(struct fixture *f, gconstpointer data) {
        int peers[2], stuck = support_lingering_socket(&peers[0]),
                      parked = support_lingering_socket(&peers[1]);
        int ends[2], own[2];

        (void) data;
        make_pipe(ends);
        make_pipe(own);
        get_stuck(f, stuck);
        g_assert_cmpint(leave(f, (int[]){ ends[1], parked, stuck }, 3, NULL, 0), ==, 0);

        /* Gone from here without having been closed. */
        g_assert_false(is_open(stuck));
        g_assert_false(is_open(parked));
        g_assert_false(is_open(ends[1]));
        g_assert_false(hangs_up(ends[0], A_WHILE_MS));
        nothing_comes(f);

        /* What is ours is closed when we close it. */
        g_assert_no_errno(close(own[1]));
        g_assert_true(hangs_up(own[0], SOON_MS));

        support_let_go(peers[0]);
        reap(f, 0, 1, 0);
        nothing_comes(f);
        support_let_go(peers[1]);
        reap(f, 0, 1, 1);
        g_assert_true(hangs_up(ends[0], 0));
        (void) close(ends[0]);
        (void) close(own[0]);
}

static void test_taken_along(struct fixture *f, gconstpointer data) {
        int peer, stuck = support_lingering_socket(&peer), lent = support_open("/proc/self/status"), events;
        int own[2], sockets[2];
        struct epoll_event event = { .events = EPOLLIN, .data.u32 = 5 };
        struct stat before, after;
        char byte;

        (void) data;
        make_pipe(own);
        g_assert_no_errno(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sockets));
        events = epoll_create1(EPOLL_CLOEXEC);
        g_assert_no_errno(epoll_ctl(events, EPOLL_CTL_ADD, own[0], &event));
        g_assert_cmpint(read(lent, &byte, 1), ==, 1);
        g_assert_no_errno(fstat(lent, &before));
        get_stuck(f, stuck);
        g_assert_cmpint(leave(f, &stuck, 1, (int[]){ sockets[0], lent }, 2), ==, 0);

        /* The same file, at the same place. */
        g_assert_no_errno(fstat(lent, &after));
        g_assert_cmpuint(after.st_ino, ==, before.st_ino);
        g_assert_cmpint(lseek(lent, 0, SEEK_CUR), ==, 1);
        g_assert_cmpint(fcntl(lent, F_GETFD), ==, FD_CLOEXEC);
        g_assert_true(is_null(sockets[0]));

        /* Who waits for events does not notice. */
        event.data.u32 = 0;
        g_assert_cmpint(write(own[1], "x", 1), ==, 1);
        g_assert_cmpint(epoll_wait(events, &event, 1, SOON_MS), ==, 1);
        g_assert_cmpuint(event.data.u32, ==, 5);
        g_assert_no_errno(epoll_ctl(events, EPOLL_CTL_DEL, own[0], NULL));

        /* Nothing else has come along, and nothing is missing: the lowest number that is free is the stuck one's. */
        g_assert_cmpint(fcntl(lent, F_DUPFD_CLOEXEC, 0), ==, stuck);
        (void) close(stuck);

        support_let_go(peer);
        reap(f, 0, 1, 1);
        for (size_t i = 0; i < 2; i++) {
                (void) close(own[i]);
                (void) close(sockets[i]);
        }
        (void) close(events);
        (void) close(lent);
}

/* With gaps, and by more than one message. */
static void test_many(struct fixture *f, gconstpointer data) {
        int ends[MANY][2], left[MANY];
        struct rlimit limit;
        size_t open_before;

        (void) data;
        g_assert_no_errno(getrlimit(RLIMIT_NOFILE, &limit));
        limit.rlim_cur = limit.rlim_max;
        g_assert_no_errno(setrlimit(RLIMIT_NOFILE, &limit));
        for (size_t i = 0; i < MANY; i++) {
                make_pipe(ends[i]);
                left[i] = ends[i][1];
        }
        open_before = support_count_descriptors();
        g_assert_cmpint(leave(f, left, MANY, NULL, 0), ==, 0);
        g_assert_cmpuint(support_count_descriptors(), ==, open_before - MANY);
        /* The last thread in the old table, none of which is stuck, has closed the other ends. */
        reap(f, 0, 0, 1);
        for (size_t i = 0; i < MANY; i++) {
                g_assert_true(hangs_up(ends[i][0], 0));
                g_assert_no_errno(close(ends[i][0]));
        }
}

/* What is queued when the table is left is closed by those who stay, and what comes later in the new table. */
static void test_queue(struct fixture *f, gconstpointer data) {
        int peers[3], left[3], ends[2], later[2];

        (void) data;
        for (size_t i = 0; i < 2; i++) {
                left[i] = support_lingering_socket(&peers[i]);
                get_stuck(f, left[i]);
        }
        make_pipe(ends);
        left[2] = ends[1];
        g_assert_cmpint(closer_submit(f->closer, ends[1], f), ==, 0);
        nothing_comes(f);
        g_assert_cmpint(leave(f, left, 3, NULL, 0), ==, 0);
        reap(f, 0, 1, 0);
        g_assert_true(hangs_up(ends[0], 0));

        make_pipe(later);
        g_assert_cmpint(closer_submit(f->closer, later[1], f), ==, 0);
        reap(f, 1, 1, 0);
        g_assert_true(hangs_up(later[0], 0));

        /* Once more, while the first table is there still. */
        left[0] = support_lingering_socket(&peers[2]);
        get_stuck(f, left[0]);
        g_assert_cmpint(leave(f, left, 1, NULL, 0), ==, 0);
        support_let_go(peers[2]);
        reap(f, 1, 2, 1);
        support_let_go(peers[0]);
        reap(f, 1, 3, 1);
        support_let_go(peers[1]);
        reap(f, 1, 4, 2);
        (void) close(ends[0]);
        (void) close(later[0]);
}

/* A stranger's may have come in below, where one of ours was: it comes along and is closed here as well. */
static void test_low_number(struct fixture *f, gconstpointer data) {
        int ends[2], low = TABLE_FIRST - 1;

        (void) data;
        make_pipe(ends);
        g_assert_cmpint(dup3(ends[1], low, O_CLOEXEC), ==, low);
        (void) close(ends[1]);
        g_assert_cmpint(leave(f, &low, 1, NULL, 0), ==, 0);
        reap(f, 0, 0, 1);
        for (int ms = 0; ms < SOON_MS && is_open(low); ms++) {
                closer_reap(f->closer, on_done);
                g_usleep(1000);
        }
        g_assert_false(is_open(low));
        g_assert_true(hangs_up(ends[0], SOON_MS));
        reap(f, 0, 0, 1);
        (void) close(ends[0]);
}

/* Where it does not work, nothing has changed, and it can be tried again. */
static void test_failure(struct fixture *f, gconstpointer data) {
        int peer, stuck = support_lingering_socket(&peer), ends[2];

        (void) data;
        make_pipe(ends);
        get_stuck(f, stuck);
        unshare_error = ENOMEM;
        g_assert_cmpint(leave(f, (int[]){ stuck, ends[1] }, 2, NULL, 0), ==, -ENOMEM);
        unshare_error = 0;
        g_assert_true(is_open(stuck));
        g_assert_true(is_open(ends[1]));
        g_assert_false(hangs_up(ends[0], A_WHILE_MS));

        g_assert_cmpint(leave(f, (int[]){ stuck, ends[1] }, 2, NULL, 0), ==, 0);
        g_assert_false(is_open(ends[1]));
        support_let_go(peer);
        reap(f, 0, 1, 1);
        g_assert_true(hangs_up(ends[0], 0));
        (void) close(ends[0]);
}

/* Without a number that is low enough there is nothing to rest on. */
static void test_too_high(void) {
        struct closer *closer;
        int fds[TABLE_FIRST];

        g_assert_cmpint(closer_new(1, &closer), ==, 0);
        for (size_t i = 0; i < TABLE_FIRST; i++)
                g_assert_no_errno(fds[i] = open("/dev/zero", O_RDONLY | O_CLOEXEC));
        g_assert_cmpint(closer_reserve(closer), ==, -EMFILE);
        for (size_t i = 0; i < TABLE_FIRST; i++)
                (void) close(fds[i]);
        closer_free(closer);
}

int main(int argc, char *argv[]) {
        g_test_init(&argc, &argv, NULL);
        g_test_add("/table/left-behind", struct fixture, NULL, set_up, test_left_behind, tear_down);
        g_test_add("/table/taken-along", struct fixture, NULL, set_up, test_taken_along, tear_down);
        g_test_add("/table/many", struct fixture, NULL, set_up, test_many, tear_down);
        g_test_add("/table/queue", struct fixture, NULL, set_up, test_queue, tear_down);
        g_test_add("/table/low-number", struct fixture, NULL, set_up, test_low_number, tear_down);
        g_test_add("/table/failure", struct fixture, NULL, set_up, test_failure, tear_down);
        g_test_add_func("/table/too-high", test_too_high);
        return g_test_run();
}
