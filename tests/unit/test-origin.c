/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Real trees below /run and real descriptors, some of them opened in a mount namespace where the same paths lead to
 * something else: that is what a hostile caller passes.
 */

#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <limits.h>
#include <sched.h>
#include <stdbool.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fuse-server.h"
#include "origin.h"
#include "support.h"

#define MODULE "tree/kernel/foo.ko"

struct fixture {
        char *top;
        struct config config;
        size_t descriptors;
};

static char *path_of(const struct fixture *f, const char *name) {
        return g_strdup_printf("%s/%s", f->top, name);
}

static void put(const struct fixture *f, const char *name, const char *text) {
        g_autofree char *path = path_of(f, name);

        support_write(path, text);
}

static int open_at(const struct fixture *f, const char *name, int flags) {
        g_autofree char *path = path_of(f, name);
        int fd = open(path, flags | O_CLOEXEC, 0644);

        g_assert_no_errno(fd);
        return fd;
}

static void own(const struct fixture *f, const char *name, uid_t uid) {
        g_autofree char *path = path_of(f, name);

        g_assert_no_errno(lchown(path, uid, 0));
}

static void mode(const struct fixture *f, const char *name, mode_t bits) {
        g_autofree char *path = path_of(f, name);

        g_assert_no_errno(chmod(path, bits));
}

static void bind_mount(const struct fixture *f, const char *what, const char *where) {
        g_autofree char *source = path_of(f, what), *target = path_of(f, where);

        g_assert_no_errno(mount(source, target, NULL, MS_BIND, NULL));
}

static void mount_empty(const struct fixture *f, const char *where) {
        g_autofree char *target = path_of(f, where);

        g_assert_no_errno(mount("test", target, "tmpfs", 0, "mode=755"));
}

static void unmount(const struct fixture *f, const char *where) {
        g_autofree char *target = path_of(f, where);

        g_assert_no_errno(umount2(target, MNT_DETACH));
}

static void move(const struct fixture *f, const char *from, const char *to) {
        g_autofree char *source = path_of(f, from), *target = path_of(f, to);

        g_assert_no_errno(rename(source, target));
}

/* Takes an absolute path as it is. */
static void add_origin(struct fixture *f, const char *name, const char *directory) {
        struct origin *origin = g_new0(struct origin, 1);

        origin->name = g_strdup(name);
        origin->directory = directory[0] == '/' ? g_strdup(directory) : path_of(f, directory);
        TAILQ_INSERT_TAIL(&f->config.origins, origin, link);
}

static void clear_origins(struct fixture *f) {
        struct origin *origin;

        while ((origin = TAILQ_FIRST(&f->config.origins))) {
                TAILQ_REMOVE(&f->config.origins, origin, link);
                g_free(origin->name);
                g_free(origin->directory);
                g_free(origin);
        }
}

static void set_up(struct fixture *f, gconstpointer data) {
        (void) data;
        f->top = support_directory();
        f->descriptors = support_count_descriptors();
        TAILQ_INIT(&f->config.origins);
        add_origin(f, "vendor", "tree");
        put(f, MODULE, "module");
        put(f, "outside/foo.ko", "module");
}

static void tear_down(struct fixture *f, gconstpointer data) {
        (void) data;
        clear_origins(f);
        g_assert_cmpuint(support_count_descriptors(), ==, f->descriptors);
        support_remove(f->top);
        g_free(f->top);
}

static bool is_printable_ascii(const char *text) {
        for (; *text; text++)
                if ((unsigned char) *text < 0x20 || (unsigned char) *text >= 0x7f)
                        return false;
        return true;
}

/* @origin and @culprit (below the fixture's directory, or absolute) may be NULL for none. The descriptor is closed. */
static void expect(const struct fixture *f, int fd, enum verdict verdict, const char *origin,
                   const char *culprit) {
        g_autofree char *whole = !culprit || culprit[0] == '/' ? g_strdup(culprit) : path_of(f, culprit),
                        *sentence = NULL;
        size_t descriptors = support_count_descriptors();
        struct finding finding = { .verdict = VERDICT_MAX_ };

        g_assert_cmpint(origin_verify(&f->config, fd, &finding), ==, verdict);
        g_assert_cmpint(finding.verdict, ==, verdict);
        g_assert_cmpstr(finding.origin ? finding.origin->name : NULL, ==, origin);
        g_assert_cmpstr(finding.culprit, ==, whole);
        g_assert_nonnull(finding.path);

        sentence = finding_explain(&finding);
        g_assert_true(is_printable_ascii(sentence));
        g_assert_true(g_str_has_suffix(sentence, "."));
        finding_clear(&finding);
        g_assert_null(finding.path);
        g_assert_cmpuint(support_count_descriptors(), ==, descriptors);
        (void) close(fd);
}

/* Refused for where it is, with nothing more to say. */
static void expect_outside(const struct fixture *f, int fd) {
        expect(f, fd, VERDICT_OUTSIDE, TAILQ_FIRST(&f->config.origins)->name, NULL);
}

/* Accepted, as the file at @name. */
static void expect_accepted(const struct fixture *f, int fd, const char *origin, const char *name) {
        g_autofree char *path = name[0] == '/' ? g_strdup(name) : path_of(f, name);
        struct finding finding = { 0 };

        g_assert_cmpint(origin_verify(&f->config, fd, &finding), ==, 0);
        g_assert_cmpint(finding.verdict, ==, VERDICT_ACCEPTED);
        g_assert_cmpstr(finding.path, ==, path);
        g_assert_cmpstr(finding.origin->name, ==, origin);
        g_assert_null(finding.culprit);
        finding_clear(&finding);
        (void) close(fd);
}

/* What the kernel calls a descriptor. */
static char *name_of(int fd) {
        g_autofree char *link = g_strdup_printf("/proc/self/fd/%d", fd);

        return g_file_read_link(link, NULL);
}

/* --- descriptors from another mount namespace --- */

struct elsewhere {
        pid_t pid;
        int socket;
};

typedef void (*arrange_t)(const struct fixture *f);

static void send_fd(int socket, int fd) {
        union {
                struct cmsghdr align;
                char buffer[CMSG_SPACE(sizeof(int))];
        } control = { 0 };
        struct iovec iov = { .iov_base = (char[]){ 'x' }, .iov_len = 1 };
        struct msghdr message = { .msg_iov = &iov,
                                  .msg_iovlen = 1,
                                  .msg_control = control.buffer,
                                  .msg_controllen = sizeof control.buffer };
        struct cmsghdr *c = CMSG_FIRSTHDR(&message);

        c->cmsg_level = SOL_SOCKET;
        c->cmsg_type = SCM_RIGHTS;
        c->cmsg_len = CMSG_LEN(sizeof fd);
        memcpy(CMSG_DATA(c), &fd, sizeof fd);
        g_assert_cmpint(sendmsg(socket, &message, 0), ==, 1);
}

static int receive_fd(int socket) {
        union {
                struct cmsghdr align;
                char buffer[CMSG_SPACE(sizeof(int))];
        } control;
        char byte;
        struct iovec iov = { .iov_base = &byte, .iov_len = 1 };
        struct msghdr message = { .msg_iov = &iov,
                                  .msg_iovlen = 1,
                                  .msg_control = control.buffer,
                                  .msg_controllen = sizeof control.buffer };
        int fd;

        g_assert_cmpint(recvmsg(socket, &message, MSG_CMSG_CLOEXEC), ==, 1);
        memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&message)), sizeof fd);
        return fd;
}

/*
 * Opens @name in a process with a mount namespace of its own, after @arrange has changed what is mounted there. The
 * process stays, and so do its mounts, until end_elsewhere().
 */
static int open_elsewhere(const struct fixture *f, arrange_t arrange, const char *name,
                          struct elsewhere *ret) {
        int ends[2], fd;

        g_assert_no_errno(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends));
        ret->pid = fork();
        g_assert_no_errno(ret->pid);
        if (ret->pid == 0) {
                char byte;

                (void) close(ends[0]);
                g_assert_no_errno(unshare(CLONE_NEWNS));
                g_assert_no_errno(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL));
                arrange(f);
                send_fd(ends[1], open_at(f, name, O_RDONLY));
                _exit(read(ends[1], &byte, 1) == 0 ? EXIT_SUCCESS : EXIT_FAILURE);
        }
        (void) close(ends[1]);
        ret->socket = ends[0];
        fd = receive_fd(ends[0]);
        return fd;
}

static void end_elsewhere(struct elsewhere *elsewhere) {
        int status;

        (void) close(elsewhere->socket);
        g_assert_cmpint(waitpid(elsewhere->pid, &status, 0), ==, elsewhere->pid);
        g_assert_cmpint(status, ==, 0);
}

/* The descriptor's name is that of the trusted file; its verdict must be another. */
static void expect_lie(const struct fixture *f, arrange_t arrange, const char *name, enum verdict verdict,
                       const char *culprit) {
        g_autofree char *path = path_of(f, name), *claimed = NULL;
        struct elsewhere elsewhere;
        int fd = open_elsewhere(f, arrange, name, &elsewhere);

        claimed = name_of(fd);
        g_assert_cmpstr(claimed, ==, path);
        expect(f, fd, verdict, "vendor", culprit);
        end_elsewhere(&elsewhere);
}

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

/* --- mounts --- */

static void test_nested_mount(struct fixture *f, gconstpointer data) {
        (void) data;
        mount_empty(f, "tree/kernel");
        put(f, MODULE, "module");
        expect(f, open_at(f, MODULE, O_RDONLY), VERDICT_OTHER_MOUNT, "vendor", "tree/kernel");
        unmount(f, "tree/kernel");
        bind_mount(f, "tree/kernel", "tree/kernel");
        expect(f, open_at(f, MODULE, O_RDONLY), VERDICT_OTHER_MOUNT, "vendor", "tree/kernel");
        unmount(f, "tree/kernel");
        expect_accepted(f, open_at(f, MODULE, O_RDONLY), "vendor", MODULE);
}

static void test_directory_is_mount(struct fixture *f, gconstpointer data) {
        int before = open_at(f, MODULE, O_RDONLY);

        (void) data;
        mount_empty(f, "tree");
        expect(f, dup(before), VERDICT_ABSENT, "vendor", "tree/kernel");
        put(f, MODULE, "module");
        expect(f, before, VERDICT_OTHER_FILE, "vendor", NULL);
        expect_accepted(f, open_at(f, MODULE, O_RDONLY), "vendor", MODULE);
        unmount(f, "tree");
}

static void test_bound_elsewhere(struct fixture *f, gconstpointer data) {
        (void) data;
        bind_mount(f, "tree", "outside");
        expect_outside(f, open_at(f, "outside/kernel/foo.ko", O_RDONLY));
        /* Unless that is an origin, too. */
        add_origin(f, "other", "outside");
        expect_accepted(f, open_at(f, "outside/kernel/foo.ko", O_RDONLY), "other", "outside/kernel/foo.ko");
        expect_accepted(f, open_at(f, MODULE, O_RDONLY), "vendor", MODULE);
        unmount(f, "outside");
}

static void test_file_bound_over(struct fixture *f, gconstpointer data) {
        int before = open_at(f, MODULE, O_RDONLY);

        (void) data;
        bind_mount(f, "outside/foo.ko", MODULE);
        expect(f, open_at(f, MODULE, O_RDONLY), VERDICT_OTHER_MOUNT, "vendor", MODULE);
        expect(f, before, VERDICT_OTHER_MOUNT, "vendor", MODULE);
        unmount(f, MODULE);
}

/* The mount is gone, the name is not what it was. */
static void test_unmounted(struct fixture *f, gconstpointer data) {
        int fd;

        (void) data;
        mount_empty(f, "tree");
        put(f, MODULE, "evil");
        fd = open_at(f, MODULE, O_RDONLY);
        unmount(f, "tree");
        expect_outside(f, fd);
}

/* --- lies --- */

static void arrange_file(const struct fixture *f) {
        bind_mount(f, "outside/foo.ko", MODULE);
}

static void arrange_tmpfs(const struct fixture *f) {
        mount_empty(f, "tree");
        put(f, MODULE, "evil");
}

static void arrange_other_trusted(const struct fixture *f) {
        bind_mount(f, "tree/kernel/bar.ko", MODULE);
}

static void arrange_same(const struct fixture *f) {
        bind_mount(f, "tree", "tree");
}

static void arrange_read_only(const struct fixture *f) {
        g_autofree char *tree = path_of(f, "tree");

        bind_mount(f, "tree", "tree");
        g_assert_no_errno(mount(NULL, tree, NULL, MS_REMOUNT | MS_BIND | MS_RDONLY, NULL));
}

static void arrange_overlay(const struct fixture *f) {
        g_autofree char *tree = path_of(f, "tree"),
                        *options = g_strdup_printf("lowerdir=%s/tree,upperdir=%s/upper,workdir=%s/work",
                                                   f->top, f->top, f->top);

        g_assert_no_errno(mount("test", tree, "overlay", 0, options));
}

static void arrange_directory_for_link(const struct fixture *f) {
        mount_empty(f, "tree");
        put(f, "tree/link/foo.ko", "evil");
}

static void arrange_nothing_below(const struct fixture *f) {
        mount_empty(f, "tree");
        put(f, "tree/kernel/new.ko", "evil");
}

static void test_lies(struct fixture *f, gconstpointer data) {
        g_autofree char *link = path_of(f, "tree/link");

        (void) data;
        put(f, "tree/kernel/bar.ko", "module");
        g_assert_no_errno(symlink("kernel", link));
        expect_lie(f, arrange_file, MODULE, VERDICT_OTHER_FILE, NULL);
        expect_lie(f, arrange_tmpfs, MODULE, VERDICT_OTHER_FILE, NULL);
        expect_lie(f, arrange_other_trusted, MODULE, VERDICT_OTHER_FILE, NULL);
        expect_lie(f, arrange_directory_for_link, "tree/link/foo.ko", VERDICT_SYMLINK, "tree/link");
        expect_lie(f, arrange_nothing_below, "tree/kernel/new.ko", VERDICT_ABSENT, "tree/kernel/new.ko");
}

/* The very inode, whatever it was opened through. */
static void test_same_inode_elsewhere(struct fixture *f, gconstpointer data) {
        static const arrange_t arrangements[] = { arrange_same, arrange_read_only };

        (void) data;
        for (size_t i = 0; i < G_N_ELEMENTS(arrangements); i++) {
                struct elsewhere elsewhere;

                expect_accepted(f, open_elsewhere(f, arrangements[i], MODULE, &elsewhere), "vendor", MODULE);
                end_elsewhere(&elsewhere);
        }
}

static bool kernel_has_filesystem(const char *name) {
        g_autofree char *text = NULL, *line = g_strdup_printf("\t%s\n", name);

        return g_file_get_contents("/proc/filesystems", &text, NULL, NULL) && strstr(text, line);
}

/* Shows the trusted file's very content, name, owner and times, from a filesystem whose upper layer is the caller's. */
static void test_overlay(struct fixture *f, gconstpointer data) {
        g_autofree char *upper = path_of(f, "upper"), *work = path_of(f, "work");

        (void) data;
        if (!kernel_has_filesystem("overlay")) {
                g_test_skip("the kernel has no overlay");
                return;
        }
        support_make_directory(upper);
        support_make_directory(work);
        expect_lie(f, arrange_overlay, MODULE, VERDICT_OTHER_FILE, NULL);
}

/* The server counts what it is asked; a hostile one would not answer. */
static void test_fuse(struct fixture *f, gconstpointer data) {
        g_autofree char *tree = path_of(f, "tree"), *outside = path_of(f, "outside");
        const char *const mounts[] = { tree, outside };

        (void) data;
        if (access("/dev/fuse", R_OK | W_OK) < 0) {
                g_test_skip("there is no /dev/fuse");
                return;
        }
        for (size_t i = 0; i < G_N_ELEMENTS(mounts); i++) {
                struct finding finding;
                struct stat st;
                int fd;
                struct fuse_server *server = fuse_server_new(mounts[i], "foo.ko", 0, &fd);

                put(f, "tree/foo.ko", "module");
                g_assert_cmpint(origin_verify(&f->config, fd, &finding), ==,
                                i == 0 ? VERDICT_OTHER_FILE : VERDICT_OUTSIDE);
                finding_clear(&finding);
                g_assert_cmpint(descriptor_check(fd), ==, 0);
                g_assert_cmpuint(fuse_server_count(server), ==, 0);

                /* That it would have counted. */
                g_assert_no_errno(fstat(fd, &st));
                g_assert_cmpint(st.st_size, ==, 6);
                g_assert_cmpuint(fuse_server_count(server), ==, 1);
                (void) close(fd);
                fuse_server_free(server);
        }
}

/* One that lets nobody but its owner look, as any does that is mounted in a user's own namespace. */
static void test_hidden_file(struct fixture *f, gconstpointer data) {
        g_autofree char *directory = path_of(f, "tree/kernel");
        struct fuse_server *server;
        int fd;

        (void) data;
        server = fuse_server_new(directory, "foo.ko", SOMEBODY, &fd);
        g_assert_cmpint(descriptor_check(fd), ==, VERDICT_HIDDEN);
        g_assert_cmpuint(fuse_server_count(server), ==, 0);
        expect(f, fd, VERDICT_HIDDEN, NULL, NULL);
        fuse_server_free(server);
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

/* The tree has become something else while the file was open: by name it is still below. */
static void test_directory_gone(struct fixture *f, gconstpointer data) {
        struct elsewhere elsewhere;
        int fd = open_elsewhere(f, arrange_same, MODULE, &elsewhere);

        (void) data;
        mount_empty(f, "");
        expect(f, fd, VERDICT_NO_DIRECTORY, "vendor", "tree");
        unmount(f, "");
        end_elsewhere(&elsewhere);
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

/* --- sentences --- */

static void test_explain(void) {
        static const struct {
                enum verdict verdict;
                const char *to_do;
        } verdicts[] = {
                { VERDICT_ACCEPTED, "accepted" },
                { VERDICT_PATH_ONLY, "open it for reading" },
                { VERDICT_NOT_READ_ONLY, "open it read-only" },
                { VERDICT_NOT_REGULAR, "pass a descriptor of the module's file" },
                { VERDICT_NO_PATH, "install the module into an origin's directory" },
                { VERDICT_OUTSIDE, "install it there, or have an administrator add an origin" },
                { VERDICT_NO_DIRECTORY, "check Directory= in moduled.conf" },
                { VERDICT_DIRECTORY_FOREIGN, "chown it to root" },
                { VERDICT_ABSENT, "open the file again" },
                { VERDICT_SYMLINK, "open the file that it points to" },
                { VERDICT_OTHER_MOUNT, "have an administrator make it an origin" },
                { VERDICT_FOREIGN, "chown it to root" },
                { VERDICT_OTHER_FILE, "open it again from there" },
                { VERDICT_HIDDEN, "open the file where everybody can see it" },
        };
        char name[] = "vendor", path[] = "/a/foo\n.ko", culprit[] = "/a\x1b";
        struct origin origin = { .name = name };

        G_STATIC_ASSERT(G_N_ELEMENTS(verdicts) == VERDICT_MAX_);
        for (size_t i = 0; i < G_N_ELEMENTS(verdicts); i++) {
                struct finding finding = { .verdict = verdicts[i].verdict, .path = path };
                g_autofree char *without = finding_explain(&finding), *with = NULL;

                g_assert_cmpuint(verdicts[i].verdict, ==, i);
                g_assert_true(g_str_has_prefix(without, "/a/foo\\x0a.ko is refused: "));
                g_assert_nonnull(strstr(without, verdicts[i].to_do));

                finding.origin = &origin;
                finding.culprit = culprit;
                with = finding_explain(&finding);
                g_assert_true(is_printable_ascii(with));
                g_assert_nonnull(strstr(with, verdicts[i].to_do));
                g_assert_nonnull(strstr(with, " because of /a\\x1b: "));
                g_assert_true((verdicts[i].verdict > VERDICT_OUTSIDE) ==
                              (strstr(with, " by origin vendor") != NULL));
        }
}

static void test_explain_without_path(void) {
        char empty[] = "";
        struct finding finding = { .verdict = VERDICT_NO_PATH };
        g_autofree char *first = finding_explain(&finding), *second = NULL;

        finding.path = empty;
        second = finding_explain(&finding);
        g_assert_true(g_str_has_prefix(first, "the descriptor is refused: "));
        g_assert_cmpstr(first, ==, second);
}

static void test_explain_long(void) {
        g_autofree char *path = g_strnfill(PATH_MAX, 'x'), *sentence = NULL;
        struct finding finding = { .verdict = VERDICT_OUTSIDE, .path = path };

        sentence = finding_explain(&finding);
        g_assert_cmpuint(strlen(sentence), <, 1500);
        g_assert_nonnull(strstr(sentence, "xxx... is refused"));
}

int main(int argc, char *argv[]) {
        g_test_init(&argc, &argv, NULL);
        PROGRAM_NEEDS_ROOT();
        g_assert_no_errno(unshare(CLONE_NEWNS));
        g_assert_no_errno(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL));
#define ADD(name, function) g_test_add("/origin/" name, struct fixture, NULL, set_up, function, tear_down)
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
        ADD("nested-mount", test_nested_mount);
        ADD("directory-is-mount", test_directory_is_mount);
        ADD("bound-elsewhere", test_bound_elsewhere);
        ADD("file-bound-over", test_file_bound_over);
        ADD("unmounted", test_unmounted);
        ADD("lies", test_lies);
        ADD("same-inode-elsewhere", test_same_inode_elsewhere);
        ADD("overlay", test_overlay);
        ADD("fuse", test_fuse);
        ADD("hidden-file", test_hidden_file);
        ADD("first-wins", test_first_wins);
        ADD("nearest-is-reported", test_nearest_is_reported);
        ADD("missing-directory", test_missing_directory);
        ADD("directory-gone", test_directory_gone);
        ADD("no-descriptor-left", test_no_descriptor_left);
        g_test_add_func("/origin/explain", test_explain);
        g_test_add_func("/origin/explain-without-path", test_explain_without_path);
        g_test_add_func("/origin/explain-long", test_explain_long);
        return g_test_run();
}
