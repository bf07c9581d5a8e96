/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Stamp
 *
 * Tells whether a file or directory is still the one that was read. Whatever changes its contents, its entries or its
 * permissions changes the time of its inode (ctime), which nobody can set back; see inode(7). But the kernel's clock for that
 * stands still for some milliseconds, and on some filesystems for a second or two: what was changed just before it was
 * read can be changed again and look the same. So a stamp counts only if the file had been left alone for a while.
 */

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>

#include "stamp.h"

/* In s. The coarsest times of files are FAT's, two seconds. */
#define SETTLED_AFTER 3

/**
 * stamp_take() - look at what stands at a path
 * @path:       the path; a symbolic link is followed
 * @ret:        the stamp
 *
 * To be called before it is read.
 */
void stamp_take(const char *path, struct stamp *ret) {
        *ret = (struct stamp){ 0 };
        if (statx(AT_FDCWD, path, AT_STATX_FORCE_SYNC, STATX_BASIC_STATS | STATX_MNT_ID, &ret->stx) < 0)
                ret->error = errno;
}

static bool is_same_time(const struct statx_timestamp *a, const struct statx_timestamp *b) {
        return a->tv_sec == b->tv_sec && a->tv_nsec == b->tv_nsec;
}

/**
 * stamp_is_same() - did two looks find the same, unchanged
 * @a:          a stamp
 * @b:          another one of the same path
 */
bool stamp_is_same(const struct stamp *a, const struct stamp *b) {
        const struct statx *x = &a->stx, *y = &b->stx;

        if (a->error != 0 || b->error != 0)
                return a->error == b->error;
        return x->stx_dev_major == y->stx_dev_major && x->stx_dev_minor == y->stx_dev_minor &&
               x->stx_ino == y->stx_ino && x->stx_mnt_id == y->stx_mnt_id && x->stx_mode == y->stx_mode &&
               x->stx_uid == y->stx_uid && x->stx_gid == y->stx_gid && x->stx_size == y->stx_size &&
               is_same_time(&x->stx_mtime, &y->stx_mtime) && is_same_time(&x->stx_ctime, &y->stx_ctime);
}

/**
 * stamp_is_settled() - would another change have shown
 * @stamp:      the stamp
 * @taken:      when it was taken, by CLOCK_REALTIME
 */
bool stamp_is_settled(const struct stamp *stamp, const struct timespec *taken) {
        int64_t limit = taken->tv_sec - SETTLED_AFTER;

        if (stamp->error != 0)
                return true;
        return stamp->stx.stx_mtime.tv_sec < limit && stamp->stx.stx_ctime.tv_sec < limit;
}
