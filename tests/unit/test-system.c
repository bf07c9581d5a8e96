/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The kernel's files are bind mounts of ours, in a mount namespace of this program's own, so that every answer of a
 * kernel can be seen on any machine.
 */

#include <errno.h>
#include <glib.h>
#include <sched.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "cleanup.h"
#include "support.h"
#include "system.h"

static char *top;

/* In the place of /proc/sys/kernel and /sys: a tree of ours. */
static void setup(void) {
        g_autofree char *proc = NULL, *sys = NULL;

        top = support_directory();
        proc = g_strdup_printf("%s/proc", top);
        sys = g_strdup_printf("%s/sys", top);
        support_make_directory(proc);
        support_make_directory(sys);
        g_assert_no_errno(unshare(CLONE_NEWNS));
        g_assert_no_errno(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL));
        g_assert_no_errno(mount(proc, "/proc/sys/kernel", NULL, MS_BIND, NULL));
        g_assert_no_errno(mount(sys, "/sys", NULL, MS_BIND, NULL));
}

static void put(const char *name, const char *text) {
        g_autofree char *path = g_strdup_printf("%s/%s", top, name);

        support_write(path, text);
}

static void test_modules_state(void) {
        NEEDS_ROOT();
        g_assert_cmpint(system_modules_state(), ==, MODULES_UNSUPPORTED);
        put("proc/modules_disabled", "0\n");
        g_assert_cmpint(system_modules_state(), ==, MODULES_ENABLED);
        put("proc/modules_disabled", "1\n");
        g_assert_cmpint(system_modules_state(), ==, MODULES_DISABLED);
        put("proc/modules_disabled", "");
        g_assert_cmpint(system_modules_state(), ==, MODULES_DISABLED);
}

static void test_module_state(void) {
        g_autofree char *too_long = g_strnfill(300, 'a'), *builtin = NULL;

        NEEDS_ROOT();
        builtin = g_strdup_printf("%s/sys/module/builtin", top);
        support_make_directory(builtin);
        put("sys/module/live/initstate", "live\n");
        put("sys/module/coming/initstate", "coming\n");
        put("sys/module/going/initstate", "going\n");

        g_assert_cmpint(system_module_state("absent"), ==, MODULE_ABSENT);
        g_assert_cmpint(system_module_state("builtin"), ==, MODULE_BUILTIN);
        g_assert_cmpint(system_module_state("live"), ==, MODULE_LIVE);
        g_assert_cmpint(system_module_state("coming"), ==, MODULE_COMING);
        g_assert_cmpint(system_module_state("going"), ==, MODULE_GOING);
        g_assert_cmpint(system_module_state(too_long), ==, -ENAMETOOLONG);
        g_assert_cmpint(system_module_state("live/initstate"), ==, -ENOTDIR);
}

static void test_kernel_release(void) {
        _cleanup_free_ char *release = NULL;
        struct utsname uts;

        g_assert_no_errno(uname(&uts));
        g_assert_cmpint(system_kernel_release(&release), ==, 0);
        g_assert_cmpstr(release, ==, uts.release);
}

static void test_signature_enforced(void) {
        NEEDS_ROOT();
        g_assert_cmpint(system_signature_enforced(), ==, 0);
        put("sys/module/module/parameters/sig_enforce", "N\n");
        g_assert_cmpint(system_signature_enforced(), ==, 0);
        put("sys/module/module/parameters/sig_enforce", "Y\n");
        g_assert_cmpint(system_signature_enforced(), ==, 1);
}

static void check_lockdown(const char *text, const char *expected) {
        _cleanup_free_ char *mode = NULL;

        if (text)
                put("sys/kernel/security/lockdown", text);
        g_assert_cmpint(system_lockdown(&mode), ==, 0);
        g_assert_cmpstr(mode, ==, expected);
}

static void test_lockdown(void) {
        NEEDS_ROOT();
        check_lockdown(NULL, "");
        check_lockdown("[none] integrity confidentiality\n", "none");
        check_lockdown("none [integrity] confidentiality\n", "integrity");
        check_lockdown("none integrity [confidentiality]\n", "confidentiality");
        check_lockdown("none integrity confidentiality\n", "");
        check_lockdown("none [integrity", "");
        check_lockdown("", "");
}

static void check_decompression(const char *text, const char *expected) {
        _cleanup_free_ char *format = NULL;

        if (text)
                put("sys/module/compression", text);
        g_assert_cmpint(system_decompression(&format), ==, 0);
        g_assert_cmpstr(format, ==, expected);
}

static void test_decompression(void) {
        NEEDS_ROOT();
        check_decompression(NULL, "");
        check_decompression("zstd\n", "zstd");
        check_decompression("xz", "xz");
}

int main(int argc, char *argv[]) {
        int r;

        g_test_init(&argc, &argv, NULL);
        if (geteuid() == 0)
                setup();
        g_test_add_func("/system/modules-state", test_modules_state);
        g_test_add_func("/system/module-state", test_module_state);
        g_test_add_func("/system/kernel-release", test_kernel_release);
        g_test_add_func("/system/signature-enforced", test_signature_enforced);
        g_test_add_func("/system/lockdown", test_lockdown);
        g_test_add_func("/system/decompression", test_decompression);
        r = g_test_run();
        if (top) {
                (void) umount2("/sys", MNT_DETACH);
                (void) umount2("/proc/sys/kernel", MNT_DETACH);
                support_remove(top);
                g_free(top);
        }
        return r;
}
