/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <stddef.h>
#include <string.h>
#include <sys/utsname.h>

#include "config-fixture.h"

static void test_specifiers(struct fixture *f, gconstpointer data) {
        g_autofree char *expected = NULL;
        struct utsname uts;

        (void) data;
        g_assert_no_errno(uname(&uts));
        expected = g_strdup_printf("/%s/%%r%%/%s", uts.release, uts.release);
        put(f, "etc/moduled.conf", "[Origin x]\nDirectory=/%r/%%r%%/%r\n");
        load(f);
        g_assert_cmpstr(directory_of(f, "x"), ==, expected);
}

static void test_booleans(struct fixture *f, gconstpointer data) {
        static const char *const yes[] = { "yes", "true", "on", "1" }, *const no[] = { "no", "false", "off",
                                                                                       "0" };

        (void) data;
        for (size_t i = 0; i < G_N_ELEMENTS(yes); i++) {
                g_autofree char *first = g_strdup_printf("[Policy]\nAllowForced=%s\n", yes[i]);
                g_autofree char *second = g_strdup_printf("[Policy]\nAllowForced=%s\n", no[i]);

                put(f, "etc/moduled.conf", first);
                load(f);
                g_assert_true(f->config->allow_forced);
                put(f, "etc/moduled.conf.d/later.conf", second);
                load(f);
                g_assert_false(f->config->allow_forced);
                put(f, "etc/moduled.conf.d/later.conf", "");
        }
}

static void test_patterns(struct fixture *f, gconstpointer data) {
        const char *pattern = "untouched";

        (void) data;
        put(f, "etc/moduled.conf",
            "[Policy]\nAllowModules=snd-* \t usb_storage x[0-9]\nDenyModules=snd_bad-one *-evil\n");
        load(f);
        g_assert_true(allows(f, "snd_hda"));
        g_assert_true(allows(f, "usb_storage"));
        g_assert_true(allows(f, "x5"));
        g_assert_false(allows(f, "x_"));
        g_assert_false(allows(f, "xx5"));
        g_assert_false(allows(f, "usb_storage2"));

        g_assert_false(config_allows_name(f->config, "vfat", &pattern));
        g_assert_null(pattern);
        g_assert_false(config_allows_name(f->config, "snd_bad_one", &pattern));
        g_assert_cmpstr(pattern, ==, "snd_bad_one");
        g_assert_false(config_allows_name(f->config, "snd_evil", &pattern));
        g_assert_cmpstr(pattern, ==, "*_evil");

        /* An empty list allows all, and what is denied stays so. */
        put(f, "etc/moduled.conf.d/a.conf", "[Policy]\nAllowModules=\n");
        load(f);
        g_assert_true(allows(f, "vfat"));
        g_assert_false(allows(f, "snd_evil"));
        put(f, "etc/moduled.conf.d/b.conf", "[Policy]\nDenyModules=\n");
        load(f);
        g_assert_true(allows(f, "snd_evil"));
}

static void test_requirements(struct fixture *f, gconstpointer data) {
        const struct origin *origin;
        struct utsname uts;
        g_autofree char *mount_point = NULL;

        (void) data;
        g_assert_no_errno(uname(&uts));
        mount_point = g_strdup_printf("/mnt/%s", uts.release);
        put(f, "etc/moduled.conf",
            "[Origin all]\nDirectory=/mnt/%r/m\nMountPoint=/mnt/%r\nFilesystemType=erofs  squashfs\n"
            "Require=fs-verity\tread-only dm-verity\n"
            "[Origin none]\nDirectory=/x\n[Origin some]\nDirectory=/y\nRequire=dm-verity\n");
        load(f);
        origin = TAILQ_FIRST(&f->config->origins);
        g_assert_cmpstr(origin->mount_point, ==, mount_point);
        g_assert_cmpuint(origin->filesystem_types.n, ==, 2);
        g_assert_cmpstr(origin->filesystem_types.items[0], ==, "erofs");
        g_assert_cmpstr(origin->filesystem_types.items[1], ==, "squashfs");
        for (size_t i = 0; i < REQUIREMENT_MAX_; i++)
                g_assert_true(origin->requires[i]);

        origin = TAILQ_NEXT(origin, link);
        g_assert_null(origin->mount_point);
        g_assert_cmpuint(origin->filesystem_types.n, ==, 0);
        for (size_t i = 0; i < REQUIREMENT_MAX_; i++)
                g_assert_false(origin->requires[i]);

        origin = TAILQ_NEXT(origin, link);
        for (size_t i = 0; i < REQUIREMENT_MAX_; i++)
                g_assert_true(origin->requires[i] == (i == REQUIREMENT_DM_VERITY));

        /* What a later file says takes the place of what an earlier one said. */
        put(f, "etc/moduled.conf.d/x.conf",
            "[Origin all]\nMountPoint=/other\nFilesystemType=\nRequire=read-only\n");
        load(f);
        origin = TAILQ_FIRST(&f->config->origins);
        g_assert_cmpstr(origin->mount_point, ==, "/other");
        g_assert_cmpuint(origin->filesystem_types.n, ==, 0);
        for (size_t i = 0; i < REQUIREMENT_MAX_; i++)
                g_assert_true(origin->requires[i] == (i == REQUIREMENT_READ_ONLY));
}

struct range {
        const char *key;
        size_t offset;
        unsigned initial, min, max;
};

#define RANGE(key, field, initial, min, max)                                                                \
        { key, offsetof(struct limits, field), initial, min, max }

static const struct range ranges[] = {
        RANGE("RequestsPerUser", requests_per_user, 32, 1, 400),
        RANGE("RequestsInAll", requests_in_all, 256, 1, 400),
        RANGE("PromptsPerUser", prompts_per_user, 2, 1, 400),
        RANGE("PromptsInAll", prompts_in_all, 16, 1, 400),
        RANGE("ModulesPerCall", modules_per_call, 16, 1, 16),
        RANGE("ParameterLength", parameter_length, 4095, 0, 4095),
        RANGE("PromptSec", prompt_sec, 300, 1, 86400),
        RANGE("InspectionSec", inspection_sec, 10, 1, 86400),
        RANGE("InitWarnSec", init_warn_sec, 30, 1, 86400),
        RANGE("IdleSec", idle_sec, 60, 1, 86400),
};

static unsigned limit_of(const struct fixture *f, size_t i) {
        return *(const unsigned *) ((const char *) &f->config->limits + ranges[i].offset);
}

static void put_limit(const struct fixture *f, const char *name, const char *key, unsigned value) {
        g_autofree char *text = g_strdup_printf("[Limits]\n%s=%u\n", key, value);

        put(f, name, text);
}

static void test_limits(struct fixture *f, gconstpointer data) {
        (void) data;
        load(f);
        for (size_t i = 0; i < G_N_ELEMENTS(ranges); i++)
                g_assert_cmpuint(limit_of(f, i), ==, ranges[i].initial);
        for (size_t i = 0; i < G_N_ELEMENTS(ranges); i++) {
                const struct range *range = &ranges[i];

                g_test_message("%s", range->key);
                put_limit(f, "etc/moduled.conf", range->key, range->max);
                load(f);
                for (size_t j = 0; j < G_N_ELEMENTS(ranges); j++)
                        g_assert_cmpuint(limit_of(f, j), ==, j == i ? range->max : ranges[j].initial);
                put_limit(f, "etc/moduled.conf.d/x.conf", range->key, range->min);
                load(f);
                g_assert_cmpuint(limit_of(f, i), ==, range->min);

                put_limit(f, "etc/moduled.conf.d/x.conf", range->key, range->max + 1);
                expect_error(f, "etc/moduled.conf.d/x.conf", 2, range->key, "must be a whole number");
                if (range->min > 0) {
                        put_limit(f, "etc/moduled.conf.d/x.conf", range->key, range->min - 1);
                        expect_error(f, "etc/moduled.conf.d/x.conf", 2, range->key,
                                     "must be a whole number");
                }
                put(f, "etc/moduled.conf.d/x.conf", "");
        }
}

/* The shipped file shows what holds without it, and the manual page has each key. */
static void test_limits_documented(struct fixture *f, gconstpointer data) {
        g_autofree char *shipped = g_test_build_filename(G_TEST_DIST, "..", "..", "moduled.conf", NULL),
                        *page = g_test_build_filename(G_TEST_DIST, "..", "..", "docs", "moduled.conf.5.scd",
                                                      NULL),
                        *text = NULL, *manual = NULL, *settings = NULL;

        (void) data;
        g_assert_true(g_file_get_contents(shipped, &text, NULL, NULL));
        g_assert_true(g_file_get_contents(page, &manual, NULL, NULL));
        settings = g_strdelimit(g_strdup(strstr(text, "#[Limits]")), "#", ' ');
        put(f, "etc/moduled.conf", settings);
        load(f);
        for (size_t i = 0; i < G_N_ELEMENTS(ranges); i++) {
                g_autofree char *line = g_strdup_printf("\n#%s=%u\n", ranges[i].key, ranges[i].initial),
                                *entry = g_strdup_printf("*%s=*", ranges[i].key);

                g_assert_nonnull(strstr(text, line));
                g_assert_nonnull(strstr(manual, entry));
                g_assert_cmpuint(limit_of(f, i), ==, ranges[i].initial);
        }
}

int main(int argc, char *argv[]) {
        g_test_init(&argc, &argv, NULL);
        PROGRAM_NEEDS_ROOT();
        ADD("specifiers", test_specifiers);
        ADD("booleans", test_booleans);
        ADD("patterns", test_patterns);
        ADD("requirements", test_requirements);
        ADD("limits", test_limits);
        ADD("limits-documented", test_limits_documented);
        return g_test_run();
}
