/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What a broker that was taken over can do to the loader, and who else may not be served. */

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "loader-fixture.h"

/* As on the wire: version, kind, flags, length. */
static const uint32_t load_head[] = { 1, REQUEST_LOAD, 0, 0 };

/* As in loader.c. */
#define CONNECTIONS_MAX 256
#define CLOSER_THREADS_MAX 8
#define CLOSING_MAX 512
/* What ends a connection makes two like this many to close, and with what is stuck that is the most. */
#define HALF ((CLOSING_MAX - CLOSER_THREADS_MAX) / 2)

/* --- who is served --- */

static int connect_as(const struct fixture *f, uid_t uid) {
        int connection;

        g_assert_no_errno(seteuid(uid));
        connection = connect_loader(f);
        g_assert_no_errno(seteuid(0));
        return connection;
}

static void test_another_user(struct fixture *f, gconstpointer data) {
        int connection = connect_as(f, SOMEBODY);

        (void) data;
        g_assert_cmpint(send_load_with(f, connection, MODULE, "", 0), ==, 0);
        expect_end(f, connection);
        g_assert_cmpint(seen->begun, ==, 0);
        g_assert_true(loader_is_idle(f->loader));
        load_and_expect(f, MODULE, OUTCOME_DONE);
}

static void test_root_is_another_user(struct fixture *f, gconstpointer data) {
        int connection;

        (void) data;
        fixture_restart(f, SOMEBODY);
        expect_end(f, connect_loader(f));
        connection = connect_as(f, SOMEBODY);
        send_load(f, connection, MODULE);
        expect(f, connection, OUTCOME_DONE);
        (void) close(connection);
}

/* Who cannot be told who it is gets nothing. */
static void test_unknown_user(struct fixture *f, gconstpointer data) {
        int connection = connect_loader(f);

        (void) data;
        kernel.fails = "getsockopt";
        kernel.error = ENOBUFS;
        expect_end(f, connection);
        load_and_expect(f, MODULE, OUTCOME_DONE);
}

/* --- many at once --- */

static void test_many_connections(struct fixture *f, gconstpointer data) {
        int connections[CONNECTIONS_MAX + 44];
        size_t n = G_N_ELEMENTS(connections);

        (void) data;
        for (size_t i = 0; i < n; i++) {
                connections[i] = connect_loader(f);
                send_unload(connections[i], "foo", 0);
        }
        kernel_close_gate();
        turn_until_quiet(f);
        /* Those beyond wait in the backlog; the one that is served has a pipe besides. */
        g_assert_cmpuint(support_count_descriptors(), ==, f->descriptors + 2 + n + CONNECTIONS_MAX + 1);
        kernel_open_gate();

        for (size_t i = 0; i < n; i++) {
                g_assert_cmpint(receive(f, connections[i]), ==, 0);
                g_assert_true(answer.outcome == OUTCOME_DONE || answer.outcome == OUTCOME_BUSY);
                (void) close(connections[i]);
        }
        settle(f);
        load_and_expect(f, MODULE, OUTCOME_DONE);
}

/* Each with a call of its own in flight. */
static void test_many_calls(struct fixture *f, gconstpointer data) {
        int connections[40];

        (void) data;
        kernel_close_gate();
        for (size_t i = 0; i < G_N_ELEMENTS(connections); i++) {
                g_autofree char *name = g_strdup_printf("foo%zu", i);

                connections[i] = connect_loader(f);
                send_unload(connections[i], name, 0);
                expect_silence(f, connections[i]);
        }
        kernel_wait_begun(G_N_ELEMENTS(connections));
        kernel_open_gate();
        for (size_t i = 0; i < G_N_ELEMENTS(connections); i++) {
                expect(f, connections[i], OUTCOME_DONE);
                (void) close(connections[i]);
        }
        settle(f);
        g_assert_cmpint(seen->ended, ==, G_N_ELEMENTS(connections));
}

/* --- messages --- */

static void expect_end_of(const struct fixture *f, const void *bytes, size_t n, size_t n_fds) {
        g_autofree char *path = fixture_path(f, MODULE);
        int connection = connect_loader(f), fds[PROTOCOL_FDS_MAX] = { 0 };

        for (size_t i = 0; i < n_fds; i++)
                fds[i] = support_open(path);
        support_send(connection, bytes, n, fds, n_fds);
        for (size_t i = 0; i < n_fds; i++)
                (void) close(fds[i]);
        expect_end(f, connection);
        settle(f);
}

static void test_malformed(struct fixture *f, gconstpointer data) {
        static const uint32_t longer[] = { 1, REQUEST_LOAD, 0, 8 };
        static const uint32_t version[] = { 2, REQUEST_LOAD, 0, 0 };
        static const uint32_t no_version[] = { 0, REQUEST_LOAD, 0, 0 };
        static const uint32_t kind[] = { 1, 0, 0, 0 };
        static const uint32_t other_kind[] = { 1, REQUEST_UNLOAD + 1, 0, 0 };
        static const uint32_t nul[] = { 1, REQUEST_LOAD, 0, 4, 0 };
        static uint32_t oversized[4 + PROTOCOL_PARAMETERS_MAX / 4 + 1];
        static uint32_t huge[50000];
        static const struct {
                const void *bytes;
                size_t n, n_fds;
        } messages[] = {
                { longer, sizeof longer, 1 },
                { version, sizeof version, 1 },
                { no_version, sizeof no_version, 1 },
                { kind, sizeof kind, 0 },
                { kind, sizeof kind, 1 },
                { other_kind, sizeof other_kind, 0 },
                { other_kind, sizeof other_kind, 1 },
                { nul, sizeof nul, 1 },
                { oversized, sizeof oversized, 1 },
                { huge, sizeof huge, 1 },
                { "", 0, 1 },
                { "", 0, 0 },
        };

        (void) data;
        memset(oversized, 'x', sizeof oversized);
        memcpy(oversized, load_head, sizeof load_head);
        oversized[3] = sizeof oversized - sizeof load_head;
        memset(huge, 'x', sizeof huge);
        memcpy(huge, load_head, sizeof load_head);
        for (size_t i = 0; i < G_N_ELEMENTS(messages); i++)
                expect_end_of(f, messages[i].bytes, messages[i].n, messages[i].n_fds);
        g_assert_cmpint(seen->begun, ==, 0);
        load_and_expect(f, MODULE, OUTCOME_DONE);
}

/* Cut at every byte, with and without the descriptor. */
static void test_half_messages(struct fixture *f, gconstpointer data) {
        static const uint32_t load[] = { 1, REQUEST_LOAD, 0, 4, 0x20202020 };
        static const uint32_t unload[] = { 1, REQUEST_UNLOAD, 0, 4, 0x6f6f6f6f };

        (void) data;
        for (size_t n = 0; n < sizeof load; n++) {
                expect_end_of(f, load, n, 1);
                expect_end_of(f, unload, n, 0);
        }
        g_assert_cmpint(seen->begun, ==, 0);
}

static void test_number_of_descriptors(struct fixture *f, gconstpointer data) {
        static const uint32_t unload[] = { 1, REQUEST_UNLOAD, 0, 4, 0x6f6f6f6f };
        static const size_t numbers[] = { 2, 3, 64, PROTOCOL_FDS_MAX };

        (void) data;
        expect_end_of(f, load_head, sizeof load_head, 0);
        expect_end_of(f, unload, sizeof unload, 1);
        for (size_t i = 0; i < G_N_ELEMENTS(numbers); i++) {
                expect_end_of(f, load_head, sizeof load_head, numbers[i]);
                expect_end_of(f, unload, sizeof unload, numbers[i]);
        }
        g_assert_cmpint(seen->begun, ==, 0);
        load_and_expect(f, MODULE, OUTCOME_DONE);
}

static void test_bad_requests(struct fixture *f, gconstpointer data) {
        static const uint32_t flags[] = { KERNEL_COMPRESSED_FILE, 5, 8, 0x80000000u, UINT32_MAX };
        static const uint32_t kernel_flags[] = { KERNEL_IGNORE_MODVERSIONS, KERNEL_IGNORE_VERMAGIC };
        static const char *const names[] = { "", ".", "..", "../x", "a/b", "a b", "a\n", "x.ko" };
        int connection;

        (void) data;
        loader_set_config(f->loader, fixture_read_config(f, "[Policy]\nAllowForced=yes\n"));
        for (size_t i = 0; i < G_N_ELEMENTS(flags); i++) {
                connection = connect_loader(f);
                g_assert_cmpint(send_load_with(f, connection, MODULE, "", flags[i]), ==, 0);
                expect_end(f, connection);
                connection = connect_loader(f);
                send_unload(connection, "foo", flags[i]);
                expect_end(f, connection);
        }
        for (size_t i = 0; i < G_N_ELEMENTS(kernel_flags); i++) {
                connection = connect_loader(f);
                send_unload(connection, "foo", kernel_flags[i]);
                expect_end(f, connection);
        }
        for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
                connection = connect_loader(f);
                send_unload(connection, names[i], 0);
                expect_end(f, connection);
        }
        g_assert_cmpint(seen->begun, ==, 0);
}

/* --- descriptors --- */

static void test_no_files(struct fixture *f, gconstpointer data) {
        g_autofree char *path = fixture_path(f, MODULE), *directory = fixture_path(f, "tree");
        int pipes[2], sockets[2], connection = connect_loader(f);

        (void) data;
        g_assert_no_errno(pipe2(pipes, O_CLOEXEC));
        g_assert_no_errno(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sockets));
        {
                const struct {
                        int fd;
                        enum verdict verdict;
                } descriptors[] = {
                        { dup(pipes[0]), VERDICT_NOT_REGULAR },
                        { dup(pipes[1]), VERDICT_NOT_READ_ONLY },
                        { dup(sockets[0]), VERDICT_NOT_READ_ONLY },
                        { dup(connection), VERDICT_NOT_READ_ONLY },
                        { dup(f->listening), VERDICT_NOT_READ_ONLY },
                        { eventfd(0, EFD_CLOEXEC), VERDICT_NOT_READ_ONLY },
                        { memfd_create("foo.ko", MFD_CLOEXEC), VERDICT_NOT_READ_ONLY },
                        { open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC), VERDICT_NOT_REGULAR },
                        { open("/dev/null", O_RDONLY | O_CLOEXEC), VERDICT_NOT_REGULAR },
                        { open(path, O_PATH | O_CLOEXEC), VERDICT_PATH_ONLY },
                        { open(path, O_WRONLY | O_CLOEXEC), VERDICT_NOT_READ_ONLY },
                        { open(path, O_RDWR | O_CLOEXEC), VERDICT_NOT_READ_ONLY },
                        { open("/proc/self/status", O_RDONLY | O_CLOEXEC), VERDICT_OUTSIDE },
                };

                for (size_t i = 0; i < G_N_ELEMENTS(descriptors); i++) {
                        g_assert_cmpint(descriptors[i].fd, >=, 0);
                        support_send(connection, load_head, sizeof load_head, &descriptors[i].fd, 1);
                        (void) close(descriptors[i].fd);
                        expect(f, connection, OUTCOME_REFUSED);
                        g_assert_cmpuint(answer.verdict, ==, descriptors[i].verdict);
                }
        }
        g_assert_cmpint(seen->begun, ==, 0);
        for (int i = 0; i < 2; i++) {
                (void) close(pipes[i]);
                (void) close(sockets[i]);
        }
        (void) close(connection);
}

/* Descriptors whose close does not come back: sent, too many, and unread behind what ends the connection. */
static void test_stuck_descriptors(struct fixture *f, gconstpointer data) {
        int first = connect_loader(f), second = connect_loader(f), third = connect_loader(f), peers[4],
            stuck[4];

        (void) data;
        for (size_t i = 0; i < G_N_ELEMENTS(stuck); i++)
                stuck[i] = support_lingering_socket(&peers[i]);
        support_send(first, load_head, sizeof load_head, &stuck[0], 1);
        support_send(second, load_head, sizeof load_head, &stuck[1], 2);
        support_send(third, "x", 1, NULL, 0);
        support_send(third, load_head, sizeof load_head, &stuck[3], 1);
        for (size_t i = 0; i < G_N_ELEMENTS(stuck); i++)
                (void) close(stuck[i]);

        expect(f, first, OUTCOME_REFUSED);
        g_assert_cmpuint(answer.verdict, ==, VERDICT_NOT_READ_ONLY);
        expect_end(f, second);
        expect_end(f, third);
        load_and_expect(f, MODULE, OUTCOME_DONE);
        (void) close(first);
        for (size_t i = 0; i < G_N_ELEMENTS(peers); i++)
                support_let_go(peers[i]);
}

/* All that closes is stuck, and more comes at once: it takes no more than it can hold, waits, and does not spin. */
static void test_descriptors_are_bounded(struct fixture *f, gconstpointer data) {
        g_autofree char *path = fixture_path(f, MODULE);
        int stuck[CLOSER_THREADS_MAX], peers[CLOSER_THREADS_MAX], fds[HALF - 1], connections[8], late;
        int sender = connect_loader(f);
        size_t n = G_N_ELEMENTS(connections);

        (void) data;
        fixture_put(f, "tree/bar.ko");
        for (size_t i = 0; i < n; i++)
                connections[i] = connect_loader(f);
        turn_until_quiet(f);
        for (size_t i = 0; i < CLOSER_THREADS_MAX; i++) {
                stuck[i] = support_lingering_socket(&peers[i]);
                support_send(sender, load_head, sizeof load_head, &stuck[i], 1);
                (void) close(stuck[i]);
                expect(f, sender, OUTCOME_REFUSED);
        }
        for (size_t i = 0; i < G_N_ELEMENTS(fds); i++)
                fds[i] = support_open(path);
        for (size_t i = 0; i < n; i++)
                support_send(connections[i], load_head, sizeof load_head, fds, G_N_ELEMENTS(fds));
        for (size_t i = 0; i < G_N_ELEMENTS(fds); i++)
                (void) close(fds[i]);
        turn_until_quiet(f);
        /* Both ends of each connection, the stuck and their peers, and two messages. */
        g_assert_cmpuint(support_count_descriptors(), ==,
                         f->descriptors + 2 * (n + 1) + 2 * CLOSER_THREADS_MAX + 2 * G_N_ELEMENTS(fds));

        /* Nor is anything read from others, until something comes back. */
        late = connect_loader(f);
        send_load(f, sender, MODULE);
        send_load(f, late, "tree/bar.ko");
        expect_silence(f, sender);
        expect_silence(f, late);
        for (size_t i = 0; i < CLOSER_THREADS_MAX; i++)
                support_let_go(peers[i]);
        expect(f, sender, OUTCOME_DONE);
        expect(f, late, OUTCOME_DONE);
        for (size_t i = 0; i < n; i++)
                expect_end(f, connections[i]);
        (void) close(sender);
        (void) close(late);
}

/* --- who leaves, and when --- */

/* A child has no copy of the others' connections, or their ends would not be seen. */
static void test_ends_are_seen(struct fixture *f, gconstpointer data) {
        int other = connect_loader(f), sleeper = connect_loader(f);

        (void) data;
        expect_silence(f, other);
        kernel_close_gate();
        send_load(f, sleeper, MODULE);
        expect_silence(f, sleeper);
        kernel_wait_begun(1);
        send_unload(other, "../evil", 0);
        expect_end(f, other);
        (void) close(sleeper);
}

/* Nor of their pipes. */
static void test_child_has_its_own(struct fixture *f, gconstpointer data) {
        int first = connect_loader(f), second = connect_loader(f), third;
        size_t alone;

        (void) data;
        fixture_put(f, "tree/bar.ko");
        fixture_put(f, "tree/baz.ko");
        expect_silence(f, first);
        expect_silence(f, second);
        send_load(f, first, MODULE);
        expect(f, first, OUTCOME_DONE);
        /* Two of the test; of this request the connection, its file as it came and as it is kept, and its end of a pipe. */
        alone = seen->descriptors - 2;
        g_assert_cmpuint(alone, ==, f->descriptors + 1 + 2 + 1);

        kernel_close_gate();
        send_load(f, first, MODULE);
        send_load(f, second, "tree/bar.ko");
        expect_silence(f, second);
        kernel_wait_begun(3);
        kernel.waits = false;
        third = connect_loader(f);
        send_load(f, third, "tree/baz.ko");
        expect(f, third, OUTCOME_DONE);
        /* Three of the test, and its end of the gate; the files of the two at work. */
        g_assert_cmpuint(seen->descriptors, ==, alone + 3 + 2 + 2);
        kernel_open_gate();
        expect(f, first, OUTCOME_DONE);
        expect(f, second, OUTCOME_DONE);
        (void) close(first);
        (void) close(second);
        (void) close(third);
}

/* At every step of a request and of one that is refused: nothing is left behind, and nobody else notices. */
static void test_leave_at_every_moment(struct fixture *f, gconstpointer data) {
        int connection, other = connect_loader(f);

        (void) data;
        f->descriptors += 2;
        fixture_put(f, "outside/foo.ko");
        expect_silence(f, other);
        for (int moment = 0; moment < 7; moment++) {
                int calls = seen->ended;

                connection = connect_loader(f);
                if (moment == 1)
                        expect_silence(f, connection);
                if (moment >= 2)
                        send_load(f, connection, moment == 2 ? "outside/foo.ko" : MODULE);
                if (moment == 2)
                        turn_until_quiet(f);
                if (moment == 4)
                        kernel_close_gate();
                if (moment >= 4 && moment <= 5)
                        while (!loader_is_busy(f->loader))
                                g_assert_true(turn(f, 10000));
                if (moment == 5)
                        kernel_wait_ended(calls + 1);
                if (moment == 6) {
                        send_load(f, connection, MODULE);
                        expect(f, connection, OUTCOME_DONE);
                }
                (void) close(connection);
                if (moment == 4) {
                        g_assert_true(loader_is_busy(f->loader));
                        load_and_expect(f, MODULE, OUTCOME_BUSY);
                        kernel_open_gate();
                }
                turn_until_quiet(f);
                send_unload(other, "other", 0);
                expect(f, other, OUTCOME_DONE);
                while (support_count_descriptors() != f->descriptors)
                        (void) turn(f, 10);
        }
        (void) close(other);
        f->descriptors -= 2;
}

static void test_reader_that_does_not_read(struct fixture *f, gconstpointer data) {
        int deaf = connect_loader(f), sent = 0;

        (void) data;
        fixture_put(f, "outside/foo.ko");
        while (sent < 5000 && send_load_with(f, deaf, "outside/foo.ko", "", 0) == 0) {
                (void) turn(f, 0);
                sent++;
        }
        load_and_expect(f, MODULE, OUTCOME_DONE);
        (void) close(deaf);
}

static void add_tests(void) {
        ADD("another-user", test_another_user);
        ADD("root-is-another-user", test_root_is_another_user);
        ADD("unknown-user", test_unknown_user);
        ADD("many-connections", test_many_connections);
        ADD("many-calls", test_many_calls);
        ADD("malformed", test_malformed);
        ADD("half-messages", test_half_messages);
        ADD("number-of-descriptors", test_number_of_descriptors);
        ADD("bad-requests", test_bad_requests);
        ADD("no-files", test_no_files);
        ADD("stuck-descriptors", test_stuck_descriptors);
        ADD("descriptors-are-bounded", test_descriptors_are_bounded);
        ADD("ends-are-seen", test_ends_are_seen);
        ADD("child-has-its-own", test_child_has_its_own);
        ADD("leave-at-every-moment", test_leave_at_every_moment);
        ADD("reader-that-does-not-read", test_reader_that_does_not_read);
}

int main(int argc, char *argv[]) {
        return loader_test_main(argc, argv, add_tests);
}
