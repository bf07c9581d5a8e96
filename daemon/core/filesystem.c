/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Filesystem
 *
 * The types of filesystems by name and by the number that statfs(2) gives (linux/magic.h). The number comes with the
 * superblock of a descriptor that is held; the names in the mount table would have to be searched for.
 */

#include <linux/magic.h>
#include <stddef.h>
#include <string.h>

#include "filesystem.h"

/* Those without a number in linux/magic.h of Linux 6.1. */
#define BCACHEFS_MAGIC 0xca451a4e
#define UBIFS_MAGIC 0x24051905
#define VXFS_MAGIC 0xa501fcf5
#define ZFS_MAGIC 0x2fc12fc1

/* Where several names have one number, the last one is the usual name. */
static const struct {
        const char *name;
        uint64_t magic;
} types[] = {
        { "bcachefs", BCACHEFS_MAGIC },   { "btrfs", BTRFS_SUPER_MAGIC },
        { "cramfs", CRAMFS_MAGIC },       { "erofs", EROFS_SUPER_MAGIC_V1 },
        { "ext2", EXT4_SUPER_MAGIC },     { "ext3", EXT4_SUPER_MAGIC },
        { "ext4", EXT4_SUPER_MAGIC },     { "f2fs", F2FS_SUPER_MAGIC },
        { "iso9660", ISOFS_SUPER_MAGIC }, { "nfs", NFS_SUPER_MAGIC },
        { "nilfs2", NILFS_SUPER_MAGIC },  { "overlay", OVERLAYFS_SUPER_MAGIC },
        { "ramfs", RAMFS_MAGIC },         { "squashfs", SQUASHFS_MAGIC },
        { "tmpfs", TMPFS_MAGIC },         { "ubifs", UBIFS_MAGIC },
        { "udf", UDF_SUPER_MAGIC },       { "vxfs", VXFS_MAGIC },
        { "xfs", XFS_SUPER_MAGIC },       { "zfs", ZFS_MAGIC },
};

/**
 * filesystem_is_known() - is there a type of this name
 * @name:       as in /proc/filesystems
 *
 * Return: true if filesystem_matches() can be true for it.
 */
bool filesystem_is_known(const char *name) {
        for (size_t i = 0; i < sizeof types / sizeof *types; i++)
                if (strcmp(types[i].name, name) == 0)
                        return true;
        return false;
}

/**
 * filesystem_matches() - is a superblock of this type
 * @name:       the type; ext2, ext3 and ext4 cannot be told apart
 * @magic:      f_type of the superblock, see statfs(2)
 */
bool filesystem_matches(const char *name, uint64_t magic) {
        for (size_t i = 0; i < sizeof types / sizeof *types; i++)
                if (types[i].magic == magic && strcmp(types[i].name, name) == 0)
                        return true;
        return false;
}

/**
 * filesystem_name() - what a type is called
 * @magic:      f_type of the superblock
 *
 * Return: the name, static, or NULL if it is not known here.
 */
const char *filesystem_name(uint64_t magic) {
        const char *name = NULL;

        for (size_t i = 0; i < sizeof types / sizeof *types; i++)
                if (types[i].magic == magic)
                        name = types[i].name;
        return name;
}
