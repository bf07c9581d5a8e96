/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * A stand-in for loader/kernel.c that goes with tests/unit/fake-system.c: it loads into the same directory, and costs next
 * to nothing. What is measured with it is all that is not the kernel's.
 */

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "kernel.h"

static int module_path(char ret[PATH_MAX], const char *name, size_t n) {
        const char *directory = getenv("TEST_KERNEL");

        if (!directory || snprintf(ret, PATH_MAX, "%s/modules/%.*s", directory, (int) n, name) >= PATH_MAX)
                return -ENAMETOOLONG;
        return 0;
}

int kernel_load(int fd, const char *parameters, int flags) {
        char link[64], file[PATH_MAX], path[PATH_MAX];
        const char *name;
        volatile size_t length = 0;
        ssize_t n;
        int r;

        (void) flags;
        /* As the kernel does: witness.c looks whether they were read. */
        while (parameters[length])
                length++;
        (void) snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
        n = readlink(link, file, sizeof file - 1);
        if (n < 0)
                return -errno;
        file[n] = '\0';
        name = strrchr(file, '/');
        if (!name)
                return -EINVAL;
        name++;
        r = module_path(path, name, strcspn(name, "."));
        if (r < 0)
                return r;
        r = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
        if (r < 0)
                return -errno;
        (void) close(r);
        return 0;
}

int kernel_unload(const char *name) {
        char path[PATH_MAX];
        int r = module_path(path, name, strlen(name));

        if (r < 0)
                return r;
        return unlink(path) < 0 ? -errno : 0;
}

int kernel_log_read(char *buffer, size_t size) {
        (void) buffer;
        (void) size;
        return 0;
}

int kernel_log_size(void) {
        return 65536;
}
