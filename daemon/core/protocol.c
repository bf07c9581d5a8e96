/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Protocol
 *
 * The messages between broker and loader, over a SOCK_SEQPACKET socket: each is one packet of a fixed head and a text
 * without its NUL. Both ends are of one build; the version in the head catches an upgrade of one alone. The loader
 * takes nothing for granted: a broker that was taken over may send anything.
 */

#include <assert.h>
#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "protocol.h"

#define PROTOCOL_VERSION 1

struct request_head {
        uint32_t version;
        uint32_t kind;
        uint32_t flags;
        uint32_t length;
};

struct reply_head {
        uint32_t version;
        uint32_t outcome;
        uint32_t verdict;
        uint32_t cause;
        int32_t error;
        uint32_t length;
};

union control {
        struct cmsghdr align;
        char buffer[CMSG_SPACE(PROTOCOL_FDS_MAX * sizeof(int))];
};

static int send_packet(int socket, void *head, size_t head_size, const char *text, size_t length, int fd) {
        struct iovec iov[] = {
                { .iov_base = head, .iov_len = head_size },
                { .iov_base = (void *) text, .iov_len = length },
        };
        union control control = { 0 };
        struct msghdr message = { .msg_iov = iov, .msg_iovlen = 2 };

        if (fd >= 0) {
                struct cmsghdr *c;

                message.msg_control = control.buffer;
                message.msg_controllen = CMSG_SPACE(sizeof fd);
                c = CMSG_FIRSTHDR(&message);
                c->cmsg_level = SOL_SOCKET;
                c->cmsg_type = SCM_RIGHTS;
                c->cmsg_len = CMSG_LEN(sizeof fd);
                memcpy(CMSG_DATA(c), &fd, sizeof fd);
        }
        return sendmsg(socket, &message, MSG_DONTWAIT | MSG_NOSIGNAL) < 0 ? -errno : 0;
}

/*
 * Where none are expected @ret_fds is NULL: the kernel closes what comes, and says so by MSG_CTRUNC.
 *
 * Return: the length of the text, 0 to its maximum; -ENODATA at the end of the connection; -EBADMSG; or another errno.
 */
static ssize_t receive_packet(int socket, void *head, size_t head_size, char *text, size_t text_size,
                              struct received_fds *ret_fds) {
        struct iovec iov[] = {
                { .iov_base = head, .iov_len = head_size },
                { .iov_base = text, .iov_len = text_size },
        };
        union control control;
        struct msghdr message = {
                .msg_iov = iov,
                .msg_iovlen = 2,
                .msg_control = ret_fds ? control.buffer : NULL,
                .msg_controllen = ret_fds ? sizeof control.buffer : 0,
        };
        ssize_t n;

        n = recvmsg(socket, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
        if (n < 0)
                return -errno;

        for (struct cmsghdr *c = ret_fds ? CMSG_FIRSTHDR(&message) : NULL; c; c = CMSG_NXTHDR(&message, c)) {
                size_t bytes = c->cmsg_len - CMSG_LEN(0);

                if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
                        continue;
                assert(bytes / sizeof(int) <= PROTOCOL_FDS_MAX - ret_fds->n);
                memcpy(ret_fds->fds + ret_fds->n, CMSG_DATA(c), bytes);
                ret_fds->n += bytes / sizeof(int);
        }
        if (n == 0)
                return -ENODATA;
        /* There is room in the message for all that can come, so there was none in the process. */
        if (message.msg_flags & MSG_CTRUNC && ret_fds)
                return -EMFILE;
        if ((size_t) n < head_size || (message.msg_flags & (MSG_TRUNC | MSG_CTRUNC)))
                return -EBADMSG;
        return n - (ssize_t) head_size;
}

static int check_text(char *text, size_t length, size_t announced, size_t size) {
        if (length != announced || length >= size || memchr(text, '\0', length))
                return -EBADMSG;
        text[length] = '\0';
        return 0;
}

/**
 * protocol_send_request() - ask the loader
 * @socket:     connection to the loader
 * @request:    the request
 * @fd:         the module's descriptor, borrowed; -1 for none
 *
 * Return: 0 or a negative errno.
 */
int protocol_send_request(int socket, const struct loader_request *request, int fd) {
        struct request_head head = {
                .version = PROTOCOL_VERSION,
                .kind = request->kind,
                .flags = request->flags,
                .length = (uint32_t) strlen(request->text),
        };

        return send_packet(socket, &head, sizeof head, request->text, head.length, fd);
}

/**
 * protocol_receive_request() - take a request from the broker
 * @socket:     connection from the broker
 * @ret:        the request
 * @ret_fds:    the descriptors that came with it, also when it is malformed; all to be closed by the caller
 *
 * Return: 0, -ENODATA at the end of the connection, -EBADMSG if it is malformed, -EAGAIN if there is none, -EMFILE if this
 * process has no room for its descriptors, or another negative errno.
 */
int protocol_receive_request(int socket, struct loader_request *ret, struct received_fds *ret_fds) {
        struct request_head head;
        ssize_t n;

        ret_fds->n = 0;
        n = receive_packet(socket, &head, sizeof head, ret->text, sizeof ret->text, ret_fds);
        if (n < 0)
                return (int) n;
        if (head.version != PROTOCOL_VERSION)
                return -EBADMSG;
        if (head.kind != REQUEST_LOAD && head.kind != REQUEST_UNLOAD)
                return -EBADMSG;
        if (ret_fds->n != (head.kind == REQUEST_LOAD ? 1 : 0))
                return -EBADMSG;

        ret->kind = head.kind;
        ret->flags = head.flags;
        return check_text(ret->text, (size_t) n, head.length, sizeof ret->text);
}

/**
 * protocol_send_reply() - answer the broker
 * @socket:     connection from the broker
 * @reply:      the answer
 *
 * Return: 0 or a negative errno.
 */
int protocol_send_reply(int socket, const struct loader_reply *reply) {
        struct reply_head head = {
                .version = PROTOCOL_VERSION,
                .outcome = reply->outcome,
                .verdict = reply->verdict,
                .cause = reply->cause,
                .error = reply->error,
                .length = (uint32_t) strlen(reply->text),
        };

        return send_packet(socket, &head, sizeof head, reply->text, head.length, -1);
}

/**
 * protocol_receive_reply() - take the loader's answer
 * @socket:     connection to the loader
 * @ret:        the answer
 *
 * Return: 0, -ENODATA at the end of the connection, -EBADMSG if it is malformed, -EAGAIN if there is none, or another
 * negative errno.
 */
int protocol_receive_reply(int socket, struct loader_reply *ret) {
        struct reply_head head;
        ssize_t n;

        n = receive_packet(socket, &head, sizeof head, ret->text, sizeof ret->text, NULL);
        if (n < 0)
                return (int) n;
        if (head.version != PROTOCOL_VERSION || head.outcome > OUTCOME_FAILED || head.cause > CAUSE_INIT ||
            head.error < 0)
                return -EBADMSG;

        ret->outcome = head.outcome;
        ret->verdict = head.verdict;
        ret->cause = head.cause;
        ret->error = head.error;
        return check_text(ret->text, (size_t) n, head.length, sizeof ret->text);
}
