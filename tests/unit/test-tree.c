/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <limits.h>
#include <sched.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "support.h"
#include "tree.h"

struct fixture {
        char *top;
        size_t descriptors;
};

static char *path_of(const struct fixture *f, const char *name) {
        return g_strdup_printf("%s/%s", f->top, name);
}

static void put(const struct fixture *f, const char *name) {
        g_autofree char *path = path_of(f, name);

        support_write(path, "x");
}

static void put_link(const struct fixture *f, const char *name, const char *target) {
        g_autofree char *path = path_of(f, name);

        g_assert_no_errno(symlink(target, path));
}

static void own(const struct fixture *f, const char *name, uid_t uid, gid_t gid) {
        g_autofree char *path = path_of(f, name);

        g_assert_no_errno(lchown(path, uid, gid));
}

static void mode(const struct fixture *f, const char *name, mode_t bits) {
        g_autofree char *path = path_of(f, name);

        g_assert_no_errno(chmod(path, bits));
}

/* tree/a/b/file, and links beside tree. */
static void set_up(struct fixture *f, gconstpointer data) {
        (void) data;
        f->top = support_directory();
        f->descriptors = support_count_descriptors();
        put(f, "tree/a/b/file");
}

static void tear_down(struct fixture *f, gconstpointer data) {
        (void) data;
        g_assert_cmpuint(support_count_descriptors(), ==, f->descriptors);
        support_remove(f->top);
        g_free(f->top);
}

static void expect_directory(const char *directory, int expected, const char *expected_path) {
        struct place place = PLACE_EMPTY;
        g_autofree char *culprit = NULL;

        g_assert_cmpint(tree_open_directory(directory, &place, &culprit), ==, expected);
        if (expected == 0) {
                g_assert_cmpstr(place.path, ==, expected_path);
                g_assert_cmpint(place.fd, >=, 0);
                g_assert_cmpint(fcntl(place.fd, F_GETFD) & FD_CLOEXEC, ==, FD_CLOEXEC);
                g_assert_null(culprit);
        } else {
                g_assert_cmpint(place.fd, <, 0);
                g_assert_null(place.path);
                g_assert_cmpstr(culprit, ==, expected_path);
        }
        place_clear(&place);
        g_assert_cmpint(place.fd, <, 0);
}

/* @name and @expected are below the fixture's directory. */
static void expect_below(const struct fixture *f, const char *name, int verdict, const char *expected) {
        g_autofree char *directory = path_of(f, name), *path = path_of(f, expected);

        expect_directory(directory, verdict, path);
}

static void expect_walk(const struct fixture *f, const char *relative, int expected,
                        const char *expected_path) {
        g_autofree char *directory = path_of(f, "tree"),
                        *path = expected_path ? path_of(f, expected_path) : NULL;
        struct place root = PLACE_EMPTY, place = PLACE_EMPTY;
        g_autofree char *culprit = NULL;

        g_assert_cmpint(tree_open_directory(directory, &root, &culprit), ==, 0);
        g_assert_cmpint(tree_walk(&root, relative, &place, &culprit), ==, expected);
        g_assert_cmpstr(expected == 0 ? place.path : culprit, ==, path);
        place_clear(&place);
        place_clear(&root);
}

static void test_directory(struct fixture *f, gconstpointer data) {
        (void) data;
        expect_directory("/", 0, "/");
        expect_directory("//", 0, "/");
        expect_directory("/..", 0, "/");
        expect_directory("/../..//./run/.", 0, "/run");
        expect_below(f, "tree", 0, "tree");
        expect_below(f, "tree/", 0, "tree");
        expect_below(f, "tree//a/./b///", 0, "tree/a/b");
        expect_below(f, "tree/a/b/..", 0, "tree/a");
        expect_below(f, "tree/a/b/../../../tree", 0, "tree");
        expect_below(f, "nothing", VERDICT_NO_DIRECTORY, "nothing");
        expect_below(f, "tree/nothing/more", VERDICT_NO_DIRECTORY, "tree/nothing");
        expect_below(f, "tree/a/b/file", VERDICT_NO_DIRECTORY, "tree/a/b/file");
        expect_below(f, "tree/a/b/file/more", VERDICT_NO_DIRECTORY, "tree/a/b/file/more");
}

static void test_directory_by_links(struct fixture *f, gconstpointer data) {
        g_autofree char *tree = path_of(f, "tree");

        (void) data;
        put_link(f, "absolute", tree);
        put_link(f, "relative", "tree/a");
        put_link(f, "up", "tree/../tree/a/../a");
        put_link(f, "chain", "absolute");
        put_link(f, "loop", "loop");
        put_link(f, "dangling", "nothing");
        put_link(f, "to-file", "tree/a/b/file");
        expect_below(f, "absolute", 0, "tree");
        expect_below(f, "absolute/a/", 0, "tree/a");
        expect_below(f, "relative/b", 0, "tree/a/b");
        expect_below(f, "up", 0, "tree/a");
        expect_below(f, "chain/a", 0, "tree/a");
        expect_below(f, "loop", VERDICT_NO_DIRECTORY, "loop");
        expect_below(f, "loop/x", VERDICT_NO_DIRECTORY, "loop");
        expect_below(f, "dangling", VERDICT_NO_DIRECTORY, "nothing");
        expect_below(f, "to-file", VERDICT_NO_DIRECTORY, "tree/a/b/file");
        own(f, "absolute", SOMEBODY, 0);
        expect_below(f, "absolute", VERDICT_DIRECTORY_FOREIGN, "absolute");
        expect_below(f, "chain/a", VERDICT_DIRECTORY_FOREIGN, "absolute");
        /* Who is in the group of a link may do nothing with it. */
        own(f, "absolute", 0, SOMEBODY);
        expect_below(f, "absolute", 0, "tree");
}

static void test_directory_foreign(struct fixture *f, gconstpointer data) {
        (void) data;
        own(f, "tree/a", SOMEBODY, 0);
        expect_below(f, "tree/a/b", VERDICT_DIRECTORY_FOREIGN, "tree/a");
        /* Whoever owns it may put something else there while we are past it. */
        expect_below(f, "tree/a/..", VERDICT_DIRECTORY_FOREIGN, "tree/a");
        own(f, "tree/a", 0, SOMEBODY);
        expect_below(f, "tree/a/b", 0, "tree/a/b");
        mode(f, "tree/a", 0775);
        expect_below(f, "tree/a/b", VERDICT_DIRECTORY_FOREIGN, "tree/a");
        mode(f, "tree/a", 0757);
        expect_below(f, "tree/a/b", VERDICT_DIRECTORY_FOREIGN, "tree/a");
        mode(f, "tree/a", 01777);
        expect_below(f, "tree/a/b", VERDICT_DIRECTORY_FOREIGN, "tree/a");
        mode(f, "tree/a", 0755);
        mode(f, "tree/a/b", 0775);
        expect_below(f, "tree/a/b", VERDICT_DIRECTORY_FOREIGN, "tree/a/b");
        mode(f, "tree/a/b", 0500);
        expect_below(f, "tree/a/b", 0, "tree/a/b");
        expect_directory("/tmp", VERDICT_DIRECTORY_FOREIGN, "/tmp");
        expect_directory("/tmp/nothing", VERDICT_DIRECTORY_FOREIGN, "/tmp");
}

static void test_directory_too_long(struct fixture *f, gconstpointer data) {
        g_autofree char *fill = g_strnfill(PATH_MAX, 'x'), *too_long = g_strdup_printf("/%s", fill);
        g_autofree char *slashes = g_strnfill(PATH_MAX - 1, '/'),
                        *long_name = g_strndup(too_long, PATH_MAX - 1);
        struct place place = PLACE_EMPTY;
        g_autofree char *culprit = NULL;
        g_autoptr(GString) links = g_string_new(f->top);

        (void) data;
        g_assert_cmpint(tree_open_directory(too_long, &place, &culprit), ==, VERDICT_NO_DIRECTORY);
        g_assert_null(culprit);
        expect_directory(slashes, 0, "/");
        expect_directory(long_name, VERDICT_NO_DIRECTORY, long_name);

        /* A link's target with what is left behind it does not fit. */
        fill[PATH_MAX - 20] = '\0';
        for (char *p = fill + 1; p < fill + PATH_MAX - 20; p += 2)
                *p = '/';
        put_link(f, "link", fill);
        g_string_append(links, "/link/more/and/more/and/more");
        g_assert_cmpint(tree_open_directory(links->str, &place, &culprit), ==, VERDICT_NO_DIRECTORY);
        g_assert_true(g_str_has_suffix(culprit, "/link"));
}

static void test_many_links(struct fixture *f, gconstpointer data) {
        (void) data;
        put_link(f, "l0", "tree");
        for (int i = 1; i <= 40; i++) {
                g_autofree char *name = g_strdup_printf("l%d", i), *target = g_strdup_printf("l%d", i - 1);

                put_link(f, name, target);
        }
        expect_below(f, "l39", 0, "tree");
        expect_below(f, "l40", VERDICT_NO_DIRECTORY, "l0");
}

static void test_walk(struct fixture *f, gconstpointer data) {
        (void) data;
        expect_walk(f, "a/b/file", 0, "tree/a/b/file");
        expect_walk(f, "a", 0, "tree/a");
        expect_walk(f, "a/nothing", VERDICT_ABSENT, "tree/a/nothing");
        expect_walk(f, "nothing/x", VERDICT_ABSENT, "tree/nothing");
        expect_walk(f, "a/b/file/x", VERDICT_ABSENT, "tree/a/b/file/x");
}

static void test_walk_not_canonical(struct fixture *f, gconstpointer data) {
        static const char *const bad[] = { "",         "/",      "a/",        "/a",
                                           "a//b",     ".",      "..",        "./a",
                                           "a/./b",    "a/b/..", "../tree/a", "a/../a/b/file",
                                           "a/b/file/" };
        g_autofree char *too_long = g_strnfill(PATH_MAX, 'x');

        (void) data;
        for (size_t i = 0; i < G_N_ELEMENTS(bad); i++)
                expect_walk(f, bad[i], VERDICT_ABSENT, NULL);
        expect_walk(f, too_long, VERDICT_ABSENT, NULL);
        put(f, "tree/.../..x");
        expect_walk(f, ".../..x", 0, "tree/.../..x");
}

static void test_walk_link(struct fixture *f, gconstpointer data) {
        (void) data;
        put_link(f, "tree/to-file", "a/b/file");
        put_link(f, "tree/to-directory", "a");
        put_link(f, "tree/dangling", "nothing");
        expect_walk(f, "to-file", VERDICT_SYMLINK, "tree/to-file");
        expect_walk(f, "to-directory/b/file", VERDICT_SYMLINK, "tree/to-directory");
        expect_walk(f, "dangling", VERDICT_SYMLINK, "tree/dangling");
}

static void test_walk_foreign(struct fixture *f, gconstpointer data) {
        (void) data;
        own(f, "tree/a/b/file", SOMEBODY, 0);
        expect_walk(f, "a/b/file", VERDICT_FOREIGN, "tree/a/b/file");
        own(f, "tree/a/b/file", 0, SOMEBODY);
        expect_walk(f, "a/b/file", 0, "tree/a/b/file");
        mode(f, "tree/a/b/file", 0664);
        expect_walk(f, "a/b/file", VERDICT_FOREIGN, "tree/a/b/file");
        mode(f, "tree/a/b/file", 0644);
        mode(f, "tree/a/b", 0775);
        expect_walk(f, "a/b/file", VERDICT_FOREIGN, "tree/a/b");
        own(f, "tree/a", SOMEBODY, 0);
        expect_walk(f, "a/b/file", VERDICT_FOREIGN, "tree/a");
}

static void test_walk_mount(struct fixture *f, gconstpointer data) {
        g_autofree char *a = path_of(f, "tree/a"), *file = path_of(f, "tree/a/b/file"),
                        *other = path_of(f, "other");

        (void) data;
        put(f, "other");
        g_assert_no_errno(mount(other, file, NULL, MS_BIND, NULL));
        expect_walk(f, "a/b/file", VERDICT_OTHER_MOUNT, "tree/a/b/file");
        g_assert_no_errno(umount2(file, MNT_DETACH));
        /* Even the same directory over itself: nobody can say by whom. */
        g_assert_no_errno(mount(a, a, NULL, MS_BIND, NULL));
        expect_walk(f, "a/b/file", VERDICT_OTHER_MOUNT, "tree/a");
        g_assert_no_errno(umount2(a, MNT_DETACH));
        g_assert_no_errno(mount("test", a, "tmpfs", 0, NULL));
        expect_walk(f, "a/b/file", VERDICT_OTHER_MOUNT, "tree/a");
        g_assert_no_errno(umount2(a, MNT_DETACH));
        expect_walk(f, "a/b/file", 0, "tree/a/b/file");
}

/* That we have nothing left is no verdict on the caller's file. */
static void test_no_descriptor_left(struct fixture *f, gconstpointer data) {
        g_autofree char *directory = path_of(f, "tree"), *culprit = NULL;
        struct place root = PLACE_EMPTY, place = PLACE_EMPTY;
        struct rlimit limit, low;
        int taken[16];
        size_t n = 0;

        (void) data;
        g_assert_cmpint(tree_open_directory(directory, &root, &culprit), ==, 0);
        g_assert_no_errno(getrlimit(RLIMIT_NOFILE, &limit));
        low = limit;
        low.rlim_cur = 16;
        g_assert_no_errno(setrlimit(RLIMIT_NOFILE, &low));
        while ((taken[n] = dup(root.fd)) >= 0)
                n++;
        g_assert_cmpuint(n, >=, 2);
        for (size_t left = 0; left < 2; left++) {
                g_assert_cmpint(tree_walk(&root, "a/b/file", &place, &culprit), ==, -EMFILE);
                g_assert_cmpint(tree_open_directory(directory, &place, &culprit), ==, -EMFILE);
                (void) close(taken[--n]);
        }
        while (n > 0)
                (void) close(taken[--n]);
        g_assert_no_errno(setrlimit(RLIMIT_NOFILE, &limit));
        g_assert_null(culprit);
        place_clear(&root);
}

int main(int argc, char *argv[]) {
        g_test_init(&argc, &argv, NULL);
        PROGRAM_NEEDS_ROOT();
        g_assert_no_errno(unshare(CLONE_NEWNS));
        g_assert_no_errno(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL));
#define ADD(name, function) g_test_add("/tree/" name, struct fixture, NULL, set_up, function, tear_down)
        ADD("directory", test_directory);
        ADD("directory-by-links", test_directory_by_links);
        ADD("directory-foreign", test_directory_foreign);
        ADD("directory-too-long", test_directory_too_long);
        ADD("many-links", test_many_links);
        ADD("walk", test_walk);
        ADD("walk-not-canonical", test_walk_not_canonical);
        ADD("walk-link", test_walk_link);
        ADD("walk-foreign", test_walk_foreign);
        ADD("walk-mount", test_walk_mount);
        ADD("no-descriptor-left", test_no_descriptor_left);
        return g_test_run();
}
