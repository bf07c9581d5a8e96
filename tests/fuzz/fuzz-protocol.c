/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * What either end of the loader's socket may receive. The first byte says which end, and how many descriptors come
 * along; the rest is the packet.
 */

#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "cleanup.h"
#include "fuzz.h"
#include "protocol.h"

#define REPLIES 0x80
#define FDS_MAX 7

static int near_end = -1, far_end = -1;

static void connect_ends(void) {
        int ends[2];

        CHECK(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) == 0);
        near_end = ends[0];
        far_end = ends[1];
}

static void send_packet(const uint8_t *data, size_t size, size_t n_fds) {
        struct iovec iov = { .iov_base = (void *) data, .iov_len = size };
        union {
                struct cmsghdr align;
                char buffer[CMSG_SPACE(FDS_MAX * sizeof(int))];
        } control = { 0 };
        struct msghdr message = { .msg_iov = &iov, .msg_iovlen = 1 };

        if (n_fds > 0) {
                struct cmsghdr *c;

                message.msg_control = control.buffer;
                message.msg_controllen = CMSG_SPACE(n_fds * sizeof(int));
                c = CMSG_FIRSTHDR(&message);
                c->cmsg_level = SOL_SOCKET;
                c->cmsg_type = SCM_RIGHTS;
                c->cmsg_len = CMSG_LEN(n_fds * sizeof(int));
                for (size_t i = 0; i < n_fds; i++)
                        memcpy(CMSG_DATA(c) + i * sizeof(int), &near_end, sizeof(int));
        }
        CHECK(sendmsg(near_end, &message, MSG_NOSIGNAL | MSG_DONTWAIT) == (ssize_t) size);
}

static void close_all(const struct received_fds *fds, size_t expected) {
        CHECK(fds->n == expected);
        for (size_t i = 0; i < fds->n; i++)
                CHECK(close(fds->fds[i]) == 0);
}

/* What was understood once is understood the same again. */
static void receive_request(size_t size, size_t n_fds) {
        static struct loader_request request, again;
        struct received_fds fds;
        int r;

        r = protocol_receive_request(far_end, &request, &fds);
        close_all(&fds, n_fds);
        CHECK(r == 0 || r == -EBADMSG || (r == -ENODATA && size == 0));
        if (r < 0)
                return;
        CHECK(request.kind == REQUEST_LOAD || request.kind == REQUEST_UNLOAD);
        CHECK(strlen(request.text) <= PROTOCOL_PARAMETERS_MAX);
        CHECK(protocol_send_request(near_end, &request, n_fds > 0 ? near_end : -1) == 0);
        CHECK(protocol_receive_request(far_end, &again, &fds) == 0);
        close_all(&fds, n_fds);
        CHECK(again.kind == request.kind && again.flags == request.flags);
        CHECK(strcmp(again.text, request.text) == 0);
}

static void receive_reply(size_t size) {
        static struct loader_reply reply, again;
        int r;

        r = protocol_receive_reply(far_end, &reply);
        CHECK(r == 0 || r == -EBADMSG || (r == -ENODATA && size == 0));
        if (r < 0)
                return;
        CHECK(reply.error >= 0 && reply.cause <= CAUSE_INIT && strlen(reply.text) <= PROTOCOL_TEXT_MAX);
        CHECK(protocol_send_reply(near_end, &reply) == 0);
        CHECK(protocol_receive_reply(far_end, &again) == 0);
        CHECK(again.outcome == reply.outcome && again.verdict == reply.verdict &&
              again.cause == reply.cause && again.error == reply.error);
        CHECK(strcmp(again.text, reply.text) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        size_t n_fds;

        if (size == 0)
                return 0;
        if (near_end < 0)
                connect_ends();
        n_fds = data[0] % (FDS_MAX + 1);
        send_packet(data + 1, size - 1, n_fds);
        if (data[0] & REPLIES)
                receive_reply(size - 1);
        else
                receive_request(size - 1, n_fds);
        return 0;
}
