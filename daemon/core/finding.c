/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Finding
 *
 * What the check of a descriptor came to, and how that is said to people.
 */

#include <assert.h>
#include <stdbool.h>
#include <string.h>

#include "cleanup.h"
#include "escape.h"
#include "finding.h"

#define PATH_SHOWN_MAX 1024
#define FOUND_SHOWN_MAX 256

/**
 * finding_clear() - give back what a finding holds
 * @finding:    the finding; valid and empty afterwards
 */
void finding_clear(struct finding *finding) {
        free(finding->path);
        free(finding->culprit);
        free(finding->found);
        *finding = (struct finding){ 0 };
}

static const char *what_to_do(enum verdict verdict) {
        switch (verdict) {
        case VERDICT_ACCEPTED:
                return "it is accepted";
        case VERDICT_PATH_ONLY:
                return "it was opened with O_PATH; open it for reading";
        case VERDICT_NOT_READ_ONLY:
                return "it was opened for writing; open it read-only";
        case VERDICT_NOT_REGULAR:
                return "it is not a regular file; pass a descriptor of the module's file";
        case VERDICT_DIRECT:
                return "it was opened with O_DIRECT, so the kernel cannot read a module from it; open it without";
        case VERDICT_HIDDEN:
                return "its filesystem does not let moduled look at it; open the file where everybody can see it";
        case VERDICT_NO_PATH:
                return "it has no path that the kernel could name; install the module into an origin's directory";
        case VERDICT_OUTSIDE:
                return "it does not lie in the directory of any origin; install it there, or have an administrator "
                       "add an origin to moduled.conf";
        case VERDICT_NO_DIRECTORY:
                return "the origin's directory is not there or cannot be searched; check Directory= in moduled.conf";
        case VERDICT_DIRECTORY_FOREIGN:
                return "on the way to the origin's directory it does not belong to root alone; have an administrator "
                       "chown it to root and take write permission from all others";
        case VERDICT_NOT_MOUNTED:
                return "the origin's MountPoint= is not mounted, or not what its Directory= is on; have an "
                       "administrator mount it";
        case VERDICT_ABSENT:
                return "it is not, or no longer, in the origin's tree; open the file again";
        case VERDICT_SYMLINK:
                return "it is a symbolic link; open the file that it points to";
        case VERDICT_OTHER_MOUNT:
                return "it is on another mount than the origin's directory; have an administrator make it an origin";
        case VERDICT_FOREIGN:
                return "it does not belong to root alone; have an administrator chown it to root and take write "
                       "permission from all others";
        case VERDICT_OTHER_FILE:
                return "the file at that path in the origin's tree is another one; open it again from there";
        case VERDICT_FILESYSTEM_TYPE:
                return "the type of its filesystem is none of the origin's FilesystemType=; install the file on one "
                       "that is, or have an administrator add the type";
        case VERDICT_WRITABLE:
                return "the origin has Require=read-only, and the superblock of its filesystem is not; have an "
                       "administrator remount the filesystem itself read-only, not just a mount of it";
        case VERDICT_NO_DM_VERITY:
                return "the origin has Require=dm-verity, and its filesystem is not on a dm-verity device; have an "
                       "administrator mount the verified one";
        case VERDICT_NO_FS_VERITY:
                return "the origin has Require=fs-verity, and the file does not have it; have an administrator enable "
                       "it for the file";
        case VERDICT_MAX_:
                break;
        }
        assert(false);
        return NULL;
}

/**
 * finding_reason() - say why, and what to do next
 * @finding:    the finding
 *
 * Return: words in printable ASCII without a full stop at the end; owned by the caller, or NULL if there is no memory.
 */
char *finding_reason(const struct finding *finding) {
        _cleanup_free_ char *found = escape(finding->found ? finding->found : "", FOUND_SHOWN_MAX);
        char *reason;

        if (!found || asprintf(&reason, "%s%s%s%s", what_to_do(finding->verdict),
                               found[0] ? " (found: " : "", found, found[0] ? ")" : "") < 0)
                return NULL;
        return reason;
}

/**
 * finding_explain() - say a refusal in a sentence
 * @finding:    the finding
 *
 * Return: a sentence in printable ASCII that names the path, the nearest origin and what to do next; owned by the
 * caller, or NULL if there is no memory.
 */
char *finding_explain(const struct finding *finding) {
        _cleanup_free_ char *path = NULL, *culprit = NULL, *reason = finding_reason(finding);
        const char *shown = finding->path && finding->path[0] ? finding->path : "The descriptor";
        bool of_origin = finding->origin && finding->verdict > VERDICT_OUTSIDE;
        char *sentence;

        path = escape(shown, PATH_SHOWN_MAX);
        culprit = escape(finding->culprit ? finding->culprit : shown, PATH_SHOWN_MAX);
        if (!reason || !path || !culprit)
                return NULL;
        if (asprintf(&sentence, "%s is refused%s%s%s%s: %s.", path, of_origin ? " by origin " : "",
                     of_origin ? finding->origin->name : "",
                     strcmp(path, culprit) != 0 ? " because of " : "",
                     strcmp(path, culprit) != 0 ? culprit : "", reason) < 0)
                return NULL;
        return sentence;
}
