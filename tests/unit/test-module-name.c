/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <errno.h>
#include <glib.h>
#include <string.h>

#include "cleanup.h"
#include "module-name.h"

#define LONGEST "a234567890123456789012345678901234567890123456789012345"

static const char *const normalized[][2] = {
        { "", "" },
        { "foo", "foo" },
        { "foo-bar_baz-", "foo_bar_baz_" },
        { "[a-c]x-y", "[a-c]x_y" },
        { "-[!0-9]-", "_[!0-9]_" },
};

static const char *const paths[][2] = {
        { "foo.ko", "foo" },
        { "/usr/lib/modules/6.1/kernel/snd-hda-intel.ko", "snd_hda_intel" },
        { "/x/foo.ko.gz", "foo" },
        { "/x/foo.ko.xz", "foo" },
        { "/x/foo.ko.zst", "foo" },
        { "/x/" LONGEST ".ko", LONGEST },
        { "/a.ko/b-1.ko", "b_1" },

        { "foo", NULL },
        { "", NULL },
        { "/x/", NULL },
        { "/x/.ko", NULL },
        { "/x.ko/y", NULL },
        { "/x/foo.ko (deleted)", NULL },
        { "/x/foo.ko.bz2", NULL },
        { "/x/foo.ko.", NULL },
        { "/x/foo.kox", NULL },
        { "/x/foo.ko.ko", NULL },
        { "/x/foo.gz", NULL },
        { "/x/f.oo.ko", NULL },
        { "/x/f oo.ko", NULL },
        { "/x/foo\n.ko", NULL },
        { "/x/f\xc3\xbc.ko", NULL },
        { "/x/[f].ko", NULL },
        { "/x/" LONGEST "6.ko", NULL },
};

static void test_normalize(void) {
        for (size_t i = 0; i < G_N_ELEMENTS(normalized); i++) {
                g_autofree char *name = g_strdup(normalized[i][0]);

                module_name_normalize(name);
                g_assert_cmpstr(name, ==, normalized[i][1]);
        }
}

static void test_plain(void) {
        g_assert_cmpuint(strlen(LONGEST), ==, MODULE_NAME_MAX);
        g_assert_true(module_name_is_plain("a"));
        g_assert_true(module_name_is_plain("Az09-_"));
        g_assert_true(module_name_is_plain(LONGEST));
        g_assert_false(module_name_is_plain(""));
        g_assert_false(module_name_is_plain(LONGEST "6"));
        g_assert_false(module_name_is_plain("."));
        g_assert_false(module_name_is_plain(".."));
        g_assert_false(module_name_is_plain("a/b"));
        g_assert_false(module_name_is_plain("a b"));
        g_assert_false(module_name_is_plain("a\n"));
        g_assert_false(module_name_is_plain("a*"));
        g_assert_false(module_name_is_plain("\xc3\xa9"));
}

static void test_from_path(void) {
        for (size_t i = 0; i < G_N_ELEMENTS(paths); i++) {
                _cleanup_free_ char *name = NULL;

                g_assert_cmpint(module_name_from_path(paths[i][0], &name), ==, paths[i][1] ? 0 : -EINVAL);
                g_assert_cmpstr(name, ==, paths[i][1]);
        }
}

static void test_compression(void) {
        g_assert_null(module_compression_from_path("/x/foo.ko"));
        g_assert_null(module_compression_from_path(""));
        g_assert_null(module_compression_from_path(".ko.gz"));
        g_assert_null(module_compression_from_path("/x.ko.gz/foo.ko"));
        g_assert_cmpstr(module_compression_from_path("/x/foo.ko.gz"), ==, "gzip");
        g_assert_cmpstr(module_compression_from_path("/x/foo.ko.xz"), ==, "xz");
        g_assert_cmpstr(module_compression_from_path("/x/foo.ko.zst"), ==, "zstd");
}

int main(int argc, char *argv[]) {
        g_test_init(&argc, &argv, NULL);
        g_test_add_func("/module-name/normalize", test_normalize);
        g_test_add_func("/module-name/plain", test_plain);
        g_test_add_func("/module-name/from-path", test_from_path);
        g_test_add_func("/module-name/compression", test_compression);
        return g_test_run();
}
