/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "config-file.h"
#include "config-fixture.h"

static void test_nothing(struct fixture *f, gconstpointer data) {
        (void) data;
        load(f);
        g_assert_true(TAILQ_EMPTY(&f->config->origins));
        g_assert_true(allows(f, "anything"));
        g_assert_false(f->config->allow_forced);
        g_assert_null(config_free(NULL));
}

static void test_ordinary(struct fixture *f, gconstpointer data) {
        (void) data;
        put(f, "etc/moduled.conf",
            "# comment\n; comment\n\n   \t\n  [Origin one]  \n\t Directory \t=  /a b/c  \n"
            "[Origin two]\nDirectory=/two=2\n#Directory=/x\n[Policy]\nAllowForced=yes\nDenyModules=bad");
        load(f);
        g_assert_cmpuint(count_origins(f), ==, 2);
        g_assert_cmpstr(TAILQ_FIRST(&f->config->origins)->name, ==, "one");
        g_assert_cmpuint(TAILQ_FIRST(&f->config->origins)->line, ==, 5);
        g_assert_cmpstr(directory_of(f, "one"), ==, "/a b/c");
        g_assert_cmpstr(directory_of(f, "two"), ==, "/two=2");
        g_assert_true(f->config->allow_forced);
        g_assert_false(allows(f, "bad"));
}

static void test_shipped(struct fixture *f, gconstpointer data) {
        g_autofree char *shipped = g_test_build_filename(G_TEST_DIST, "..", "..", "moduled.conf", NULL),
                        *text = NULL;
        g_autofree char *expected = NULL;
        struct utsname uts;

        (void) data;
        g_assert_true(g_file_get_contents(shipped, &text, NULL, NULL));
        put(f, "usr/lib/moduled.conf", text);
        load(f);
        g_assert_no_errno(uname(&uts));
        expected = g_strdup_printf("/usr/lib/modules/%s", uts.release);
        g_assert_cmpuint(count_origins(f), ==, 1);
        g_assert_cmpstr(directory_of(f, "modules"), ==, expected);
}

/* Each example of the manual page is a configuration that is valid by itself. */
static void test_manual_page(struct fixture *f, gconstpointer data) {
        g_autofree char *page = g_test_build_filename(G_TEST_DIST, "..", "..", "docs", "moduled.conf.5.scd",
                                                      NULL),
                        *text = NULL;
        const char *p;
        size_t n = 0;

        (void) data;
        g_assert_true(g_file_get_contents(page, &text, NULL, NULL));
        for (p = strstr(text, "\n; conf: "); p; p = strstr(p, "\n; conf: ")) {
                const char *begin = strstr(p, "```\n"), *end = strstr(begin + 4, "```\n");
                g_autofree char *example = g_strndup(begin + 4, (gsize) (end - begin - 4));

                put(f, "etc/moduled.conf", example);
                load(f);
                g_assert_cmpuint(count_origins(f), >, 0);
                p = end;
                n++;
        }
        g_assert_cmpuint(n, ==, 4);
}

static void test_main_precedence(struct fixture *f, gconstpointer data) {
        (void) data;
        put(f, "usr/lib/moduled.conf", "[Origin lib]\nDirectory=/lib\n");
        load(f);
        g_assert_cmpstr(directory_of(f, "lib"), ==, "/lib");

        put(f, "run/moduled.conf", "[Origin run]\nDirectory=/run\n");
        load(f);
        g_assert_cmpuint(count_origins(f), ==, 1);
        g_assert_cmpstr(directory_of(f, "run"), ==, "/run");

        put(f, "etc/moduled.conf", "[Origin etc]\nDirectory=/etc\n");
        load(f);
        g_assert_cmpuint(count_origins(f), ==, 1);
        g_assert_cmpstr(directory_of(f, "etc"), ==, "/etc");

        put(f, "etc/moduled.conf", "");
        load(f);
        g_assert_cmpuint(count_origins(f), ==, 0);

        put_link(f, "etc/moduled.conf", "/dev/null");
        load(f);
        g_assert_cmpuint(count_origins(f), ==, 0);
}

static void test_dropins_sorted(struct fixture *f, gconstpointer data) {
        (void) data;
        put(f, "usr/lib/moduled.conf", "[Origin a]\nDirectory=/main\n[Policy]\nDenyModules=main\n");
        put(f, "usr/lib/moduled.conf.d/50-b.conf",
            "[Origin a]\nDirectory=/fifty\n[Origin b]\nDirectory=/b\n");
        put(f, "run/moduled.conf.d/60-c.conf", "[Origin a]\nDirectory=/sixty\n");
        put(f, "etc/moduled.conf.d/40-a.conf",
            "[Origin a]\nDirectory=/forty\n[Policy]\nDenyModules=forty\n");
        put(f, "etc/moduled.conf.d/99-not-a-dropin", "nonsense\n");
        put(f, "etc/moduled.conf.d/.99-hidden.conf", "nonsense\n");
        put(f, "etc/moduled.conf.d/99.conf~", "nonsense\n");
        put(f, "etc/moduled.conf.d/99.conf.dpkg-new", "nonsense\n");
        load(f);
        g_assert_cmpuint(count_origins(f), ==, 2);
        g_assert_cmpstr(directory_of(f, "a"), ==, "/sixty");
        g_assert_cmpstr(directory_of(f, "b"), ==, "/b");
        /* Replaced, not added to. */
        g_assert_true(allows(f, "main"));
        g_assert_false(allows(f, "forty"));
}

static void test_dropins_masked(struct fixture *f, gconstpointer data) {
        (void) data;
        put(f, "usr/lib/moduled.conf.d/50.conf", "[Origin x]\nDirectory=/lib\n");
        put(f, "run/moduled.conf.d/50.conf", "[Origin x]\nDirectory=/run\n[Origin y]\nDirectory=/y\n");
        load(f);
        g_assert_cmpuint(count_origins(f), ==, 2);
        g_assert_cmpstr(directory_of(f, "x"), ==, "/run");

        put(f, "etc/moduled.conf.d/50.conf", "[Origin x]\nDirectory=/etc\n");
        load(f);
        g_assert_cmpuint(count_origins(f), ==, 1);
        g_assert_cmpstr(directory_of(f, "x"), ==, "/etc");

        put(f, "etc/moduled.conf.d/50.conf", "");
        load(f);
        g_assert_cmpuint(count_origins(f), ==, 0);

        put_link(f, "etc/moduled.conf.d/50.conf", "/dev/null");
        load(f);
        g_assert_cmpuint(count_origins(f), ==, 0);

        /* What is masked is not even looked at. */
        put(f, "run/moduled.conf.d/50.conf", "nonsense\n");
        load(f);
        g_assert_cmpuint(count_origins(f), ==, 0);
}

static void test_missing_directory_in_dropin(struct fixture *f, gconstpointer data) {
        (void) data;
        /* A drop-in may complete what the main file began. */
        put(f, "etc/moduled.conf", "[Policy]\n\n[Origin x]\n");
        expect_error(f, "etc/moduled.conf", 3, "Directory", "missing");
        put(f, "etc/moduled.conf.d/1.conf", "[Origin x]\nDirectory=/x\n");
        load(f);
        g_assert_cmpstr(directory_of(f, "x"), ==, "/x");
}

struct wrong {
        const char *text;
        unsigned line;
        const char *key;
        const char *part;
};

static const struct wrong wrongs[] = {
        { "Directory=/x\n", 1, "Directory", "before any section" },
        { "\n# x\nDirectory=/x\n" GOOD, 3, "Directory", "before any section" },
        { GOOD GOOD, 3, NULL, "twice" },
        { GOOD "[Policy]\n[Origin  good ]\n", 4, NULL, "twice" },
        { "[Policy]\n[Policy]\n", 2, NULL, "twice" },
        { GOOD "Directory=/good\n", 3, "Directory", "twice" },
        { "[Policy]\nAllowForced=no\nAllowForced=yes\n", 3, "AllowForced", "twice" },
        { "[Policy]\nAllowForced=no\\\n", 2, NULL, "continued" },
        { GOOD "# a comment may end so \\\n[Policy]\nDenyModules=a \\\nb\n", 5, NULL, "continued" },
        { GOOD "Dir\n", 3, NULL, "neither" },
        { "[Policy\n", 1, NULL, "[Name]" },
        { "[\n", 1, NULL, "[Name]" },
        { "[]\n", 1, NULL, "[Name]" },
        { "[ ]\n", 1, NULL, "unknown section" },
        { "[Policy] # x\n", 1, NULL, "[Name]" },
        { "[Policies]\n", 1, NULL, "unknown section" },
        { "[policy]\n", 1, NULL, "unknown section" },
        { "[Policy x]\n", 1, NULL, "unknown section" },
        { "[Origin]\n", 1, NULL, "needs a name" },
        { "[Origin a b]\n", 1, NULL, "needs a name" },
        { "[Origin a/b]\n", 1, NULL, "needs a name" },
        { "[Origin \xc3\xa9]\n", 1, NULL, "needs a name" },
        { GOOD "Requires=read-only\n", 3, "Requires", "is not a key" },
        { GOOD "Require=readonly\n", 3, "Require",
          "the word 'readonly', which is unknown; known are read-only" },
        { GOOD "Require=read-only,dm-verity\n", 3, "Require", "is unknown" },
        { GOOD "Require=dm-verity # x\n", 3, "Require", "is unknown" },
        { GOOD "Require=read-only\nRequire=dm-verity\n", 4, "Require", "twice" },
        { GOOD "FilesystemType=ext4 reiserfs\n", 3, "FilesystemType",
          "'reiserfs', a type of filesystem that moduled does not know" },
        { GOOD "FilesystemType=ext4,erofs\n", 3, "FilesystemType", "does not know" },
        { GOOD "MountPoint=opt\n", 3, "MountPoint", "absolute" },
        { GOOD "MountPoint=\n", 3, "MountPoint", "absolute" },
        { GOOD "MountPoint=/opt/%x\n", 3, "MountPoint", "%r" },
        { GOOD "directory=/x\n", 3, "directory", "is not a key" },
        { "[Policy]\nAllow=x\n", 2, "Allow", "is not a key" },
        { "[Policy]\n=x\n", 2, "", "needs a name" },
        { "[Policy]\nAllowForced=\n", 2, "AllowForced", "yes or no" },
        { "[Policy]\nAllowForced=YES\n", 2, "AllowForced", "yes or no" },
        { "[Policy]\nAllowForced=yes # x\n", 2, "AllowForced", "yes or no" },
        { "[Policy]\nDenyModules=ok a.b\n", 2, "DenyModules", "cannot match" },
        { "[Policy]\nAllowModules=a,b\n", 2, "AllowModules", "cannot match" },
        { "[Policy]\nAllowModules=\xff\n", 2, "AllowModules", "cannot match" },
        { "[Origin x]\nDirectory=relative\n", 2, "Directory", "absolute" },
        { "[Origin x]\nDirectory=\n", 2, "Directory", "absolute" },
        { "[Origin x]\nDirectory=\"/x\"\n", 2, "Directory", "absolute" },
        { "[Origin x]\nDirectory=/x/%v\n", 2, "Directory", "%r" },
        { "[Origin x]\nDirectory=/x/%\n", 2, "Directory", "%r" },
        { "[Origin x]\n", 1, "Directory", "missing" },
        { "[Policy]\nAllowForced=yes\n[Origin x]\n", 3, "Directory", "missing" },
        { "[Limits x]\n", 1, NULL, "unknown section" },
        { "[Limits]\nRequests=1\n", 2, "Requests", "is not a key of [Limits]" },
        { "[Limits]\nPromptsPerUser=\n", 2, "PromptsPerUser", "from 1 to 400" },
        { "[Limits]\nPromptsPerUser=-1\n", 2, "PromptsPerUser", "whole number" },
        { "[Limits]\nPromptsPerUser=+1\n", 2, "PromptsPerUser", "whole number" },
        { "[Limits]\nPromptsPerUser=1.5\n", 2, "PromptsPerUser", "whole number" },
        { "[Limits]\nPromptsPerUser=0x10\n", 2, "PromptsPerUser", "whole number" },
        { "[Limits]\nPromptSec=1 2\n", 2, "PromptSec", "whole number" },
        { "[Limits]\nPromptSec=5min\n", 2, "PromptSec", "from 1 to 86400" },
        { "[Limits]\nPromptSec=4294967297\n", 2, "PromptSec", "whole number" },
        { "[Limits]\nPromptSec=99999999999999999999999\n", 2, "PromptSec", "whole number" },
};

static void test_wrong(struct fixture *f, gconstpointer data) {
        (void) data;
        for (size_t i = 0; i < G_N_ELEMENTS(wrongs); i++) {
                g_test_message("case %zu", i);
                put(f, "etc/moduled.conf", wrongs[i].text);
                expect_error(f, "etc/moduled.conf", wrongs[i].line, wrongs[i].key, wrongs[i].part);
        }
        /* A drop-in is as strict. */
        put(f, "etc/moduled.conf", GOOD);
        put(f, "run/moduled.conf.d/x.conf", "\n[Policy]\nDenyModule=x\n");
        expect_error(f, "run/moduled.conf.d/x.conf", 3, "DenyModule", "is not a key");
}

static void test_windows_line_ends(struct fixture *f, gconstpointer data) {
        (void) data;
        put(f, "etc/moduled.conf", "[Origin x]\r\nDirectory=/x\r\n");
        expect_error(f, "etc/moduled.conf", 1, NULL, "[Name]");
}

static void test_nul(struct fixture *f, gconstpointer data) {
        static const char text[] = "[Policy]\nAllowForced=no\0yes\n";
        g_autofree char *path = path_of(f, "etc/moduled.conf");

        (void) data;
        support_write_bytes(path, text, sizeof text - 1);
        expect_error(f, "etc/moduled.conf", 2, NULL, "NUL");
        support_write_bytes(path, "\0", 1);
        expect_error(f, "etc/moduled.conf", 1, NULL, "NUL");
}

static void test_long_line(struct fixture *f, gconstpointer data) {
        g_autofree char *fits = g_strnfill(8191, '#'), *long_line = g_strnfill(8192, '#');
        g_autofree char *good = g_strdup_printf(GOOD "%s\n", fits),
                        *bad = g_strdup_printf(GOOD "%s\n", long_line);
        g_autofree char *section = g_strnfill(8000, 'x'),
                        *long_section = g_strdup_printf("[Origin %s]\n", section);
        g_autofree char *directory = g_strnfill(8000, 'y'),
                        *long_value = g_strdup_printf("[Origin x]\nDirectory=/%s\n", directory);

        (void) data;
        put(f, "etc/moduled.conf", good);
        load(f);
        put(f, "etc/moduled.conf", bad);
        expect_error(f, "etc/moduled.conf", 3, NULL, "longer than");
        put(f, "etc/moduled.conf", long_section);
        expect_error(f, "etc/moduled.conf", 1, NULL, "needs a name");
        put(f, "etc/moduled.conf", long_value);
        load(f);
        g_assert_cmpuint(strlen(directory_of(f, "x")), ==, 8001);
}

static void test_many_assignments(struct fixture *f, gconstpointer data) {
        g_autoptr(GString) text = g_string_new(NULL);

        (void) data;
        for (int i = 0; i < 512; i++)
                g_string_append_printf(text, "[Origin o%d]\nDirectory=/%d\n", i, i);
        put(f, "etc/moduled.conf", text->str);
        load(f);
        g_assert_cmpuint(count_origins(f), ==, 512);
        g_string_append(text, "[Origin more]\n");
        put(f, "etc/moduled.conf", text->str);
        expect_error(f, "etc/moduled.conf", 1025, NULL, "more than");
}

static void test_dangling(struct fixture *f, gconstpointer data) {
        (void) data;
        put(f, "usr/lib/moduled.conf", GOOD);
        put_link(f, "etc/moduled.conf", "nowhere");
        expect_error(f, "etc/moduled.conf", 0, NULL, "link to nothing");
        put_link(f, "etc/moduled.conf", "../usr/lib/moduled.conf");
        load(f);
        g_assert_cmpstr(directory_of(f, "good"), ==, "/good");
        put_link(f, "etc/moduled.conf.d/x.conf", "nowhere");
        expect_error(f, "etc/moduled.conf.d/x.conf", 0, NULL, "link to nothing");
        put_link(f, "etc/moduled.conf.d/x.conf", "x.conf");
        expect_error(f, "etc/moduled.conf.d/x.conf", 0, NULL, "cannot be read");
}

static void test_not_a_file(struct fixture *f, gconstpointer data) {
        g_autofree char *path = path_of(f, "etc/moduled.conf");

        (void) data;
        support_make_directory(path);
        expect_error(f, "etc/moduled.conf", 0, NULL, "not a regular file");
        g_assert_no_errno(rmdir(path));
        g_assert_no_errno(mkfifo(path, 0600));
        expect_error(f, "etc/moduled.conf", 0, NULL, "not a regular file");
        put_link(f, "etc/moduled.conf", "/dev/zero");
        expect_error(f, "etc/moduled.conf", 0, NULL, "not a regular file");
        g_assert_no_errno(unlink(path));
        put(f, "etc/moduled.conf.d", "");
        expect_error(f, "etc/moduled.conf.d", 0, NULL, "cannot be read");
}

static void test_foreign(struct fixture *f, gconstpointer data) {
        g_autofree char *path = path_of(f, "etc/moduled.conf");

        (void) data;
        put(f, "etc/moduled.conf", GOOD);
        load(f);
        g_assert_no_errno(chmod(path, 0664));
        expect_error(f, "etc/moduled.conf", 0, NULL, "must belong to root");
        g_assert_no_errno(chmod(path, 0646));
        expect_error(f, "etc/moduled.conf", 0, NULL, "must belong to root");
        g_assert_no_errno(chmod(path, 0644));
        g_assert_no_errno(chown(path, SOMEBODY, 0));
        expect_error(f, "etc/moduled.conf", 0, NULL, "must belong to root");
        g_assert_no_errno(chown(path, 0, SOMEBODY));
        load(f);
}

/* Never passed over for the vendor's. */
static void test_unreadable(struct fixture *f, gconstpointer data) {
        g_autofree char *path = path_of(f, "etc/moduled.conf"),
                        *directory = path_of(f, "etc/moduled.conf.d");

        (void) data;
        put(f, "usr/lib/moduled.conf", GOOD);
        put(f, "etc/moduled.conf", "[Policy]\n");
        g_assert_no_errno(chmod(path, 0600));
        g_assert_no_errno(seteuid(SOMEBODY));
        expect_error(f, "etc/moduled.conf", 0, NULL, "cannot be read");
        g_assert_no_errno(seteuid(0));
        g_assert_no_errno(chmod(path, 0644));
        support_make_directory(directory);
        g_assert_no_errno(chmod(directory, 0700));
        g_assert_no_errno(seteuid(SOMEBODY));
        expect_error(f, "etc/moduled.conf.d", 0, NULL, "cannot be read");
        g_assert_no_errno(seteuid(0));
}

static void test_error_text(void) {
        struct config_error empty = { 0 },
                            odd = { .file = g_strdup("/x\n"), .reason = g_strdup("\x1b[31m") };
        g_autofree char *text = config_error_format(&empty), *escaped = config_error_format(&odd);

        g_assert_cmpstr(text, ==, "configuration: unknown error.");
        g_assert_cmpstr(escaped, ==, "/x\\x0a: \\x1b[31m.");
        config_error_clear(&odd);
}

static int assign(const struct config_place *place, const char *value, void *userdata) {
        (void) place;
        (void) value;
        (void) userdata;
        return 0;
}

static void test_bad_descriptor(void) {
        struct config_error error = { 0 };
        int fd = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

        g_assert_cmpint(config_file_read("x", -1, assign, NULL, &error), ==, -EBADF);
        g_assert_cmpint(config_file_read("x", fd, assign, NULL, &error), ==, -EISDIR);
        (void) close(fd);
}

int main(int argc, char *argv[]) {
        g_test_init(&argc, &argv, NULL);
        PROGRAM_NEEDS_ROOT();
        ADD("nothing", test_nothing);
        ADD("ordinary", test_ordinary);
        ADD("shipped", test_shipped);
        ADD("manual-page", test_manual_page);
        ADD("main-precedence", test_main_precedence);
        ADD("dropins-sorted", test_dropins_sorted);
        ADD("dropins-masked", test_dropins_masked);
        ADD("missing-directory-in-dropin", test_missing_directory_in_dropin);
        ADD("wrong", test_wrong);
        ADD("windows-line-ends", test_windows_line_ends);
        ADD("nul", test_nul);
        ADD("long-line", test_long_line);
        ADD("many-assignments", test_many_assignments);
        ADD("dangling", test_dangling);
        ADD("not-a-file", test_not_a_file);
        ADD("foreign", test_foreign);
        ADD("unreadable", test_unreadable);
        g_test_add_func("/config/error-text", test_error_text);
        g_test_add_func("/config/bad-descriptor", test_bad_descriptor);
        return g_test_run();
}
