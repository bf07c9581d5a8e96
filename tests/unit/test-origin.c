/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Real trees below /run and real descriptors of all kinds.
 */

#include <errno.h>
#include <limits.h>
#include <sched.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "origin-fixture.h"

/* --- what is accepted --- */

static void test_accepted(struct fixture *f, gconstpointer data) {
        (void) data;
        expect_accepted(f, open_at(f, MODULE, O_RDONLY), "vendor", MODULE);
        expect_accepted(f, open_at(f, MODULE, O_RDONLY | O_NONBLOCK | O_APPEND | O_NOATIME), "vendor",
                        MODULE);
        put(f, "tree/top.ko", "");
        expect_accepted(f, open_at(f, "tree/top.ko", O_RDONLY), "vendor", "tree/top.ko");
        mode(f, MODULE, 0400);
        expect_accepted(f, open_at(f, MODULE, O_RDONLY), "vendor", MODULE);
}

static void test_read_position_is_left(struct fixture *f, gconstpointer data) {
        int fd = open_at(f, MODULE, O_RDONLY);

        (void) data;
        g_assert_cmpint(lseek(fd, 3, SEEK_SET), ==, 3);
        expect_accepted(f, dup(fd), "vendor", MODULE);
        g_assert_cmpint(lseek(fd, 0, SEEK_CUR), ==, 3);
        (void) close(fd);
}

static void test_opened_through_links(struct fixture *f, gconstpointer data) {
        g_autofree char *inner = path_of(f, "tree/alias.ko"), *outer = path_of(f, "outside/alias.ko"),
                        *target = path_of(f, MODULE), *magic = NULL;
        int fd;

        (void) data;
        /* What counts is the file that was opened. */
        g_assert_no_errno(symlink("kernel/foo.ko", inner));
        expect_accepted(f, open_at(f, "tree/alias.ko", O_RDONLY), "vendor", MODULE);
        g_assert_no_errno(symlink(target, outer));
        expect_accepted(f, open_at(f, "outside/alias.ko", O_RDONLY), "vendor", MODULE);
        fd = open_at(f, MODULE, O_PATH);
        magic = g_strdup_printf("/proc/self/fd/%d", fd);
        expect_accepted(f, support_open(magic), "vendor", MODULE);
        (void) close(fd);
        g_assert_no_errno(unlink(inner));
        g_assert_no_errno(symlink("../outside/foo.ko", inner));
        expect_outside(f, open_at(f, "tree/alias.ko", O_RDONLY));
}

static void test_odd_names(struct fixture *f, gconstpointer data) {
        static const char *const names[] = { "tree/new\nline\x1b[31m.ko",
                                             "tree/foo.ko (deleted)",
                                             "tree/...",
                                             "tree/\xff\xfe",
                                             "tree/ ",
                                             "tree/a b/c\\d" };

        (void) data;
        for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
                put(f, names[i], "");
                expect_accepted(f, open_at(f, names[i], O_RDONLY), "vendor", names[i]);
        }
        put(f, "outside/\x1b[2J\n", "");
        expect_outside(f, open_at(f, "outside/\x1b[2J\n", O_RDONLY));
}

static void test_renamed(struct fixture *f, gconstpointer data) {
        int fd = open_at(f, MODULE, O_RDONLY);

        (void) data;
        move(f, MODULE, "tree/bar.ko");
        put(f, MODULE, "another");
        expect_accepted(f, dup(fd), "vendor", "tree/bar.ko");
        move(f, "tree/bar.ko", "outside/bar.ko");
        expect_outside(f, fd);
}

static void test_symlinked_directory(struct fixture *f, gconstpointer data) {
        g_autofree char *link = path_of(f, "link");

        (void) data;
        g_assert_no_errno(symlink("tree", link));
        clear_origins(f);
        add_origin(f, "linked", "link/kernel");
        expect_accepted(f, open_at(f, MODULE, O_RDONLY), "linked", MODULE);
        own(f, "link", SOMEBODY);
        expect(f, open_at(f, MODULE, O_RDONLY), VERDICT_OUTSIDE, "linked", NULL);
}

static void test_root_directory(struct fixture *f, gconstpointer data) {
        (void) data;
        clear_origins(f);
        add_origin(f, "all", "/");
        /* The origin's mount is that of /, which is not that of /proc. */
        expect(f, support_open("/proc/version"), VERDICT_OTHER_MOUNT, "all", "/proc");
        expect(f, memfd_create("x", MFD_CLOEXEC), VERDICT_NOT_READ_ONLY, NULL, NULL);
}

/* Has no file handles; what statx says decides alone. */
static void test_no_handles(struct fixture *f, gconstpointer data) {
        (void) data;
        clear_origins(f);
        add_origin(f, "proc", "/proc/sys/kernel");
        expect_accepted(f, support_open("/proc/sys/kernel/ostype"), "proc", "/proc/sys/kernel/ostype");
}

/* --- what is no file that moduled touches --- */

static void test_flags(struct fixture *f, gconstpointer data) {
        (void) data;
        expect(f, open_at(f, MODULE, O_RDWR), VERDICT_NOT_READ_ONLY, NULL, NULL);
        expect(f, open_at(f, MODULE, O_WRONLY), VERDICT_NOT_READ_ONLY, NULL, NULL);
        expect(f, open_at(f, MODULE, O_ACCMODE), VERDICT_NOT_READ_ONLY, NULL, NULL);
        expect(f, open_at(f, MODULE, O_PATH), VERDICT_PATH_ONLY, NULL, NULL);
        expect(f, open_at(f, "tree", O_PATH), VERDICT_PATH_ONLY, NULL, NULL);
        expect(f, open_at(f, "outside/foo.ko", O_RDWR), VERDICT_NOT_READ_ONLY, NULL, NULL);
}

static void test_not_regular(struct fixture *f, gconstpointer data) {
        g_autofree char *fifo = path_of(f, "tree/fifo.ko");
        int ends[2];

        (void) data;
        expect(f, open_at(f, "tree", O_RDONLY), VERDICT_NOT_REGULAR, NULL, NULL);
        g_assert_no_errno(mkfifo(fifo, 0644));
        expect(f, open_at(f, "tree/fifo.ko", O_RDONLY | O_NONBLOCK), VERDICT_NOT_REGULAR, NULL, NULL);
        expect(f, support_open("/dev/null"), VERDICT_NOT_REGULAR, NULL, NULL);
        g_assert_no_errno(pipe2(ends, O_CLOEXEC));
        expect(f, ends[0], VERDICT_NOT_REGULAR, NULL, NULL);
        expect(f, ends[1], VERDICT_NOT_READ_ONLY, NULL, NULL);
        g_assert_no_errno(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends));
        expect(f, ends[0], VERDICT_NOT_READ_ONLY, NULL, NULL);
        (void) close(ends[1]);
        expect(f, socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), VERDICT_NOT_READ_ONLY, NULL, NULL);
        expect(f, eventfd(0, EFD_CLOEXEC), VERDICT_NOT_READ_ONLY, NULL, NULL);
        expect(f, epoll_create1(EPOLL_CLOEXEC), VERDICT_NOT_READ_ONLY, NULL, NULL);
        expect(f, inotify_init1(IN_CLOEXEC), VERDICT_NOT_REGULAR, NULL, NULL);
}

static void test_not_open(struct fixture *f, gconstpointer data) {
        struct finding finding = { .verdict = VERDICT_MAX_ };

        (void) data;
        g_assert_cmpint(origin_verify(&f->config, -1, &finding), ==, -EBADF);
        g_assert_cmpint(origin_verify(&f->config, 1000, &finding), ==, -EBADF);
        g_assert_cmpint(finding.verdict, ==, VERDICT_MAX_);
        g_assert_cmpint(descriptor_check(-1), ==, -EBADF);
}

static void test_descriptor_check(struct fixture *f, gconstpointer data) {
        static const struct {
                int flags, verdict;
        } ways[] = {
                { O_RDONLY, 0 },
                { O_RDWR, VERDICT_NOT_READ_ONLY },
                { O_PATH, VERDICT_PATH_ONLY },
        };

        (void) data;
        for (size_t i = 0; i < G_N_ELEMENTS(ways); i++) {
                int fd = open_at(f, "outside/foo.ko", ways[i].flags);

                g_assert_cmpint(descriptor_check(fd), ==, ways[i].verdict);
                (void) close(fd);
        }
}

/* The program's own file: a filesystem in memory has no direct access. */
static void test_direct(struct fixture *f, gconstpointer data) {
        int fd = open("/proc/self/exe", O_RDONLY | O_DIRECT | O_CLOEXEC);

        (void) data;
        if (fd < 0) {
                g_test_skip("the program's file is on a filesystem without direct access");
                return;
        }
        expect(f, fd, VERDICT_DIRECT, NULL, NULL);
}

/* --- what has no path, or another one --- */

static void test_memfd(struct fixture *f, gconstpointer data) {
        g_autofree char *path = path_of(f, MODULE), *relative = g_strdup_printf("../..%s", path);
        int fd = memfd_create(relative, MFD_CLOEXEC);
        g_autofree char *link = g_strdup_printf("/proc/self/fd/%d", fd);

        (void) data;
        g_assert_cmpint(write(fd, "module", 6), ==, 6);
        expect_outside(f, support_open(link));
        expect(f, fd, VERDICT_NOT_READ_ONLY, NULL, NULL);
}

static void test_no_path(struct fixture *f, gconstpointer data) {
        (void) data;
        /* A regular file that stands nowhere. */
        expect(f, support_open("/proc/self/ns/mnt"), VERDICT_NO_PATH, NULL, NULL);
}

static void test_tmpfile(struct fixture *f, gconstpointer data) {
        int fd = open_at(f, "tree", O_TMPFILE | O_RDWR), reader;
        g_autofree char *link = g_strdup_printf("/proc/self/fd/%d", fd), *name = name_of(fd);

        (void) data;
        reader = support_open(link);
        g_assert_true(g_str_has_suffix(name, " (deleted)"));
        expect(f, dup(reader), VERDICT_ABSENT, "vendor", name);
        support_write(name, "");
        expect(f, reader, VERDICT_OTHER_FILE, "vendor", NULL);
        (void) close(fd);
}

static void test_deleted(struct fixture *f, gconstpointer data) {
        g_autofree char *path = path_of(f, MODULE);
        int fd = open_at(f, MODULE, O_RDONLY);

        (void) data;
        g_assert_no_errno(unlink(path));
        expect(f, dup(fd), VERDICT_ABSENT, "vendor", MODULE " (deleted)");
        /* The same text in its place changes nothing. */
        put(f, MODULE, "module");
        expect(f, dup(fd), VERDICT_ABSENT, "vendor", MODULE " (deleted)");
        put(f, MODULE " (deleted)", "module");
        expect(f, fd, VERDICT_OTHER_FILE, "vendor", NULL);
}

static void test_replaced(struct fixture *f, gconstpointer data) {
        int fd = open_at(f, MODULE, O_RDONLY);

        (void) data;
        put(f, "tree/new", "module");
        move(f, "tree/new", MODULE);
        expect(f, fd, VERDICT_ABSENT, "vendor", MODULE " (deleted)");
}

static void test_outside(struct fixture *f, gconstpointer data) {
        (void) data;
        expect_outside(f, open_at(f, "outside/foo.ko", O_RDONLY));
        /* Not below, though the text begins alike. */
        put(f, "tree2/foo.ko", "");
        put(f, "tree.ko", "");
        expect_outside(f, open_at(f, "tree2/foo.ko", O_RDONLY));
        expect_outside(f, open_at(f, "tree.ko", O_RDONLY));
        expect_outside(f, support_open("/proc/self/status"));
        expect_outside(f, support_open("/proc/version"));
}

static void test_no_origins(struct fixture *f, gconstpointer data) {
        (void) data;
        clear_origins(f);
        expect(f, open_at(f, MODULE, O_RDONLY), VERDICT_OUTSIDE, NULL, NULL);
}

static void test_hard_link(struct fixture *f, gconstpointer data) {
        g_autofree char *inside = path_of(f, MODULE), *outside = path_of(f, "outside/link.ko");

        (void) data;
        g_assert_no_errno(link(inside, outside));
        expect_outside(f, open_at(f, "outside/link.ko", O_RDONLY));
        expect_accepted(f, open_at(f, MODULE, O_RDONLY), "vendor", MODULE);
}

/* Deeper than a path can be; reached one step at a time. */
static void test_too_long(struct fixture *f, gconstpointer data) {
        g_autofree char *name = g_strnfill(NAME_MAX, 'd');
        int at = open_at(f, "tree", O_RDONLY), fd;

        (void) data;
        for (int i = 0; i < PATH_MAX / NAME_MAX + 2; i++) {
                int next;

                g_assert_no_errno(mkdirat(at, name, 0755));
                next = openat(at, name, O_RDONLY | O_CLOEXEC);
                g_assert_no_errno(next);
                (void) close(at);
                at = next;
                fd = openat(at, "foo.ko", O_RDONLY | O_CREAT | O_CLOEXEC, 0644);
                g_assert_no_errno(fd);
                if (i * (NAME_MAX + 1) > PATH_MAX)
                        expect(f, fd, VERDICT_NO_PATH, NULL, NULL);
                else if ((i + 1) * (NAME_MAX + 1) < PATH_MAX - 200) {
                        g_autofree char *path = name_of(fd);

                        expect_accepted(f, fd, "vendor", path);
                } else
                        (void) close(fd);
        }
        (void) close(at);
}

/* --- what is not root's alone --- */

static void test_foreign(struct fixture *f, gconstpointer data) {
        static const char *const places[] = { MODULE, "tree/kernel" };

        (void) data;
        for (size_t i = 0; i < G_N_ELEMENTS(places); i++) {
                mode_t usual = i == 0 ? 0644 : 0755;

                own(f, places[i], SOMEBODY);
                expect(f, open_at(f, MODULE, O_RDONLY), VERDICT_FOREIGN, "vendor", places[i]);
                own(f, places[i], 0);
                mode(f, places[i], usual | S_IWGRP);
                expect(f, open_at(f, MODULE, O_RDONLY), VERDICT_FOREIGN, "vendor", places[i]);
                mode(f, places[i], usual | S_IWOTH);
                expect(f, open_at(f, MODULE, O_RDONLY), VERDICT_FOREIGN, "vendor", places[i]);
                mode(f, places[i], usual);
                expect_accepted(f, open_at(f, MODULE, O_RDONLY), "vendor", MODULE);
        }
}

static void test_directory_foreign(struct fixture *f, gconstpointer data) {
        (void) data;
        own(f, "tree", SOMEBODY);
        expect(f, open_at(f, MODULE, O_RDONLY), VERDICT_DIRECTORY_FOREIGN, "vendor", "tree");
        own(f, "tree", 0);
        mode(f, "tree", 0775);
        expect(f, open_at(f, MODULE, O_RDONLY), VERDICT_DIRECTORY_FOREIGN, "vendor", "tree");
        mode(f, "tree", 0755);
        own(f, "", SOMEBODY);
        expect(f, open_at(f, MODULE, O_RDONLY), VERDICT_DIRECTORY_FOREIGN, "vendor", f->top);
        own(f, "", 0);
        mode(f, "", 01777);
        expect(f, open_at(f, MODULE, O_RDONLY), VERDICT_DIRECTORY_FOREIGN, "vendor", f->top);
        mode(f, "", 0755);
        expect_accepted(f, open_at(f, MODULE, O_RDONLY), "vendor", MODULE);
}

static void test_below_tmp(struct fixture *f, gconstpointer data) {
        char directory[] = "/tmp/moduled-test-XXXXXX";
        g_autofree char *file = NULL;

        (void) data;
        g_assert_nonnull(g_mkdtemp_full(directory, 0755));
        file = g_strdup_printf("%s/foo.ko", directory);
        support_write(file, "");
        clear_origins(f);
        add_origin(f, "tmp", directory);
        expect(f, support_open(file), VERDICT_DIRECTORY_FOREIGN, "tmp", "/tmp");
        support_remove(directory);
}

/* --- several origins --- */

static void test_first_wins(struct fixture *f, gconstpointer data) {
        (void) data;
        clear_origins(f);
        add_origin(f, "missing", "nowhere");
        add_origin(f, "narrow", "tree/kernel");
        add_origin(f, "wide", "tree");
        expect_accepted(f, open_at(f, MODULE, O_RDONLY), "narrow", MODULE);
        put(f, "tree/foo.ko", "");
        expect_accepted(f, open_at(f, "tree/foo.ko", O_RDONLY), "wide", "tree/foo.ko");
        mode(f, "tree", 0775);
        expect(f, open_at(f, MODULE, O_RDONLY), VERDICT_DIRECTORY_FOREIGN, "narrow", "tree");
}

static void test_nearest_is_reported(struct fixture *f, gconstpointer data) {
        (void) data;
        clear_origins(f);
        add_origin(f, "far", "outside");
        add_origin(f, "missing", "tree/nowhere");
        add_origin(f, "near", "tree");
        add_origin(f, "far2", "/usr");
        own(f, MODULE, SOMEBODY);
        expect(f, open_at(f, MODULE, O_RDONLY), VERDICT_FOREIGN, "near", MODULE);
        /* Of equals the first. */
        expect(f, support_open("/proc/version"), VERDICT_OUTSIDE, "far", NULL);
}

static void test_missing_directory(struct fixture *f, gconstpointer data) {
        int fd = open_at(f, MODULE, O_RDONLY);

        (void) data;
        expect_outside(f, open_at(f, "outside/foo.ko", O_RDONLY));
        move(f, "tree", "gone");
        expect_outside(f, dup(fd));
        clear_origins(f);
        add_origin(f, "deep", "gone/kernel/foo.ko");
        add_origin(f, "gone", "gone/nowhere");
        /* Not below it, so it is no news. */
        expect(f, fd, VERDICT_OUTSIDE, "deep", NULL);
}

static void test_no_descriptor_left(struct fixture *f, gconstpointer data) {
        int fd = open_at(f, MODULE, O_RDONLY);
        struct finding finding = { .verdict = VERDICT_MAX_ };
        struct rlimit limit, low;

        (void) data;
        g_assert_no_errno(getrlimit(RLIMIT_NOFILE, &limit));
        low = limit;
        low.rlim_cur = (rlim_t) fd + 1;
        g_assert_no_errno(setrlimit(RLIMIT_NOFILE, &low));
        g_assert_cmpint(origin_verify(&f->config, fd, &finding), ==, -EMFILE);
        g_assert_no_errno(setrlimit(RLIMIT_NOFILE, &limit));
        g_assert_cmpint(finding.verdict, ==, VERDICT_MAX_);
        (void) close(fd);
}

int main(int argc, char *argv[]) {
        g_test_init(&argc, &argv, NULL);
        PROGRAM_NEEDS_ROOT();
        g_assert_no_errno(unshare(CLONE_NEWNS));
        g_assert_no_errno(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL));
        ADD("accepted", test_accepted);
        ADD("read-position-is-left", test_read_position_is_left);
        ADD("opened-through-links", test_opened_through_links);
        ADD("odd-names", test_odd_names);
        ADD("renamed", test_renamed);
        ADD("symlinked-directory", test_symlinked_directory);
        ADD("root-directory", test_root_directory);
        ADD("no-handles", test_no_handles);
        ADD("flags", test_flags);
        ADD("not-regular", test_not_regular);
        ADD("not-open", test_not_open);
        ADD("descriptor-check", test_descriptor_check);
        ADD("direct", test_direct);
        ADD("memfd", test_memfd);
        ADD("no-path", test_no_path);
        ADD("tmpfile", test_tmpfile);
        ADD("deleted", test_deleted);
        ADD("replaced", test_replaced);
        ADD("outside", test_outside);
        ADD("no-origins", test_no_origins);
        ADD("hard-link", test_hard_link);
        ADD("too-long", test_too_long);
        ADD("foreign", test_foreign);
        ADD("directory-foreign", test_directory_foreign);
        ADD("below-tmp", test_below_tmp);
        ADD("first-wins", test_first_wins);
        ADD("nearest-is-reported", test_nearest_is_reported);
        ADD("missing-directory", test_missing_directory);
        ADD("no-descriptor-left", test_no_descriptor_left);
        return g_test_run();
}
