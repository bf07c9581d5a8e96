/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Tests of daemon/inspector/sandbox.c, and of what the broker makes of an inspector that a file has taken over: here
 * stands another modinfo_read(), which does what the file says.
 */

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/futex.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "answer.h"
#include "inspecting.h"
#include "modinfo.h"
#include "sandbox.h"
#include "support.h"
#include "zygote.h"

#define NAME "name"
#define MEBIBYTE ((size_t) 1024 * 1024)
#define DESCRIPTORS_MAX 4096
/* How much faster time passes for who asks for it. */
#define HURRY 20

static const struct {
        const char *name;
        long call;
        long arguments[6];
} forbidden[] = {
        { "openat", __NR_openat, { AT_FDCWD, (long) "/dev/null", O_RDONLY } },
        { "openat2", __NR_openat2, { AT_FDCWD, (long) "/dev/null" } },
        { "open-by-handle-at", __NR_open_by_handle_at, { AT_FDCWD } },
        { "socket", __NR_socket, { AF_UNIX, SOCK_STREAM, 0 } },
        { "socketpair", __NR_socketpair, { AF_UNIX, SOCK_STREAM, 0 } },
        { "connect", __NR_connect, { 0 } },
        { "bind", __NR_bind, { 0 } },
        { "sendmsg", __NR_sendmsg, { 0 } },
        { "sendto", __NR_sendto, { 0 } },
        { "recvmsg", __NR_recvmsg, { 0 } },
        { "execve", __NR_execve, { (long) "/bin/true" } },
        { "execveat", __NR_execveat, { AT_FDCWD, (long) "/bin/true" } },
        { "clone", __NR_clone, { SIGCHLD } },
        { "clone-thread", __NR_clone, { CLONE_VM | CLONE_THREAD | CLONE_SIGHAND } },
        { "clone3", __NR_clone3, { 0 } },
        { "kill", __NR_kill, { 0, SIGKILL } },
        { "tgkill", __NR_tgkill, { 0 } },
        { "ptrace", __NR_ptrace, { 0 } },
        { "process-vm-writev", __NR_process_vm_writev, { 0 } },
        { "pidfd-open", __NR_pidfd_open, { 1 } },
        { "memfd-create", __NR_memfd_create, { (long) "x" } },
        { "mmap-exec", __NR_mmap, { 0, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1 } },
        { "mprotect-exec", __NR_mprotect, { 0, 0, PROT_READ | PROT_WRITE | PROT_EXEC } },
        { "pkey-mprotect", __NR_pkey_mprotect, { 0, 0, PROT_EXEC, -1 } },
        { "fcntl-setfl", __NR_fcntl, { 0, F_SETFL, O_APPEND } },
        { "fcntl-setown", __NR_fcntl, { 0, F_SETOWN, 1 } },
        { "ioctl", __NR_ioctl, { 0 } },
        { "prctl", __NR_prctl, { PR_SET_DUMPABLE, 1 } },
        { "prlimit64", __NR_prlimit64, { 0 } },
        { "rt-sigaction", __NR_rt_sigaction, { SIGXCPU } },
        { "rt-sigprocmask", __NR_rt_sigprocmask, { 0 } },
        { "unlinkat", __NR_unlinkat, { AT_FDCWD, (long) "/nonexistent" } },
        { "setns", __NR_setns, { 0 } },
        { "unshare", __NR_unshare, { CLONE_NEWUSER } },
        { "io-uring-setup", __NR_io_uring_setup, { 1 } },
        { "bpf", __NR_bpf, { 0 } },
        { "keyctl", __NR_keyctl, { 0 } },
        { "userfaultfd", __NR_userfaultfd, { 0 } },
        { "finit-module", __NR_finit_module, { 0 } },
        { "nanosleep", __NR_nanosleep, { 0 } },
        { "getpid", __NR_getpid, { 0 } },
        { "no-such-call", 100000, { 0 } },
};

/* The rest runs in the sandbox, where there is little to work with. */

static void die_forbidden(size_t i) {
        const long *a = forbidden[i].arguments;

        (void) syscall(forbidden[i].call, a[0], a[1], a[2], a[3], a[4], a[5]);
        /* Reached only if it was allowed, and told apart from a death by it. */
        _exit(EXIT_SUCCESS);
}

/* The other descriptor that is open. */
static int find_pipe(int file) {
        for (int fd = 0; fd < DESCRIPTORS_MAX; fd++)
                if (fd != file && fcntl(fd, F_GETFD) >= 0)
                        return fd;
        return -1;
}

static int count_descriptors(void) {
        int n = 0;

        for (int fd = 0; fd < DESCRIPTORS_MAX; fd++)
                n += fcntl(fd, F_GETFD) >= 0;
        return n;
}

static void write_to(int fd, size_t n) {
        static const char bytes[4096];

        for (; n > 0; n -= n < sizeof bytes ? n : sizeof bytes)
                if (write(fd, bytes, n < sizeof bytes ? n : sizeof bytes) < 0)
                        return;
}

static volatile bool for_ever = true;

/* A function that seems to return: before any other the address sanitizer makes a call of its own. */
static void wait_forever(void) {
        static int never;

        while (for_ever)
                (void) syscall(__NR_futex, &never, FUTEX_WAIT, 0, NULL, NULL, 0);
}

/* Return: how many MiB there were. */
static size_t use_memory(void) {
        size_t n = 0;
        char *p;

        while ((p = mmap(NULL, MEBIBYTE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)) !=
               MAP_FAILED) {
                for (size_t i = 0; i < MEBIBYTE; i += 4096)
                        p[i] = 1;
                n++;
        }
        return n;
}

static void watch_file(int fd) {
        const volatile char *map = mmap(NULL, 1, PROT_READ, MAP_PRIVATE, fd, 0);

        while (map != MAP_FAILED && *map)
                ;
}

static int answer_number(size_t n, struct modinfo **ret) {
        struct modinfo *info = modinfo_new();
        char text[32];

        (void) snprintf(text, sizeof text, "%zu", n);
        if (!info || modinfo_set_text(info, &info->name, text) != 0)
                return -ENOMEM;
        *ret = info;
        return MODINFO_GOOD;
}

static char *volatile nowhere;

static int obey(const char *order, int fd, struct modinfo **ret) {
        for (size_t i = 0; i < G_N_ELEMENTS(forbidden); i++)
                if (strcmp(order, forbidden[i].name) == 0)
                        die_forbidden(i);
        if (strcmp(order, "descriptors") == 0)
                return answer_number((size_t) count_descriptors(), ret);
        if (strcmp(order, "memory") == 0)
                return answer_number(use_memory(), ret);
        if (strcmp(order, "no memory") == 0)
                return -ENOMEM;
        if (strcmp(order, "error") == 0)
                return -EXDEV;
        if (strcmp(order, "segv") == 0)
                *nowhere = 1;
        if (strcmp(order, "abort") == 0)
                abort();
        if (strcmp(order, "exit") == 0)
                _exit(EXIT_SUCCESS);
        if (strcmp(order, "watch") == 0)
                watch_file(fd);
        if (strcmp(order, "wait") == 0)
                wait_forever();
        if (strcmp(order, "spin") == 0)
                while (for_ever)
                        ;
        if (strcmp(order, "garbage") == 0)
                write_to(find_pipe(fd), 100);
        if (strcmp(order, "flood") == 0)
                write_to(find_pipe(fd), SIZE_MAX);
        if (strcmp(order, "silence") == 0) {
                (void) close(find_pipe(fd));
                wait_forever();
        }
        _exit(EXIT_SUCCESS);
}

int modinfo_read(int fd, const char *expected, struct modinfo **ret) {
        char order[32] = "";

        (void) expected;
        if (pread(fd, order, sizeof order - 1, 0) < 0)
                return -errno;
        return obey(order, fd, ret);
}

/* From here on this is the test. The time limits are those of the shipped program; a test can let time pass faster. */

static bool is_in_a_hurry;

int sd_event_add_time_relative(sd_event *event, sd_event_source **ret, clockid_t clock, uint64_t usec,
                               uint64_t accuracy, sd_event_time_handler_t handler, void *userdata) {
        uint64_t now;

        g_assert_cmpint(sd_event_now(event, clock, &now), >=, 0);
        return sd_event_add_time(event, ret, clock, now + (is_in_a_hurry ? usec / HURRY : usec), accuracy,
                                 handler, userdata);
}

static void ask(struct inspecting *f, const char *order, struct asked *ret) {
        g_autofree char *path = inspecting_write(f, order, strlen(order));

        inspecting_ask(f, path, NAME, ret);
}

static void expect(struct inspecting *f, const char *order, int result, int signal) {
        struct asked asked;

        ask(f, order, &asked);
        inspecting_wait(f, &asked);
        g_assert_cmpint(asked.result, ==, result);
        g_assert_null(asked.info);
        /* The address sanitizer's handler for what is wrong with memory has no more rights than others. */
        if (asked.signal != SIGSYS)
                g_assert_cmpint(asked.signal, ==, signal);
        inspecting_clear(&asked);
}

static size_t number(struct inspecting *f, const char *order) {
        struct asked asked;
        size_t n;

        ask(f, order, &asked);
        inspecting_wait(f, &asked);
        g_assert_cmpint(asked.result, ==, MODINFO_GOOD);
        n = (size_t) atoi(asked.info->name);
        inspecting_clear(&asked);
        return n;
}

static void test_forbidden(struct inspecting *f, gconstpointer data) {
        (void) data;
        for (size_t i = 0; i < G_N_ELEMENTS(forbidden); i++) {
                struct asked asked;

                g_test_message("%s", forbidden[i].name);
                ask(f, forbidden[i].name, &asked);
                inspecting_wait(f, &asked);
                g_assert_cmpint(asked.result, ==, MODINFO_KILLED);
                g_assert_cmpint(asked.signal, ==, SIGSYS);
                inspecting_clear(&asked);
        }
        g_assert_cmpuint(number(f, "descriptors"), ==, 2);
}

/* The file and the pipe, whatever this process has open when it asks, and the zygote from before. */
static void test_descriptors(struct inspecting *f, gconstpointer data) {
        int fds[20];

        (void) data;
        g_assert_cmpuint(number(f, "descriptors"), ==, 2);
        for (size_t i = 0; i < G_N_ELEMENTS(fds); i++)
                fds[i] = support_open("/dev/null");
        g_assert_cmpuint(number(f, "descriptors"), ==, 2);
        for (size_t i = 0; i < G_N_ELEMENTS(fds); i++)
                (void) close(fds[i]);
}

static void test_memory(struct inspecting *f, gconstpointer data) {
        size_t n;

        (void) data;
        n = number(f, "memory");
        g_assert_cmpuint(n, <=, SANDBOX_MEMORY_MAX / MEBIBYTE);
        g_assert_cmpuint(n, >, SANDBOX_MEMORY_MAX / MEBIBYTE - 64);
        expect(f, "no memory", MODINFO_TOO_LARGE, 0);
}

static void test_deaths(struct inspecting *f, gconstpointer data) {
        (void) data;
        expect(f, "segv", MODINFO_KILLED, SIGSEGV);
        expect(f, "abort", MODINFO_KILLED, SIGABRT);
        expect(f, "exit", MODINFO_KILLED, 0);
        expect(f, "error", -EXDEV, 0);
        g_assert_cmpuint(number(f, "descriptors"), ==, 2);
}

static void test_no_answers(struct inspecting *f, gconstpointer data) {
        (void) data;
        expect(f, "garbage", MODINFO_KILLED, 0);
        expect(f, "flood", MODINFO_KILLED, SIGKILL);
        expect(f, "silence", MODINFO_KILLED, SIGKILL);
        g_assert_cmpuint(number(f, "descriptors"), ==, 2);
}

/* What is mapped and cut is gone. */
static void test_truncated_while_mapped(struct inspecting *f, gconstpointer data) {
        g_autofree char *path = inspecting_write(f, "watch", 5);
        struct asked asked;

        (void) data;
        inspecting_ask(f, path, NAME, &asked);
        (void) inspecting_await_child(f);
        /* Until it is surely looking; if it was not yet, the order is gone, and with it the answer. */
        g_usleep(G_USEC_PER_SEC / 2);
        g_assert_cmpuint(asked.n_answers, ==, 0);
        g_assert_no_errno(truncate(path, 0));
        inspecting_wait(f, &asked);
        g_assert_cmpint(asked.result, ==, MODINFO_KILLED);
        g_assert_true(asked.signal == SIGBUS || asked.signal == SIGSYS);
        inspecting_clear(&asked);
        g_assert_cmpuint(number(f, "descriptors"), ==, 2);
}

/* One that works and one that sleeps. */
static void test_too_long(struct inspecting *f, gconstpointer data) {
        struct asked asked[2];
        pid_t zygote = inspecting_zygote(), children[ZYGOTE_CHILDREN_MAX];

        (void) data;
        is_in_a_hurry = true;
        ask(f, "spin", &asked[0]);
        ask(f, "wait", &asked[1]);
        for (size_t i = 0; i < G_N_ELEMENTS(asked); i++) {
                inspecting_wait(f, &asked[i]);
                g_assert_cmpint(asked[i].result, ==, MODINFO_TIMED_OUT);
                inspecting_clear(&asked[i]);
        }
        is_in_a_hurry = false;
        while (inspecting_children(zygote, children, ZYGOTE_CHILDREN_MAX) > 0)
                g_assert_cmpint(sd_event_run(f->event, 1000), >=, 0);
        g_assert_cmpuint(number(f, "descriptors"), ==, 2);
}

/* All places are taken for longer than one waits for a place. */
static void test_no_place(struct inspecting *f, gconstpointer data) {
        struct asked asked[ZYGOTE_CHILDREN_MAX + 1];
        size_t last = ZYGOTE_CHILDREN_MAX;

        (void) data;
        is_in_a_hurry = true;
        inspector_set_time(f->inspector, 75 * UINT64_C(1000000));
        for (size_t i = 0; i < G_N_ELEMENTS(asked); i++)
                ask(f, "wait", &asked[i]);
        inspecting_wait(f, &asked[last]);
        g_assert_cmpint(asked[last].result, ==, -EBUSY);
        inspecting_clear(&asked[last]);
        for (size_t i = 0; i < last; i++) {
                inspecting_wait(f, &asked[i]);
                g_assert_cmpint(asked[i].result, ==, MODINFO_TIMED_OUT);
                inspecting_clear(&asked[i]);
        }
        is_in_a_hurry = false;
        inspector_set_time(f->inspector, 10 * UINT64_C(1000000));
        g_assert_cmpuint(number(f, "descriptors"), ==, 2);
}

/* The broker may be stopped itself, and nobody looks at the clock: then the work ends by what it used. */
static void test_processor_time(struct inspecting *f, gconstpointer data) {
        struct asked asked;

        (void) data;
        ask(f, "spin", &asked);
        g_assert_no_errno(kill(inspecting_await_child(f), SIGXCPU));
        inspecting_wait(f, &asked);
        g_assert_cmpint(asked.result, ==, MODINFO_TIMED_OUT);
        inspecting_clear(&asked);
}

static void test_limits(struct inspecting *f, gconstpointer data) {
        g_autofree char *path = NULL, *limits = NULL;
        struct asked asked;

        (void) data;
        NEEDS_ROOT();
        inspector_set_time(f->inspector, 20 * G_USEC_PER_SEC + 1);
        ask(f, "wait", &asked);
        path = g_strdup_printf("/proc/%d/limits", inspecting_await_child(f));
        do {
                g_free(limits);
                g_assert_true(g_file_get_contents(path, &limits, NULL, NULL));
        } while (!g_regex_match_simple("Max core file size +0 +0 ", limits, 0, 0));
        g_assert_true(g_regex_match_simple("Max file size +0 +0 ", limits, 0, 0));
        g_assert_true(g_regex_match_simple("Max processes +0 +0 ", limits, 0, 0));
        g_assert_true(g_regex_match_simple("Max cpu time +21 +22 ", limits, 0, 0));
        g_assert_false(g_regex_match_simple("Max address space +unlimited ", limits, 0, 0));
        inspecting_clear(&asked);
}

int main(int argc, char *argv[]) {
        g_test_init(&argc, &argv, NULL);
#define ADD(name, function)                                                                                 \
        g_test_add("/sandbox/" name, struct inspecting, NULL, inspecting_set_up, function,                  \
                   inspecting_tear_down)
        ADD("forbidden", test_forbidden);
        ADD("descriptors", test_descriptors);
        ADD("memory", test_memory);
        ADD("deaths", test_deaths);
        ADD("no-answers", test_no_answers);
        ADD("truncated-while-mapped", test_truncated_while_mapped);
        ADD("too-long", test_too_long);
        ADD("no-place", test_no_place);
        ADD("processor-time", test_processor_time);
        ADD("limits", test_limits);
        return g_test_run();
}
