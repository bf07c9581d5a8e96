/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Origin
 *
 * An origin is a tree of files from which modules may be loaded. Given a descriptor that a stranger opened, this file
 * decides which origin it came from, if any. It asks nothing of the stranger's filesystem before it has proved that the
 * descriptor's inode stands in one of our trees: until then the file may live on a FUSE mount whose server is the
 * stranger, and whoever waits for an answer from there waits as long as the stranger likes.
 */

#include <assert.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>

#include "cleanup.h"
#include "origin.h"
#include "requirement.h"
#include "tree.h"

/* What a descriptor says of itself without anybody having to answer. */
struct candidate {
        int fd;
        struct statx stx;
        char path[PATH_MAX];
};

/* A file handle has no fixed size; this is the largest that the kernel gives (MAX_HANDLE_SZ). */
union handle {
        struct file_handle handle;
        unsigned char bytes[sizeof(struct file_handle) + MAX_HANDLE_SZ];
};

/* Answered without asking the filesystem; a FUSE mount of a user's may refuse even that to everybody else. */
static int look_at(int fd, unsigned mask, struct statx *ret) {
        if (statx(fd, "", AT_EMPTY_PATH | AT_STATX_DONT_SYNC, mask, ret) == 0)
                return 0;
        switch (errno) {
        case EBADF:
        case ENOMEM:
        case EINTR:
                return -errno;
        default:
                return VERDICT_HIDDEN;
        }
}

/**
 * descriptor_check() - is this a descriptor that moduled touches at all
 * @fd:         descriptor opened by somebody else; borrowed
 *
 * Never blocks: F_GETFL and statx(2) with AT_STATX_DONT_SYNC are answered without asking the filesystem.
 *
 * Return: 0, VERDICT_PATH_ONLY, VERDICT_NOT_READ_ONLY, VERDICT_NOT_REGULAR, VERDICT_DIRECT, VERDICT_HIDDEN,
 * or a negative errno.
 */
int descriptor_check(int fd) {
        struct statx stx;
        int flags, r;

        flags = fcntl(fd, F_GETFL);
        if (flags < 0)
                return -errno;
        if (flags & O_PATH)
                return VERDICT_PATH_ONLY;
        if ((flags & O_ACCMODE) != O_RDONLY)
                return VERDICT_NOT_READ_ONLY;
        r = look_at(fd, STATX_TYPE, &stx);
        if (r != 0)
                return r;
        if (!S_ISREG(stx.stx_mode))
                return VERDICT_NOT_REGULAR;
        return flags & O_DIRECT ? VERDICT_DIRECT : 0;
}

static int candidate_read(int fd, struct candidate *ret) {
        char link[sizeof "/proc/self/fd/" + 3 * sizeof fd];
        ssize_t n;

        ret->fd = fd;
        (void) snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
        n = readlink(link, ret->path, sizeof ret->path - 1);
        if (n < 0) {
                ret->path[0] = '\0';
                return errno == ENAMETOOLONG ? VERDICT_NO_PATH : -errno;
        }
        ret->path[n] = '\0';
        if (ret->path[0] != '/' || (size_t) n >= sizeof ret->path - 1)
                return VERDICT_NO_PATH;
        return look_at(fd, STATX_BASIC_STATS, &ret->stx);
}

static bool same_time(const struct statx_timestamp *a, const struct statx_timestamp *b) {
        return a->tv_sec == b->tv_sec && a->tv_nsec == b->tv_nsec;
}

/*
 * Device and inode number alone can be made to collide where an inode number is not unique within a device number, as
 * on an overlay over several file systems. What the owner cannot choose freely (uid, gid, ctime) must agree, too.
 */
static bool same_inode(const struct statx *a, const struct statx *b) {
        return a->stx_dev_major == b->stx_dev_major && a->stx_dev_minor == b->stx_dev_minor &&
               a->stx_ino == b->stx_ino && a->stx_mode == b->stx_mode && a->stx_uid == b->stx_uid &&
               a->stx_gid == b->stx_gid && a->stx_size == b->stx_size &&
               same_time(&a->stx_mtime, &b->stx_mtime) && same_time(&a->stx_ctime, &b->stx_ctime);
}

/* Return: 1 if there is a handle, 0 if this filesystem has none, or a negative errno. */
static int handle_read(int fd, union handle *ret) {
        int mount_id;

        memset(ret, 0, sizeof *ret);
        ret->handle.handle_bytes = MAX_HANDLE_SZ;
        if (name_to_handle_at(fd, "", &ret->handle, &mount_id, AT_EMPTY_PATH) == 0)
                return 1;
        return errno == EOPNOTSUPP ? 0 : -errno;
}

/* Not before same_inode() has said yes: only then is the filesystem behind @stranger one of our own. */
static int same_handle(int stranger, int ours) {
        union handle a, b;
        int r, q;

        r = handle_read(stranger, &a);
        if (r < 0)
                return r;
        q = handle_read(ours, &b);
        if (q < 0)
                return q;
        return r == q && a.handle.handle_type == b.handle.handle_type &&
               a.handle.handle_bytes == b.handle.handle_bytes &&
               memcmp(a.handle.f_handle, b.handle.f_handle, a.handle.handle_bytes) == 0;
}

static int compare(const struct candidate *candidate, const struct place *found) {
        struct statx stx;
        int r;

        if (statx(found->fd, "", AT_EMPTY_PATH, STATX_BASIC_STATS, &stx) < 0)
                return -errno;
        if ((stx.stx_mask & candidate->stx.stx_mask & STATX_IDENTITY) != STATX_IDENTITY ||
            !same_inode(&candidate->stx, &stx))
                return VERDICT_OTHER_FILE;

        r = same_handle(candidate->fd, found->fd);
        if (r == -ENOMEM)
                return r;
        return r > 0 ? 0 : VERDICT_OTHER_FILE;
}

/* The part of @path below @directory, or NULL. */
static const char *path_below(const char *path, const char *directory) {
        size_t n = strcmp(directory, "/") == 0 ? 0 : strlen(directory);

        if (strncmp(path, directory, n) != 0 || path[n] != '/' || path[n + 1] == '\0')
                return NULL;
        return path + n + 1;
}

static int check_mount_point(const struct origin *origin, const struct place *directory,
                             struct finding *finding) {
        int r;

        if (!origin->mount_point)
                return 0;
        r = requirement_check_mount_point(origin->mount_point, directory, &finding->culprit,
                                          &finding->found);
        if (r != 0)
                return r;
        free(finding->culprit);
        finding->culprit = NULL;
        return 0;
}

/* What the filesystem and the file must prove, the cheapest first. */
static int check_requirements(const struct origin *origin, const struct place *place, bool is_file,
                              struct finding *finding) {
        int r = 0;

        if (origin->filesystem_types.n > 0)
                r = requirement_check_filesystem(&origin->filesystem_types, place, &finding->found);
        for (size_t i = 0; r == 0 && i < REQUIREMENT_MAX_; i++) {
                if (!origin->requires[i] || (i == REQUIREMENT_FS_VERITY && !is_file))
                        continue;
                free(finding->found);
                finding->found = NULL;
                r = requirement_check((enum requirement) i, place, &finding->found);
        }
        return r;
}

/* Return: 0 with the culprit and what was found of no meaning; or a refusal with both; or a negative errno. */
static int judge(const struct origin *origin, const struct candidate *candidate, struct finding *finding) {
        _cleanup_(place_clear) struct place directory = PLACE_EMPTY, found = PLACE_EMPTY;
        const char *relative;
        int r;

        r = tree_open_directory(origin->directory, &directory, &finding->culprit);
        if (r != 0) {
                /* An origin that is away is no news to whoever comes from somewhere else. */
                return r > 0 && !path_below(candidate->path, origin->directory) ? VERDICT_OUTSIDE : r;
        }

        relative = path_below(candidate->path, directory.path);
        if (!relative)
                return VERDICT_OUTSIDE;
        r = check_mount_point(origin, &directory, finding);
        if (r == 0)
                r = tree_walk(&directory, relative, &found, &finding->culprit);
        if (r == 0)
                r = compare(candidate, &found);
        if (r == 0)
                r = check_requirements(origin, &found, true, finding);
        return r;
}

/* Keeps the refusal that came nearest to being accepted; of equals the first. */
static void note(struct finding *kept, struct finding *latest) {
        if (kept->origin && latest->verdict != VERDICT_ACCEPTED && latest->verdict <= kept->verdict)
                return;
        kept->verdict = latest->verdict;
        kept->origin = latest->origin;
        free(kept->culprit);
        kept->culprit = NULL;
        free(kept->found);
        kept->found = NULL;
        if (latest->verdict == VERDICT_ACCEPTED || latest->verdict == VERDICT_OUTSIDE)
                return;
        kept->culprit = take_pointer(&latest->culprit);
        kept->found = take_pointer(&latest->found);
}

static int judge_all(const struct config *config, int fd, struct finding *finding) {
        struct candidate candidate;
        const struct origin *origin;
        int r;

        r = descriptor_check(fd);
        if (r < 0)
                return r;
        finding->verdict = (enum verdict) r;

        r = candidate_read(fd, &candidate);
        if (r < 0)
                return r;
        finding->path = strdup(candidate.path);
        if (!finding->path)
                return -ENOMEM;
        if (finding->verdict != VERDICT_ACCEPTED)
                return (int) finding->verdict;
        finding->verdict = r > 0 ? (enum verdict) r : VERDICT_OUTSIDE;

        TAILQ_FOREACH(origin, &config->origins, link) {
                _cleanup_(finding_clear) struct finding latest = { .origin = origin };

                if (finding->verdict == VERDICT_ACCEPTED || r > 0)
                        break;
                r = judge(origin, &candidate, &latest);
                if (r < 0)
                        return r;
                latest.verdict = (enum verdict) r;
                note(finding, &latest);
                r = 0;
        }
        return (int) finding->verdict;
}

/**
 * origin_verify() - decide which origin a descriptor came from
 * @config:     the configuration with the allowlist; the first origin that accepts wins
 * @fd:         descriptor opened by somebody else; borrowed
 * @ret:        the accepting origin and the verified path, or why the nearest one refused; owned by the caller, to be
 *              given to finding_clear()
 *
 * Never blocks on the filesystem behind @fd unless that filesystem holds one of the origins.
 *
 * Return: 0 if accepted, a VERDICT_ if refused, or a negative errno if it could not be decided.
 */
int origin_verify(const struct config *config, int fd, struct finding *ret) {
        _cleanup_(finding_clear) struct finding finding = { 0 };
        int r;

        r = judge_all(config, fd, &finding);
        if (r < 0)
                return r;
        *ret = finding;
        finding = (struct finding){ 0 };
        return r;
}

/**
 * origin_examine() - does what an origin requires of its directory hold now
 * @origin:     the origin
 * @ret:        VERDICT_ACCEPTED, or why it accepts nothing; owned by the caller, to be given to finding_clear()
 *
 * fs-verity is a file's affair and not asked for here.
 *
 * Return: 0 if it holds, a VERDICT_ if not, or a negative errno if it could not be decided.
 */
int origin_examine(const struct origin *origin, struct finding *ret) {
        _cleanup_(finding_clear) struct finding finding = { .origin = origin };
        _cleanup_(place_clear) struct place directory = PLACE_EMPTY;
        int r;

        finding.path = strdup(origin->directory);
        if (!finding.path)
                return -ENOMEM;
        r = tree_open_directory(origin->directory, &directory, &finding.culprit);
        if (r == 0)
                r = check_mount_point(origin, &directory, &finding);
        if (r == 0)
                r = check_requirements(origin, &directory, false, &finding);
        if (r < 0)
                return r;
        finding.verdict = (enum verdict) r;
        *ret = finding;
        finding = (struct finding){ 0 };
        return r;
}
