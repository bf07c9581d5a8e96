/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <glib.h>
#include <limits.h>
#include <string.h>

#include "finding.h"
#include "origin-fixture.h"

static void test_explain(void) {
        static const struct {
                enum verdict verdict;
                const char *to_do;
        } verdicts[] = {
                { VERDICT_ACCEPTED, "accepted" },
                { VERDICT_PATH_ONLY, "open it for reading" },
                { VERDICT_NOT_READ_ONLY, "open it read-only" },
                { VERDICT_NOT_REGULAR, "pass a descriptor of the module's file" },
                { VERDICT_DIRECT, "open it without" },
                { VERDICT_HIDDEN, "open the file where everybody can see it" },
                { VERDICT_NO_PATH, "install the module into an origin's directory" },
                { VERDICT_OUTSIDE, "install it there, or have an administrator add an origin" },
                { VERDICT_NO_DIRECTORY, "check Directory= in moduled.conf" },
                { VERDICT_DIRECTORY_FOREIGN, "chown it to root" },
                { VERDICT_NOT_MOUNTED, "MountPoint= is not mounted" },
                { VERDICT_ABSENT, "open the file again" },
                { VERDICT_SYMLINK, "open the file that it points to" },
                { VERDICT_OTHER_MOUNT, "have an administrator make it an origin" },
                { VERDICT_FOREIGN, "chown it to root" },
                { VERDICT_OTHER_FILE, "open it again from there" },
                { VERDICT_FILESYSTEM_TYPE, "none of the origin's FilesystemType=" },
                { VERDICT_WRITABLE, "remount the filesystem itself read-only" },
                { VERDICT_NO_DM_VERITY, "not on a dm-verity device" },
                { VERDICT_NO_FS_VERITY, "enable it for the file" },
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
        g_assert_true(g_str_has_prefix(first, "The descriptor is refused: "));
        g_assert_cmpstr(first, ==, second);
}

static void test_explain_found(void) {
        char found[] = "ext4\n", path[] = "/a/foo.ko";
        struct finding finding = { .verdict = VERDICT_FILESYSTEM_TYPE, .path = path, .found = found };
        g_autofree char *sentence = finding_explain(&finding), *reason = finding_reason(&finding);

        g_assert_true(g_str_has_suffix(sentence, " (found: ext4\\x0a)."));
        g_assert_true(g_str_has_suffix(reason, " (found: ext4\\x0a)"));
        g_assert_nonnull(strstr(sentence, reason));
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
        g_test_add_func("/finding/explain", test_explain);
        g_test_add_func("/finding/explain-without-path", test_explain_without_path);
        g_test_add_func("/finding/explain-found", test_explain_found);
        g_test_add_func("/finding/explain-long", test_explain_long);
        return g_test_run();
}
