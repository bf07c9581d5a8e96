/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Intake
 *
 * Takes the descriptors out of the messages that come in over the bus, before sd-bus gets hold of them. It would close
 * them when it frees a message, which can take for good (closer.c says why); it tells only those that the body mentions;
 * and to keep each such message until its descriptors let go would let strangers fill the memory.
 *
 * So the recvmsg() here stands in for the C library's in this whole program, libsystemd included: a symbol is looked for
 * in the program first; see ld.so(8). In place of each descriptor the message gets one of /dev/null. Descriptors come
 * with the first piece of a message, and sd-bus does not read beyond the end of one, so what has been taken when a
 * filter sees a message came with it. A reply reaches no filter; only the bus itself sends replies with descriptors.
 *
 * What recvmsg() has to say can only be left in variables of the file.
 */

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "intake.h"

static int null_fd = -1;
static struct arrival arrivals[INTAKE_MAX];
static size_t n_arrivals;

static void take(struct cmsghdr *c) {
        unsigned char *data = CMSG_DATA(c);
        size_t n = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);

        for (size_t i = 0; i < n && n_arrivals < INTAKE_MAX; i++, data += sizeof(int)) {
                struct arrival *arrival = &arrivals[n_arrivals++];

                memcpy(&arrival->fd, data, sizeof(int));
                arrival->shown = fcntl(null_fd, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
                memcpy(data, &arrival->shown, sizeof(int));
        }
}

/* As recvmsg(2), but for what is said at the head of this file. */
ssize_t recvmsg(int fd, struct msghdr *message, int flags) {
        ssize_t n = syscall(SYS_recvmsg, fd, message, flags);

        if (n < 0 || null_fd < 0)
                return n;
        for (struct cmsghdr *c = CMSG_FIRSTHDR(message); c; c = CMSG_NXTHDR(message, c))
                if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_RIGHTS)
                        take(c);
        return n;
}

/**
 * intake_begin() - take descriptors out of messages from now on
 *
 * Return: 0 or a negative errno.
 */
int intake_begin(void) {
        if (null_fd < 0)
                null_fd = open("/dev/null", O_RDWR | O_CLOEXEC);
        return null_fd < 0 ? -errno : 0;
}

/**
 * intake_take() - the descriptors that came with a message
 * @ret:        the descriptors; owned by the caller
 *
 * To be called once for each message, from a filter.
 *
 * Return: how many.
 */
size_t intake_take(struct arrival ret[static INTAKE_MAX]) {
        size_t n = n_arrivals;

        memcpy(ret, arrivals, n * sizeof *ret);
        n_arrivals = 0;
        return n;
}

/**
 * intake_pending() - the descriptors of a message that has not come in completely
 * @ret:        the descriptors; borrowed
 *
 * Return: how many.
 */
size_t intake_pending(const struct arrival **ret) {
        *ret = arrivals;
        return n_arrivals;
}

/**
 * intake_discard() - close the descriptors that came with a message of the bus itself
 *
 * Since dbus 1.15.8 its answer to GetConnectionCredentials() brings a pidfd. To be called where a reply is handled.
 */
void intake_discard(void) {
        struct arrival taken[INTAKE_MAX];
        size_t n = intake_take(taken);

        for (size_t i = 0; i < n; i++)
                (void) close(taken[i].fd);
}
