/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <poll.h>
#include <stdbool.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "closer.h"
#include "support.h"

/* How long what must happen may take, and what must not happen is waited for, in ms. */
#define SOON_MS 10000
#define A_WHILE_MS 200

/* Which descriptors have been closed, and with which owner. */
struct done {
        int fds[256];
        void *owners[256];
        size_t n;
};

static struct done done;

static void on_done(int fd, void *owner) {
        done.fds[done.n] = fd;
        done.owners[done.n++] = owner;
}

static bool wait_for(const struct closer *closer, int timeout_ms) {
        struct pollfd p = { .fd = closer_fd(closer), .events = POLLIN };

        return poll(&p, 1, timeout_ms) > 0;
}

static void reap_until(struct closer *closer, size_t n) {
        while (done.n < n) {
                g_assert_true(wait_for(closer, SOON_MS));
                closer_reap(closer, on_done);
        }
        g_assert_cmpuint(done.n, ==, n);
}

static bool is_null(int fd) {
        struct stat st;

        return fstat(fd, &st) == 0 && S_ISCHR(st.st_mode) && st.st_rdev == makedev(1, 3);
}

static struct closer *new_closer(unsigned threads_max) {
        struct closer *closer;

        memset(&done, 0, sizeof done);
        g_assert_cmpint(closer_new(threads_max, &closer), ==, 0);
        return closer;
}

static void test_one(void) {
        struct closer *closer = new_closer(1);
        int ends[2], owner;
        char byte;

        g_assert_false(wait_for(closer, 0));
        g_assert_no_errno(pipe2(ends, O_CLOEXEC));
        g_assert_cmpint(closer_submit(closer, ends[1], &owner), ==, 0);
        reap_until(closer, 1);
        g_assert_cmpint(done.fds[0], ==, ends[1]);
        g_assert_true(done.owners[0] == &owner);

        /* The number is taken by /dev/null, the file is gone, and nothing more is to come. */
        g_assert_true(is_null(ends[1]));
        g_assert_cmpint(fcntl(ends[1], F_GETFD), ==, FD_CLOEXEC);
        g_assert_cmpint(read(ends[0], &byte, 1), ==, 0);
        g_assert_false(wait_for(closer, 0));
        closer_reap(closer, on_done);
        g_assert_cmpuint(done.n, ==, 1);

        (void) close(ends[0]);
        (void) close(ends[1]);
        g_assert_null(closer_free(closer));
        g_assert_null(closer_free(NULL));
}

static void test_many(void) {
        struct closer *closer = new_closer(3);
        int fds[G_N_ELEMENTS(done.fds)];

        for (size_t i = 0; i < G_N_ELEMENTS(fds); i++) {
                fds[i] = open("/proc/self/status", O_RDONLY | O_CLOEXEC);
                g_assert_no_errno(fds[i]);
                g_assert_cmpint(closer_submit(closer, fds[i], &fds[i]), ==, 0);
        }
        reap_until(closer, G_N_ELEMENTS(fds));
        for (size_t i = 0; i < G_N_ELEMENTS(fds); i++) {
                g_assert_cmpint(*(int *) done.owners[i], ==, done.fds[i]);
                g_assert_true(is_null(fds[i]));
                g_assert_no_errno(close(fds[i]));
        }
        closer_free(closer);
}

static void test_stuck_holds_up_nobody(void) {
        struct closer *closer = new_closer(2);
        int peer, stuck = support_lingering_socket(&peer), fds[8];

        g_assert_cmpint(closer_submit(closer, stuck, &stuck), ==, 0);
        g_assert_false(wait_for(closer, A_WHILE_MS));
        for (size_t i = 0; i < G_N_ELEMENTS(fds); i++) {
                fds[i] = open("/dev/zero", O_RDONLY | O_CLOEXEC);
                g_assert_cmpint(closer_submit(closer, fds[i], &fds[i]), ==, 0);
        }
        reap_until(closer, G_N_ELEMENTS(fds));
        g_assert_false(wait_for(closer, 0));

        /* The number does not wait for the file: whoever closes it now waits for nobody. */
        g_assert_true(is_null(stuck));

        support_let_go(peer);
        reap_until(closer, G_N_ELEMENTS(fds) + 1);
        g_assert_true(done.owners[G_N_ELEMENTS(fds)] == &stuck);
        for (size_t i = 0; i < G_N_ELEMENTS(fds); i++)
                (void) close(fds[i]);
        (void) close(stuck);
        closer_free(closer);
}

/* As many stuck as there are threads: what comes after waits, open, and is served when one comes back. */
static void test_all_stuck(void) {
        struct closer *closer = new_closer(2);
        int peers[2], stuck[2], last;

        for (size_t i = 0; i < 2; i++) {
                stuck[i] = support_lingering_socket(&peers[i]);
                g_assert_cmpint(closer_submit(closer, stuck[i], NULL), ==, 0);
        }
        last = open("/dev/zero", O_RDONLY | O_CLOEXEC);
        g_assert_cmpint(closer_submit(closer, last, NULL), ==, 0);
        g_assert_false(wait_for(closer, A_WHILE_MS));
        g_assert_false(is_null(last));

        support_let_go(peers[1]);
        reap_until(closer, 2);
        g_assert_true(is_null(last));
        support_let_go(peers[0]);
        reap_until(closer, 3);
        for (size_t i = 0; i < 2; i++)
                (void) close(stuck[i]);
        (void) close(last);
        closer_free(closer);
}

/* Freed with one stuck and one queued: does not wait, and what is queued stays open. */
static void test_free_while_stuck(void) {
        struct closer *closer = new_closer(1);
        int peer, stuck = support_lingering_socket(&peer), queued = open("/dev/zero", O_RDONLY | O_CLOEXEC);
        gint64 begin;

        g_assert_cmpint(closer_submit(closer, stuck, NULL), ==, 0);
        while (!is_null(stuck))
                g_usleep(1000);
        g_assert_cmpint(closer_submit(closer, queued, NULL), ==, 0);
        begin = g_get_monotonic_time();
        closer_free(closer);
        g_assert_cmpint(g_get_monotonic_time() - begin, <, 1000 * 1000);
        support_let_go(peer);
        g_usleep(A_WHILE_MS * 1000);
        g_assert_false(is_null(queued));
        (void) close(queued);
        (void) close(stuck);
}

static size_t count_threads(void) {
        g_autoptr(GDir) tasks = g_dir_open("/proc/self/task", 0, NULL);
        size_t n = 0;

        g_assert_nonnull(tasks);
        while (g_dir_read_name(tasks))
                n++;
        return n;
}

/* Threads wait for work; one after the other needs no second one. */
static void test_threads_are_used_again(void) {
        struct closer *closer = new_closer(64);

        for (size_t i = 0; i < 50; i++) {
                int fd = open("/dev/zero", O_RDONLY | O_CLOEXEC);

                g_assert_cmpint(closer_submit(closer, fd, NULL), ==, 0);
                reap_until(closer, i + 1);
                (void) close(fd);
                g_usleep(1000);
        }
        g_assert_cmpuint(count_threads(), <, 25);
        closer_free(closer);
}

static void await_threads(size_t n) {
        for (int ms = 0; ms < SOON_MS && count_threads() > n; ms += 10)
                g_usleep(10 * 1000);
        g_assert_cmpuint(count_threads(), ==, n);
}

/* Those that an attack made necessary leave when it is over, and what comes then is served all the same. */
static void test_threads_leave(void) {
        struct closer *closer = new_closer(8);
        int peers[6], stuck[6], fd;

        /* The other tests' have gone, too. */
        await_threads(1);
        for (size_t i = 0; i < G_N_ELEMENTS(stuck); i++) {
                stuck[i] = support_lingering_socket(&peers[i]);
                g_assert_cmpint(closer_submit(closer, stuck[i], NULL), ==, 0);
        }
        g_assert_cmpuint(count_threads(), ==, 1 + G_N_ELEMENTS(stuck));
        for (size_t i = 0; i < G_N_ELEMENTS(stuck); i++)
                support_let_go(peers[i]);
        reap_until(closer, G_N_ELEMENTS(stuck));
        await_threads(1);

        for (size_t i = 0; i < G_N_ELEMENTS(stuck); i++)
                (void) close(stuck[i]);
        fd = open("/dev/zero", O_RDONLY | O_CLOEXEC);
        g_assert_cmpint(closer_submit(closer, fd, NULL), ==, 0);
        reap_until(closer, G_N_ELEMENTS(stuck) + 1);
        (void) close(fd);
        closer_free(closer);
}

static void test_no_descriptor_left(void) {
        struct rlimit limit, low;
        struct closer *closer = NULL;

        g_assert_no_errno(getrlimit(RLIMIT_NOFILE, &limit));
        low = limit;
        low.rlim_cur = 3;
        g_assert_no_errno(setrlimit(RLIMIT_NOFILE, &low));
        g_assert_cmpint(closer_new(1, &closer), ==, -EMFILE);
        g_assert_no_errno(setrlimit(RLIMIT_NOFILE, &limit));
        g_assert_null(closer);
}

int main(int argc, char *argv[]) {
        g_test_init(&argc, &argv, NULL);
        g_test_add_func("/closer/one", test_one);
        g_test_add_func("/closer/many", test_many);
        g_test_add_func("/closer/stuck-holds-up-nobody", test_stuck_holds_up_nobody);
        g_test_add_func("/closer/all-stuck", test_all_stuck);
        g_test_add_func("/closer/free-while-stuck", test_free_while_stuck);
        g_test_add_func("/closer/threads-are-used-again", test_threads_are_used_again);
        g_test_add_func("/closer/threads-leave", test_threads_leave);
        g_test_add_func("/closer/no-descriptor-left", test_no_descriptor_left);
        return g_test_run();
}
