/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * System
 *
 * What the running kernel says of itself in /proc and /sys.
 */

#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>

#include "cleanup.h"
#include "system.h"

/* Attributes of sysfs and procfs are at most a page. */
#define ATTRIBUTE_MAX 4096

static int read_attribute(const char *path, char *buffer, size_t size) {
        _cleanup_close_ int fd = -1;
        ssize_t n;

        fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
        if (fd < 0)
                return -errno;
        n = read(fd, buffer, size - 1);
        if (n < 0)
                return -errno;
        buffer[n] = '\0';
        buffer[strcspn(buffer, "\n")] = '\0';
        return 0;
}

/**
 * system_modules_state() - can this kernel load modules now
 *
 * A kernel without module support has no kernel.modules_disabled; see Documentation/admin-guide/sysctl/kernel.rst.
 *
 * Return: MODULES_ENABLED, MODULES_DISABLED, MODULES_UNSUPPORTED, or a negative errno.
 */
int system_modules_state(void) {
        char value[ATTRIBUTE_MAX];
        int r;

        r = read_attribute("/proc/sys/kernel/modules_disabled", value, sizeof value);
        if (r == -ENOENT)
                return MODULES_UNSUPPORTED;
        if (r < 0)
                return r;
        return strcmp(value, "0") == 0 ? MODULES_ENABLED : MODULES_DISABLED;
}

/**
 * system_module_state() - what the kernel knows of a module
 * @name:       its name, normalized
 *
 * /sys/module also has directories for what is built in; those have no initstate.
 *
 * Return: a MODULE_ state, or a negative errno.
 */
int system_module_state(const char *name) {
        char path[sizeof "/sys/module//initstate" + 256], value[ATTRIBUTE_MAX];
        int r;

        if ((size_t) snprintf(path, sizeof path, "/sys/module/%s/initstate", name) >= sizeof path)
                return -ENAMETOOLONG;
        r = read_attribute(path, value, sizeof value);
        if (r == -ENOENT) {
                *strrchr(path, '/') = '\0';
                return access(path, F_OK) == 0 ? MODULE_BUILTIN : MODULE_ABSENT;
        }
        if (r < 0)
                return r;
        if (strcmp(value, "coming") == 0)
                return MODULE_COMING;
        return strcmp(value, "going") == 0 ? MODULE_GOING : MODULE_LIVE;
}

/**
 * system_kernel_release() - as uname(2) says it
 * @ret:        the release; owned by the caller
 *
 * Return: 0 or a negative errno.
 */
int system_kernel_release(char **ret) {
        struct utsname uts;
        char *release;

        if (uname(&uts) < 0)
                return -errno;
        release = strdup(uts.release);
        if (!release)
                return -ENOMEM;
        *ret = release;
        return 0;
}

/**
 * system_signature_enforced() - does the kernel refuse modules without a valid signature
 *
 * Return: 1 if it does, 0 if not or if it cannot verify signatures at all, or a negative errno.
 */
int system_signature_enforced(void) {
        char value[ATTRIBUTE_MAX];
        int r;

        r = read_attribute("/sys/module/module/parameters/sig_enforce", value, sizeof value);
        if (r == -ENOENT)
                return 0;
        return r < 0 ? r : strcmp(value, "Y") == 0;
}

/**
 * system_lockdown() - the kernel's lockdown mode
 * @ret:        "none", "integrity" or "confidentiality", "" if the kernel does not say; owned by the caller
 *
 * The file lists all modes with the current one in brackets; see kernel_lockdown(7). Where securityfs is not mounted,
 * or hidden from us, nothing is known.
 *
 * Return: 0 or a negative errno.
 */
int system_lockdown(char **ret) {
        char value[ATTRIBUTE_MAX], *begin, *end, *mode;
        int r;

        r = read_attribute("/sys/kernel/security/lockdown", value, sizeof value);
        if (r == -ENOENT || r == -EACCES)
                value[0] = '\0';
        else if (r < 0)
                return r;

        begin = strchr(value, '[');
        end = begin ? strchr(begin, ']') : NULL;
        mode = end ? strndup(begin + 1, (size_t) (end - begin - 1)) : strdup("");
        if (!mode)
                return -ENOMEM;
        *ret = mode;
        return 0;
}

/**
 * system_decompression() - the format of compressed modules that the kernel takes
 * @ret:        "gzip", "xz" or "zstd", "" if it takes none; owned by the caller
 *
 * See MODULE_INIT_COMPRESSED_FILE in finit_module(2); the kernel has one format, named in /sys/module/compression.
 *
 * Return: 0 or a negative errno.
 */
int system_decompression(char **ret) {
        char value[ATTRIBUTE_MAX], *format;
        int r;

        r = read_attribute("/sys/module/compression", value, sizeof value);
        if (r == -ENOENT)
                value[0] = '\0';
        else if (r < 0)
                return r;
        format = strdup(value);
        if (!format)
                return -ENOMEM;
        *ret = format;
        return 0;
}

/**
 * system_dm_uuid() - the uuid of a device-mapper target
 * @device_major:       the block device's major number
 * @device_minor:       its minor number
 * @ret:                the uuid as dmsetup(8) shows it, beginning with what made the device; owned by the caller
 *
 * See Documentation/ABI/testing/sysfs-block-dm.
 *
 * Return: 0, -ENOENT if there is no such block device or it is none of device-mapper's, or another negative errno.
 */
int system_dm_uuid(unsigned device_major, unsigned device_minor, char **ret) {
        char path[sizeof "/sys/dev/block/:/dm/uuid" + 6 * sizeof(unsigned)], value[ATTRIBUTE_MAX], *uuid;
        int r;

        (void) snprintf(path, sizeof path, "/sys/dev/block/%u:%u/dm/uuid", device_major, device_minor);
        r = read_attribute(path, value, sizeof value);
        if (r < 0)
                return r;
        uuid = strdup(value);
        if (!uuid)
                return -ENOMEM;
        *ret = uuid;
        return 0;
}
