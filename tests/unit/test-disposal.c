/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * What is counted against whom while strangers' descriptors cannot be closed, and that they do not fill the table. What
 * cannot be closed is a socket that lingers.
 */

#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <poll.h>
#include <stdbool.h>
#include <sys/resource.h>
#include <systemd/sd-event.h>
#include <unistd.h>

#include "disposal.h"
#include "support.h"

/* In µs: how long what must happen may take. */
#define SOON (20 * G_USEC_PER_SEC)
#define A_WHILE (G_USEC_PER_SEC / 5)
/* As disposal.c has them. */
#define THREADS_PER_USER 8
#define TABLE_MAX 1024

struct fixture {
        sd_event *event;
        struct users users;
        struct user *alice, *bob;
        struct disposal *disposal;
        size_t descriptors; /* at rest */
        int peers[16];
        size_t n_peers;
        int lent;
};

static size_t lent(int *fds, void *userdata) {
        const struct fixture *f = userdata;

        if (f->lent < 0)
                return 0;
        if (fds)
                fds[0] = f->lent;
        return 1;
}

static void set_up(struct fixture *f, gconstpointer data) {
        struct rlimit limit;

        (void) data;
        g_assert_no_errno(getrlimit(RLIMIT_NOFILE, &limit));
        limit.rlim_cur = limit.rlim_max;
        g_assert_no_errno(setrlimit(RLIMIT_NOFILE, &limit));
        f->lent = -1;
        LIST_INIT(&f->users.list);
        g_assert_cmpint(user_get(&f->users, 1000, &f->alice), ==, 0);
        g_assert_cmpint(user_get(&f->users, 1001, &f->bob), ==, 0);
        g_assert_cmpint(sd_event_new(&f->event), >=, 0);
        g_assert_cmpint(disposal_new(f->event, &f->users, lent, f, &f->disposal), ==, 0);
        f->descriptors = support_count_descriptors();
}

static void tear_down(struct fixture *f, gconstpointer data) {
        (void) data;
        g_assert_true(disposal_is_empty(f->disposal));
        g_assert_cmpuint(support_count_descriptors(), ==, f->descriptors);
        g_assert_null(disposal_free(f->disposal));
        sd_event_unref(f->event);
        g_assert_cmpuint(f->alice->references, ==, 1);
        g_assert_cmpuint(f->bob->references, ==, 1);
        user_unref(f->alice);
        user_unref(f->bob);
        g_assert_true(LIST_EMPTY(&f->users.list));
        /* What was reserved. */
        for (int fd = STDERR_FILENO + 1; fd < 64; fd++)
                (void) close(fd);
}

static void add(struct fixture *f, struct user *user, int fd) {
        struct bundle *bundle = bundle_new(1);

        g_assert_nonnull(bundle);
        bundle->fds[0] = fd;
        disposal_add(f->disposal, bundle, user);
}

static void add_stuck(struct fixture *f, struct user *user) {
        add(f, user, support_lingering_socket(&f->peers[f->n_peers++]));
}

static void turn(struct fixture *f) {
        g_assert_cmpint(sd_event_run(f->event, 10 * 1000), >=, 0);
}

static void run_for(struct fixture *f, gint64 usec) {
        for (gint64 end = g_get_monotonic_time() + usec; g_get_monotonic_time() < end;)
                turn(f);
}

static void run_until_empty(struct fixture *f) {
        for (gint64 end = g_get_monotonic_time() + SOON;
             !disposal_is_empty(f->disposal) && g_get_monotonic_time() < end;)
                turn(f);
        g_assert_true(disposal_is_empty(f->disposal));
}

/* Who is in nobody's way is served. */
static void run_until_served(struct fixture *f, const struct user *user) {
        for (gint64 end = g_get_monotonic_time() + SOON;
             user->closing + user->parked > 0 && g_get_monotonic_time() < end;)
                turn(f);
        g_assert_cmpuint(user->closing, ==, 0);
        g_assert_cmpuint(user->parked, ==, 0);
}

static void let_go(struct fixture *f) {
        while (f->n_peers > 0)
                support_let_go(f->peers[--f->n_peers]);
}

static int open_null(void) {
        int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);

        g_assert_no_errno(fd);
        return fd;
}

static bool hangs_up(int fd) {
        struct pollfd p = { .fd = fd };

        return poll(&p, 1, 0) == 1 && (p.revents & POLLHUP);
}

static void test_share(struct fixture *f, gconstpointer data) {
        (void) data;
        for (size_t i = 0; i < THREADS_PER_USER; i++)
                add_stuck(f, f->alice);
        for (size_t i = 0; i < 20; i++)
                add(f, f->alice, open_null());
        add(f, f->bob, open_null());
        g_assert_cmpuint(f->bob->closing, ==, 1);
        run_until_served(f, f->bob);
        run_for(f, A_WHILE);
        g_assert_cmpuint(f->alice->closing, ==, THREADS_PER_USER);
        g_assert_cmpuint(f->alice->parked, ==, 20);
        g_assert_false(disposal_is_empty(f->disposal));

        let_go(f);
        run_until_empty(f);
        g_assert_cmpuint(f->alice->closing, ==, 0);
        g_assert_cmpuint(f->alice->parked, ==, 0);
}

/* Many tables full: none holds more than it may, what was left counts, and all of it comes back. */
static void test_flood(struct fixture *f, gconstpointer data) {
        enum { FLOOD = 6000 };
        int ends[2];

        (void) data;
        for (size_t i = 0; i < THREADS_PER_USER; i++)
                add_stuck(f, f->alice);
        g_assert_no_errno(pipe2(ends, O_CLOEXEC));
        add(f, f->alice, ends[1]);
        for (unsigned i = 0; i < FLOOD; i++) {
                /* One for whoever closes the second table. */
                if (i == FLOOD / 4)
                        add_stuck(f, f->alice);
                else
                        add(f, f->alice, open_null());
                g_assert_cmpuint(f->alice->parked, ==, i + 2);
        }
        /* 1024 and 2048 have been left, and not half of what would be the third. */
        g_assert_cmpuint(support_count_descriptors(), <,
                         f->descriptors + THREADS_PER_USER + FLOOD - 3 * TABLE_MAX + 50);
        add(f, f->bob, open_null());
        run_until_served(f, f->bob);
        run_for(f, A_WHILE);
        g_assert_cmpuint(f->alice->closing, ==, THREADS_PER_USER);
        g_assert_cmpuint(f->alice->parked, ==, FLOOD + 1);
        g_assert_false(hangs_up(ends[0]));

        let_go(f);
        run_until_empty(f);
        g_assert_true(hangs_up(ends[0]));
        g_assert_cmpuint(f->alice->closing, ==, 0);
        g_assert_cmpuint(f->alice->parked, ==, 0);
        (void) close(ends[0]);
}

/* A thread that is stuck soon has a table of its own; in this one is nothing of its left. */
static void test_stuck(struct fixture *f, gconstpointer data) {
        (void) data;
        f->lent = support_open("/proc/self/status");
        add(f, f->bob, open_null());
        add_stuck(f, f->alice);
        g_assert_cmpuint(f->alice->stuck, ==, 0);
        for (gint64 end = g_get_monotonic_time() + SOON; g_get_monotonic_time() < end;) {
                turn(f);
                /* But for the peer's and what is lent. */
                if (support_count_descriptors() == f->descriptors + 2)
                        break;
        }
        g_assert_cmpuint(support_count_descriptors(), ==, f->descriptors + 2);
        g_assert_cmpuint(f->alice->closing, ==, 1);
        g_assert_cmpuint(f->alice->parked, ==, 0);
        g_assert_cmpuint(f->alice->stuck, ==, 1);
        g_assert_cmpuint(f->bob->stuck, ==, 0);
        g_assert_no_errno(fcntl(f->lent, F_GETFD));

        /* Another one that is closed at once does not make that one forgotten. */
        add(f, f->alice, open_null());
        for (gint64 end = g_get_monotonic_time() + SOON;
             f->alice->closing > 1 && g_get_monotonic_time() < end;)
                turn(f);
        g_assert_cmpuint(f->alice->closing, ==, 1);
        g_assert_cmpuint(f->alice->stuck, ==, 1);

        let_go(f);
        run_until_empty(f);
        g_assert_cmpuint(f->alice->closing, ==, 0);
        g_assert_cmpuint(f->alice->stuck, ==, 0);
        (void) close(f->lent);
}

/* As many users as there are threads for: who comes after them waits, and is served when one comes back. */
static void test_in_all(struct fixture *f, gconstpointer data) {
        struct user *users[8];
        int peers[8][THREADS_PER_USER];

        (void) data;
        for (size_t u = 0; u < G_N_ELEMENTS(users); u++) {
                g_assert_cmpint(user_get(&f->users, 2000 + (uid_t) u, &users[u]), ==, 0);
                for (size_t i = 0; i < THREADS_PER_USER; i++)
                        add(f, users[u], support_lingering_socket(&peers[u][i]));
        }
        add(f, f->bob, open_null());
        run_for(f, A_WHILE);
        g_assert_cmpuint(f->bob->closing, ==, 0);
        g_assert_cmpuint(f->bob->parked, ==, 1);
        support_let_go(peers[0][0]);
        run_until_served(f, f->bob);

        for (size_t u = 0; u < G_N_ELEMENTS(users); u++)
                for (size_t i = 0; i < THREADS_PER_USER; i++)
                        if (u > 0 || i > 0)
                                support_let_go(peers[u][i]);
        run_until_empty(f);
        for (size_t u = 0; u < G_N_ELEMENTS(users); u++)
                user_unref(users[u]);
}

int main(int argc, char *argv[]) {
        g_test_init(&argc, &argv, NULL);
        g_test_add("/disposal/share", struct fixture, NULL, set_up, test_share, tear_down);
        g_test_add("/disposal/flood", struct fixture, NULL, set_up, test_flood, tear_down);
        g_test_add("/disposal/stuck", struct fixture, NULL, set_up, test_stuck, tear_down);
        g_test_add("/disposal/in-all", struct fixture, NULL, set_up, test_in_all, tear_down);
        return g_test_run();
}
