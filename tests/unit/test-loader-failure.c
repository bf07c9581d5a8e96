/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What the loader does when it gets no memory, no descriptor or no child. */

#include <errno.h>
#include <sys/resource.h>
#include <unistd.h>

#include "loader-fixture.h"

/*
 * Lets each call of @function fail that a request makes, one after the other, until there is none left. Before the
 * last, which is the loader's own, are those that verify the descriptor.
 */
static void expect_failure(struct fixture *f, const char *function, int error, bool unloads) {
        int connection = connect_loader(f);
        struct loader_reply last = { .outcome = OUTCOME_DONE };

        for (unsigned n = 0;; n++) {
                kernel.fails = function;
                kernel.error = error;
                kernel.spared = n;
                if (unloads)
                        send_unload(connection, "foo", 0);
                else
                        send_load(f, connection, MODULE);
                g_assert_cmpint(receive(f, connection), ==, 0);
                g_assert_false(loader_is_busy(f->loader));
                if (kernel.fails)
                        break;
                g_assert_cmpuint(answer.outcome, !=, OUTCOME_DONE);
                last = answer;
        }
        kernel.fails = NULL;
        g_assert_cmpuint(last.outcome, ==, OUTCOME_FAILED);
        g_assert_cmpint(last.error, ==, error);
        g_assert_cmpstr(last.text, ==, "");

        /* And goes on: that was one that did not fail. */
        g_assert_cmpuint(answer.outcome, ==, OUTCOME_DONE);
        g_assert_cmpint(seen->begun, ==, 1);
        (void) close(connection);

        /* One without descriptors takes no more connections, but leaves them to the next. */
        g_assert_cmpint(loader_is_exhausted(f->loader), ==, error == EMFILE || error == ENFILE);
        settle(f);
        fixture_restart(f, 0);
}

static void test_load_fails(struct fixture *f, gconstpointer data) {
        static const struct {
                const char *function;
                int error;
        } failures[] = {
                { "fstat", EIO },
                /* What a filesystem says of a file with a wrong checksum is no mistake of the broker's. */
                { "fstat", EBADMSG },
                { "fstat", ENODATA },
                { "fstat", ECONNRESET },
                { "strndup", ENOMEM },
                { "fcntl", EMFILE },
                { "pipe2", ENFILE },
                { "fork", EAGAIN }
        };

        (void) data;
        for (size_t i = 0; i < G_N_ELEMENTS(failures); i++) {
                expect_failure(f, failures[i].function, failures[i].error, false);
                seen->begun = 0;
        }
}

static void test_unload_fails(struct fixture *f, gconstpointer data) {
        static const struct {
                const char *function;
                int error;
        } failures[] = { { "strdup", ENOMEM }, { "pipe2", ENFILE }, { "fork", EAGAIN } };

        (void) data;
        for (size_t i = 0; i < G_N_ELEMENTS(failures); i++) {
                expect_failure(f, failures[i].function, failures[i].error, true);
                seen->begun = 0;
        }
}

static void test_no_descriptor_left(struct fixture *f, gconstpointer data) {
        int connection = connect_loader(f), next;
        struct rlimit limit, low;

        (void) data;
        g_assert_true(turn(f, 1000));
        g_assert_false(loader_is_idle(f->loader));
        send_load(f, connection, MODULE);
        g_assert_no_errno(getrlimit(RLIMIT_NOFILE, &limit));
        g_assert_no_errno(next = dup(connection));
        (void) close(next);
        low = limit;
        /* Room for the descriptor that comes, and for nothing else. */
        low.rlim_cur = (rlim_t) next + 1;
        g_assert_no_errno(setrlimit(RLIMIT_NOFILE, &low));
        g_assert_cmpint(receive(f, connection), ==, 0);
        g_assert_no_errno(setrlimit(RLIMIT_NOFILE, &limit));
        g_assert_cmpuint(answer.outcome, ==, OUTCOME_FAILED);
        g_assert_cmpint(answer.error, ==, EMFILE);

        send_load(f, connection, MODULE);
        expect(f, connection, OUTCOME_DONE);
        (void) close(connection);
}

/* Room for the connection, and none for the file that comes. */
static void test_no_descriptor_for_the_file(struct fixture *f, gconstpointer data) {
        int connection = connect_loader(f), next;
        struct rlimit limit, low;

        (void) data;
        g_assert_true(turn(f, 1000));
        send_load(f, connection, MODULE);
        g_assert_no_errno(getrlimit(RLIMIT_NOFILE, &limit));
        g_assert_no_errno(next = dup(connection));
        (void) close(next);
        low = limit;
        low.rlim_cur = (rlim_t) next;
        g_assert_no_errno(setrlimit(RLIMIT_NOFILE, &low));
        g_assert_cmpint(receive(f, connection), ==, 0);
        g_assert_no_errno(setrlimit(RLIMIT_NOFILE, &limit));
        g_assert_cmpuint(answer.outcome, ==, OUTCOME_FAILED);
        g_assert_cmpint(answer.error, ==, EMFILE);
        g_assert_true(loader_is_exhausted(f->loader));
        (void) close(connection);
}

/* It counts, also where nobody waits for the answer any more. */
static void test_no_descriptor_for_nobody(struct fixture *f, gconstpointer data) {
        int connection = connect_loader(f), next;
        struct rlimit limit, low;

        (void) data;
        g_assert_true(turn(f, 1000));
        send_load(f, connection, MODULE);
        (void) close(connection);
        g_assert_no_errno(getrlimit(RLIMIT_NOFILE, &limit));
        g_assert_no_errno(next = dup(f->listening));
        (void) close(next);
        low = limit;
        low.rlim_cur = (rlim_t) next;
        g_assert_no_errno(setrlimit(RLIMIT_NOFILE, &low));
        g_assert_true(turn(f, 1000));
        g_assert_no_errno(setrlimit(RLIMIT_NOFILE, &limit));
        g_assert_true(loader_is_exhausted(f->loader));
}

/* A connection that cannot be accepted waits for the next loader. */
static void test_accept_fails(struct fixture *f, gconstpointer data) {
        int connection = connect_loader(f), next;
        struct rlimit limit, low;

        (void) data;
        g_assert_no_errno(getrlimit(RLIMIT_NOFILE, &limit));
        g_assert_no_errno(next = dup(connection));
        (void) close(next);
        low = limit;
        low.rlim_cur = (rlim_t) next;
        g_assert_no_errno(setrlimit(RLIMIT_NOFILE, &low));
        g_assert_true(turn(f, 1000));
        g_assert_no_errno(setrlimit(RLIMIT_NOFILE, &limit));
        g_assert_true(loader_is_idle(f->loader));
        g_assert_true(loader_is_exhausted(f->loader));

        /* And nobody spins meanwhile. */
        g_assert_false(turn(f, 0));
        fixture_restart(f, 0);
        g_assert_false(loader_is_exhausted(f->loader));
        send_load(f, connection, MODULE);
        expect(f, connection, OUTCOME_DONE);
        (void) close(connection);
}

/* Each allocation fails in turn: it answers, or ends the connection, loses nothing, and serves the next. */
static void test_no_memory(struct fixture *f, gconstpointer data) {
        bool failed = true;
        unsigned n = 0;

        (void) data;
        for (; failed; n++) {
                int connection = connect_loader(f), r;

                kernel.fails = "calloc";
                kernel.error = ENOMEM;
                kernel.spared = n;
                send_load(f, connection, MODULE);
                r = receive(f, connection);
                if (r == 0 && answer.outcome != OUTCOME_DONE)
                        g_assert_cmpint(answer.error, ==, ENOMEM);
                else if (r != 0)
                        g_assert_true(r == -ENODATA || r == -ECONNRESET);
                (void) close(connection);
                settle(f);
                failed = !kernel.fails;
                kernel.fails = NULL;
        }
        /* The connection, and what closes the descriptor and the socket. */
        g_assert_cmpuint(n, >, 3);
        load_and_expect(f, MODULE, OUTCOME_DONE);
}

static void test_new_fails(struct fixture *f, gconstpointer data) {
        struct loader *loader = NULL;
        struct rlimit limit, low;

        (void) data;
        for (unsigned n = 0; n < 2; n++) {
                struct config *config = fixture_read_config(f, "");

                kernel.fails = "calloc";
                kernel.error = ENOMEM;
                kernel.spared = n;
                g_assert_cmpint(loader_new(f->listening, 0, config, &loader), ==, -ENOMEM);
                g_assert_null(kernel.fails);
        }
        {
                struct config *config = fixture_read_config(f, "");

                g_assert_no_errno(getrlimit(RLIMIT_NOFILE, &limit));
                low = limit;
                low.rlim_cur = 3;
                g_assert_no_errno(setrlimit(RLIMIT_NOFILE, &low));
                g_assert_cmpint(loader_new(f->listening, 0, config, &loader), ==, -EMFILE);
                g_assert_no_errno(setrlimit(RLIMIT_NOFILE, &limit));
        }
        g_assert_null(loader);
}

static void add_tests(void) {
        ADD("load-fails", test_load_fails);
        ADD("unload-fails", test_unload_fails);
        ADD("no-descriptor-left", test_no_descriptor_left);
        ADD("no-descriptor-for-the-file", test_no_descriptor_for_the_file);
        ADD("no-descriptor-for-nobody", test_no_descriptor_for_nobody);
        ADD("accept-fails", test_accept_fails);
        ADD("no-memory", test_no_memory);
        ADD("new-fails", test_new_fails);
}

int main(int argc, char *argv[]) {
        return loader_test_main(argc, argv, add_tests);
}
