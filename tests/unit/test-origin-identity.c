/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * When two files are the same one. What the kernel says of the stranger's is changed in one thing at a time, for no file
 * system makes two files differ in just that on demand; the guests have one whose numbers collide.
 */

#include <errno.h>
#include <sched.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#include "origin-fixture.h"

/* --- the C library --- */

static void (*twist_stat)(struct statx *stx);
static void (*twist_handle)(struct file_handle *handle);
static bool no_access_times;   /* of any file */
static bool no_handles;        /* of any file */
static bool stranger_has_none; /* though it says one */
static unsigned handles;    /* asked for since the descriptor was looked at: the first is the stranger's */
static const char *name;    /* what the kernel calls the descriptor, or NULL for the truth */
static int directory_error; /* of the next openat(2) */
static bool no_statfs;

int __real_statx(int at, const char *path, int flags, unsigned mask, struct statx *ret);
int __wrap_statx(int at, const char *path, int flags, unsigned mask, struct statx *ret);
int __real_name_to_handle_at(int at, const char *path, struct file_handle *handle, int *mount, int flags);
int __wrap_name_to_handle_at(int at, const char *path, struct file_handle *handle, int *mount, int flags);
ssize_t __real_readlink(const char *path, char *ret, size_t size);
ssize_t __wrap_readlink(const char *path, char *ret, size_t size);
int __real_openat64(int at, const char *path, int flags, ...);
int __wrap_openat64(int at, const char *path, int flags, ...);
int __real_fstatfs64(int fd, struct statfs *ret);
int __wrap_fstatfs64(int fd, struct statfs *ret);

/* Only a stranger's descriptor is asked without waiting for its filesystem. */
int __wrap_statx(int at, const char *path, int flags, unsigned mask, struct statx *ret) {
        int r = __real_statx(at, path, flags, mask, ret);

        if (r == 0 && (flags & AT_STATX_DONT_SYNC) && mask == STATX_BASIC_STATS) {
                handles = 0;
                if (twist_stat)
                        twist_stat(ret);
        }
        if (no_access_times)
                ret->stx_mask &= ~(unsigned) STATX_ATIME;
        return r;
}

int __wrap_name_to_handle_at(int at, const char *path, struct file_handle *handle, int *mount, int flags) {
        int r = __real_name_to_handle_at(at, path, handle, mount, flags);

        handles++;
        if (no_handles || (stranger_has_none && handles == 1)) {
                errno = EOPNOTSUPP;
                return -1;
        }
        if (r == 0 && handles == 1 && twist_handle)
                twist_handle(handle);
        return r;
}

ssize_t __wrap_readlink(const char *path, char *ret, size_t size) {
        if (!name)
                return __real_readlink(path, ret, size);
        memcpy(ret, name, MIN(strlen(name), size));
        return (ssize_t) MIN(strlen(name), size);
}

int __wrap_openat64(int at, const char *path, int flags, ...) {
        if (directory_error == 0)
                return __real_openat64(at, path, flags);
        errno = directory_error;
        directory_error = 0;
        return -1;
}

int __wrap_fstatfs64(int fd, struct statfs *ret) {
        if (!no_statfs)
                return __real_fstatfs64(fd, ret);
        errno = EIO;
        return -1;
}

/* --- the fixture --- */

static void start(struct fixture *f, gconstpointer data) {
        twist_stat = NULL;
        twist_handle = NULL;
        no_access_times = no_handles = stranger_has_none = no_statfs = false;
        name = NULL;
        directory_error = 0;
        set_up(f, data);
}

/* --- what statx says --- */

static void twist_major(struct statx *stx) {
        stx->stx_dev_major++;
}

static void twist_minor(struct statx *stx) {
        stx->stx_dev_minor++;
}

static void twist_inode(struct statx *stx) {
        stx->stx_ino++;
}

static void twist_mode(struct statx *stx) {
        stx->stx_mode ^= 0100;
}

static void twist_uid(struct statx *stx) {
        stx->stx_uid++;
}

static void twist_gid(struct statx *stx) {
        stx->stx_gid++;
}

static void twist_size(struct statx *stx) {
        stx->stx_size++;
}

static void twist_mtime(struct statx *stx) {
        stx->stx_mtime.tv_sec++;
}

static void twist_mtime_nsec(struct statx *stx) {
        stx->stx_mtime.tv_nsec ^= 1;
}

static void twist_ctime(struct statx *stx) {
        stx->stx_ctime.tv_sec--;
}

static void twist_ctime_nsec(struct statx *stx) {
        stx->stx_ctime.tv_nsec ^= 1;
}

/* A filesystem that does not say whose the file is. */
static void twist_mask(struct statx *stx) {
        stx->stx_mask &= ~(unsigned) STATX_UID;
}

static void test_stat(struct fixture *f, gconstpointer data) {
        static void (*const twists[])(struct statx *) = {
                twist_major, twist_minor, twist_inode,      twist_mode,  twist_uid,        twist_gid,
                twist_size,  twist_mtime, twist_mtime_nsec, twist_ctime, twist_ctime_nsec, twist_mask,
        };

        (void) data;
        for (int without = 0; without < 2; without++) {
                no_handles = without;
                twist_stat = NULL;
                expect_accepted(f, open_at(f, MODULE, O_RDONLY), "vendor", MODULE);
                for (size_t i = 0; i < G_N_ELEMENTS(twists); i++) {
                        g_test_message("twist %zu", i);
                        twist_stat = twists[i];
                        expect(f, open_at(f, MODULE, O_RDONLY), VERDICT_OTHER_FILE, "vendor", NULL);
                }
        }
}

/* As on erofs; neither is the time of access what makes two files differ. */
static void test_no_access_times(struct fixture *f, gconstpointer data) {
        (void) data;
        no_access_times = true;
        expect_accepted(f, open_at(f, MODULE, O_RDONLY), "vendor", MODULE);
}

/* --- what the handle says --- */

static void twist_type(struct file_handle *handle) {
        handle->handle_type++;
}

static void twist_bytes(struct file_handle *handle) {
        handle->handle_bytes--;
}

static void twist_first(struct file_handle *handle) {
        handle->f_handle[0] ^= 1;
}

static void twist_last(struct file_handle *handle) {
        handle->f_handle[handle->handle_bytes - 1] ^= 1;
}

static void test_handle(struct fixture *f, gconstpointer data) {
        static void (*const twists[])(struct file_handle *) = { twist_type, twist_bytes, twist_first,
                                                                twist_last };

        (void) data;
        expect_accepted(f, open_at(f, MODULE, O_RDONLY), "vendor", MODULE);
        g_assert_cmpuint(handles, ==, 2);
        for (size_t i = 0; i < G_N_ELEMENTS(twists); i++) {
                g_test_message("twist %zu", i);
                twist_handle = twists[i];
                expect(f, open_at(f, MODULE, O_RDONLY), VERDICT_OTHER_FILE, "vendor", NULL);
        }
        twist_handle = NULL;
        stranger_has_none = true;
        expect(f, open_at(f, MODULE, O_RDONLY), VERDICT_OTHER_FILE, "vendor", NULL);
}

/* --- what the kernel calls it --- */

static void test_name(struct fixture *f, gconstpointer data) {
        g_autofree char *longest = g_strnfill(PATH_MAX + 1, 'x'), *directory = path_of(f, "tree/");

        (void) data;
        longest[0] = '/';
        name = longest;
        expect(f, open_at(f, MODULE, O_RDONLY), VERDICT_NO_PATH, NULL, NULL);
        name = directory;
        expect_outside(f, open_at(f, MODULE, O_RDONLY));
        name = "";
        expect(f, open_at(f, MODULE, O_RDONLY), VERDICT_NO_PATH, NULL, NULL);
}

/* --- what another try may mend --- */

static void test_out_of_memory(struct fixture *f, gconstpointer data) {
        int outside = open_at(f, "outside/foo.ko", O_RDONLY), inside = open_at(f, MODULE, O_RDONLY);
        struct finding finding = { .verdict = VERDICT_MAX_ };

        (void) data;
        /* Neither "outside" nor the next origin's word may stand for what this one would have said. */
        directory_error = ENOMEM;
        g_assert_cmpint(origin_verify(&f->config, outside, &finding), ==, -ENOMEM);
        add_origin(f, "next", "tree/kernel");
        directory_error = ENOMEM;
        g_assert_cmpint(origin_verify(&f->config, inside, &finding), ==, -ENOMEM);
        g_assert_cmpint(finding.verdict, ==, VERDICT_MAX_);
        (void) close(outside);
        (void) close(inside);
}

/* An origin that wants no type does not ask for it. */
static void test_no_type_wanted(struct fixture *f, gconstpointer data) {
        (void) data;
        no_statfs = true;
        expect_accepted(f, open_at(f, MODULE, O_RDONLY), "vendor", MODULE);
}

int main(int argc, char *argv[]) {
        g_test_init(&argc, &argv, NULL);
        PROGRAM_NEEDS_ROOT();
        g_assert_no_errno(unshare(CLONE_NEWNS));
        g_assert_no_errno(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL));
#undef ADD
#define ADD(test, function)                                                                                 \
        g_test_add("/origin-identity/" test, struct fixture, NULL, start, function, tear_down)
        ADD("stat", test_stat);
        ADD("no-access-times", test_no_access_times);
        ADD("handle", test_handle);
        ADD("name", test_name);
        ADD("out-of-memory", test_out_of_memory);
        ADD("no-type-wanted", test_no_type_wanted);
        return g_test_run();
}
