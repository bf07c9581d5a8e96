/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Mounts in, over and beside the tree, and descriptors that were opened in a mount namespace where the same paths lead to
 * something else: that is what a hostile caller passes.
 */

#include <errno.h>
#include <sched.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "fuse-server.h"
#include "origin-fixture.h"

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

int main(int argc, char *argv[]) {
        g_test_init(&argc, &argv, NULL);
        PROGRAM_NEEDS_ROOT();
        g_assert_no_errno(unshare(CLONE_NEWNS));
        g_assert_no_errno(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL));
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
        ADD("directory-gone", test_directory_gone);
        return g_test_run();
}
