/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <sched.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "modprobe-ask.h"
#include "modprobe.h"
#include "support.h"

/* What is kept is read again only when it has changed: then libkmod is asked to read, and it is late enough. */
static unsigned n_read;
static time_t later;

int __real_modprobe_ask(const struct zygote_link *zygote, int copy, struct entries *ret);
int __wrap_modprobe_ask(const struct zygote_link *zygote, int copy, struct entries *ret);
int __real_clock_gettime(clockid_t id, struct timespec *ret);
int __wrap_clock_gettime(clockid_t id, struct timespec *ret);

int __wrap_modprobe_ask(const struct zygote_link *zygote, int copy, struct entries *ret) {
        n_read++;
        return __real_modprobe_ask(zygote, copy, ret);
}

int __wrap_clock_gettime(clockid_t id, struct timespec *ret) {
        int r = __real_clock_gettime(id, ret);

        ret->tv_sec += later;
        return r;
}

struct fixture {
        char *top;
        char *directories[4];
        struct zygote_link zygote;
        struct modprobe *kept; /* asked again and again, if there is one */
        struct modprobe_policy policy;
};

static void set_up(struct fixture *f, gconstpointer data) {
        (void) data;
        f->top = support_directory();
        f->directories[0] = g_strdup_printf("%s/etc", f->top);
        f->directories[1] = g_strdup_printf("%s/run", f->top);
        f->directories[2] = g_strdup_printf("%s/lib", f->top);
        g_assert_cmpint(zygote_start(&f->zygote), ==, 0);
}

static void make(const struct fixture *f, struct modprobe **ret) {
        g_assert_cmpint(modprobe_new((const char *const *) f->directories, &f->zygote, ret), ==, 0);
}

static void tear_down(struct fixture *f, gconstpointer data) {
        (void) data;
        modprobe_policy_clear(&f->policy);
        modprobe_free(f->kept);
        zygote_end(&f->zygote);
        later = 0;
        for (size_t i = 0; f->directories[i]; i++)
                g_free(f->directories[i]);
        support_remove(f->top);
        g_free(f->top);
}

static char *path_of(const struct fixture *f, const char *name) {
        return g_strdup_printf("%s/%s", f->top, name);
}

static void put(const struct fixture *f, const char *name, const char *text) {
        g_autofree char *path = path_of(f, name);

        support_write(path, text);
}

static void put_link(const struct fixture *f, const char *name, const char *target) {
        g_autofree char *path = path_of(f, name), *directory = g_path_get_dirname(path);

        support_make_directory(directory);
        (void) unlink(path);
        g_assert_no_errno(symlink(target, path));
}

static int query(struct fixture *f, const char *name) {
        struct modprobe *modprobe = f->kept;
        int r;

        modprobe_policy_clear(&f->policy);
        if (!modprobe)
                make(f, &modprobe);
        r = modprobe_query(modprobe, name, &f->policy);
        if (!f->kept)
                modprobe_free(modprobe);
        return r;
}

static void expect(struct fixture *f, const char *name, enum modprobe_outcome outcome, const char *file) {
        g_autofree char *path = file && file[0] != '/' ? path_of(f, file) : g_strdup(file);

        g_assert_cmpint(query(f, name), ==, (int) outcome);
        g_assert_cmpstr(f->policy.file, ==, path);
        if (outcome != MODPROBE_NOTHING)
                g_assert_cmpuint(f->policy.n_options, ==, 0);
        g_assert_true((f->policy.error > 0) == (outcome == MODPROBE_UNREADABLE));
}

static void expect_unreadable(struct fixture *f, const char *file, int error) {
        expect(f, "foo", MODPROBE_UNREADABLE, file);
        g_assert_cmpint(f->policy.error, ==, error);
}

static void expect_option(const struct fixture *f, size_t i, const char *file, const char *text) {
        g_autofree char *path = file[0] != '/' ? path_of(f, file) : g_strdup(file);

        g_assert_cmpuint(i, <, f->policy.n_options);
        g_assert_cmpstr(f->policy.options[i].file, ==, path);
        g_assert_cmpstr(f->policy.options[i].text, ==, text);
}

static void test_nothing(struct fixture *f, gconstpointer data) {
        (void) data;
        expect(f, "foo", MODPROBE_NOTHING, NULL);
        g_assert_cmpuint(f->policy.n_options, ==, 0);

        put(f, "etc/x.conf",
            "# blacklist foo\nalias foo bar\nalias bar foo\nsoftdep foo pre: baz\nremove foo /bin/true\n"
            "blacklist foobar\nblacklist fo\ninstall foobar /bin/true\noptions bar x=1\n");
        expect(f, "foo", MODPROBE_NOTHING, NULL);
        g_assert_cmpuint(f->policy.n_options, ==, 0);
}

static void test_system(struct fixture *f, gconstpointer data) {
        (void) data;
        g_assert_cmpint(modprobe_new(modprobe_directories, &f->zygote, &f->kept), ==, 0);
        g_assert_cmpint(query(f, "no_such_module"), ==, 0);
        g_assert_cmpstr(modprobe_directories[0], ==, "/etc/modprobe.d");
}

/* Asks once, to have something kept, and once more: nothing is read then. */
static void keep(struct fixture *f) {
        if (!f->kept)
                make(f, &f->kept);
        (void) query(f, "foo");
        n_read = 0;
        (void) query(f, "foo");
        g_assert_cmpuint(n_read, ==, 0);
}

static void test_kept(struct fixture *f, gconstpointer data) {
        (void) data;
        put(f, "etc/a.conf", "options foo x=1\nblacklist bar\n");
        later = 60;
        keep(f);
        expect(f, "bar", MODPROBE_BLACKLISTED, "etc/a.conf");
        expect(f, "foo", MODPROBE_NOTHING, NULL);
        expect_option(f, 0, "etc/a.conf", "x=1");
        expect(f, "bar", MODPROBE_BLACKLISTED, "etc/a.conf");
        g_assert_cmpuint(n_read, ==, 0);
}

static void test_not_kept(struct fixture *f, gconstpointer data) {
        (void) data;
        put(f, "etc/a.conf", "options foo x=1\n");
        /* What has just been written could be written again and look the same; so could what is from the future. */
        for (later = 0; later >= -60; later -= 60) {
                modprobe_free(f->kept);
                make(f, &f->kept);
                expect(f, "foo", MODPROBE_NOTHING, NULL);
                n_read = 0;
                expect(f, "foo", MODPROBE_NOTHING, NULL);
                g_assert_cmpuint(n_read, ==, 1);
        }
}

static void test_changed_file(struct fixture *f, gconstpointer data) {
        g_autofree char *path = path_of(f, "etc/a.conf"), *other = path_of(f, "other");
        const struct timespec times[] = { { .tv_sec = 1 }, { .tv_sec = 1 } };

        (void) data;
        put(f, "etc/a.conf", "blacklist fox\n");
        g_assert_no_errno(utimensat(AT_FDCWD, path, times, 0));
        later = 60;
        keep(f);
        /* As long, and as old, as before. */
        put(f, "etc/a.conf", "blacklist foo\n");
        g_assert_no_errno(utimensat(AT_FDCWD, path, times, 0));
        expect(f, "foo", MODPROBE_BLACKLISTED, "etc/a.conf");
        keep(f);

        put(f, "other", "blacklist fox\n");
        g_assert_no_errno(rename(other, path));
        expect(f, "foo", MODPROBE_NOTHING, NULL);
        keep(f);
        g_assert_no_errno(unlink(path));
        put_link(f, "etc/a.conf", other);
        expect_unreadable(f, "etc/a.conf", ENOENT);
        put(f, "other", "blacklist foo\n");
        expect(f, "foo", MODPROBE_BLACKLISTED, "etc/a.conf");
        keep(f);
        /* Nothing in the directory tells of this. */
        put(f, "other", "blacklist fox\n");
        expect(f, "foo", MODPROBE_NOTHING, NULL);
}

static void test_changed_directory(struct fixture *f, gconstpointer data) {
        g_autofree char *path = path_of(f, "etc"), *elsewhere = path_of(f, "elsewhere");
        g_autofree char *run = path_of(f, "run/b.conf");

        (void) data;
        put(f, "etc/a.conf", "options foo x=1\n");
        later = 60;
        keep(f);
        put(f, "etc/b.conf", "blacklist foo\n");
        expect(f, "foo", MODPROBE_BLACKLISTED, "etc/b.conf");
        keep(f);
        g_assert_no_errno(rename(path, elsewhere));
        expect(f, "foo", MODPROBE_NOTHING, NULL);
        keep(f);
        put(f, "run/b.conf", "blacklist foo\n");
        expect(f, "foo", MODPROBE_BLACKLISTED, "run/b.conf");
        keep(f);
        g_assert_no_errno(unlink(run));
        expect(f, "foo", MODPROBE_NOTHING, NULL);
}

static void test_changed_permission(struct fixture *f, gconstpointer data) {
        g_autofree char *path = path_of(f, "etc/a.conf");

        (void) data;
        NEEDS_ROOT();
        put(f, "etc/a.conf", "options foo x=1\n");
        later = 60;
        g_assert_no_errno(seteuid(SOMEBODY));
        keep(f);
        g_assert_no_errno(seteuid(0));
        g_assert_no_errno(chmod(path, 0600));
        g_assert_no_errno(seteuid(SOMEBODY));
        expect_unreadable(f, "etc/a.conf", EACCES);
        expect_unreadable(f, "etc/a.conf", EACCES);
        g_assert_no_errno(seteuid(0));
}

static void test_mounted(struct fixture *f, gconstpointer data) {
        g_autofree char *path = path_of(f, "etc"), *file = path_of(f, "etc/a.conf"),
                        *other = path_of(f, "other");

        (void) data;
        NEEDS_ROOT();
        put(f, "etc/a.conf", "options foo x=1\n");
        put(f, "other", "blacklist foo\n");
        later = 60;
        keep(f);
        g_assert_no_errno(mount(other, file, NULL, MS_BIND, NULL));
        expect(f, "foo", MODPROBE_BLACKLISTED, "etc/a.conf");
        keep(f);
        g_assert_no_errno(mount("none", path, "tmpfs", 0, NULL));
        expect(f, "foo", MODPROBE_NOTHING, NULL);
        keep(f);
        g_assert_no_errno(umount2(path, MNT_DETACH));
        expect(f, "foo", MODPROBE_BLACKLISTED, "etc/a.conf");
        g_assert_no_errno(umount2(file, MNT_DETACH));
}

static void test_blacklist(struct fixture *f, gconstpointer data) {
        (void) data;
        put(f, "etc/a.conf", "options foo x=1\nblacklist bar\n");
        put(f, "lib/b.conf", "  blacklist\tfoo  \nblacklist snd-a_b\nblacklist usb*\n");
        expect(f, "foo", MODPROBE_BLACKLISTED, "lib/b.conf");
        expect(f, "bar", MODPROBE_BLACKLISTED, "etc/a.conf");
        expect(f, "snd_a_b", MODPROBE_BLACKLISTED, "lib/b.conf");
        /* No patterns here, as for modprobe(8). */
        expect(f, "usb_storage", MODPROBE_NOTHING, NULL);
}

static void test_install(struct fixture *f, gconstpointer data) {
        (void) data;
        put(f, "etc/hardening.conf",
            "install cramfs /bin/false\ninstall foo-bar /bin/true\ninstall snd[-_]* /bin/false\n"
            "install loop /sbin/modprobe --ignore-install loop\ninstall empty\n");
        expect(f, "cramfs", MODPROBE_INSTALL, "etc/hardening.conf");
        expect(f, "foo_bar", MODPROBE_INSTALL, "etc/hardening.conf");
        expect(f, "loop", MODPROBE_INSTALL, "etc/hardening.conf");
        expect(f, "snd_hda", MODPROBE_INSTALL, "etc/hardening.conf");
        expect(f, "snd", MODPROBE_NOTHING, NULL);
        expect(f, "cramfs2", MODPROBE_NOTHING, NULL);
        /* Without a command it is no line of modprobe.d's. */
        expect(f, "empty", MODPROBE_NOTHING, NULL);
}

static void test_options(struct fixture *f, gconstpointer data) {
        (void) data;
        put(f, "lib/50.conf", "options foo c=3\noptions bar x=9\noptions foo d=\"4 5\"\n");
        put(f, "run/60.conf", "options foo e=5\tf\n");
        put(f, "etc/40.conf", "options foo a=1 b=2\n");
        put(f, "etc/90.conf", "options foo-bar g=7\n");
        expect(f, "foo", MODPROBE_NOTHING, NULL);
        g_assert_cmpuint(f->policy.n_options, ==, 4);
        expect_option(f, 0, "etc/40.conf", "a=1 b=2");
        expect_option(f, 1, "lib/50.conf", "c=3");
        expect_option(f, 2, "lib/50.conf", "d=\"4 5\"");
        expect_option(f, 3, "run/60.conf", "e=5 f");

        expect(f, "foo_bar", MODPROBE_NOTHING, NULL);
        g_assert_cmpuint(f->policy.n_options, ==, 1);
        expect_option(f, 0, "etc/90.conf", "g=7");
}

static void test_hidden(struct fixture *f, gconstpointer data) {
        (void) data;
        put(f, "lib/x.conf", "blacklist foo\n");
        put(f, "run/x.conf", "install foo /bin/false\n");
        expect(f, "foo", MODPROBE_INSTALL, "run/x.conf");
        put(f, "etc/x.conf", "");
        expect(f, "foo", MODPROBE_NOTHING, NULL);
        put_link(f, "etc/x.conf", "/dev/null");
        expect(f, "foo", MODPROBE_NOTHING, NULL);
        put_link(f, "etc/x.conf", "../lib/x.conf");
        expect(f, "foo", MODPROBE_BLACKLISTED, "etc/x.conf");
}

static void test_other_names(struct fixture *f, gconstpointer data) {
        (void) data;
        put(f, "etc/x", "blacklist foo\n");
        put(f, "etc/.x.conf", "blacklist foo\n");
        put(f, "etc/x.conf~", "blacklist foo\n");
        put(f, "etc/x.conf.dpkg-old", "blacklist foo\n");
        put(f, "etc/directory.conf/x.conf", "blacklist foo\n");
        expect(f, "foo", MODPROBE_NOTHING, NULL);
        put(f, "etc/x.alias", "blacklist foo\n");
        expect(f, "foo", MODPROBE_BLACKLISTED, "etc/x.alias");
}

static void test_line_ends(struct fixture *f, gconstpointer data) {
        static const char *const texts[] = {
                "blacklist foo",           "blacklist \\\nfoo\n",        "blacklist foo\\\n",
                "blacklist foo\\",         "blacklist bar\nblacklist",   "\n\nblacklist foo\n\n",
                "nonsense\nblacklist foo", "include x\nblacklist foo\n", "install foo\nblacklist foo",
        };

        (void) data;
        for (size_t i = 0; i < G_N_ELEMENTS(texts); i++) {
                const char *name = strstr(texts[i], "foo") ? "foo" : "bar";

                g_test_message("case %zu", i);
                put(f, "etc/x.conf", texts[i]);
                expect(f, name, MODPROBE_BLACKLISTED, "etc/x.conf");
        }
}

/* Whatever stands in a file, the end of it is noticed. */
static void test_odd_bytes(struct fixture *f, gconstpointer data) {
        static const char text[] = "blacklist a\0b\nblacklist \xff\xfe\n\x01\x02 x\nblacklist foo\n\\";
        g_autofree char *path = path_of(f, "etc/x.conf");

        (void) data;
        support_write_bytes(path, text, sizeof text - 1);
        expect(f, "foo", MODPROBE_BLACKLISTED, "etc/x.conf");
        expect(f, "bar", MODPROBE_NOTHING, NULL);
}

static void test_unreadable_file(struct fixture *f, gconstpointer data) {
        g_autofree char *path = path_of(f, "lib/y.conf");

        (void) data;
        NEEDS_ROOT();
        put(f, "etc/a.conf", "options foo x=1\n");
        put(f, "lib/y.conf", "");
        g_assert_no_errno(chmod(path, 0600));
        g_assert_no_errno(seteuid(SOMEBODY));
        expect_unreadable(f, "lib/y.conf", EACCES);
        g_assert_no_errno(seteuid(0));

        /* What is hidden does not matter. */
        put_link(f, "etc/y.conf", "/dev/null");
        g_assert_no_errno(seteuid(SOMEBODY));
        expect(f, "foo", MODPROBE_NOTHING, NULL);
        g_assert_no_errno(seteuid(0));
}

static void test_unreadable_directory(struct fixture *f, gconstpointer data) {
        (void) data;
        NEEDS_ROOT();
        support_make_directory(f->directories[1]);
        g_assert_no_errno(chmod(f->directories[1], 0700));
        g_assert_no_errno(seteuid(SOMEBODY));
        expect_unreadable(f, "run", EACCES);
        g_assert_no_errno(seteuid(0));
        g_assert_no_errno(rmdir(f->directories[1]));
        put(f, "run", "blacklist foo\n");
        expect_unreadable(f, "run", ENOTDIR);
}

static void test_not_a_file(struct fixture *f, gconstpointer data) {
        g_autofree char *path = path_of(f, "etc/x.conf");

        (void) data;
        put_link(f, "etc/x.conf", "nowhere");
        expect_unreadable(f, "etc/x.conf", ENOENT);
        put_link(f, "etc/x.conf", "x.conf");
        expect_unreadable(f, "etc/x.conf", ELOOP);
        put_link(f, "etc/x.conf", "/dev/zero");
        expect_unreadable(f, "etc/x.conf", EINVAL);
        g_assert_no_errno(unlink(path));
        g_assert_no_errno(mkfifo(path, 0600));
        expect_unreadable(f, "etc/x.conf", EINVAL);
}

static void test_large(struct fixture *f, gconstpointer data) {
        g_autoptr(GString) text = g_string_new(NULL);

        (void) data;
        while (text->len < 1024 * 1024 - 14)
                g_string_append(text, "blacklist bar\n");
        g_string_truncate(text, 1024 * 1024 - 14);
        g_string_append(text, "\nblacklist foo");
        put(f, "etc/x.conf", text->str);
        expect(f, "foo", MODPROBE_BLACKLISTED, "etc/x.conf");
        g_string_append(text, "\n");
        put(f, "etc/x.conf", text->str);
        expect_unreadable(f, "etc/x.conf", EFBIG);
}

/* Together they may be as large as libkmod surely has memory for; an alias takes it the most. */
static void test_large_together(struct fixture *f, gconstpointer data) {
        g_autofree char *last = path_of(f, "etc/9.conf");
        g_autoptr(GString) text = g_string_new(NULL);

        (void) data;
        while (text->len < 1024 * 1024 - 16)
                g_string_append(text, "alias a b\n");
        for (int i = 1; i < 8; i++) {
                g_autofree char *name = g_strdup_printf("etc/%d.conf", i);

                put(f, name, text->str);
        }
        g_string_truncate(text, text->len - 1024);
        g_string_append(text, "\nblacklist foo\n");
        put(f, "etc/9.conf", text->str);
        expect(f, "foo", MODPROBE_BLACKLISTED, "etc/9.conf");
        expect(f, "bar", MODPROBE_NOTHING, NULL);
        g_assert_no_errno(truncate(last, 1024 * 1024));
        expect_unreadable(f, "etc/9.conf", EFBIG);
}

/* That there is no descriptor left must not let a module through. */
static void test_out_of_descriptors(struct fixture *f, gconstpointer data) {
        size_t n = support_count_descriptors();
        struct rlimit old, limit;
        int r = -1;

        (void) data;
        put(f, "etc/a.conf", "options foo x=1\n");
        put(f, "etc/x.conf", "blacklist foo\n");
        g_assert_no_errno(getrlimit(RLIMIT_NOFILE, &old));
        limit = old;
        for (rlim_t i = 0; r != MODPROBE_BLACKLISTED; i++) {
                limit.rlim_cur = n + i;
                g_assert_cmpuint(i, <, 16);
                g_assert_no_errno(setrlimit(RLIMIT_NOFILE, &limit));
                r = query(f, "foo");
                g_assert_true(r < 0 || r == MODPROBE_UNREADABLE || r == MODPROBE_BLACKLISTED);
        }
        g_assert_no_errno(setrlimit(RLIMIT_NOFILE, &old));
        g_assert_cmpuint(support_count_descriptors(), ==, n);
}

/* Gives the kernel another command line, as far as this process can see. */
static void mount_command_line(const struct fixture *f, const char *text) {
        g_autofree char *path = path_of(f, "cmdline");

        put(f, "cmdline", text);
        g_assert_no_errno(mount(path, "/proc/cmdline", NULL, MS_BIND, NULL));
}

static void unmount_command_line(void) {
        g_assert_no_errno(umount2("/proc/cmdline", MNT_DETACH));
}

static void test_command_line(struct fixture *f, gconstpointer data) {
        (void) data;
        NEEDS_ROOT();
        mount_command_line(f, "root=/dev/vda quiet modprobe.blacklist=a,snd-b,,c foo.x=1 foo-bar.y=2 "
                              "\"baz.z=two words\" blacklist=d module_blacklist=e modprobe.blacklist=f\n");
        put(f, "etc/a.conf", "options foo w=0\n");
        expect(f, "a", MODPROBE_BLACKLISTED, "/proc/cmdline");
        expect(f, "snd_b", MODPROBE_BLACKLISTED, "/proc/cmdline");
        expect(f, "c", MODPROBE_BLACKLISTED, "/proc/cmdline");
        expect(f, "f", MODPROBE_BLACKLISTED, "/proc/cmdline");
        expect(f, "d", MODPROBE_NOTHING, NULL);
        expect(f, "e", MODPROBE_NOTHING, NULL);

        expect(f, "foo", MODPROBE_NOTHING, NULL);
        g_assert_cmpuint(f->policy.n_options, ==, 2);
        expect_option(f, 0, "etc/a.conf", "w=0");
        expect_option(f, 1, "/proc/cmdline", "x=1");
        expect(f, "foo_bar", MODPROBE_NOTHING, NULL);
        expect_option(f, 0, "/proc/cmdline", "y=2");
        expect(f, "baz", MODPROBE_NOTHING, NULL);
        expect_option(f, 0, "/proc/cmdline", "z=\"two words\"");

        /* Named once in a file, it is the file that is named. */
        put(f, "lib/a.conf", "blacklist c\n");
        put(f, "lib/b.conf", "blacklist c\n");
        expect(f, "c", MODPROBE_BLACKLISTED, "lib/b.conf");
        unmount_command_line();
}

static void test_command_line_unreadable(struct fixture *f, gconstpointer data) {
        g_autofree char *fits = g_strnfill(4094, 'x'), *long_line = g_strnfill(4095, 'x');
        g_autofree char *path = path_of(f, "cmdline");

        (void) data;
        NEEDS_ROOT();
        mount_command_line(f, fits);
        expect(f, "foo", MODPROBE_NOTHING, NULL);
        unmount_command_line();
        mount_command_line(f, long_line);
        expect_unreadable(f, "/proc/cmdline", EFBIG);
        g_assert_no_errno(chmod(path, 0600));
        g_assert_no_errno(seteuid(SOMEBODY));
        expect_unreadable(f, "/proc/cmdline", EACCES);
        g_assert_no_errno(seteuid(0));
        unmount_command_line();
}

int main(int argc, char *argv[]) {
        g_test_init(&argc, &argv, NULL);
        if (geteuid() == 0) {
                g_assert_no_errno(unshare(CLONE_NEWNS));
                g_assert_no_errno(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL));
        }
#define ADD(name, function) g_test_add("/modprobe/" name, struct fixture, NULL, set_up, function, tear_down)
        ADD("nothing", test_nothing);
        ADD("blacklist", test_blacklist);
        ADD("install", test_install);
        ADD("options", test_options);
        ADD("hidden", test_hidden);
        ADD("other-names", test_other_names);
        ADD("line-ends", test_line_ends);
        ADD("odd-bytes", test_odd_bytes);
        ADD("unreadable-file", test_unreadable_file);
        ADD("unreadable-directory", test_unreadable_directory);
        ADD("not-a-file", test_not_a_file);
        ADD("large", test_large);
        ADD("large-together", test_large_together);
        ADD("out-of-descriptors", test_out_of_descriptors);
        ADD("kept", test_kept);
        ADD("not-kept", test_not_kept);
        ADD("changed-file", test_changed_file);
        ADD("changed-directory", test_changed_directory);
        ADD("changed-permission", test_changed_permission);
        ADD("mounted", test_mounted);
        ADD("command-line", test_command_line);
        ADD("command-line-unreadable", test_command_line_unreadable);
        ADD("system", test_system);
        return g_test_run();
}
