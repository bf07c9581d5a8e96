/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Mounts
 *
 * What the mount table says of a superblock. Neither statfs(2) nor a mount's own options tell whether a filesystem is
 * read-only: a sandboxed service sees all of its mounts so, and anybody may make a read-only mount of a writable
 * filesystem. The superblock's options, the last column of /proc/self/mountinfo, do; see proc(5).
 *
 * The table is read each time. In the mount namespace of a sandboxed unit nothing tells of a change that the host makes
 * to a superblock, and statmount(2), which would ask for one mount alone, came with Linux 6.8.
 */

#include <errno.h>
#include <libmount.h>

#include "cleanup.h"
#include "mounts.h"

DEFINE_CLEANUP(struct libmnt_table *, mnt_unref_table);
DEFINE_CLEANUP(struct libmnt_iter *, mnt_free_iter);

/**
 * mounts_superblock_is_read_only() - may nobody write to the filesystem that a mount shows
 * @mount_id:   the mount's STATX_MNT_ID; to be kept from being reused by an open descriptor
 *
 * Return: 1 if it is read-only, 0 if not, -ENOENT if this mount namespace has no such mount, or another negative errno.
 */
int mounts_superblock_is_read_only(uint64_t mount_id) {
        _cleanup_(mnt_unref_tablep) struct libmnt_table *table = mnt_new_table();
        _cleanup_(mnt_free_iterp) struct libmnt_iter *iterator = mnt_new_iter(MNT_ITER_FORWARD);
        struct libmnt_fs *fs;
        int r;

        if (!table || !iterator)
                return -ENOMEM;
        r = mnt_table_parse_file(table, "/proc/self/mountinfo");
        if (r != 0)
                return r < 0 ? r : -EIO;

        while (mnt_table_next_fs(table, iterator, &fs) == 0) {
                const char *options;

                if (mnt_fs_get_id(fs) < 0 || (uint64_t) mnt_fs_get_id(fs) != mount_id)
                        continue;
                options = mnt_fs_get_fs_options(fs);
                if (!options)
                        return -ENODATA;
                return mnt_optstr_get_option(options, "ro", NULL, NULL) == 0;
        }
        return -ENOENT;
}
