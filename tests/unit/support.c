/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <fts.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "support.h"

#define MODE 0644
/* In s: longer than any test, so that nothing but support_let_go() ends it. */
#define LINGER 30
/* SCM_MAX_FD in the kernel's include/net/scm.h: so many a message may have. */
#define FDS_MAX 253

/**
 * support_directory() - make a directory to work in
 *
 * As root it is below /run, where every directory on the way is root's alone.
 *
 * Return: its path, to be given to support_remove() and freed.
 */
char *support_directory(void) {
        char *path = g_strdup_printf("%s/moduled-test-XXXXXX", geteuid() == 0 ? "/run" : g_get_tmp_dir());

        g_assert_nonnull(g_mkdtemp_full(path, 0755));
        g_assert_no_errno(chmod(path, 0755));
        return path;
}

/**
 * support_remove() - remove a directory with all that is in it
 * @directory:  its path
 */
void support_remove(const char *directory) {
        g_autofree char *path = g_strdup(directory);
        char *const paths[] = { path, NULL };
        FTS *walk = fts_open(paths, FTS_PHYSICAL | FTS_XDEV, NULL);
        FTSENT *entry;

        g_assert_nonnull(walk);
        while ((entry = fts_read(walk))) {
                g_assert_true(entry->fts_info != FTS_ERR && entry->fts_info != FTS_DNR);
                if (entry->fts_info != FTS_D)
                        g_assert_no_errno(remove(entry->fts_accpath));
        }
        g_assert_no_errno(fts_close(walk));
}

/**
 * support_make_directory() - make a directory and those on the way to it
 * @path:       its path
 */
void support_make_directory(const char *path) {
        g_assert_no_errno(g_mkdir_with_parents(path, 0755));
}

/**
 * support_write_bytes() - write a file; what it was before is gone
 * @path:       its path; directories on the way are made
 * @bytes:      what to write
 * @n:          how much of it
 */
void support_write_bytes(const char *path, const void *bytes, size_t n) {
        g_autofree char *directory = g_path_get_dirname(path);
        int fd;

        support_make_directory(directory);
        (void) unlink(path);
        fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, MODE);
        g_assert_no_errno(fd);
        g_assert_cmpint(write(fd, bytes, n), ==, (gssize) n);
        g_assert_no_errno(fchmod(fd, MODE));
        g_assert_no_errno(close(fd));
}

/**
 * support_write() - write a file of text
 * @path:       as for support_write_bytes()
 * @text:       the text
 */
void support_write(const char *path, const char *text) {
        support_write_bytes(path, text, strlen(text));
}

/**
 * support_open() - open a file read-only, as a caller does
 * @path:       its path
 *
 * Return: the descriptor.
 */
int support_open(const char *path) {
        int fd = open(path, O_RDONLY | O_CLOEXEC);

        g_assert_no_errno(fd);
        return fd;
}

static size_t count_entries(const char *path) {
        DIR *directory = opendir(path);
        size_t n = 0;

        g_assert_nonnull(directory);
        while (readdir(directory))
                n++;
        (void) closedir(directory);
        return n - 2;
}

/**
 * support_count_descriptors() - how many descriptors this process has open
 *
 * Return: the number, without the one needed to count.
 */
size_t support_count_descriptors(void) {
        return count_entries("/proc/self/fd") - 1;
}

/**
 * support_count_threads() - how many threads this process has
 *
 * Return: the number, at least 1.
 */
size_t support_count_threads(void) {
        return count_entries("/proc/self/task");
}

/**
 * support_lingering_socket() - make a socket whose close waits for a peer that does not read
 * @ret_peer:   the peer, to be given to support_let_go()
 *
 * Return: the socket.
 */
int support_lingering_socket(int *ret_peer) {
        struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
        struct linger linger = { .l_onoff = 1, .l_linger = LINGER };
        socklen_t size = sizeof address;
        static char bytes[65536];
        int listening, fd, small = 4096;

        listening = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        g_assert_no_errno(listening);
        g_assert_no_errno(setsockopt(listening, SOL_SOCKET, SO_RCVBUF, &small, sizeof small));
        g_assert_no_errno(bind(listening, (struct sockaddr *) &address, sizeof address));
        g_assert_no_errno(listen(listening, 1));
        g_assert_no_errno(getsockname(listening, (struct sockaddr *) &address, &size));
        fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        g_assert_no_errno(fd);
        g_assert_no_errno(connect(fd, (struct sockaddr *) &address, size));
        *ret_peer = accept4(listening, NULL, NULL, SOCK_CLOEXEC);
        g_assert_no_errno(*ret_peer);
        (void) close(listening);
        g_assert_no_errno(setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, sizeof linger));
        while (send(fd, bytes, sizeof bytes, MSG_DONTWAIT) > 0)
                ;
        g_assert_cmpint(errno, ==, EAGAIN);
        return fd;
}

/**
 * support_let_go() - end the wait of whoever closes the socket
 * @peer:       the peer; closed
 */
void support_let_go(int peer) {
        struct linger reset = { .l_onoff = 1 };

        g_assert_no_errno(setsockopt(peer, SOL_SOCKET, SO_LINGER, &reset, sizeof reset));
        g_assert_no_errno(close(peer));
}

/**
 * support_send() - send a message with any bytes and descriptors
 * @connection: a socket of the kind AF_UNIX
 * @bytes:      what it says
 * @n:          how long that is, in bytes
 * @fds:        the descriptors
 * @n_fds:      how many there are, at most 253
 */
void support_send(int connection, const void *bytes, size_t n, const int *fds, size_t n_fds) {
        struct iovec iov = { .iov_base = (void *) bytes, .iov_len = n };
        union {
                struct cmsghdr align;
                char buffer[CMSG_SPACE(FDS_MAX * sizeof(int))];
        } control = { 0 };
        struct msghdr message = { .msg_iov = &iov, .msg_iovlen = 1 };

        g_assert_cmpuint(n_fds, <=, FDS_MAX);
        if (n_fds > 0) {
                struct cmsghdr *c;

                message.msg_control = control.buffer;
                message.msg_controllen = CMSG_SPACE(n_fds * sizeof(int));
                c = CMSG_FIRSTHDR(&message);
                c->cmsg_level = SOL_SOCKET;
                c->cmsg_type = SCM_RIGHTS;
                c->cmsg_len = CMSG_LEN(n_fds * sizeof(int));
                memcpy(CMSG_DATA(c), fds, n_fds * sizeof(int));
        }
        g_assert_cmpint(sendmsg(connection, &message, MSG_NOSIGNAL), ==, (gssize) n);
}
