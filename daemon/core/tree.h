/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stdint.h>
#include <sys/stat.h>

#include "finding.h"

/* A path taken apart: an O_PATH descriptor, what statx(2) said of it, and the path without symbolic links. */
struct place {
        int fd;
        uint64_t mount_id;
        char *path;
};

/*
 * What a filesystem must tell of a file. Not the time of the last access, nor what else is in STATX_BASIC_STATS: one that
 * keeps no such time (erofs) leaves it out.
 */
#define STATX_IDENTITY                                                                                      \
        (STATX_TYPE | STATX_MODE | STATX_UID | STATX_GID | STATX_INO | STATX_SIZE | STATX_MTIME |           \
         STATX_CTIME)

#define PLACE_EMPTY ((struct place){ .fd = -1 })

int tree_open_directory(const char *directory, struct place *ret, char **ret_culprit);
int tree_walk(const struct place *directory, const char *relative, struct place *ret, char **ret_culprit);
void place_clear(struct place *place);
int verdict_from_errno(int error, int verdict);
