/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Kernel
 *
 * The system calls that need a privilege, each behind one function, so that a test can put another in its place. None
 * allocates: they are called in a child between fork and _exit.
 */

#include <errno.h>
#include <fcntl.h>
#include <sys/klog.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "kernel.h"

/* See syslog(2). */
#define SYSLOG_ACTION_READ_ALL 3
#define SYSLOG_ACTION_SIZE_BUFFER 10

/**
 * kernel_load() - finit_module(2)
 * @fd:         the module's file; borrowed
 * @parameters: parameters for the module, separated by blanks
 * @flags:      KERNEL_ flags
 *
 * Returns when the module's init has returned. glibc has no wrapper.
 *
 * Return: 0 or a negative errno.
 */
int kernel_load(int fd, const char *parameters, int flags) {
        return syscall(SYS_finit_module, fd, parameters, flags) < 0 ? -errno : 0;
}

/**
 * kernel_unload() - delete_module(2), without waiting for users and without force
 * @name:       the module's name
 *
 * Return: 0 or a negative errno.
 */
int kernel_unload(const char *name) {
        return syscall(SYS_delete_module, name, O_NONBLOCK) < 0 ? -errno : 0;
}

/**
 * kernel_log_read() - the end of the kernel's log
 * @buffer:     where to put it; not ended by a NUL
 * @size:       how much of the end to read, in bytes; whole records only
 *
 * Leaves the log as it is. Needs CAP_SYSLOG where kernel.dmesg_restrict is set.
 *
 * Return: how many bytes were read, or a negative errno.
 */
int kernel_log_read(char *buffer, size_t size) {
        int n = klogctl(SYSLOG_ACTION_READ_ALL, buffer, (int) size);

        return n < 0 ? -errno : n;
}

/**
 * kernel_log_size() - how large the kernel's log can be
 *
 * Return: the size in bytes or a negative errno.
 */
int kernel_log_size(void) {
        int n = klogctl(SYSLOG_ACTION_SIZE_BUFFER, NULL, 0);

        return n < 0 ? -errno : n;
}
