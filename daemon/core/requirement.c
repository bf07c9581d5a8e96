/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Requirement
 *
 * What an origin wants of the filesystem that its tree is on, and of its files. All of it is asked of places that we
 * walked to ourselves, never of a stranger's descriptor. What cannot be decided does not hold.
 */

#include <assert.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#include "cleanup.h"
#include "filesystem.h"
#include "mounts.h"
#include "requirement.h"
#include "system.h"

#define DM_VERITY_PREFIX "CRYPT-VERITY-"

static int say(char **ret_found, int verdict, const char *text) {
        *ret_found = strdup(text);
        return *ret_found ? verdict : -ENOMEM;
}

static int say_unknown(char **ret_found, int verdict, int error) {
        int r = verdict_from_errno(error, verdict);
        char *text;

        if (r < 0)
                return r;
        if (asprintf(&text, "cannot be told: %s", strerror(error)) < 0)
                return -ENOMEM;
        *ret_found = text;
        return r;
}

/**
 * requirement_check_mount_point() - is an origin's directory on the mount that it must be on
 * @mount_point:        MountPoint= of the origin
 * @directory:          its directory
 * @ret_culprit:        the path that a refusal is about; owned by the caller
 * @ret_found:          what was found; owned by the caller
 *
 * Return: 0, VERDICT_DIRECTORY_FOREIGN if the mount point's own way is not root's, VERDICT_NOT_MOUNTED, or a negative
 * errno.
 */
int requirement_check_mount_point(const char *mount_point, const struct place *directory, char **ret_culprit,
                                  char **ret_found) {
        _cleanup_(place_clear) struct place place = PLACE_EMPTY;
        struct statx stx;
        int r;

        r = tree_open_directory(mount_point, &place, ret_culprit);
        if (r != 0)
                return r == VERDICT_NO_DIRECTORY ? VERDICT_NOT_MOUNTED : r;
        free(*ret_culprit);
        *ret_culprit = strdup(place.path);
        if (!*ret_culprit)
                return -ENOMEM;
        if (statx(place.fd, "", AT_EMPTY_PATH | AT_NO_AUTOMOUNT, STATX_MNT_ID, &stx) < 0)
                return say_unknown(ret_found, VERDICT_NOT_MOUNTED, errno);
        if (!(stx.stx_attributes & stx.stx_attributes_mask & STATX_ATTR_MOUNT_ROOT))
                return say(ret_found, VERDICT_NOT_MOUNTED, "nothing is mounted there");
        if (place.mount_id != directory->mount_id)
                return say(ret_found, VERDICT_NOT_MOUNTED, "the directory is on another mount");
        return 0;
}

/**
 * requirement_check_filesystem() - is a place on a filesystem of one of these types
 * @types:      FilesystemType= of the origin; none: any
 * @place:      the place
 * @ret_found:  the type; owned by the caller
 *
 * Return: 0, VERDICT_FILESYSTEM_TYPE, or a negative errno.
 */
int requirement_check_filesystem(const struct words *types, const struct place *place, char **ret_found) {
        struct statfs fs;
        uint64_t magic;
        const char *name;
        char *text;

        if (fstatfs(place->fd, &fs) < 0)
                return say_unknown(ret_found, VERDICT_FILESYSTEM_TYPE, errno);
        magic = (uint64_t) fs.f_type;
        name = filesystem_name(magic);
        if (name)
                text = strdup(name);
        else if (asprintf(&text, "0x%jx", (uintmax_t) magic) < 0)
                text = NULL;
        if (!text)
                return -ENOMEM;
        *ret_found = text;

        for (size_t i = 0; i < types->n; i++)
                if (filesystem_matches(types->items[i], magic))
                        return 0;
        return types->n == 0 ? 0 : VERDICT_FILESYSTEM_TYPE;
}

static int check_read_only(const struct place *place, char **ret_found) {
        int r = mounts_superblock_is_read_only(place->mount_id);

        if (r < 0)
                return say_unknown(ret_found, VERDICT_WRITABLE, -r);
        return r > 0 ? say(ret_found, 0, "read-only") : say(ret_found, VERDICT_WRITABLE, "read-write");
}

/* A filesystem over several devices has an anonymous device number, which no block device has. */
static int check_dm_verity(const struct place *place, char **ret_found) {
        _cleanup_free_ char *uuid = NULL;
        struct statx stx;
        bool is_verity;
        char *text;
        int r;

        if (statx(place->fd, "", AT_EMPTY_PATH | AT_NO_AUTOMOUNT, STATX_BASIC_STATS, &stx) < 0)
                return say_unknown(ret_found, VERDICT_NO_DM_VERITY, errno);
        r = system_dm_uuid(stx.stx_dev_major, stx.stx_dev_minor, &uuid);
        if (r < 0 && r != -ENOENT)
                return say_unknown(ret_found, VERDICT_NO_DM_VERITY, -r);

        is_verity = uuid && strncmp(uuid, DM_VERITY_PREFIX, strlen(DM_VERITY_PREFIX)) == 0;
        if (asprintf(&text, "device %u:%u %s%s", stx.stx_dev_major, stx.stx_dev_minor,
                     uuid ? "with uuid " : "without a device-mapper target", uuid ? uuid : "") < 0)
                return -ENOMEM;
        *ret_found = text;
        return is_verity ? 0 : VERDICT_NO_DM_VERITY;
}

static int check_fs_verity(const struct place *place, char **ret_found) {
        struct statx stx;

        if (statx(place->fd, "", AT_EMPTY_PATH | AT_NO_AUTOMOUNT, STATX_TYPE, &stx) < 0)
                return say_unknown(ret_found, VERDICT_NO_FS_VERITY, errno);
        if (!(stx.stx_attributes_mask & STATX_ATTR_VERITY))
                return say(ret_found, VERDICT_NO_FS_VERITY, "the filesystem does not have it");
        if (!(stx.stx_attributes & STATX_ATTR_VERITY))
                return say(ret_found, VERDICT_NO_FS_VERITY, "not enabled");
        return say(ret_found, 0, "enabled");
}

/**
 * requirement_check() - does a requirement hold for a file
 * @requirement:        the requirement
 * @place:              the file
 * @ret_found:          what was found; owned by the caller
 *
 * Return: 0, the requirement's VERDICT_, or a negative errno.
 */
int requirement_check(enum requirement requirement, const struct place *place, char **ret_found) {
        switch (requirement) {
        case REQUIREMENT_READ_ONLY:
                return check_read_only(place, ret_found);
        case REQUIREMENT_DM_VERITY:
                return check_dm_verity(place, ret_found);
        case REQUIREMENT_FS_VERITY:
                return check_fs_verity(place, ret_found);
        case REQUIREMENT_MAX_:
                break;
        }
        assert(false);
        return -EINVAL;
}
