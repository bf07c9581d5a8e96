/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Table
 *
 * The table of a process's descriptors, and how its main thread gets out of it. A stranger's descriptor can take for good
 * to close, for whoever closes it; but a thread can go on with a new table that does not have it, see CLOSE_RANGE_UNSHARE
 * in close_range(2). The old one stays with the threads that are still in it, and the kernel closes what it has when the
 * last of them has left.
 *
 * The new table begins as a copy of what is below TABLE_FIRST, where no stranger's descriptor may be. Of the rest, what is
 * still needed goes by way of a socket, unix(7), from the old table into the new one, to the same number: so nobody
 * notices, epoll(7) included, which goes by file and number. A copy of a stranger's is closed nowhere on that way.
 */

#include <assert.h>
#include <dirent.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/param.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "cleanup.h"
#include "table.h"

/* SCM_MAX_FD in the kernel. */
#define MESSAGE_FDS 253

union control {
        struct cmsghdr align;
        char buffer[CMSG_SPACE(MESSAGE_FDS * sizeof(int))];
};

static int compare(const void *a, const void *b) {
        int x = *(const int *) a, y = *(const int *) b;

        return (x > y) - (x < y);
}

static bool contains(const int *fds, size_t n, int fd) {
        return n > 0 && bsearch(&fd, fds, n, sizeof *fds, compare);
}

/**
 * table_reserve() - take all numbers below TABLE_FIRST that nothing has yet
 * @null_fd:    /dev/null, below TABLE_FIRST
 *
 * To be called when all that stays has been opened, and before there is a stranger's descriptor.
 *
 * Return: 0 or a negative errno.
 */
int table_reserve(int null_fd) {
        int fd;

        do {
                fd = fcntl(null_fd, F_DUPFD_CLOEXEC, 0);
                if (fd < 0)
                        return -errno;
        } while (fd < TABLE_FIRST - 1);
        if (fd >= TABLE_FIRST)
                (void) close(fd);
        return 0;
}

/* What this thread has open from TABLE_FIRST up, but for what is left; ascending. */
static int list_taken(const int *left, size_t n_left, int **ret, size_t *ret_n) {
        _cleanup_free_ int *fds = NULL;
        size_t n = 0, size = 0;
        const struct dirent *entry;
        DIR *directory;
        int error;

        directory = opendir("/proc/thread-self/fd");
        if (!directory)
                return -errno;
        while (errno = 0, entry = readdir(directory)) {
                long fd = strtol(entry->d_name, NULL, 10);

                if (fd < TABLE_FIRST || fd == dirfd(directory) || contains(left, n_left, (int) fd))
                        continue;
                if (n == size) {
                        int *more;

                        size = size * 2 + 64;
                        more = reallocarray(fds, size, sizeof *fds);
                        if (!more) {
                                errno = ENOMEM;
                                break;
                        }
                        fds = more;
                }
                fds[n++] = (int) fd;
        }
        error = errno;
        (void) closedir(directory);
        if (error != 0)
                return -error;
        if (n > 0)
                qsort(fds, n, sizeof *fds, compare);
        *ret = fds;
        *ret_n = n;
        fds = NULL;
        return 0;
}

static int list_own(struct table_split *split, const int *lent, size_t n_lent) {
        if (split->n_taken == 0)
                return 0;
        split->own = calloc(split->n_taken, sizeof *split->own);
        if (!split->own)
                return -ENOMEM;
        for (size_t i = 0; i < split->n_taken; i++)
                if (!contains(lent, n_lent, split->taken[i]))
                        split->own[split->n_own++] = split->taken[i];
        return 0;
}

/* Unlike fstat(2), does not ask the file. */
static bool is_socket(int fd) {
        socklen_t size = sizeof(int);
        int domain;

        return getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &size) == 0;
}

static int send_some(const struct table_split *split, const int *fds, size_t n, const int *lent,
                     size_t n_lent) {
        union control control = { 0 };
        struct iovec iov = { .iov_base = &(char){ 0 }, .iov_len = 1 };
        struct msghdr message = {
                .msg_iov = &iov,
                .msg_iovlen = 1,
                .msg_control = control.buffer,
                .msg_controllen = CMSG_SPACE(n * sizeof(int)),
        };
        struct cmsghdr *c = CMSG_FIRSTHDR(&message);
        int numbers[MESSAGE_FDS] = { 0 };

        /* A stranger's socket may have been made one that cannot be sent on (ETOOMANYREFS); a module it is none. */
        for (size_t i = 0; i < n; i++)
                numbers[i] = contains(lent, n_lent, fds[i]) && is_socket(fds[i]) ? split->null_fd : fds[i];
        c->cmsg_level = SOL_SOCKET;
        c->cmsg_type = SCM_RIGHTS;
        c->cmsg_len = CMSG_LEN(n * sizeof(int));
        memcpy(CMSG_DATA(c), numbers, n * sizeof(int));
        return sendmsg(split->sockets[0], &message, MSG_DONTWAIT | MSG_NOSIGNAL) < 0 ? -errno : 0;
}

/* Where they land is the lowest numbers that are free, in the order in which they were sent. */
static int receive_some(const struct table_split *split, const int *fds, size_t n) {
        union control control;
        char byte;
        struct iovec iov = { .iov_base = &byte, .iov_len = 1 };
        struct msghdr message = {
                .msg_iov = &iov,
                .msg_iovlen = 1,
                .msg_control = control.buffer,
                .msg_controllen = sizeof control.buffer,
        };
        const struct cmsghdr *c;

        /* Not recvmsg(): a program may have one of its own. */
        if (syscall(SYS_recvmsg, split->sockets[1], &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC) != 1)
                return -EIO;
        c = CMSG_FIRSTHDR(&message);
        if (!c || c->cmsg_len != CMSG_LEN(n * sizeof(int)) ||
            memcmp(CMSG_DATA(c), fds, n * sizeof(int)) != 0)
                return -EIO;
        return 0;
}

/**
 * table_prepare() - put on its way what is needed in the new table
 * @split:      with its sockets and its null_fd set, and all else 0; to be given to table_split_clear(), whatever this returns
 * @left:       strangers' descriptors that are needed no more; will be sorted
 * @n_left:     how many
 * @lent:       strangers' descriptors that are needed still; will be sorted. /dev/null takes the place of a socket.
 * @n_lent:     how many
 *
 * Return: 0 or a negative errno.
 */
int table_prepare(struct table_split *split, int *left, size_t n_left, int *lent, size_t n_lent) {
        int r;

        if (n_left > 0)
                qsort(left, n_left, sizeof *left, compare);
        if (n_lent > 0)
                qsort(lent, n_lent, sizeof *lent, compare);
        r = list_taken(left, n_left, &split->taken, &split->n_taken);
        if (r == 0)
                r = list_own(split, lent, n_lent);
        for (size_t i = 0; r == 0 && i < split->n_taken; i += MESSAGE_FDS) {
                r = send_some(split, split->taken + i, MIN(split->n_taken - i, (size_t) MESSAGE_FDS), lent,
                              n_lent);
                split->n_sent += r == 0;
        }
        return r;
}

/* So that nothing lands between them. */
static int fill_gaps(const struct table_split *split) {
        int fd = TABLE_FIRST;

        for (size_t i = 0; i < split->n_taken; fd = split->taken[i++] + 1)
                for (; fd < split->taken[i]; fd++)
                        if (dup3(split->null_fd, fd, O_CLOEXEC) < 0)
                                return -errno;
        return 0;
}

static void empty_gaps(const struct table_split *split) {
        int fd = TABLE_FIRST;

        for (size_t i = 0; i < split->n_taken; fd = split->taken[i++] + 1)
                if (fd < split->taken[i])
                        (void) close_range((unsigned) fd, (unsigned) split->taken[i] - 1, 0);
}

/**
 * table_leave() - go on with a new table
 * @split:      as table_prepare() left it
 *
 * Another thread must be in the old table, and stay there until this has returned: without one there would be no new table,
 * and all that is left behind would be closed here.
 *
 * Return: 0; 1 if the table is a new one but lacks something, so that the process had better end; or a negative errno:
 * nothing has changed.
 */
int table_leave(struct table_split *split) {
        int r;

        if (close_range(TABLE_FIRST, ~0U, CLOSE_RANGE_UNSHARE) < 0)
                return -errno;
        r = fill_gaps(split);
        for (size_t i = 0; r == 0 && i < split->n_taken; i += MESSAGE_FDS) {
                r = receive_some(split, split->taken + i, MIN(split->n_taken - i, (size_t) MESSAGE_FDS));
                split->n_sent--;
        }
        empty_gaps(split);
        return r < 0 ? 1 : 0;
}

/**
 * table_strip() - close what does not belong to strangers in the table that was left
 * @split:      what has been taken over
 * @event_fd:   to be spared, below TABLE_FIRST; as is @split's null_fd
 *
 * To be called by a thread that is still in it. Otherwise whoever is at the other end of a connection would take it for open
 * as long as that table lasts.
 */
void table_strip(const struct table_split *split, int event_fd) {
        for (int fd = 0; fd < TABLE_FIRST; fd++)
                if (fd != event_fd && fd != split->null_fd)
                        (void) close(fd);
        for (size_t i = 0; i < split->n_own; i++)
                (void) close(split->own[i]);
}

/**
 * table_forsake() - leave a table and take nothing along
 *
 * The last thread to leave closes, in here, what the table has; that can take for good.
 */
void table_forsake(void) {
        (void) close_range(TABLE_FIRST, ~0U, CLOSE_RANGE_UNSHARE);
}

/**
 * table_split_clear() - give back what table_prepare() has made
 * @split:      the split; what is still on its way is dropped, which flushes nothing, unlike close(2)
 */
void table_split_clear(struct table_split *split) {
        char byte;

        for (; split->n_sent > 0; split->n_sent--)
                (void) recv(split->sockets[1], &byte, 1, MSG_DONTWAIT);
        free(split->taken);
        free(split->own);
        split->taken = split->own = NULL;
        split->n_taken = split->n_own = 0;
}
