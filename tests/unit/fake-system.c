/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * A stand-in for core/system.c, for machines whose kernel has no modules and for tests that must not depend on what the
 * kernel has loaded. The kernel it makes believe lives in the directory that TEST_KERNEL names:
 *
 *     modules/NAME     is there if the module is loaded; holds its state, live if empty
 *     disabled         is there if modules are disabled
 *     compression      the format that the kernel decompresses
 *
 * fake-kernel.c loads into the same directory.
 */

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "system.h"

static void kernel_path(char ret[PATH_MAX], const char *name) {
        const char *directory = getenv("TEST_KERNEL");

        if (!directory || snprintf(ret, PATH_MAX, "%s/%s", directory, name) >= PATH_MAX)
                abort();
}

/* Return: 1 with the file's first line, or 0 if there is no file. */
static int read_line(const char *name, char *ret, int size) {
        char path[PATH_MAX];
        FILE *f;

        kernel_path(path, name);
        f = fopen(path, "re");
        if (!f)
                return 0;
        if (!fgets(ret, size, f))
                ret[0] = '\0';
        ret[strcspn(ret, "\n")] = '\0';
        (void) fclose(f);
        return 1;
}

int system_modules_state(void) {
        char path[PATH_MAX];

        kernel_path(path, "disabled");
        return access(path, F_OK) == 0 ? MODULES_DISABLED : MODULES_ENABLED;
}

int system_module_state(const char *name) {
        char path[sizeof "modules/" + 256], value[64];

        (void) snprintf(path, sizeof path, "modules/%s", name);
        if (!read_line(path, value, sizeof value))
                return MODULE_ABSENT;
        if (strcmp(value, "coming") == 0)
                return MODULE_COMING;
        if (strcmp(value, "builtin") == 0)
                return MODULE_BUILTIN;
        return strcmp(value, "going") == 0 ? MODULE_GOING : MODULE_LIVE;
}

int system_kernel_release(char **ret) {
        *ret = strdup("6.1.0-test");
        return 0;
}

int system_signature_enforced(void) {
        return 1;
}

int system_lockdown(char **ret) {
        *ret = strdup("integrity");
        return 0;
}

int system_dm_uuid(unsigned device_major, unsigned device_minor, char **ret) {
        (void) device_major;
        (void) device_minor;
        (void) ret;
        return -ENOENT;
}

int system_decompression(char **ret) {
        char value[64];

        *ret = strdup(read_line("compression", value, sizeof value) ? value : "");
        return 0;
}
