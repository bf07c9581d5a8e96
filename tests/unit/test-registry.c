/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <errno.h>
#include <glib.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "registry.h"
#include "support.h"

struct fixture {
        char *top;
        char *directory;
        struct registry *registry;
};

static void kernel_has(const struct fixture *f, const char *name, bool has) {
        g_autofree char *path = g_strdup_printf("%s/modules/%s", f->top, name);

        if (has)
                support_write(path, "live");
        else
                g_assert_no_errno(unlink(path));
}

static void set_up(struct fixture *f, gconstpointer data) {
        (void) data;
        f->top = support_directory();
        f->directory = g_strdup_printf("%s/state", f->top);
        g_assert_true(g_setenv("TEST_KERNEL", f->top, TRUE));
        g_assert_cmpint(registry_new(f->directory, &f->registry), ==, 0);
}

static void tear_down(struct fixture *f, gconstpointer data) {
        (void) data;
        registry_free(f->registry);
        support_remove(f->top);
        g_free(f->directory);
        g_free(f->top);
}

static struct module *add(const struct fixture *f, const char *name, const char *parameters, uint64_t at) {
        char path[] = "/usr/lib/modules/with\nnewline.ko", origin[] = "vendor";
        g_autofree char *own_name = g_strdup(name), *own_parameters = g_strdup(parameters);
        struct module module = {
                .name = own_name,
                .path = path,
                .origin = origin,
                .parameters = own_parameters,
                .loaded_by = 4294967294u,
                .loaded_at = at,
        };
        struct module *ret = NULL;

        kernel_has(f, name, true);
        g_assert_cmpint(registry_add(f->registry, &module, &ret), ==, 0);
        g_assert_true(ret && ret != &module);
        return ret;
}

static void restart(struct fixture *f) {
        g_assert_null(registry_free(f->registry));
        g_assert_cmpint(registry_new(f->directory, &f->registry), ==, 0);
}

static char *state_path(const struct fixture *f, const char *name) {
        return g_strdup_printf("%s/%s", f->directory, name);
}

/* Where there was no room, there may be some at the next change, or at the end. */
static void test_written_later(struct fixture *f, gconstpointer data) {
        g_autofree char *foo = state_path(f, "foo.new"), *bar = state_path(f, "bar.new");

        (void) data;
        g_assert_no_errno(mkdir(foo, 0755));
        g_assert_no_errno(mkdir(bar, 0755));
        g_assert_false(add(f, "foo", "", 1)->written);
        g_assert_false(add(f, "bar", "", 2)->written);
        g_assert_true(add(f, "baz", "", 3)->written);
        g_assert_no_errno(rmdir(foo));
        registry_remove(f->registry, registry_find(f->registry, "baz"));
        g_assert_true(registry_find(f->registry, "foo")->written);
        g_assert_false(registry_find(f->registry, "bar")->written);
        g_assert_no_errno(rmdir(bar));
        restart(f);
        g_assert_true(registry_find(f->registry, "foo")->written);
        g_assert_true(registry_find(f->registry, "bar")->written);
}

static void test_round_trip(struct fixture *f, gconstpointer data) {
        const struct module *module;

        (void) data;
        add(f, "foo", "a=\"x y\" b=\xff", UINT64_C(18446744073709551615));
        add(f, "bar", "", 1);
        restart(f);

        module = registry_find(f->registry, "foo");
        g_assert_nonnull(module);
        g_assert_cmpstr(module->name, ==, "foo");
        g_assert_cmpstr(module->path, ==, "/usr/lib/modules/with\nnewline.ko");
        g_assert_cmpstr(module->origin, ==, "vendor");
        g_assert_cmpstr(module->parameters, ==, "a=\"x y\" b=\xff");
        g_assert_cmpuint(module->loaded_by, ==, 4294967294u);
        g_assert_cmpuint(module->loaded_at, ==, UINT64_C(18446744073709551615));
        g_assert_cmpstr(registry_find(f->registry, "bar")->parameters, ==, "");
        g_assert_null(registry_find(f->registry, "fo"));
        g_assert_null(registry_free(NULL));
}

/* Among the parameters there may be a key. */
static void test_private(struct fixture *f, gconstpointer data) {
        g_autofree char *path = state_path(f, "dummy");
        struct stat st;

        (void) data;
        add(f, "dummy", "key=1234", 1);
        g_assert_no_errno(stat(path, &st));
        g_assert_cmpuint(st.st_mode & 07777, ==, 0600);
}

static void test_order(struct fixture *f, gconstpointer data) {
        static const char *const expected[] = { "one", "two", "three", "four" };
        const struct module *module;
        size_t i = 0;

        (void) data;
        add(f, "three", "", 30);
        add(f, "one", "", 10);
        add(f, "four", "", 40);
        add(f, "two", "", 20);
        TAILQ_FOREACH(module, &f->registry->modules, link)
                g_assert_cmpstr(module->name, ==, expected[i++]);
        g_assert_cmpuint(i, ==, 4);

        restart(f);
        g_assert_cmpuint(f->registry->n_modules, ==, 4);
        i = 0;
        TAILQ_FOREACH(module, &f->registry->modules, link)
                g_assert_cmpstr(module->name, ==, expected[i++]);
        g_assert_cmpuint(i, ==, 4);
}

static void test_replace_and_remove(struct fixture *f, gconstpointer data) {
        g_autofree char *path = state_path(f, "foo");

        (void) data;
        add(f, "foo", "first", 1);
        add(f, "foo", "second", 2);
        g_assert_cmpstr(registry_find(f->registry, "foo")->parameters, ==, "second");
        g_assert_cmpuint(f->registry->n_modules, ==, 1);
        registry_remove(f->registry, registry_find(f->registry, "foo"));
        g_assert_cmpuint(f->registry->n_modules, ==, 0);
        g_assert_null(registry_find(f->registry, "foo"));
        g_assert_cmpint(access(path, F_OK), <, 0);
        restart(f);
        g_assert_true(TAILQ_EMPTY(&f->registry->modules));
}

/* Unloaded while we were away: not ours any more, even if somebody loads it again. */
static void test_unloaded_behind(struct fixture *f, gconstpointer data) {
        (void) data;
        add(f, "foo", "", 1);
        kernel_has(f, "foo", false);
        restart(f);
        g_assert_null(registry_find(f->registry, "foo"));
        kernel_has(f, "foo", true);
        restart(f);
        g_assert_null(registry_find(f->registry, "foo"));
}

static void test_damaged(struct fixture *f, gconstpointer data) {
        static const struct {
                const char *bytes;
                size_t n;
        } damaged[] = {
                { "", 0 },
                { "1 2", 3 },
                { "1 2\0/path\0origin\0", 17 },
                { "1 2\0/path\0origin\0parameters", 27 },
                { "x y\0/path\0origin\0\0", 18 },
                { "\0\0\0\0", 4 },
        };

        (void) data;
        for (size_t i = 0; i < G_N_ELEMENTS(damaged); i++) {
                g_autofree char *path = state_path(f, "foo");

                kernel_has(f, "foo", true);
                support_write_bytes(path, damaged[i].bytes, damaged[i].n);
                restart(f);
                g_assert_null(registry_find(f->registry, "foo"));
                g_assert_cmpint(access(path, F_OK), <, 0);
        }
}

static void test_foreign_files(struct fixture *f, gconstpointer data) {
        g_autofree char *half = state_path(f, "foo.new"), *odd = state_path(f, "odd name");

        (void) data;
        support_write(half, "1 2");
        support_write(odd, "1 2");
        restart(f);
        g_assert_true(TAILQ_EMPTY(&f->registry->modules));
        g_assert_no_errno(access(odd, F_OK));
}

/* It is loaded all the same; to forget that because a disk is full would be worse. */
static void test_state_unwritable(struct fixture *f, gconstpointer data) {
        g_autofree char *in_the_way = state_path(f, "foo/x");

        (void) data;
        support_make_directory(in_the_way);
        add(f, "foo", "p", 1);
        g_assert_cmpstr(registry_find(f->registry, "foo")->parameters, ==, "p");
}

static void test_directory_unusable(void) {
        struct registry *registry = NULL;

        g_assert_cmpint(registry_new("/proc/self/nothing/here", &registry), <, 0);
        g_assert_cmpint(registry_new("/dev/null", &registry), ==, -ENOTDIR);
        g_assert_null(registry);
}

int main(int argc, char *argv[]) {
        g_test_init(&argc, &argv, NULL);
#define ADD(name, function) g_test_add("/registry/" name, struct fixture, NULL, set_up, function, tear_down)
        ADD("round-trip", test_round_trip);
        ADD("private", test_private);
        ADD("written-later", test_written_later);
        ADD("order", test_order);
        ADD("replace-and-remove", test_replace_and_remove);
        ADD("unloaded-behind", test_unloaded_behind);
        ADD("damaged", test_damaged);
        ADD("foreign-files", test_foreign_files);
        ADD("state-unwritable", test_state_unwritable);
        g_test_add_func("/registry/directory-unusable", test_directory_unusable);
        return g_test_run();
}
