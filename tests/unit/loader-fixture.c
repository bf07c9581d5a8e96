/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "config.h"
#include "loader-fixture.h"

/* For what must happen; a machine with other things to do may take a while. */
#define SOON (20 * G_USEC_PER_SEC)
#define QUIET_MS 5
#define CONFIG "[Origin vendor]\nDirectory=%s/tree\n"
/* No child here has a descriptor beyond. */
#define DESCRIPTORS_MAX 2048

struct kernel kernel;
struct seen *seen;
struct loader_reply answer;

/* A child waits for the end of this pipe, so whatever ends the test lets it go. */
static int gate[2] = { -1, -1 };
static size_t threads;

/* --- the kernel, in the child --- */

static int act(void) {
        char byte;

        /* Every child has a copy of the end that keeps the gate closed. */
        if (gate[1] >= 0)
                (void) close(gate[1]);
        g_atomic_int_inc(&seen->begun);
        if (gate[0] >= 0 && kernel.waits)
                (void) !read(gate[0], &byte, 1);
        if (kernel.stops) {
                (void) raise(SIGTERM);
                (void) raise(SIGINT);
                (void) raise(SIGHUP);
        }
        if (kernel.kills)
                (void) raise(SIGKILL);
        g_atomic_int_inc(&seen->ended);
        return kernel.result;
}

/* Without malloc(), whose lock a thread that is not in this process may hold. */
static size_t count_descriptors(void) {
        size_t n = 0;

        for (int fd = 0; fd < DESCRIPTORS_MAX; fd++)
                n += fcntl(fd, F_GETFD) >= 0;
        return n;
}

int kernel_load(int fd, const char *parameters, int flags) {
        struct stat st;

        (void) snprintf(seen->parameters, sizeof seen->parameters, "%s", parameters);
        seen->flags = flags;
        seen->inode = fstat(fd, &st) == 0 ? st.st_ino : 0;
        seen->descriptors = count_descriptors();
        return act();
}

int kernel_unload(const char *name) {
        (void) snprintf(seen->name, sizeof seen->name, "%s", name);
        return act();
}

int kernel_log_read(char *buffer, size_t size) {
        return (int) g_strlcpy(buffer, kernel.log, size);
}

int kernel_log_size(void) {
        return 4096;
}

int system_dm_uuid(unsigned device_major, unsigned device_minor, char **ret) {
        (void) device_major;
        (void) device_minor;
        (void) ret;
        return -ENOENT;
}

int system_module_state(const char *name) {
        (void) name;
        return kernel.module_state;
}

/* --- the C library, for what does not fail on demand; the linker puts these before it --- */

/* The headers may take fstat() for fstat64(). */
static bool fails(const char *function) {
        if (!kernel.fails || !g_str_has_prefix(function, kernel.fails))
                return false;
        if (kernel.spared > 0) {
                kernel.spared--;
                return false;
        }
        kernel.fails = NULL;
        errno = kernel.error;
        return true;
}

#define FAILING(type, name, parameters, arguments, failure)                                                 \
        type __real_##name parameters;                                                                      \
        type __wrap_##name parameters;                                                                      \
        type __wrap_##name parameters {                                                                     \
                return fails(#name) ? (failure) : __real_##name arguments;                                  \
        }

FAILING(void *, calloc, (size_t n, size_t size), (n, size), NULL)
FAILING(char *, strdup, (const char *text), (text), NULL)
FAILING(char *, strndup, (const char *text, size_t n), (text, n), NULL)
FAILING(pid_t, fork, (void), (), -1)
FAILING(int, pipe2, (int ends[2], int flags), (ends, flags), -1)
FAILING(ssize_t, recvmsg, (int fd, struct msghdr *message, int flags), (fd, message, flags), -1)
FAILING(ssize_t, read, (int fd, void *buffer, size_t n), (fd, buffer, n), -1)
FAILING(int, getsockopt, (int fd, int level, int name, void *value, socklen_t *size),
        (fd, level, name, value, size), (__real_getsockopt(fd, level, name, value, size), -1))
FAILING(int, fstat, (int fd, struct stat *st), (fd, st), -1)
FAILING(int, fstat64, (int fd, struct stat *st), (fd, st), -1)

/* Only the call for a duplicate. */
#define FAILING_FCNTL(function)                                                                             \
        int __real_##function(int fd, int command, ...);                                                    \
        int __wrap_##function(int fd, int command, ...);                                                    \
        int __wrap_##function(int fd, int command, ...) {                                                   \
                va_list list;                                                                               \
                long argument;                                                                              \
                                                                                                            \
                va_start(list, command);                                                                    \
                argument = va_arg(list, long);                                                              \
                va_end(list);                                                                               \
                return command == F_DUPFD_CLOEXEC && fails(#function)                                       \
                                       ? -1                                                                 \
                                       : __real_##function(fd, command, argument);                          \
        }

FAILING_FCNTL(fcntl)
FAILING_FCNTL(fcntl64)

/* A child ends without what counts for coverage at the end of a program. */
void __gcov_dump(void) __attribute__((weak));
void __real__exit(int status) __attribute__((noreturn));
void __wrap__exit(int status) __attribute__((noreturn));

void __wrap__exit(int status) {
        if (__gcov_dump)
                __gcov_dump();
        __real__exit(status);
}

/* --- what holds children up --- */

/* Calls from now on do not return before kernel_open_gate(), while kernel.waits. */
void kernel_close_gate(void) {
        g_assert_cmpint(gate[0], ==, -1);
        g_assert_no_errno(pipe2(gate, O_CLOEXEC));
        kernel.waits = true;
}

void kernel_open_gate(void) {
        for (int i = 0; i < 2; i++) {
                if (gate[i] >= 0)
                        (void) close(gate[i]);
                gate[i] = -1;
        }
        kernel.waits = false;
}

static void wait_for(const int *count, int calls) {
        gint64 end = g_get_monotonic_time() + SOON;

        while (g_atomic_int_get(count) < calls) {
                g_assert_cmpint(g_get_monotonic_time(), <, end);
                g_usleep(1000);
        }
        g_assert_cmpint(g_atomic_int_get(count), ==, calls);
}

void kernel_wait_begun(int calls) {
        wait_for(&seen->begun, calls);
}

void kernel_wait_ended(int calls) {
        wait_for(&seen->ended, calls);
}

/* --- the fixture --- */

char *fixture_path(const struct fixture *f, const char *name) {
        return g_strdup_printf("%s/%s", f->top, name);
}

void fixture_put(const struct fixture *f, const char *name) {
        g_autofree char *path = fixture_path(f, name);

        support_write(path, "module");
}

ino_t fixture_inode(const struct fixture *f, const char *name) {
        g_autofree char *path = fixture_path(f, name);
        struct stat st;

        g_assert_no_errno(stat(path, &st));
        return st.st_ino;
}

/* The configuration that has one origin and what @more says. */
struct config *fixture_read_config(const struct fixture *f, const char *more) {
        g_autofree char *path = fixture_path(f, "etc/moduled.conf"), *head = g_strdup_printf(CONFIG, f->top),
                        *text = g_strconcat(head, more, NULL);
        struct config_error error = { 0 };
        struct config *config = NULL;

        support_write(path, text);
        g_assert_cmpint(config_load(f->top, &config, &error), ==, 0);
        return config;
}

/* Another loader, for another user, in the place of the one before. */
void fixture_restart(struct fixture *f, uid_t peer_uid) {
        loader_free(f->loader);
        g_assert_cmpint(loader_new(f->listening, peer_uid, fixture_read_config(f, ""), &f->loader), ==, 0);
}

void fixture_set_up(struct fixture *f, gconstpointer data) {
        g_autofree char *path = NULL;

        (void) data;
        f->top = support_directory();
        fixture_put(f, MODULE);
        path = fixture_path(f, "socket");
        f->all_descriptors = support_count_descriptors();
        f->address.sun_family = AF_UNIX;
        g_assert_cmpuint(g_strlcpy(f->address.sun_path, path, sizeof f->address.sun_path), <,
                         sizeof f->address.sun_path);
        f->listening = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        g_assert_no_errno(bind(f->listening, (struct sockaddr *) &f->address, sizeof f->address));
        g_assert_no_errno(chmod(path, 0666));
        g_assert_no_errno(listen(f->listening, 4096));

        memset(seen, 0, sizeof *seen);
        kernel = (struct kernel){ .module_state = MODULE_ABSENT, .log = "" };
        fixture_restart(f, 0);
        f->descriptors = support_count_descriptors();
}

/* Its threads are the closer's. One that is left after a while is stuck, or idle for ever. */
static void wait_for_threads(void) {
        gint64 end = g_get_monotonic_time() + SOON;

        while (support_count_threads() > threads) {
                g_assert_cmpint(g_get_monotonic_time(), <, end);
                g_usleep(1000);
        }
}

void fixture_tear_down(struct fixture *f, gconstpointer data) {
        (void) data;
        kernel_open_gate();
        settle(f);
        g_assert_null(kernel.fails);
        loader_free(f->loader);
        wait_for_threads();
        (void) close(f->listening);
        g_assert_cmpuint(support_count_descriptors(), ==, f->all_descriptors);
        support_remove(f->top);
        g_free(f->top);
}

/* --- the loader's turn --- */

/* One turn. Return: whether anything happened. */
bool turn(const struct fixture *f, int timeout_ms) {
        int r = loader_run_once(f->loader, NULL, 0, timeout_ms);

        g_assert_cmpint(r, >=, 0);
        return r > 0;
}

/* Until the loader has done what there is to do; what was sent is there already. */
void turn_until_quiet(const struct fixture *f) {
        while (turn(f, QUIET_MS))
                ;
}

/* Until the loader has nobody and nothing but itself. */
void settle(const struct fixture *f) {
        gint64 end = g_get_monotonic_time() + SOON;

        while (!loader_is_idle(f->loader) || support_count_descriptors() != f->descriptors) {
                g_assert_cmpint(g_get_monotonic_time(), <, end);
                (void) turn(f, 10);
        }
}

/* --- the broker's side --- */

int connect_loader(const struct fixture *f) {
        int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

        g_assert_no_errno(fd);
        g_assert_no_errno(connect(fd, (const struct sockaddr *) &f->address, sizeof f->address));
        return fd;
}

/* Return: as protocol_send_request() does. */
int send_load_with(const struct fixture *f, int connection, const char *name, const char *parameters,
                   uint32_t flags) {
        struct loader_request request = { .kind = REQUEST_LOAD, .flags = flags };
        g_autofree char *path = fixture_path(f, name);
        int fd = support_open(path), r;

        g_assert_cmpuint(g_strlcpy(request.text, parameters, sizeof request.text), <, sizeof request.text);
        r = protocol_send_request(connection, &request, fd);
        (void) close(fd);
        return r;
}

void send_load(const struct fixture *f, int connection, const char *name) {
        g_assert_cmpint(send_load_with(f, connection, name, "", 0), ==, 0);
}

void send_unload(int connection, const char *name, uint32_t flags) {
        struct loader_request request = { .kind = REQUEST_UNLOAD, .flags = flags };

        g_assert_cmpuint(g_strlcpy(request.text, name, sizeof request.text), <, sizeof request.text);
        g_assert_cmpint(protocol_send_request(connection, &request, -1), ==, 0);
}

/* Runs the loader until there is an answer. Return: as protocol_receive_reply() does. */
int receive(const struct fixture *f, int connection) {
        gint64 end = g_get_monotonic_time() + SOON;
        int r;

        while ((r = protocol_receive_reply(connection, &answer)) == -EAGAIN) {
                g_assert_cmpint(g_get_monotonic_time(), <, end);
                (void) turn(f, 10);
        }
        return r;
}

void expect(const struct fixture *f, int connection, enum outcome outcome) {
        g_assert_cmpint(receive(f, connection), ==, 0);
        g_assert_cmpuint(answer.outcome, ==, outcome);
        if (outcome != OUTCOME_KERNEL && outcome != OUTCOME_FAILED)
                g_assert_cmpint(answer.error, ==, 0);
        if (outcome != OUTCOME_REFUSED)
                g_assert_cmpuint(answer.verdict, ==, 0);
        if (outcome != OUTCOME_REFUSED && outcome != OUTCOME_POLICY && outcome != OUTCOME_KERNEL)
                g_assert_cmpstr(answer.text, ==, "");
}

/* Closes @connection. */
void expect_end(const struct fixture *f, int connection) {
        int r = receive(f, connection);

        g_assert_true(r == -ENODATA || r == -ECONNRESET);
        (void) close(connection);
}

/* Nothing has come, though the loader has done what there was to do. */
void expect_silence(const struct fixture *f, int connection) {
        turn_until_quiet(f);
        g_assert_cmpint(protocol_receive_reply(connection, &answer), ==, -EAGAIN);
}

void load_and_expect(const struct fixture *f, const char *name, enum outcome outcome) {
        int connection = connect_loader(f);

        send_load(f, connection, name);
        expect(f, connection, outcome);
        (void) close(connection);
}

void unload_and_expect(const struct fixture *f, const char *name, enum outcome outcome) {
        int connection = connect_loader(f);

        send_unload(connection, name, 0);
        expect(f, connection, outcome);
        (void) close(connection);
}

int loader_test_main(int argc, char *argv[], void (*add_tests)(void)) {
        g_test_init(&argc, &argv, NULL);
        PROGRAM_NEEDS_ROOT();
        seen = mmap(NULL, sizeof *seen, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
        g_assert_true(seen != MAP_FAILED);
        /* As the loader's main() does. */
        (void) signal(SIGCHLD, SIG_IGN);
        threads = support_count_threads();
        add_tests();
        return g_test_run();
}
