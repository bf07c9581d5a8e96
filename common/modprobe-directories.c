/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <stddef.h>

#include "modprobe-directories.h"

/*
 * modprobe(8)'s own, first to last: of files with the same name the first counts. libkmod before 31 does not know
 * /usr/lib/modprobe.d, which is another name for /lib/modprobe.d there.
 */
const char *const modprobe_directories[] = {
        "/etc/modprobe.d",     "/run/modprobe.d", "/usr/local/lib/modprobe.d",
        "/usr/lib/modprobe.d", "/lib/modprobe.d", NULL,
};
