/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What has libkmod is another process, and may come to any end: then no module is let through. */

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "entries.h"
#include "modprobe-ask.h"
#include "modprobe-read.h"
#include "modprobe.h"
#include "support.h"

/* How much faster time passes for who waits. */
#define HURRY 10
#define DESCRIPTORS_MAX 1024

/* Nothing is read but the command line. */
static const char *const directories[] = { "/nonexistent", NULL };

/* What becomes of that process. */
enum fate {
        FATE_NONE,
        FATE_NO_LIBRARY,
        FATE_KILLED,
        FATE_SILENT,
        FATE_CUT_SHORT,
        FATE_GARBLED,
        FATE_TOO_MUCH,
        FATE_STUCK,
        FATE_STOPPED,
        FATE_LOOKED_AT,
        FATE_SHORT_OF_MEMORY,
};

/* Shared with the zygote, and its children. */
static struct {
        enum fate fate;
        rlim_t memory; /* in bytes: what it gets for FATE_SHORT_OF_MEMORY, once libkmod is there */
} * shared;
static int hurry = 1;

int __real_modprobe_read(int copy, int pipe);
int __wrap_modprobe_read(int copy, int pipe);
void *__real_dlopen(const char *name, int flags);
void *__wrap_dlopen(const char *name, int flags);
int __real_poll(struct pollfd *fds, nfds_t n, int msec);
int __wrap_poll(struct pollfd *fds, nfds_t n, int msec);

int __wrap_poll(struct pollfd *fds, nfds_t n, int msec) {
        return __real_poll(fds, n, msec > 0 ? msec / hurry : msec);
}

static void limit_memory(void) {
        unsigned long pages = 0;
        struct rlimit limit;
        FILE *f;

        f = fopen("/proc/self/statm", "re");
        if (!f || fscanf(f, "%lu", &pages) != 1 || fclose(f) != 0)
                abort();
        limit.rlim_cur = limit.rlim_max = pages * (rlim_t) getpagesize() + shared->memory;
        if (setrlimit(RLIMIT_AS, &limit) < 0)
                abort();
}

void *__wrap_dlopen(const char *name, int flags) {
        void *handle;

        if (shared->fate == FATE_NO_LIBRARY)
                return NULL;
        handle = __real_dlopen(name, flags);
        if (shared->fate == FATE_SHORT_OF_MEMORY)
                limit_memory();
        return handle;
}

static bool is_limited(int resource, rlim_t max) {
        struct rlimit limit;

        return getrlimit((__rlimit_resource_t) resource, &limit) == 0 && limit.rlim_max <= max;
}

static size_t count_descriptors(void) {
        size_t n = 0;

        for (int fd = 0; fd < DESCRIPTORS_MAX; fd++)
                n += fcntl(fd, F_GETFD) >= 0;
        return n;
}

/* Says how it is kept, as options of a module that is called so. */
static void tell(FILE *f, const char *what, bool is_so) {
        entries_put(f, ENTRY_OPTIONS, what, is_so ? "yes" : "no");
}

static int look_at_self(int pipe) {
        FILE *f = fdopen(pipe, "w");
        int signal = 0;

        tell(f, "has_two_descriptors", count_descriptors() == 2);
        tell(f, "dumps_no_core", is_limited(RLIMIT_CORE, 0) && prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) == 0);
        tell(f, "has_no_children", is_limited(RLIMIT_NPROC, 0));
        tell(f, "writes_no_file", is_limited(RLIMIT_FSIZE, 0));
        tell(f, "has_little_time", is_limited(RLIMIT_CPU, 60));
        tell(f, "has_little_memory", is_limited(RLIMIT_AS, RLIM_INFINITY - 1));
        tell(f, "gains_nothing", prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1);
        tell(f, "ends_with_zygote", prctl(PR_GET_PDEATHSIG, &signal, 0, 0, 0) == 0 && signal == SIGKILL);
        entries_end(f, ENTRIES_READ);
        return fclose(f);
}

/* In that process. */
int __wrap_modprobe_read(int copy, int pipe) {
        static const char garbled[] = "x\0\0.\0", cut_short[] = "bfoo\0\0ob\0";

        switch (shared->fate) {
        case FATE_KILLED:
                return raise(SIGKILL);
        case FATE_STUCK:
                return pause();
        case FATE_STOPPED:
                return raise(SIGSTOP);
        case FATE_SILENT:
                return 0;
        case FATE_CUT_SHORT:
                return write(pipe, cut_short, sizeof cut_short) < 0;
        case FATE_GARBLED:
                return write(pipe, garbled, sizeof garbled) < 0;
        case FATE_TOO_MUCH:
                while (write(pipe, "ox\0", sizeof "ox\0") > 0)
                        ;
                return 0;
        case FATE_LOOKED_AT:
                return look_at_self(pipe);
        case FATE_NONE:
        case FATE_NO_LIBRARY:
        case FATE_SHORT_OF_MEMORY:
                break;
        }
        return __real_modprobe_read(copy, pipe);
}

struct fixture {
        struct zygote_link zygote;
        struct modprobe *modprobe;
        struct modprobe_policy policy;
        size_t descriptors;
};

static void set_up(struct fixture *f, gconstpointer data) {
        (void) data;
        f->descriptors = support_count_descriptors();
        g_assert_cmpint(zygote_start(&f->zygote), ==, 0);
        g_assert_cmpint(modprobe_new(directories, &f->zygote, &f->modprobe), ==, 0);
}

static void tear_down(struct fixture *f, gconstpointer data) {
        (void) data;
        modprobe_policy_clear(&f->policy);
        modprobe_free(f->modprobe);
        zygote_end(&f->zygote);
        g_assert_cmpuint(support_count_descriptors(), ==, f->descriptors);
        shared->fate = FATE_NONE;
        hurry = 1;
}

/* Afresh: what was kept before it does not matter. */
static int query(struct fixture *f, enum fate what, const char *name) {
        shared->fate = what;
        modprobe_policy_clear(&f->policy);
        modprobe_free(f->modprobe);
        g_assert_cmpint(modprobe_new(directories, &f->zygote, &f->modprobe), ==, 0);
        return modprobe_query(f->modprobe, name, &f->policy);
}

/* Nothing is let through, nothing of it is kept, and the next one works. */
static void expect_lost(struct fixture *f, enum fate what, int error) {
        hurry = error == -ETIMEDOUT ? HURRY : 1;
        g_assert_cmpint(query(f, what, "foo"), ==, error);
        g_assert_cmpint(modprobe_query(f->modprobe, "foo", &f->policy), ==, error);
        hurry = 1;
        shared->fate = FATE_NONE;
        g_assert_cmpint(modprobe_query(f->modprobe, "foo", &f->policy), ==, MODPROBE_NOTHING);
}

static void test_no_library(struct fixture *f, gconstpointer data) {
        (void) data;
        expect_lost(f, FATE_NO_LIBRARY, MODPROBE_NO_LIBRARY);
}

static void test_died(struct fixture *f, gconstpointer data) {
        (void) data;
        expect_lost(f, FATE_KILLED, -EBADMSG);
        expect_lost(f, FATE_SILENT, -EBADMSG);
        expect_lost(f, FATE_CUT_SHORT, -EBADMSG);
}

static void test_garbled(struct fixture *f, gconstpointer data) {
        (void) data;
        expect_lost(f, FATE_GARBLED, -EBADMSG);
        expect_lost(f, FATE_TOO_MUCH, -EBADMSG);
}

/* Each is ended: more often than there is room for them. */
static void test_stays(struct fixture *f, gconstpointer data) {
        (void) data;
        for (size_t i = 0; i < ZYGOTE_READERS_MAX; i++)
                expect_lost(f, i % 2 == 0 ? FATE_STUCK : FATE_STOPPED, -ETIMEDOUT);
}

static void test_limited(struct fixture *f, gconstpointer data) {
        static const char *const what[] = {
                "has_two_descriptors", "dumps_no_core",     "has_no_children", "writes_no_file",
                "has_little_time",     "has_little_memory", "gains_nothing",   "ends_with_zygote",
        };

        (void) data;
        for (size_t i = 0; i < G_N_ELEMENTS(what); i++) {
                g_test_message("%s", what[i]);
                g_assert_cmpint(query(f, FATE_LOOKED_AT, what[i]), ==, MODPROBE_NOTHING);
                g_assert_cmpuint(f->policy.n_options, ==, 1);
                g_assert_cmpstr(f->policy.options[0].text, ==, "yes");
        }
}

/* The address sanitizer's malloc() does not do without. */
#if !defined(__SANITIZE_ADDRESS__)
static size_t count_entries(const struct entries *entries) {
        struct entry entry;
        size_t n = 0, position = 0;

        while (entries_next(entries, &position, &entry))
                n++;
        return n;
}

/* libkmod passes over a line that it has no memory for, and may have some for the next: then nothing of it counts. */
static void test_short_of_memory(struct fixture *f, gconstpointer data) {
        enum { LINES = 1000, EACH = 100, LONG = 10000, STEP = 16 * 1024, MOST = 2 * 1024 * 1024 };
        g_autofree char *value = g_strnfill(LONG, 'x');
        g_autoptr(GString) text = g_string_new(NULL);
        int copy = memfd_create("copy", MFD_CLOEXEC);
        size_t n_failed = 0, n_all;
        struct entries entries;

        (void) data;
        for (size_t i = 0; i < LINES; i++)
                g_string_append_printf(text, "%s number_%zu %s\n", i % EACH == 0 ? "options" : "blacklist",
                                       i, i % EACH == 0 ? value : "");
        g_assert_cmpint(write(copy, text->str, text->len), ==, (gssize) text->len);
        g_assert_cmpint(modprobe_ask(&f->zygote, copy, &entries), ==, 0);
        n_all = count_entries(&entries);
        g_assert_cmpuint(n_all, >=, LINES);
        entries_clear(&entries);

        shared->fate = FATE_SHORT_OF_MEMORY;
        for (shared->memory = 0; shared->memory < MOST; shared->memory += STEP) {
                if (modprobe_ask(&f->zygote, copy, &entries) != 0) {
                        n_failed++;
                        continue;
                }
                g_assert_cmpuint(count_entries(&entries), ==, n_all);
                entries_clear(&entries);
        }
        (void) close(copy);
        g_assert_cmpuint(n_failed, >, 0);
}
#endif

static void test_zygote_killed(struct fixture *f, gconstpointer data) {
        siginfo_t info;

        (void) data;
        g_assert_no_errno(kill(f->zygote.pid, SIGKILL));
        g_assert_no_errno(waitid(P_PID, (id_t) f->zygote.pid, &info, WEXITED | WNOWAIT));
        g_assert_cmpint(query(f, FATE_NONE, "foo"), ==, -ECONNRESET);
}

static void test_zygote_stopped(struct fixture *f, gconstpointer data) {
        siginfo_t info;

        (void) data;
        hurry = HURRY;
        g_assert_no_errno(kill(f->zygote.pid, SIGSTOP));
        g_assert_cmpint(query(f, FATE_NONE, "foo"), ==, -ETIMEDOUT);
        g_assert_no_errno(waitid(P_PID, (id_t) f->zygote.pid, &info, WEXITED | WNOWAIT));
        g_assert_cmpint(info.si_status, ==, SIGKILL);
        g_assert_cmpint(query(f, FATE_NONE, "foo"), ==, -ECONNRESET);
}

/* Neither who asks nor who forks has libkmod, after it was used either. */
static void test_not_mapped(struct fixture *f, gconstpointer data) {
        g_autofree char *path = g_strdup_printf("/proc/%d/maps", f->zygote.pid), *ours = NULL,
                        *theirs = NULL;

        (void) data;
        NEEDS_ROOT();
        g_assert_cmpint(query(f, FATE_NONE, "foo"), ==, MODPROBE_NOTHING);
        g_assert_true(g_file_get_contents("/proc/self/maps", &ours, NULL, NULL));
        g_assert_true(g_file_get_contents(path, &theirs, NULL, NULL));
        g_assert_nonnull(strstr(ours, "libc"));
        g_assert_nonnull(strstr(theirs, "libc"));
        g_assert_null(strstr(ours, "libkmod"));
        g_assert_null(strstr(theirs, "libkmod"));
}

int main(int argc, char *argv[]) {
        g_test_init(&argc, &argv, NULL);
        shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
        g_assert_true(shared != MAP_FAILED);
#define ADD(name, function)                                                                                 \
        g_test_add("/modprobe-ask/" name, struct fixture, NULL, set_up, function, tear_down)
        ADD("no-library", test_no_library);
        ADD("died", test_died);
        ADD("garbled", test_garbled);
        ADD("stays", test_stays);
        ADD("limited", test_limited);
#if !defined(__SANITIZE_ADDRESS__)
        ADD("short-of-memory", test_short_of_memory);
#endif
        ADD("zygote-killed", test_zygote_killed);
        ADD("zygote-stopped", test_zygote_stopped);
        ADD("not-mapped", test_not_mapped);
        return g_test_run();
}
