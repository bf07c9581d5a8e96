/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The real loader with a kernel of ours. The broker's side of each connection is the test's; the loader runs in between,
 * a turn at a time.
 */

#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "config.h"
#include "kernel.h"
#include "loader.h"
#include "origin.h"
#include "protocol.h"
#include "support.h"
#include "system.h"

#define MODULE "tree/kernel/foo.ko"
#define SOON (10 * G_USEC_PER_SEC)
#define CONFIG "[Origin vendor]\nDirectory=%s/tree\n"

/* --- the kernel --- */

/* What it does with the next call. Set before the child is forked. */
static int kernel_result;
static bool kernel_kills;
static int kernel_gate = -1; /* waits until this pipe ends */
static int module_state;
static const char *kernel_log = "";

/* What it was asked, seen from outside the child. */
static struct seen {
        char parameters[PROTOCOL_PARAMETERS_MAX + 1];
        char name[64];
        int flags;
        ino_t inode;
        int calls;
} * seen;

static int act(void) {
        char byte;

        seen->calls++;
        if (kernel_gate >= 0)
                (void) !read(kernel_gate, &byte, 1);
        if (kernel_kills)
                (void) raise(SIGKILL);
        return kernel_result;
}

int kernel_load(int fd, const char *parameters, int flags) {
        struct stat st;

        (void) snprintf(seen->parameters, sizeof seen->parameters, "%s", parameters);
        seen->flags = flags;
        seen->inode = fstat(fd, &st) == 0 ? st.st_ino : 0;
        return act();
}

int kernel_unload(const char *name) {
        (void) snprintf(seen->name, sizeof seen->name, "%s", name);
        return act();
}

int kernel_log_read(char *buffer, size_t size) {
        return (int) g_strlcpy(buffer, kernel_log, size);
}

int kernel_log_size(void) {
        return 4096;
}

int system_module_state(const char *name) {
        (void) name;
        return module_state;
}

/* --- the fixture --- */

struct fixture {
        char *top;
        int listening;
        struct sockaddr_un address;
        struct loader *loader;
        int gate; /* closed: the kernel goes on */
        size_t descriptors;
};

static char *path_of(const struct fixture *f, const char *name) {
        return g_strdup_printf("%s/%s", f->top, name);
}

static void put(const struct fixture *f, const char *name) {
        g_autofree char *path = path_of(f, name);

        support_write(path, "module");
}

static struct config *read_config(const struct fixture *f, const char *more) {
        g_autofree char *path = path_of(f, "etc/moduled.conf"), *head = g_strdup_printf(CONFIG, f->top),
                        *text = g_strconcat(head, more, NULL);
        struct config_error error = { 0 };
        struct config *config = NULL;

        support_write(path, text);
        g_assert_cmpint(config_load(f->top, &config, &error), ==, 0);
        return config;
}

static void set_up(struct fixture *f, gconstpointer data) {
        g_autofree char *socket_path = NULL;

        (void) data;
        f->top = support_directory();
        put(f, MODULE);
        socket_path = path_of(f, "socket");
        f->address.sun_family = AF_UNIX;
        g_assert_cmpuint(g_strlcpy(f->address.sun_path, socket_path, sizeof f->address.sun_path), <, 108);
        f->listening = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        g_assert_no_errno(bind(f->listening, (struct sockaddr *) &f->address, sizeof f->address));
        g_assert_no_errno(chmod(socket_path, 0666));
        g_assert_no_errno(listen(f->listening, 4096));

        kernel_result = 0;
        kernel_kills = false;
        kernel_gate = -1;
        module_state = MODULE_ABSENT;
        kernel_log = "";
        memset(seen, 0, sizeof *seen);
        f->gate = -1;
        g_assert_cmpint(loader_new(f->listening, 0, read_config(f, ""), &f->loader), ==, 0);
        f->descriptors = support_count_descriptors();
}

/* One turn, so that it sees what has come and gone. Return: whether anything happened. */
static bool turn(const struct fixture *f, int timeout_ms) {
        int r = loader_run_once(f->loader, NULL, 0, timeout_ms);

        g_assert_cmpint(r, >=, 0);
        return r > 0;
}

static void settle(const struct fixture *f) {
        gint64 end = g_get_monotonic_time() + SOON;

        while (!loader_is_idle(f->loader) || support_count_descriptors() != f->descriptors) {
                g_assert_cmpint(g_get_monotonic_time(), <, end);
                (void) turn(f, 20);
        }
}

static void open_gate(struct fixture *f) {
        if (f->gate >= 0)
                (void) close(f->gate);
        if (kernel_gate >= 0)
                (void) close(kernel_gate);
        f->gate = kernel_gate = -1;
}

/* The kernel's calls from now on do not return before open_gate(). */
static void close_gate(struct fixture *f) {
        int ends[2];

        g_assert_no_errno(pipe2(ends, O_CLOEXEC));
        kernel_gate = ends[0];
        f->gate = ends[1];
}

static void tear_down(struct fixture *f, gconstpointer data) {
        (void) data;
        open_gate(f);
        settle(f);
        loader_free(f->loader);
        (void) close(f->listening);
        support_remove(f->top);
        g_free(f->top);
}

/* --- the broker's side --- */

static int connect_loader(const struct fixture *f) {
        int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

        g_assert_no_errno(fd);
        g_assert_no_errno(connect(fd, (const struct sockaddr *) &f->address, sizeof f->address));
        return fd;
}

static int send_load_with(const struct fixture *f, int connection, const char *name, const char *parameters,
                          uint32_t flags) {
        struct loader_request request = { .kind = REQUEST_LOAD, .flags = flags };
        g_autofree char *path = path_of(f, name);
        int fd = support_open(path), r;

        g_assert_cmpuint(g_strlcpy(request.text, parameters, sizeof request.text), <, sizeof request.text);
        r = protocol_send_request(connection, &request, fd);
        (void) close(fd);
        return r;
}

static void send_load(const struct fixture *f, int connection, const char *name) {
        g_assert_cmpint(send_load_with(f, connection, name, "", 0), ==, 0);
}

static void send_unload(int connection, const char *name, uint32_t flags) {
        struct loader_request request = { .kind = REQUEST_UNLOAD, .flags = flags };

        (void) g_strlcpy(request.text, name, sizeof request.text);
        g_assert_cmpint(protocol_send_request(connection, &request, -1), ==, 0);
}

static struct loader_reply reply;

/* Runs the loader until there is an answer. Return: as protocol_receive_reply() does. */
static int receive(const struct fixture *f, int connection) {
        gint64 end = g_get_monotonic_time() + SOON;
        int r;

        while ((r = protocol_receive_reply(connection, &reply)) == -EAGAIN) {
                g_assert_cmpint(g_get_monotonic_time(), <, end);
                (void) turn(f, 20);
        }
        return r;
}

static void expect(const struct fixture *f, int connection, enum outcome outcome) {
        g_assert_cmpint(receive(f, connection), ==, 0);
        g_assert_cmpuint(reply.outcome, ==, outcome);
        if (outcome != OUTCOME_KERNEL && outcome != OUTCOME_FAILED)
                g_assert_cmpint(reply.error, ==, 0);
        if (outcome != OUTCOME_REFUSED)
                g_assert_cmpuint(reply.verdict, ==, 0);
}

static void expect_end(const struct fixture *f, int connection) {
        int r = receive(f, connection);

        g_assert_true(r == -ENODATA || r == -ECONNRESET);
        (void) close(connection);
}

/* Nothing has come, though the loader had its turns. */
static void expect_silence(const struct fixture *f, int connection) {
        for (int i = 0; i < 5; i++)
                (void) turn(f, 10);
        g_assert_cmpint(protocol_receive_reply(connection, &reply), ==, -EAGAIN);
}

static void load_and_expect(const struct fixture *f, const char *name, enum outcome outcome) {
        int connection = connect_loader(f);

        send_load(f, connection, name);
        expect(f, connection, outcome);
        (void) close(connection);
}

static ino_t inode_of(const struct fixture *f, const char *name) {
        g_autofree char *path = path_of(f, name);
        struct stat st;

        g_assert_no_errno(stat(path, &st));
        return st.st_ino;
}

/* --- outcomes --- */

static void test_done(struct fixture *f, gconstpointer data) {
        g_autofree char *longest = g_strnfill(PROTOCOL_PARAMETERS_MAX, 'p');
        int connection = connect_loader(f);

        (void) data;
        g_assert_cmpint(send_load_with(f, connection, MODULE, "a=1 b=\"x y\" \xff", 0), ==, 0);
        expect(f, connection, OUTCOME_DONE);
        g_assert_cmpstr(reply.text, ==, "");
        g_assert_cmpstr(seen->parameters, ==, "a=1 b=\"x y\" \xff");
        g_assert_cmpint(seen->flags, ==, 0);
        g_assert_cmpuint(seen->inode, ==, inode_of(f, MODULE));

        /* The same connection serves again. */
        g_assert_cmpint(send_load_with(f, connection, MODULE, longest, 0), ==, 0);
        expect(f, connection, OUTCOME_DONE);
        g_assert_cmpstr(seen->parameters, ==, longest);
        send_unload(connection, "foo_bar", 0);
        expect(f, connection, OUTCOME_DONE);
        g_assert_cmpstr(seen->name, ==, "foo_bar");
        g_assert_cmpint(seen->calls, ==, 3);
        (void) close(connection);
}

static void test_refused(struct fixture *f, gconstpointer data) {
        g_autofree char *path = path_of(f, "outside/foo.ko");
        int connection = connect_loader(f), fd;
        struct loader_request request = { .kind = REQUEST_LOAD };

        (void) data;
        put(f, "outside/foo.ko");
        send_load(f, connection, "outside/foo.ko");
        expect(f, connection, OUTCOME_REFUSED);
        g_assert_cmpuint(reply.verdict, ==, VERDICT_OUTSIDE);
        g_assert_true(g_str_has_prefix(reply.text, path));

        fd = open(path, O_RDWR | O_CLOEXEC);
        g_assert_cmpint(protocol_send_request(connection, &request, fd), ==, 0);
        (void) close(fd);
        expect(f, connection, OUTCOME_REFUSED);
        g_assert_cmpuint(reply.verdict, ==, VERDICT_NOT_READ_ONLY);

        g_assert_no_errno(chown(f->top, SOMEBODY, 0));
        send_load(f, connection, MODULE);
        expect(f, connection, OUTCOME_REFUSED);
        g_assert_cmpuint(reply.verdict, ==, VERDICT_DIRECTORY_FOREIGN);
        g_assert_no_errno(chown(f->top, 0, 0));
        g_assert_cmpint(seen->calls, ==, 0);
        (void) close(connection);
}

static void test_policy(struct fixture *f, gconstpointer data) {
        int connection = connect_loader(f);

        (void) data;
        put(f, "tree/foo-bar.ko");
        g_assert_cmpint(send_load_with(f, connection, MODULE, "", KERNEL_IGNORE_VERMAGIC), ==, 0);
        expect(f, connection, OUTCOME_POLICY);
        g_assert_nonnull(strstr(reply.text, "AllowForced="));

        loader_set_config(f->loader, read_config(f, "[Policy]\nDenyModules=foo-b*\nAllowForced=yes\n"));
        send_load(f, connection, "tree/foo-bar.ko");
        expect(f, connection, OUTCOME_POLICY);
        g_assert_nonnull(strstr(reply.text, "DenyModules="));
        g_assert_cmpint(seen->calls, ==, 0);
        g_assert_cmpint(send_load_with(f, connection, MODULE, "", 3), ==, 0);
        expect(f, connection, OUTCOME_DONE);
        g_assert_cmpint(seen->flags, ==, KERNEL_IGNORE_MODVERSIONS | KERNEL_IGNORE_VERMAGIC);

        loader_set_config(f->loader, read_config(f, "[Policy]\nAllowModules=foo_bar\n"));
        send_load(f, connection, MODULE);
        expect(f, connection, OUTCOME_POLICY);
        g_assert_nonnull(strstr(reply.text, "AllowModules="));
        send_load(f, connection, "tree/foo-bar.ko");
        expect(f, connection, OUTCOME_DONE);
        g_assert_cmpint(seen->calls, ==, 2);
        (void) close(connection);
}

static void test_compressed(struct fixture *f, gconstpointer data) {
        static const char *const names[] = { "tree/a.ko.gz", "tree/a.ko.xz", "tree/a.ko.zst" };

        (void) data;
        for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
                put(f, names[i]);
                load_and_expect(f, names[i], OUTCOME_DONE);
                g_assert_cmpint(seen->flags, ==, KERNEL_COMPRESSED_FILE);
        }
}

static void test_no_module_name(struct fixture *f, gconstpointer data) {
        (void) data;
        put(f, "tree/foo.txt");
        load_and_expect(f, "tree/foo.txt", OUTCOME_KERNEL);
        g_assert_cmpint(reply.error, ==, ENOEXEC);
        g_assert_cmpint(seen->calls, ==, 0);
}

static void test_kernel_says_no(struct fixture *f, gconstpointer data) {
        static const int errors[] = { EPERM, ENOENT, EEXIST, ENOEXEC, EKEYREJECTED, EBADMSG, ENOSYS };
        int connection = connect_loader(f);

        (void) data;
        for (size_t i = 0; i < G_N_ELEMENTS(errors); i++) {
                kernel_result = -errors[i];
                send_load(f, connection, MODULE);
                expect(f, connection, OUTCOME_KERNEL);
                g_assert_cmpint(reply.error, ==, errors[i]);
                g_assert_cmpstr(reply.text, ==, "");
                send_unload(connection, "foo", 0);
                expect(f, connection, OUTCOME_KERNEL);
                g_assert_cmpint(reply.error, ==, errors[i]);
        }
        (void) close(connection);
}

static void test_kernel_lines(struct fixture *f, gconstpointer data) {
        int connection = connect_loader(f);

        (void) data;
        kernel_log = "<4>[    1.0] foo: Unknown symbol old (err -2)\n";
        kernel_result = -ENOENT;
        close_gate(f);
        send_load(f, connection, MODULE);
        expect_silence(f, connection);
        kernel_log = "<4>[    1.0] foo: Unknown symbol old (err -2)\n"
                     "<4>[    2.0] bar: Unknown symbol other (err -2)\n"
                     "<4>[    2.0] foo: Unknown symbol new (err -2)\n";
        open_gate(f);
        expect(f, connection, OUTCOME_KERNEL);
        g_assert_cmpint(reply.error, ==, ENOENT);
        g_assert_cmpstr(reply.text, ==, "foo: Unknown symbol new (err -2)");
        (void) close(connection);
}

static void test_crashed(struct fixture *f, gconstpointer data) {
        int connection = connect_loader(f);

        (void) data;
        kernel_kills = true;
        send_load(f, connection, MODULE);
        expect(f, connection, OUTCOME_CRASHED);
        kernel_kills = false;
        /* What crashed is still there, says the kernel; nobody tries again. */
        module_state = MODULE_COMING;
        send_load(f, connection, MODULE);
        expect(f, connection, OUTCOME_BUSY);
        module_state = MODULE_ABSENT;
        send_load(f, connection, MODULE);
        expect(f, connection, OUTCOME_DONE);
        (void) close(connection);
}

static void test_failed(struct fixture *f, gconstpointer data) {
        int connection = connect_loader(f), next;
        struct rlimit limit, low;

        (void) data;
        (void) turn(f, 1000);
        g_assert_false(loader_is_idle(f->loader));
        send_load(f, connection, MODULE);
        g_assert_no_errno(getrlimit(RLIMIT_NOFILE, &limit));
        next = dup(connection);
        (void) close(next);
        low = limit;
        /* Room for the descriptor that comes, and for nothing else. */
        low.rlim_cur = (rlim_t) next + 1;
        g_assert_no_errno(setrlimit(RLIMIT_NOFILE, &low));
        g_assert_cmpint(receive(f, connection), ==, 0);
        g_assert_no_errno(setrlimit(RLIMIT_NOFILE, &limit));
        g_assert_cmpuint(reply.outcome, ==, OUTCOME_FAILED);
        g_assert_cmpint(reply.error, ==, EMFILE);

        /* And goes on. */
        send_load(f, connection, MODULE);
        expect(f, connection, OUTCOME_DONE);
        (void) close(connection);
}

/* --- one at a time --- */

static void test_busy(struct fixture *f, gconstpointer data) {
        g_autofree char *path = path_of(f, MODULE), *alias = path_of(f, "tree/alias.ko");
        int first = connect_loader(f);

        (void) data;
        put(f, "tree/other/foo.ko");
        put(f, "tree/bar.ko");
        g_assert_no_errno(link(path, alias));
        g_assert_false(loader_is_busy(f->loader));
        close_gate(f);
        send_load(f, first, MODULE);
        expect_silence(f, first);
        g_assert_true(loader_is_busy(f->loader));

        load_and_expect(f, MODULE, OUTCOME_BUSY);
        /* Another file of that name, and the same file by another. */
        load_and_expect(f, "tree/other/foo.ko", OUTCOME_BUSY);
        load_and_expect(f, "tree/alias.ko", OUTCOME_BUSY);
        {
                int second = connect_loader(f);

                send_unload(second, "foo", 0);
                expect(f, second, OUTCOME_BUSY);
                (void) close(second);
        }
        g_assert_cmpint(seen->calls, ==, 1);

        open_gate(f);
        expect(f, first, OUTCOME_DONE);
        g_assert_false(loader_is_busy(f->loader));
        (void) close(first);
        load_and_expect(f, MODULE, OUTCOME_DONE);
}

static void test_sleeper_holds_up_nobody(struct fixture *f, gconstpointer data) {
        int sleeper = connect_loader(f), gate, kernel_end;

        (void) data;
        put(f, "tree/bar.ko");
        close_gate(f);
        send_load(f, sleeper, MODULE);
        expect_silence(f, sleeper);
        gate = f->gate;
        kernel_end = kernel_gate;
        f->gate = kernel_gate = -1;

        load_and_expect(f, "tree/bar.ko", OUTCOME_DONE);
        /* What comes behind the sleeper waits for it. */
        send_unload(sleeper, "bar", 0);
        expect_silence(f, sleeper);
        (void) close(gate);
        (void) close(kernel_end);
        expect(f, sleeper, OUTCOME_DONE);
        expect(f, sleeper, OUTCOME_DONE);
        g_assert_cmpstr(seen->name, ==, "bar");
        (void) close(sleeper);
}

/* A child has no copy of the others' connections: their ends are seen. */
static void test_ends_are_seen(struct fixture *f, gconstpointer data) {
        int other = connect_loader(f), sleeper = connect_loader(f);

        (void) data;
        expect_silence(f, other);
        close_gate(f);
        send_load(f, sleeper, MODULE);
        expect_silence(f, sleeper);
        send_unload(other, "../evil", 0);
        expect_end(f, other);
        (void) close(sleeper);
}

static void test_broker_leaves(struct fixture *f, gconstpointer data) {
        int connection = connect_loader(f);

        (void) data;
        close_gate(f);
        send_load(f, connection, MODULE);
        expect_silence(f, connection);
        (void) close(connection);
        (void) turn(f, 10);
        g_assert_true(loader_is_busy(f->loader));
        load_and_expect(f, MODULE, OUTCOME_BUSY);
        open_gate(f);
        settle(f);
        load_and_expect(f, MODULE, OUTCOME_DONE);
}

/* --- who is served --- */

static void test_another_user(struct fixture *f, gconstpointer data) {
        int connection;

        (void) data;
        g_assert_no_errno(seteuid(SOMEBODY));
        connection = connect_loader(f);
        g_assert_no_errno(seteuid(0));
        g_assert_cmpint(send_load_with(f, connection, MODULE, "", 0), ==, 0);
        expect_end(f, connection);
        g_assert_cmpint(seen->calls, ==, 0);
        g_assert_true(loader_is_idle(f->loader));
        load_and_expect(f, MODULE, OUTCOME_DONE);
}

static void test_root_is_another_user(struct fixture *f, gconstpointer data) {
        int connection;

        (void) data;
        loader_free(f->loader);
        g_assert_cmpint(loader_new(f->listening, SOMEBODY, read_config(f, ""), &f->loader), ==, 0);
        expect_end(f, connect_loader(f));
        g_assert_no_errno(seteuid(SOMEBODY));
        connection = connect_loader(f);
        g_assert_no_errno(seteuid(0));
        send_load(f, connection, MODULE);
        expect(f, connection, OUTCOME_DONE);
        (void) close(connection);
}

static void test_many_connections(struct fixture *f, gconstpointer data) {
        int connections[300];

        (void) data;
        for (size_t i = 0; i < G_N_ELEMENTS(connections); i++)
                connections[i] = connect_loader(f);
        for (size_t i = 0; i < G_N_ELEMENTS(connections); i++)
                send_unload(connections[i], "foo", 0);
        for (size_t i = 0; i < G_N_ELEMENTS(connections); i++) {
                int r = receive(f, connections[i]);

                g_assert_cmpint(r, ==, 0);
                g_assert_true(reply.outcome == OUTCOME_DONE || reply.outcome == OUTCOME_BUSY);
                (void) close(connections[i]);
        }
        settle(f);
        load_and_expect(f, MODULE, OUTCOME_DONE);
}

/* --- what a broker that was taken over may send --- */

static void send_raw(int connection, const void *bytes, size_t n, const int *fds, size_t n_fds) {
        struct iovec iov = { .iov_base = (void *) bytes, .iov_len = n };
        union {
                struct cmsghdr align;
                char buffer[CMSG_SPACE(PROTOCOL_FDS_MAX * sizeof(int))];
        } control = { 0 };
        struct msghdr message = { .msg_iov = &iov, .msg_iovlen = 1 };

        if (n_fds > 0) {
                struct cmsghdr *c;

                message.msg_control = control.buffer;
                message.msg_controllen = CMSG_SPACE(n_fds * sizeof(int));
                c = CMSG_FIRSTHDR(&message);
                c->cmsg_level = SOL_SOCKET;
                c->cmsg_type = SCM_RIGHTS;
                c->cmsg_len = CMSG_LEN(n_fds * sizeof(int));
                memcpy(CMSG_DATA(c), fds, n_fds * sizeof(int));
        }
        g_assert_cmpint(sendmsg(connection, &message, MSG_NOSIGNAL), ==, (gssize) n);
}

static void test_malformed(struct fixture *f, gconstpointer data) {
        static const uint32_t load[] = { 1, REQUEST_LOAD, 0, 0 };
        static const uint32_t half[] = { 1, REQUEST_LOAD, 0, 8 };
        static const uint32_t version[] = { 2, REQUEST_LOAD, 0, 0 };
        static const char oversized[8192] = { 1 };
        static const struct {
                const void *bytes;
                size_t n, n_fds;
        } messages[] = {
                { load, sizeof load, 0 },
                { load, sizeof load, 2 },
                { load, sizeof load, PROTOCOL_FDS_MAX },
                { load, 3, 1 },
                { half, sizeof half, 1 },
                { version, sizeof version, 1 },
                { oversized, sizeof oversized, 1 },
                { "x", 1, 0 },
                { "", 0, 1 },
                { "", 0, 0 },
        };

        (void) data;
        for (size_t i = 0; i < G_N_ELEMENTS(messages); i++) {
                g_autofree char *path = path_of(f, MODULE);
                int connection = connect_loader(f), fds[PROTOCOL_FDS_MAX] = { 0 };

                for (size_t j = 0; j < messages[i].n_fds; j++)
                        fds[j] = support_open(path);
                send_raw(connection, messages[i].bytes, messages[i].n, fds, messages[i].n_fds);
                for (size_t j = 0; j < messages[i].n_fds; j++)
                        (void) close(fds[j]);
                expect_end(f, connection);
                settle(f);
        }
        g_assert_cmpint(seen->calls, ==, 0);
        load_and_expect(f, MODULE, OUTCOME_DONE);
}

static void test_bad_requests(struct fixture *f, gconstpointer data) {
        static const uint32_t flags[] = { KERNEL_COMPRESSED_FILE, 8, 0x80000000u, UINT32_MAX };
        static const char *const names[] = { "", ".", "..", "../x", "a/b", "a b", "a\n", "x.ko" };

        (void) data;
        loader_set_config(f->loader, read_config(f, "[Policy]\nAllowForced=yes\n"));
        for (size_t i = 0; i < G_N_ELEMENTS(flags); i++) {
                int connection = connect_loader(f);

                g_assert_cmpint(send_load_with(f, connection, MODULE, "", flags[i]), ==, 0);
                expect_end(f, connection);
                connection = connect_loader(f);
                send_unload(connection, "foo", flags[i]);
                expect_end(f, connection);
        }
        for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
                int connection = connect_loader(f);

                send_unload(connection, names[i], 0);
                expect_end(f, connection);
        }
        g_assert_cmpint(seen->calls, ==, 0);
}

/* Descriptors whose close does not come back: sent, and queued unread behind a message that ends the connection. */
static void test_stuck_descriptors(struct fixture *f, gconstpointer data) {
        static const uint32_t load[] = { 1, REQUEST_LOAD, 0, 0 };
        int first = connect_loader(f), second = connect_loader(f), peers[2], stuck[2];
        gint64 begin = g_get_monotonic_time();

        (void) data;
        stuck[0] = support_lingering_socket(&peers[0]);
        send_raw(first, load, sizeof load, &stuck[0], 1);
        (void) close(stuck[0]);
        expect(f, first, OUTCOME_REFUSED);
        g_assert_cmpuint(reply.verdict, ==, VERDICT_NOT_READ_ONLY);

        stuck[1] = support_lingering_socket(&peers[1]);
        send_raw(second, "x", 1, NULL, 0);
        send_raw(second, load, sizeof load, &stuck[1], 1);
        (void) close(stuck[1]);
        expect_end(f, second);

        load_and_expect(f, MODULE, OUTCOME_DONE);
        g_assert_cmpint(g_get_monotonic_time() - begin, <, SOON);
        (void) close(first);
        support_let_go(peers[0]);
        support_let_go(peers[1]);
}

static void test_reader_that_does_not_read(struct fixture *f, gconstpointer data) {
        int deaf = connect_loader(f);

        (void) data;
        put(f, "outside/foo.ko");
        for (int i = 0; i < 2000; i++) {
                if (send_load_with(f, deaf, "outside/foo.ko", "", 0) < 0)
                        break;
                (void) turn(f, 0);
        }
        load_and_expect(f, MODULE, OUTCOME_DONE);
        (void) close(deaf);
}

/* --- the loop --- */

static void test_run_once(struct fixture *f, gconstpointer data) {
        int ends[2];

        (void) data;
        g_assert_true(loader_is_idle(f->loader));
        g_assert_cmpint(loader_run_once(f->loader, NULL, 0, 0), ==, 0);
        g_assert_no_errno(pipe2(ends, O_CLOEXEC));
        g_assert_cmpint(loader_run_once(f->loader, ends, 1, 0), ==, 0);
        g_assert_cmpint(write(ends[1], "x", 1), ==, 1);
        g_assert_cmpint(loader_run_once(f->loader, ends, 1, -1), ==, 1);
        (void) close(ends[0]);
        (void) close(ends[1]);
}

static void test_free_while_busy(struct fixture *f, gconstpointer data) {
        int connection = connect_loader(f);

        (void) data;
        close_gate(f);
        send_load(f, connection, MODULE);
        expect_silence(f, connection);
        g_assert_null(loader_free(f->loader));
        g_assert_null(loader_free(NULL));
        open_gate(f);
        g_assert_cmpint(loader_new(f->listening, 0, read_config(f, ""), &f->loader), ==, 0);
        /* It ends when the call does, without an answer. */
        expect_end(f, connection);
        load_and_expect(f, MODULE, OUTCOME_DONE);
        f->descriptors = support_count_descriptors();
}

int main(int argc, char *argv[]) {
        g_test_init(&argc, &argv, NULL);
        PROGRAM_NEEDS_ROOT();
        seen = mmap(NULL, sizeof *seen, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
        g_assert_true(seen != MAP_FAILED);
        /* As the loader's main() does. */
        (void) signal(SIGCHLD, SIG_IGN);
#define ADD(name, function) g_test_add("/loader/" name, struct fixture, NULL, set_up, function, tear_down)
        ADD("done", test_done);
        ADD("refused", test_refused);
        ADD("policy", test_policy);
        ADD("compressed", test_compressed);
        ADD("no-module-name", test_no_module_name);
        ADD("kernel-says-no", test_kernel_says_no);
        ADD("kernel-lines", test_kernel_lines);
        ADD("crashed", test_crashed);
        ADD("failed", test_failed);
        ADD("busy", test_busy);
        ADD("sleeper-holds-up-nobody", test_sleeper_holds_up_nobody);
        ADD("ends-are-seen", test_ends_are_seen);
        ADD("broker-leaves", test_broker_leaves);
        ADD("another-user", test_another_user);
        ADD("root-is-another-user", test_root_is_another_user);
        ADD("many-connections", test_many_connections);
        ADD("malformed", test_malformed);
        ADD("bad-requests", test_bad_requests);
        ADD("stuck-descriptors", test_stuck_descriptors);
        ADD("reader-that-does-not-read", test_reader_that_does_not_read);
        ADD("run-once", test_run_once);
        ADD("free-while-busy", test_free_while_busy);
        return g_test_run();
}
