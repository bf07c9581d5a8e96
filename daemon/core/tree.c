/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Tree
 *
 * Walks through directories one component at a time with O_PATH descriptors, in our own mount namespace, and holds each
 * step to the rule that nobody but root could have put something there: it belongs to uid 0 and nobody else may write
 * to it. An ACL that gives somebody else more shows in the group bits, which are then its mask (acl(5)).
 *
 * openat2(2) would do the second walk in one call, but service managers answer it with ENOSYS in sandboxed units.
 */

#include <assert.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>

#include "cleanup.h"
#include "tree.h"

/* As in the kernel: more symbolic links than that are taken for a circle; see path_resolution(7). */
#define SYMLINKS_MAX 40

struct walk {
        struct place here;
        char rest[PATH_MAX]; /* what is still to be walked */
        unsigned symlinks;
        bool one_mount; /* stay on the mount of the start, follow no symbolic link */
        char **culprit;
};

/**
 * place_clear() - close a place and give back its path
 * @place:      the place; PLACE_EMPTY afterwards
 */
void place_clear(struct place *place) {
        cleanup_closep(&place->fd);
        free(place->path);
        *place = PLACE_EMPTY;
}

static bool is_roots_alone(const struct statx *stx) {
        return stx->stx_uid == 0 && (S_ISLNK(stx->stx_mode) || !(stx->stx_mode & (S_IWGRP | S_IWOTH)));
}

/**
 * verdict_from_errno() - tell what went wrong in the world from what went wrong with us
 * @error:      positive errno
 * @verdict:    what it means unless we are out of something
 *
 * Return: @verdict, or the negative errno if another try may end otherwise.
 */
int verdict_from_errno(int error, int verdict) {
        switch (error) {
        case ENOMEM:
        case EMFILE:
        case ENFILE:
        case EINTR:
                return -error;
        default:
                return verdict;
        }
}

static int blame(struct walk *walk, const char *path, int verdict) {
        if (!walk->culprit || verdict <= 0)
                return verdict;
        free(*walk->culprit);
        *walk->culprit = strdup(path);
        return *walk->culprit ? verdict : -ENOMEM;
}

/* Opens @name below where we are, without following it. An empty name is where we are itself. */
static int step_open(int at, const char *name, struct place *ret, struct statx *ret_stx) {
        _cleanup_close_ int fd = -1;

        fd = openat(at, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
        if (fd < 0)
                return -errno;
        if (statx(fd, "", AT_EMPTY_PATH | AT_NO_AUTOMOUNT, STATX_BASIC_STATS | STATX_MNT_ID, ret_stx) < 0)
                return -errno;
        if ((ret_stx->stx_mask & (STATX_IDENTITY | STATX_MNT_ID)) != (STATX_IDENTITY | STATX_MNT_ID))
                return -ENODATA;
        ret->fd = take_fd(&fd);
        ret->mount_id = ret_stx->stx_mnt_id;
        return 0;
}

/* Cuts the next component off the rest. Return: its length, 0 if there is none left. */
static size_t next_component(struct walk *walk, char *ret) {
        size_t slashes = strspn(walk->rest, "/"), n = strcspn(walk->rest + slashes, "/");

        memcpy(ret, walk->rest + slashes, n);
        ret[n] = '\0';
        memmove(walk->rest, walk->rest + slashes + n, strlen(walk->rest + slashes + n) + 1);
        return n;
}

/* The path of @name below where we are; ".." goes up. */
static char *child_path(const struct walk *walk, const char *name) {
        const char *here = strcmp(walk->here.path, "/") == 0 ? "" : walk->here.path;
        char *path;

        if (strcmp(name, "..") == 0) {
                char *slash;

                path = strdup(walk->here.path);
                slash = path ? strrchr(path, '/') : NULL;
                if (slash)
                        slash[slash == path ? 1 : 0] = '\0';
                return path;
        }
        return asprintf(&path, "%s/%s", here, name) < 0 ? NULL : path;
}

static int go_to_root(struct walk *walk) {
        struct place root = PLACE_EMPTY;
        struct statx stx = { 0 };
        int r;

        r = step_open(AT_FDCWD, "/", &root, &stx);
        if (r < 0)
                return verdict_from_errno(-r, VERDICT_ABSENT);
        root.path = strdup("/");
        if (!root.path) {
                place_clear(&root);
                return -ENOMEM;
        }
        place_clear(&walk->here);
        walk->here = root;
        return is_roots_alone(&stx) ? 0 : blame(walk, "/", VERDICT_FOREIGN);
}

/* Puts the target of a symbolic link before the rest; see readlink(2) on the empty path for O_PATH descriptors. */
static int follow(struct walk *walk, const struct place *link) {
        char target[PATH_MAX], joined[PATH_MAX];
        ssize_t n;

        n = readlinkat(link->fd, "", target, sizeof target - 1);
        if (n < 0)
                return verdict_from_errno(errno, VERDICT_ABSENT);
        target[n] = '\0';

        if (++walk->symlinks > SYMLINKS_MAX ||
            (size_t) snprintf(joined, sizeof joined, "%s/%s", target, walk->rest) >= sizeof joined)
                return blame(walk, link->path, VERDICT_ABSENT);
        strcpy(walk->rest, joined);

        return target[0] == '/' ? go_to_root(walk) : 0;
}

static int step(struct walk *walk, const char *name) {
        _cleanup_(place_clear) struct place next = PLACE_EMPTY;
        struct statx stx = { 0 };
        int r;

        next.path = child_path(walk, name);
        if (!next.path)
                return -ENOMEM;

        r = step_open(walk->here.fd, name, &next, &stx);
        if (r < 0)
                return blame(walk, next.path, verdict_from_errno(-r, VERDICT_ABSENT));

        if (walk->one_mount && S_ISLNK(stx.stx_mode))
                return blame(walk, next.path, VERDICT_SYMLINK);
        if (walk->one_mount && next.mount_id != walk->here.mount_id)
                return blame(walk, next.path, VERDICT_OTHER_MOUNT);
        if (!is_roots_alone(&stx))
                return blame(walk, next.path, VERDICT_FOREIGN);
        if (S_ISLNK(stx.stx_mode))
                return follow(walk, &next);

        place_clear(&walk->here);
        walk->here = next;
        next = PLACE_EMPTY;
        return 0;
}

static int walk_all(struct walk *walk) {
        char name[PATH_MAX];
        int r = 0;

        while (r == 0 && next_component(walk, name) > 0)
                if (strcmp(name, ".") != 0)
                        r = step(walk, name);
        return r;
}

/**
 * tree_open_directory() - resolve an origin's directory from the root of the file system
 * @directory:          absolute path; symbolic links in it are followed
 * @ret:                the directory; owned by the caller
 * @ret_culprit:        set to the path that a refusal is about; owned by the caller
 *
 * Each directory and symbolic link on the way must be root's alone, for whoever may replace one of them decides what
 * the origin is.
 *
 * Return: 0, VERDICT_NO_DIRECTORY, VERDICT_DIRECTORY_FOREIGN, or a negative errno.
 */
int tree_open_directory(const char *directory, struct place *ret, char **ret_culprit) {
        struct walk walk = { .here = PLACE_EMPTY, .culprit = ret_culprit };
        struct stat st;
        int r;

        if (strlen(directory) >= sizeof walk.rest)
                return VERDICT_NO_DIRECTORY;
        strcpy(walk.rest, directory);

        r = go_to_root(&walk);
        if (r == 0)
                r = walk_all(&walk);
        if (r == 0 && (fstat(walk.here.fd, &st) < 0 || !S_ISDIR(st.st_mode)))
                r = blame(&walk, walk.here.path, VERDICT_ABSENT);
        if (r != 0) {
                place_clear(&walk.here);
                return r == VERDICT_FOREIGN ? VERDICT_DIRECTORY_FOREIGN : r > 0 ? VERDICT_NO_DIRECTORY : r;
        }
        *ret = walk.here;
        return 0;
}

/* A path that the kernel made has none of these; one that has them is no path of the kernel's. */
static bool is_canonical(const char *relative) {
        for (const char *p = relative;; p++) {
                size_t n = strcspn(p, "/");

                if (n == 0 || (n == 1 && p[0] == '.') || (n == 2 && p[0] == '.' && p[1] == '.'))
                        return false;
                p += n;
                if (!*p)
                        return true;
        }
}

/**
 * tree_walk() - walk down from an origin's directory
 * @directory:          where to start, from tree_open_directory()
 * @relative:           the path below it
 * @ret:                what stands there, opened with O_PATH; owned by the caller
 * @ret_culprit:        set to the path that a refusal is about; owned by the caller
 *
 * Each component must be on the mount of @directory, no symbolic link, and root's alone.
 *
 * Return: 0, VERDICT_ABSENT, VERDICT_SYMLINK, VERDICT_OTHER_MOUNT, VERDICT_FOREIGN, or a negative errno.
 */
int tree_walk(const struct place *directory, const char *relative, struct place *ret, char **ret_culprit) {
        struct walk walk = { .here = PLACE_EMPTY, .one_mount = true, .culprit = ret_culprit };
        int r;

        if (!is_canonical(relative) || strlen(relative) >= sizeof walk.rest)
                return VERDICT_ABSENT;
        strcpy(walk.rest, relative);

        walk.here.path = strdup(directory->path);
        walk.here.mount_id = directory->mount_id;
        walk.here.fd = fcntl(directory->fd, F_DUPFD_CLOEXEC, 3);
        if (walk.here.fd < 0 || !walk.here.path)
                r = walk.here.path ? -errno : -ENOMEM;
        else
                r = walk_all(&walk);
        if (r != 0) {
                place_clear(&walk.here);
                return r;
        }
        *ret = walk.here;
        return 0;
}
