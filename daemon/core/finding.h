/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "config.h"

/*
 * Why a descriptor is refused, in the order in which it is looked at: the higher, the nearer it came to being accepted.
 * The values travel between the programs, which are of one build.
 */
enum verdict {
        VERDICT_ACCEPTED = 0,
        VERDICT_PATH_ONLY,         /* opened with O_PATH */
        VERDICT_NOT_READ_ONLY,     /* opened for writing */
        VERDICT_NOT_REGULAR,       /* a directory, device, pipe, socket or the like */
        VERDICT_DIRECT,            /* opened with O_DIRECT */
        VERDICT_HIDDEN,            /* its filesystem, a user's, does not say what it is */
        VERDICT_NO_PATH,           /* the kernel gives no absolute path, or one too long */
        VERDICT_OUTSIDE,           /* the path is below no origin's directory */
        VERDICT_NO_DIRECTORY,      /* the origin's directory is not there or cannot be reached */
        VERDICT_DIRECTORY_FOREIGN, /* the origin's directory, or one above it, is not root's alone */
        VERDICT_NOT_MOUNTED,       /* MountPoint= is no mount, or not the one that holds the directory */
        VERDICT_ABSENT,            /* no such file in the tree, or it cannot be reached */
        VERDICT_SYMLINK,           /* a symbolic link in the tree */
        VERDICT_OTHER_MOUNT,       /* another mount in the tree */
        VERDICT_FOREIGN,           /* the file, or a directory above it, is not root's alone */
        VERDICT_OTHER_FILE,        /* the tree has another file at that path */
        VERDICT_FILESYSTEM_TYPE,   /* none of FilesystemType= */
        VERDICT_WRITABLE,          /* Require=read-only, and the superblock is not */
        VERDICT_NO_DM_VERITY,      /* Require=dm-verity, and the device is not */
        VERDICT_NO_FS_VERITY,      /* Require=fs-verity, and the file has none */
        VERDICT_MAX_,
};

/* What a check found. Strings belong to the struct; the origin to the configuration. */
struct finding {
        enum verdict verdict;
        const struct origin *origin; /* the accepting or the nearest one; NULL if none was looked at */
        char *path;    /* if accepted the verified path, else what the kernel calls the descriptor */
        char *culprit; /* the path that a refusal is about, if it is not @path; or NULL */
        char *found;   /* what was found in place of what is required; or NULL */
};

void finding_clear(struct finding *finding);
char *finding_reason(const struct finding *finding);
char *finding_explain(const struct finding *finding);
