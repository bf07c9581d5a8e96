/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What the loader does for a broker that behaves: outcomes, policy, the loop. */

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include "loader-fixture.h"

/* --- outcomes --- */

static void test_done(struct fixture *f, gconstpointer data) {
        g_autofree char *longest = g_strnfill(PROTOCOL_PARAMETERS_MAX, 'p');
        int connection = connect_loader(f);

        (void) data;
        g_assert_cmpint(send_load_with(f, connection, MODULE, "a=1 b=\"x y\" \xff", 0), ==, 0);
        expect(f, connection, OUTCOME_DONE);
        g_assert_cmpstr(seen->parameters, ==, "a=1 b=\"x y\" \xff");
        g_assert_cmpint(seen->flags, ==, 0);
        g_assert_cmpuint(seen->inode, ==, fixture_inode(f, MODULE));

        /* The same connection serves again. */
        g_assert_cmpint(send_load_with(f, connection, MODULE, longest, 0), ==, 0);
        expect(f, connection, OUTCOME_DONE);
        g_assert_cmpstr(seen->parameters, ==, longest);
        send_unload(connection, "foo_bar", 0);
        expect(f, connection, OUTCOME_DONE);
        g_assert_cmpstr(seen->name, ==, "foo_bar");
        g_assert_cmpint(seen->ended, ==, 3);
        (void) close(connection);
}

static void test_refused(struct fixture *f, gconstpointer data) {
        g_autofree char *path = fixture_path(f, "outside/foo.ko");
        int connection = connect_loader(f), fd;
        struct loader_request request = { .kind = REQUEST_LOAD };

        (void) data;
        fixture_put(f, "outside/foo.ko");
        send_load(f, connection, "outside/foo.ko");
        expect(f, connection, OUTCOME_REFUSED);
        g_assert_cmpuint(answer.verdict, ==, VERDICT_OUTSIDE);
        g_assert_true(g_str_has_prefix(answer.text, path));

        fd = open(path, O_RDWR | O_CLOEXEC);
        g_assert_cmpint(protocol_send_request(connection, &request, fd), ==, 0);
        (void) close(fd);
        expect(f, connection, OUTCOME_REFUSED);
        g_assert_cmpuint(answer.verdict, ==, VERDICT_NOT_READ_ONLY);

        g_assert_no_errno(chown(f->top, SOMEBODY, 0));
        send_load(f, connection, MODULE);
        expect(f, connection, OUTCOME_REFUSED);
        g_assert_cmpuint(answer.verdict, ==, VERDICT_DIRECTORY_FOREIGN);
        g_assert_no_errno(chown(f->top, 0, 0));
        g_assert_cmpint(seen->begun, ==, 0);
        (void) close(connection);
}

static void test_policy(struct fixture *f, gconstpointer data) {
        int connection = connect_loader(f);

        (void) data;
        fixture_put(f, "tree/foo-bar.ko");
        g_assert_cmpint(send_load_with(f, connection, MODULE, "", KERNEL_IGNORE_VERMAGIC), ==, 0);
        expect(f, connection, OUTCOME_POLICY);
        g_assert_nonnull(strstr(answer.text, "AllowForced="));

        loader_set_config(f->loader,
                          fixture_read_config(f, "[Policy]\nDenyModules=foo-b*\nAllowForced=yes\n"));
        send_load(f, connection, "tree/foo-bar.ko");
        expect(f, connection, OUTCOME_POLICY);
        g_assert_nonnull(strstr(answer.text, "DenyModules="));
        g_assert_cmpint(seen->begun, ==, 0);
        for (uint32_t flags = 0; flags <= 3; flags++) {
                g_assert_cmpint(send_load_with(f, connection, MODULE, "", flags), ==, 0);
                expect(f, connection, OUTCOME_DONE);
                g_assert_cmpint(seen->flags, ==, flags);
        }

        loader_set_config(f->loader, fixture_read_config(f, "[Policy]\nAllowModules=foo_bar\n"));
        send_load(f, connection, MODULE);
        expect(f, connection, OUTCOME_POLICY);
        g_assert_nonnull(strstr(answer.text, "AllowModules="));
        send_load(f, connection, "tree/foo-bar.ko");
        expect(f, connection, OUTCOME_DONE);
        g_assert_cmpint(seen->begun, ==, 5);

        /* What may not be loaded may still be unloaded. */
        send_unload(connection, "foo", 0);
        expect(f, connection, OUTCOME_DONE);
        (void) close(connection);
}

static void test_compressed(struct fixture *f, gconstpointer data) {
        static const char *const names[] = { "tree/a.ko.gz", "tree/a.ko.xz", "tree/a.ko.zst" };
        int connection = connect_loader(f);

        (void) data;
        loader_set_config(f->loader, fixture_read_config(f, "[Policy]\nAllowForced=yes\n"));
        for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
                fixture_put(f, names[i]);
                load_and_expect(f, names[i], OUTCOME_DONE);
                g_assert_cmpint(seen->flags, ==, KERNEL_COMPRESSED_FILE);
        }
        g_assert_cmpint(send_load_with(f, connection, names[0], "", KERNEL_IGNORE_VERMAGIC), ==, 0);
        expect(f, connection, OUTCOME_DONE);
        g_assert_cmpint(seen->flags, ==, KERNEL_COMPRESSED_FILE | KERNEL_IGNORE_VERMAGIC);
        (void) close(connection);
}

static void test_no_module_name(struct fixture *f, gconstpointer data) {
        static const char *const names[] = { "tree/foo.txt", "tree/foo", "tree/.ko", "tree/a b.ko" };

        (void) data;
        for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
                fixture_put(f, names[i]);
                load_and_expect(f, names[i], OUTCOME_KERNEL);
                g_assert_cmpint(answer.error, ==, ENOEXEC);
        }
        g_assert_cmpint(seen->begun, ==, 0);
}

static void test_kernel_says_no(struct fixture *f, gconstpointer data) {
        static const int errors[] = {
                EPERM, ENOENT, EEXIST, ENOEXEC, EKEYREJECTED, EBADMSG, ENODATA, ENOSYS
        };
        int connection = connect_loader(f);

        (void) data;
        kernel.log = "foo: Unknown symbol bar (err -2)\n";
        for (size_t i = 0; i < G_N_ELEMENTS(errors); i++) {
                kernel.result = -errors[i];
                send_load(f, connection, MODULE);
                expect(f, connection, OUTCOME_KERNEL);
                g_assert_cmpint(answer.error, ==, errors[i]);
                g_assert_cmpstr(answer.text, ==, "");
                send_unload(connection, "foo", 0);
                expect(f, connection, OUTCOME_KERNEL);
                g_assert_cmpint(answer.error, ==, errors[i]);
                g_assert_cmpstr(answer.text, ==, "");
        }
        (void) close(connection);
}

/* Those since the call began, of a load alone. */
static void test_kernel_lines(struct fixture *f, gconstpointer data) {
        int connection = connect_loader(f);

        (void) data;
        for (int unloads = 0; unloads <= 1; unloads++) {
                kernel.log = "<4>[    1.0] foo: Unknown symbol old (err -2)\n";
                kernel.result = -ENOENT;
                kernel_close_gate();
                if (unloads)
                        send_unload(connection, "foo", 0);
                else
                        send_load(f, connection, MODULE);
                expect_silence(f, connection);
                kernel.log = "<4>[    1.0] foo: Unknown symbol old (err -2)\n"
                             "<4>[    2.0] bar: Unknown symbol other (err -2)\n"
                             "<4>[    2.0] foo: Unknown symbol new (err -2)\n";
                kernel_open_gate();
                expect(f, connection, OUTCOME_KERNEL);
                g_assert_cmpint(answer.error, ==, ENOENT);
                g_assert_cmpstr(answer.text, ==, unloads ? "" : "foo: Unknown symbol new (err -2)");
        }
        (void) close(connection);
}

static void test_crashed(struct fixture *f, gconstpointer data) {
        int connection = connect_loader(f);

        (void) data;
        kernel.kills = true;
        send_load(f, connection, MODULE);
        expect(f, connection, OUTCOME_CRASHED);
        send_unload(connection, "foo", 0);
        expect(f, connection, OUTCOME_CRASHED);
        kernel.kills = false;
        /* What crashed is still there, says the kernel; nobody tries again. */
        kernel.module_state = MODULE_COMING;
        send_load(f, connection, MODULE);
        expect(f, connection, OUTCOME_BUSY);
        g_assert_cmpint(seen->begun, ==, 2);
        for (int state = MODULE_ABSENT; state <= MODULE_BUILTIN; state++) {
                if (state == MODULE_COMING)
                        continue;
                kernel.module_state = state;
                send_load(f, connection, MODULE);
                expect(f, connection, OUTCOME_DONE);
        }
        (void) close(connection);
}

/* The child is not the service: what stops that does not break off the call. */
static void test_stop(struct fixture *f, gconstpointer data) {
        (void) data;
        kernel.stops = true;
        load_and_expect(f, MODULE, OUTCOME_DONE);
        unload_and_expect(f, "foo", OUTCOME_DONE);
        g_assert_cmpint(seen->ended, ==, 2);
}

/* What is said to be readable may turn out not to be. */
static void test_early_wake(struct fixture *f, gconstpointer data) {
        int connection = connect_loader(f);

        (void) data;
        turn_until_quiet(f);
        kernel.fails = "recvmsg";
        kernel.error = EAGAIN;
        send_load(f, connection, MODULE);
        g_assert_true(turn(f, 10000));
        g_assert_null(kernel.fails);
        expect(f, connection, OUTCOME_DONE);

        kernel.fails = "read";
        send_load(f, connection, MODULE);
        expect(f, connection, OUTCOME_DONE);
        g_assert_null(kernel.fails);
        (void) close(connection);
}

static void test_answer_unreadable(struct fixture *f, gconstpointer data) {
        (void) data;
        kernel.fails = "read";
        kernel.error = EIO;
        load_and_expect(f, MODULE, OUTCOME_CRASHED);
        load_and_expect(f, MODULE, OUTCOME_DONE);
}

/* A broker that did not wait any longer has told its caller that nothing was done. */
static void test_given_up(struct fixture *f, gconstpointer data) {
        int connection = connect_loader(f);

        (void) data;
        expect_silence(f, connection);
        send_load(f, connection, MODULE);
        (void) close(connection);
        settle(f);
        connection = connect_loader(f);
        send_unload(connection, "foo", 0);
        (void) close(connection);
        settle(f);
        g_assert_cmpint(seen->begun, ==, 0);
        load_and_expect(f, MODULE, OUTCOME_DONE);
}

/* Without a configuration nothing is done, until there is one. */
static void test_no_config(struct fixture *f, gconstpointer data) {
        int connection = connect_loader(f);

        (void) data;
        loader_set_config(f->loader, NULL);
        send_load(f, connection, MODULE);
        expect(f, connection, OUTCOME_POLICY);
        g_assert_nonnull(strstr(answer.text, "moduled.conf has an error"));
        send_unload(connection, "foo", 0);
        expect(f, connection, OUTCOME_POLICY);
        g_assert_cmpint(seen->begun, ==, 0);
        /* Nor said to who has left. */
        (void) close(connect_loader(f));
        turn_until_quiet(f);
        (void) close(connection);
        settle(f);
        connection = connect_loader(f);
        loader_set_config(f->loader, fixture_read_config(f, ""));
        send_load(f, connection, MODULE);
        expect(f, connection, OUTCOME_DONE);
        (void) close(connection);
}

/* --- the loop --- */

/* The child ends at once; what it has connected stays. */
static void connect_from_child(const struct fixture *f) {
        pid_t child = fork();

        g_assert_no_errno(child);
        if (child == 0) {
                (void) connect_loader(f);
                (void) raise(SIGKILL);
        }
        /* See waitpid(2) on SIGCHLD that is ignored. */
        g_assert_cmpint(waitpid(child, NULL, 0), ==, -1);
}

static void test_another_peer(struct fixture *f, gconstpointer data) {
        int first = connect_loader(f), second;

        (void) data;
        turn_until_quiet(f);
        g_assert_false(loader_is_met_by_another(f->loader));
        second = connect_loader(f);
        turn_until_quiet(f);
        g_assert_false(loader_is_met_by_another(f->loader));

        connect_from_child(f);
        g_assert_true(turn(f, 1000));
        g_assert_true(loader_is_met_by_another(f->loader));
        g_assert_false(loader_is_met_by_another(f->loader));
        (void) close(second);
        second = connect_loader(f);
        turn_until_quiet(f);
        g_assert_true(loader_is_met_by_another(f->loader));
        (void) close(first);
        (void) close(second);
        settle(f);
}

static void test_run_once(struct fixture *f, gconstpointer data) {
        int ends[4][2], extra[4];

        (void) data;
        g_assert_true(loader_is_idle(f->loader));
        g_assert_cmpint(loader_run_once(f->loader, NULL, 0, 0), ==, 0);
        for (size_t i = 0; i < 4; i++) {
                g_assert_no_errno(pipe2(ends[i], O_CLOEXEC));
                extra[i] = ends[i][0];
        }
        g_assert_cmpint(loader_run_once(f->loader, extra, 4, 0), ==, 0);
        for (size_t i = 0; i < 4; i++) {
                char byte;

                g_assert_cmpint(write(ends[i][1], "x", 1), ==, 1);
                g_assert_cmpint(loader_run_once(f->loader, extra, 4, -1), ==, 1);
                g_assert_cmpint(read(ends[i][0], &byte, 1), ==, 1);
                g_assert_cmpint(loader_run_once(f->loader, extra, 4, 0), ==, 0);
        }
        for (size_t i = 0; i < 4; i++) {
                (void) close(ends[i][0]);
                (void) close(ends[i][1]);
        }
}

/* With descriptors of the caller's own beside it, a connection is still itself. */
static void test_extra_and_connections(struct fixture *f, gconstpointer data) {
        int ends[2], first = connect_loader(f), second = connect_loader(f);

        (void) data;
        g_assert_no_errno(pipe2(ends, O_CLOEXEC));
        expect_silence(f, first);
        send_load(f, second, MODULE);
        while (protocol_receive_reply(second, &answer) == -EAGAIN)
                g_assert_cmpint(loader_run_once(f->loader, ends, 1, 10000), ==, 1);
        g_assert_cmpuint(answer.outcome, ==, OUTCOME_DONE);
        expect_silence(f, first);
        (void) close(ends[0]);
        (void) close(ends[1]);
        (void) close(first);
        (void) close(second);
}

static volatile sig_atomic_t alarms;

static void on_alarm(int signal_number) {
        (void) signal_number;
        alarms++;
}

static void test_interrupted(struct fixture *f, gconstpointer data) {
        struct itimerval every = { .it_interval.tv_usec = 10000, .it_value.tv_usec = 10000 }, never = { 0 };
        struct sigaction action = { .sa_handler = on_alarm }, old;
        struct rlimit limit, low;

        (void) data;
        g_assert_no_errno(sigaction(SIGALRM, &action, &old));
        g_assert_no_errno(setitimer(ITIMER_REAL, &every, NULL));
        g_assert_cmpint(loader_run_once(f->loader, NULL, 0, -1), ==, 1);
        g_assert_no_errno(setitimer(ITIMER_REAL, &never, NULL));
        g_assert_no_errno(sigaction(SIGALRM, &old, NULL));
        g_assert_cmpint(alarms, >, 0);

        /* poll(2) takes no more than the process may have open. */
        g_assert_no_errno(getrlimit(RLIMIT_NOFILE, &limit));
        low = limit;
        low.rlim_cur = 1;
        g_assert_no_errno(setrlimit(RLIMIT_NOFILE, &low));
        g_assert_cmpint(loader_run_once(f->loader, NULL, 0, 0), ==, -EINVAL);
        g_assert_no_errno(setrlimit(RLIMIT_NOFILE, &limit));
}

static void await_reply(int connection) {
        struct pollfd fd = { .fd = connection, .events = POLLIN };

        g_assert_cmpint(poll(&fd, 1, 20000), ==, 1);
        g_assert_cmpint(protocol_receive_reply(connection, &answer), ==, 0);
}

/* In a process of its own, as in the service: what is queued for closing at the end stays open. */
static void test_free_while_busy(struct fixture *f, gconstpointer data) {
        int connection;

        (void) data;
        if (!g_test_subprocess()) {
                /* Else there would be no status, which passes for a good one. */
                (void) signal(SIGCHLD, SIG_DFL);
                g_test_trap_subprocess(NULL, 0, G_TEST_SUBPROCESS_INHERIT_STDERR);
                (void) signal(SIGCHLD, SIG_IGN);
                g_test_trap_assert_passed();
                return;
        }
        connection = connect_loader(f);
        kernel.result = -ENOENT;
        kernel_close_gate();
        send_load(f, connection, MODULE);
        expect_silence(f, connection);
        kernel_wait_begun(1);
        g_assert_null(loader_free(f->loader));
        g_assert_null(loader_free(NULL));
        kernel_open_gate();
        /* The call goes on, and its answer comes from the child. */
        kernel_wait_ended(1);
        await_reply(connection);
        g_assert_cmpuint(answer.outcome, ==, OUTCOME_KERNEL);
        g_assert_cmpint(answer.error, ==, ENOENT);
        support_remove(f->top);
        /* What is left is looked for on the way out. */
        exit(EXIT_SUCCESS);
}

static void add_tests(void) {
        ADD("done", test_done);
        ADD("refused", test_refused);
        ADD("policy", test_policy);
        ADD("compressed", test_compressed);
        ADD("no-module-name", test_no_module_name);
        ADD("kernel-says-no", test_kernel_says_no);
        ADD("kernel-lines", test_kernel_lines);
        ADD("crashed", test_crashed);
        ADD("given-up", test_given_up);
        ADD("no-config", test_no_config);
        ADD("stop", test_stop);
        ADD("early-wake", test_early_wake);
        ADD("answer-unreadable", test_answer_unreadable);
        ADD("another-peer", test_another_peer);
        ADD("run-once", test_run_once);
        ADD("extra-and-connections", test_extra_and_connections);
        ADD("interrupted", test_interrupted);
        ADD("free-while-busy", test_free_while_busy);
}

int main(int argc, char *argv[]) {
        return loader_test_main(argc, argv, add_tests);
}
