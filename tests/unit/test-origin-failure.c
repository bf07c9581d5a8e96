/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Each call that the check of a descriptor makes fails once, in each of several ways: nothing that fails may make a
 * descriptor accepted, none may stay open, and what is given back must be whole.
 */

#include <errno.h>
#include <sched.h>
#include <stdarg.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#include "config-value.h"
#include "origin-fixture.h"

static const char *failing; /* the function that fails, or NULL */
static unsigned countdown;  /* with its call of this number, from 1; 0: it has */
static int failure;         /* with this errno */

static bool fails(const char *function) {
        if (!failing || countdown == 0 || strcmp(function, failing) != 0 || --countdown > 0)
                return false;
        errno = failure;
        return true;
}

/* --- the C library --- */

int __real_statx(int at, const char *path, int flags, unsigned mask, struct statx *ret);
int __wrap_statx(int at, const char *path, int flags, unsigned mask, struct statx *ret);
char *__real_strdup(const char *text);
char *__wrap_strdup(const char *text);
int __real_name_to_handle_at(int at, const char *path, struct file_handle *handle, int *mount, int flags);
int __wrap_name_to_handle_at(int at, const char *path, struct file_handle *handle, int *mount, int flags);
ssize_t __real_readlink(const char *path, char *ret, size_t size);
ssize_t __wrap_readlink(const char *path, char *ret, size_t size);
int __real_fcntl64(int fd, int command, ...);
int __wrap_fcntl64(int fd, int command, ...);
int __real_fstatfs64(int fd, struct statfs *ret);
int __wrap_fstatfs64(int fd, struct statfs *ret);
int __real_openat64(int at, const char *path, int flags, ...);
int __wrap_openat64(int at, const char *path, int flags, ...);

int __wrap_statx(int at, const char *path, int flags, unsigned mask, struct statx *ret) {
        return fails("statx") ? -1 : __real_statx(at, path, flags, mask, ret);
}

char *__wrap_strdup(const char *text) {
        return fails("strdup") ? NULL : __real_strdup(text);
}

int __wrap_name_to_handle_at(int at, const char *path, struct file_handle *handle, int *mount, int flags) {
        return fails("name_to_handle_at") ? -1 : __real_name_to_handle_at(at, path, handle, mount, flags);
}

ssize_t __wrap_readlink(const char *path, char *ret, size_t size) {
        return fails("readlink") ? -1 : __real_readlink(path, ret, size);
}

int __wrap_fcntl64(int fd, int command, ...) {
        va_list ap;
        int argument;

        va_start(ap, command);
        argument = va_arg(ap, int);
        va_end(ap);
        return fails("fcntl") ? -1 : __real_fcntl64(fd, command, argument);
}

int __wrap_fstatfs64(int fd, struct statfs *ret) {
        return fails("fstatfs") ? -1 : __real_fstatfs64(fd, ret);
}

/* Nothing here is made. */
int __wrap_openat64(int at, const char *path, int flags, ...) {
        return fails("openat") ? -1 : __real_openat64(at, path, flags);
}

/* --- the tests --- */

static const char *const functions[] = { "statx",   "strdup", "name_to_handle_at", "readlink", "fcntl",
                                         "fstatfs", "openat" };
static const int errors[] = { ENOMEM, EIO, EACCES, EINTR, EBADF, ENAMETOOLONG, EMFILE };

static void require_all(struct fixture *f, gconstpointer data) {
        struct config_place place = { .file = "test", .key = "FilesystemType" };
        struct config_error error = { 0 };
        struct origin *origin;

        set_up(f, data);
        mount_empty(f, "tree");
        put(f, MODULE, "module");
        origin = TAILQ_FIRST(&f->config.origins);
        origin->mount_point = path_of(f, "tree");
        g_assert_cmpint(config_set_filesystem_types(&place, "tmpfs", &origin->filesystem_types, &error), ==,
                        0);
}

static void end(struct fixture *f, gconstpointer data) {
        failing = NULL;
        unmount(f, "tree");
        tear_down(f, data);
}

typedef int (*attempt_t)(const struct fixture *f, int fd, struct finding *ret);

static int verify(const struct fixture *f, int fd, struct finding *ret) {
        return origin_verify(&f->config, fd, ret);
}

static int examine(const struct fixture *f, int fd, struct finding *ret) {
        (void) fd;
        return origin_examine(TAILQ_FIRST(&f->config.origins), ret);
}

/* Return: whether the call of this number was reached. */
static bool try_one(const struct fixture *f, int fd, attempt_t attempt, unsigned number) {
        struct finding finding = { .verdict = VERDICT_MAX_ };
        size_t descriptors = support_count_descriptors();
        bool reached;
        int r;

        countdown = number;
        r = attempt(f, fd, &finding);
        reached = countdown == 0;
        countdown = 0;
        g_test_message("%s, call %u, %s: %d", failing, number, g_strerror(failure), r);
        if (reached)
                g_assert_cmpint(r, !=, 0);
        else
                g_assert_cmpint(r, ==, 0);
        if (r < 0)
                g_assert_cmpint(finding.verdict, ==, VERDICT_MAX_);
        else {
                g_assert_cmpint(finding.verdict, ==, r);
                g_assert_nonnull(finding.path);
                finding_clear(&finding);
        }
        /* Out of memory is no refusal: another try may end otherwise. */
        if (reached && (failure == ENOMEM || strcmp(failing, "strdup") == 0))
                g_assert_cmpint(r, ==, -ENOMEM);
        g_assert_cmpuint(support_count_descriptors(), ==, descriptors);
        return reached;
}

static void try_all(const struct fixture *f, attempt_t attempt, unsigned least) {
        int fd = open_at(f, MODULE, O_RDONLY);
        unsigned tried = 0;

        for (size_t i = 0; i < G_N_ELEMENTS(functions); i++)
                for (size_t j = 0; j < G_N_ELEMENTS(errors); j++) {
                        unsigned number = 1;

                        failing = functions[i];
                        failure = errors[j];
                        while (try_one(f, fd, attempt, number))
                                number++;
                        tried += number - 1;
                }
        failing = NULL;
        g_assert_cmpuint(tried, >, least);
        (void) close(fd);
}

static void test_verify(struct fixture *f, gconstpointer data) {
        (void) data;
        try_all(f, verify, 20 * G_N_ELEMENTS(errors));
}

static void test_examine(struct fixture *f, gconstpointer data) {
        (void) data;
        try_all(f, examine, 10 * G_N_ELEMENTS(errors));
}

int main(int argc, char *argv[]) {
        g_test_init(&argc, &argv, NULL);
        PROGRAM_NEEDS_ROOT();
        g_assert_no_errno(unshare(CLONE_NEWNS));
        g_assert_no_errno(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL));
        g_test_add("/origin-failure/verify", struct fixture, NULL, require_all, test_verify, end);
        g_test_add("/origin-failure/examine", struct fixture, NULL, require_all, test_examine, end);
        return g_test_run();
}
