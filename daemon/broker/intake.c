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
 * sd-bus drops what it takes for malformed (a path of more than 64 KiB, a signature that is nested too deeply) before a
 * filter sees it, and forgets the numbers that came with it; the bus is not as strict and relays it. So the stream is followed
 * here: what nobody has taken when the next message begins is a stray.
 *
 * What recvmsg() has to say can only be left in variables of the file.
 */

#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/param.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "intake.h"

/* What each message begins with: byte order first, at 4 the length of the body, at 12 that of the fields. */
#define HEAD_SIZE 16
/* By which the copies of null_fd are known; it is never sent. */
#define MARK (SIGRTMIN + 7)

static int null_fd = -1, stream_fd = -1;
static struct arrival arrivals[INTAKE_MAX];
static size_t n_arrivals;
static intake_stray_t on_stray;
static void *stray_userdata;
/* How far the stream has come. */
static enum { AUTHENTICATION, MESSAGES } phase;
static unsigned char head[HEAD_SIZE]; /* of a message, or of a line while there are lines */
static size_t n_head;                 /* 0: between two */
static uint64_t rest;                 /* of the message, behind its head */

static uint32_t number(size_t at) {
        uint32_t value;

        memcpy(&value, head + at, sizeof value);
        return head[0] == 'l' ? le32toh(value) : be32toh(value);
}

/* Whether the line in @head is the last before the messages; see "Authentication Protocol" in the D-Bus Specification. */
static bool is_last_line(void) {
        static const char *const last[] = { "AGREE_UNIX_FD", "ERROR", "BEGIN" };

        for (size_t i = 0; i < sizeof last / sizeof *last; i++)
                if (n_head >= strlen(last[i]) && memcmp(head, last[i], strlen(last[i])) == 0)
                        return true;
        return false;
}

/* Return: how many bytes were of lines; a message may follow at once. */
static size_t follow_lines(const unsigned char *bytes, size_t n) {
        size_t i = 0;

        while (i < n && phase == AUTHENTICATION) {
                unsigned char byte = bytes[i++];

                /* A client sends a NUL before all else. */
                if (byte == '\n') {
                        if (is_last_line())
                                phase = MESSAGES;
                        n_head = 0;
                } else if (byte != '\0' && n_head < HEAD_SIZE)
                        head[n_head++] = byte;
        }
        return i;
}

static void follow_messages(const unsigned char *bytes, size_t n) {
        while (n > 0) {
                size_t part = MIN(n_head < HEAD_SIZE ? HEAD_SIZE - n_head : rest, n);

                if (n_head == HEAD_SIZE)
                        rest -= part;
                else {
                        memcpy(head + n_head, bytes, part);
                        n_head += part;
                        if (n_head == HEAD_SIZE)
                                rest = (uint64_t) number(4) + ((uint64_t) number(12) + 7) / 8 * 8;
                }
                if (n_head == HEAD_SIZE && rest == 0)
                        n_head = 0;
                bytes += part;
                n -= part;
        }
}

static void follow(const unsigned char *bytes, size_t n) {
        size_t lines = follow_lines(bytes, n);

        follow_messages(bytes + lines, n - lines);
}

/* The message that these came with was dropped. Its own numbers are closed if nobody else has done so. */
static size_t collect_strays(int fds[static INTAKE_MAX]) {
        size_t n = n_arrivals;

        for (size_t i = 0; i < n; i++) {
                fds[i] = arrivals[i].fd;
                if (arrivals[i].shown >= 0 && fcntl(arrivals[i].shown, F_GETSIG) == MARK)
                        (void) close(arrivals[i].shown);
        }
        n_arrivals = 0;
        return n;
}

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
        size_t n_strays = 0;
        int strays[INTAKE_MAX];

        if (n <= 0 || null_fd < 0)
                return n;
        if (fd == stream_fd) {
                if (phase == MESSAGES && n_head == 0)
                        n_strays = collect_strays(strays);
                follow(message->msg_iov->iov_base, (size_t) n);
        }
        for (struct cmsghdr *c = CMSG_FIRSTHDR(message); c; c = CMSG_NXTHDR(message, c))
                if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_RIGHTS)
                        take(c);
        /* Last, for this may leave the table, which must know what has come in. */
        if (n_strays > 0)
                on_stray(strays, n_strays, stray_userdata);
        return n;
}

/**
 * intake_begin() - take descriptors out of messages from now on
 * @stream:     the connection to the bus; nothing has been read from it yet
 * @stray:      called with the descriptors of a message that no filter saw, which are its own to close
 * @userdata:   handed to @stray
 *
 * Return: 0 or a negative errno.
 */
int intake_begin(int stream, intake_stray_t stray, void *userdata) {
        stream_fd = stream;
        phase = AUTHENTICATION;
        n_head = 0;
        on_stray = stray;
        stray_userdata = userdata;
        if (null_fd < 0)
                null_fd = open("/dev/null", O_RDWR | O_CLOEXEC);
        return null_fd < 0 || fcntl(null_fd, F_SETSIG, MARK) < 0 ? -errno : 0;
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
        size_t n;

        /* No reply from the bus but one of sd-bus's own making, while a stranger's message is coming in. */
        if (phase == MESSAGES && n_head > 0)
                return;
        n = intake_take(taken);
        for (size_t i = 0; i < n; i++)
                (void) close(taken[i].fd);
}
