/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* One call for a module at a time, and any number for different ones. */

#include <sys/mount.h>
#include <unistd.h>

#include "loader-fixture.h"

static void test_busy(struct fixture *f, gconstpointer data) {
        g_autofree char *path = fixture_path(f, MODULE), *alias = fixture_path(f, "tree/alias.ko");
        int first = connect_loader(f), second = connect_loader(f);

        (void) data;
        fixture_put(f, "tree/other/foo.ko");
        fixture_put(f, "tree/bar.ko");
        g_assert_no_errno(link(path, alias));
        g_assert_false(loader_is_busy(f->loader));
        kernel_close_gate();
        send_load(f, first, MODULE);
        expect_silence(f, first);
        g_assert_true(loader_is_busy(f->loader));
        kernel.waits = false;

        load_and_expect(f, MODULE, OUTCOME_BUSY);
        /* Another file of that name, and the same file by another. */
        load_and_expect(f, "tree/other/foo.ko", OUTCOME_BUSY);
        load_and_expect(f, "tree/alias.ko", OUTCOME_BUSY);
        for (int i = 0; i < 2; i++) {
                send_unload(second, "foo", 0);
                expect(f, second, OUTCOME_BUSY);
                send_load(f, second, MODULE);
                expect(f, second, OUTCOME_BUSY);
        }
        (void) close(second);
        kernel_wait_begun(1);

        /* What has nothing to do with it. */
        load_and_expect(f, "tree/bar.ko", OUTCOME_DONE);
        unload_and_expect(f, "alias", OUTCOME_DONE);

        kernel_open_gate();
        expect(f, first, OUTCOME_DONE);
        g_assert_false(loader_is_busy(f->loader));
        (void) close(first);
        load_and_expect(f, MODULE, OUTCOME_DONE);
}

static void test_busy_while_unloading(struct fixture *f, gconstpointer data) {
        int first = connect_loader(f);

        (void) data;
        fixture_put(f, "tree/bar.ko");
        kernel_close_gate();
        send_unload(first, "foo", 0);
        expect_silence(f, first);
        g_assert_true(loader_is_busy(f->loader));
        kernel.waits = false;
        load_and_expect(f, MODULE, OUTCOME_BUSY);
        unload_and_expect(f, "foo", OUTCOME_BUSY);
        load_and_expect(f, "tree/bar.ko", OUTCOME_DONE);
        kernel_open_gate();
        expect(f, first, OUTCOME_DONE);
        (void) close(first);
        load_and_expect(f, MODULE, OUTCOME_DONE);
}

/* What a connection was about before does not count. */
static void test_busy_with_something_else(struct fixture *f, gconstpointer data) {
        g_autofree char *path = fixture_path(f, MODULE), *alias = fixture_path(f, "tree/alias.ko");
        int first = connect_loader(f), second = connect_loader(f);

        (void) data;
        g_assert_no_errno(link(path, alias));
        send_load(f, first, MODULE);
        expect(f, first, OUTCOME_DONE);
        send_load(f, second, MODULE);
        expect(f, second, OUTCOME_DONE);

        kernel_close_gate();
        send_unload(first, "bar", 0);
        expect_silence(f, first);
        kernel.waits = false;
        send_load(f, second, MODULE);
        expect(f, second, OUTCOME_DONE);
        kernel_open_gate();
        expect(f, first, OUTCOME_DONE);

        kernel_close_gate();
        send_load(f, first, "tree/alias.ko");
        expect_silence(f, first);
        kernel.waits = false;
        send_unload(second, "bar", 0);
        expect(f, second, OUTCOME_DONE);
        kernel_open_gate();
        expect(f, first, OUTCOME_DONE);
        (void) close(first);
        (void) close(second);
}

/* An inode's number is one of its own file system's. */
static void test_busy_elsewhere(struct fixture *f, gconstpointer data) {
        static const char *const names[] = { "tree", "tree2" };
        g_autofree char *more = g_strdup_printf("[Origin other]\nDirectory=%s/tree2\n", f->top);
        int first = connect_loader(f);

        (void) data;
        for (size_t i = 0; i < 2; i++) {
                g_autofree char *path = fixture_path(f, names[i]);

                support_make_directory(path);
                g_assert_no_errno(mount("test", path, "tmpfs", 0, "mode=755"));
        }
        fixture_put(f, "tree/foo.ko");
        fixture_put(f, "tree2/bar.ko");
        g_assert_cmpuint(fixture_inode(f, "tree/foo.ko"), ==, fixture_inode(f, "tree2/bar.ko"));
        loader_set_config(f->loader, fixture_read_config(f, more));

        kernel_close_gate();
        send_load(f, first, "tree/foo.ko");
        expect_silence(f, first);
        kernel.waits = false;
        load_and_expect(f, "tree2/bar.ko", OUTCOME_DONE);
        kernel_open_gate();
        expect(f, first, OUTCOME_DONE);
        (void) close(first);
        settle(f);
        for (size_t i = 0; i < 2; i++) {
                g_autofree char *path = fixture_path(f, names[i]);

                g_assert_no_errno(umount2(path, MNT_DETACH));
        }
}

static void test_sleeper_holds_up_nobody(struct fixture *f, gconstpointer data) {
        int sleeper = connect_loader(f);

        (void) data;
        fixture_put(f, "tree/bar.ko");
        kernel_close_gate();
        send_load(f, sleeper, MODULE);
        expect_silence(f, sleeper);
        kernel.waits = false;
        load_and_expect(f, "tree/bar.ko", OUTCOME_DONE);

        /* What comes behind the sleeper waits for it. */
        send_unload(sleeper, "bar", 0);
        expect_silence(f, sleeper);
        kernel_wait_begun(2);
        kernel_open_gate();
        expect(f, sleeper, OUTCOME_DONE);
        expect(f, sleeper, OUTCOME_DONE);
        g_assert_cmpstr(seen->name, ==, "bar");
        (void) close(sleeper);
}

static void add_tests(void) {
        ADD("busy", test_busy);
        ADD("busy-while-unloading", test_busy_while_unloading);
        ADD("busy-with-something-else", test_busy_with_something_else);
        ADD("busy-elsewhere", test_busy_elsewhere);
        ADD("sleeper-holds-up-nobody", test_sleeper_holds_up_nobody);
}

int main(int argc, char *argv[]) {
        return loader_test_main(argc, argv, add_tests);
}
