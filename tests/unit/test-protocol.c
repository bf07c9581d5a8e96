/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "protocol.h"
#include "support.h"

/* As on the wire; the test says so apart from protocol.c, so that a change of either is seen. */
struct wire_request {
        uint32_t version, kind, flags, length;
        char text[8192];
};

struct wire_reply {
        uint32_t version, outcome, verdict, cause;
        int32_t error;
        uint32_t length;
        char text[8192];
};

#define REQUEST_HEAD offsetof(struct wire_request, text)
#define REPLY_HEAD offsetof(struct wire_reply, text)

struct fixture {
        int near, far;
        size_t descriptors;
};

static void set_up(struct fixture *f, gconstpointer data) {
        int ends[2];

        (void) data;
        f->descriptors = support_count_descriptors();
        g_assert_no_errno(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends));
        f->near = ends[0];
        f->far = ends[1];
}

static void tear_down(struct fixture *f, gconstpointer data) {
        (void) data;
        if (f->near >= 0)
                (void) close(f->near);
        (void) close(f->far);
        g_assert_cmpuint(support_count_descriptors(), ==, f->descriptors);
}

static void close_all(struct received_fds *received) {
        for (size_t i = 0; i < received->n; i++)
                g_assert_no_errno(close(received->fds[i]));
}

/* Sends a request with @n_fds descriptors and expects that just as many come out, whatever becomes of it. */
static void expect_request(const struct fixture *f, const struct wire_request *request, size_t size,
                           size_t n_fds, int expected) {
        static struct loader_request received;
        struct received_fds fds = { .n = 77 };
        int sent[PROTOCOL_FDS_MAX] = { 0 };

        for (size_t i = 0; i < n_fds; i++)
                g_assert_no_errno((sent[i] = open("/dev/null", O_RDONLY | O_CLOEXEC)));
        support_send(f->near, request, size, sent, n_fds);
        for (size_t i = 0; i < n_fds; i++)
                (void) close(sent[i]);

        g_assert_cmpint(protocol_receive_request(f->far, &received, &fds), ==, expected);
        g_assert_cmpuint(fds.n, ==, n_fds);
        close_all(&fds);
}

static const struct wire_request good_load = {
        .version = 1, .kind = REQUEST_LOAD, .flags = 3, .length = 3, .text = "a=1"
};
static const struct wire_request good_unload = {
        .version = 1, .kind = REQUEST_UNLOAD, .length = 3, .text = "foo"
};
static const struct wire_reply good_reply = {
        .version = 1, .outcome = OUTCOME_KERNEL, .error = 2, .length = 2, .text = "hi"
};

static void test_load(struct fixture *f, gconstpointer data) {
        static struct loader_request request = { .kind = REQUEST_LOAD,
                                                 .flags = 3,
                                                 .text = "a=\"x y\" b=\xff" },
                                     received;
        struct received_fds fds;
        struct stat a, b;
        int fd;

        (void) data;
        fd = support_open("/proc/self/exe");
        g_assert_cmpint(protocol_send_request(f->near, &request, fd), ==, 0);
        g_assert_cmpint(protocol_receive_request(f->far, &received, &fds), ==, 0);
        g_assert_cmpuint(received.kind, ==, REQUEST_LOAD);
        g_assert_cmpuint(received.flags, ==, 3);
        g_assert_cmpstr(received.text, ==, request.text);
        g_assert_cmpuint(fds.n, ==, 1);
        g_assert_no_errno(fstat(fd, &a));
        g_assert_no_errno(fstat(fds.fds[0], &b));
        g_assert_cmpuint(a.st_ino, ==, b.st_ino);
        g_assert_cmpint(fcntl(fds.fds[0], F_GETFD) & FD_CLOEXEC, ==, FD_CLOEXEC);
        close_all(&fds);
        (void) close(fd);
}

static void test_unload(struct fixture *f, gconstpointer data) {
        static struct loader_request request = { .kind = REQUEST_UNLOAD, .text = "foo" }, received;
        struct received_fds fds;

        (void) data;
        g_assert_cmpint(protocol_send_request(f->near, &request, -1), ==, 0);
        g_assert_cmpint(protocol_receive_request(f->far, &received, &fds), ==, 0);
        g_assert_cmpuint(received.kind, ==, REQUEST_UNLOAD);
        g_assert_cmpuint(received.flags, ==, 0);
        g_assert_cmpstr(received.text, ==, "foo");
        g_assert_cmpuint(fds.n, ==, 0);
}

static void test_longest(struct fixture *f, gconstpointer data) {
        static struct loader_request request = { .kind = REQUEST_UNLOAD }, received;
        static struct loader_reply reply = { .outcome = OUTCOME_FAILED,
                                             .error = INT32_MAX,
                                             .verdict = 7,
                                             .cause = CAUSE_INIT },
                                   answer;
        struct received_fds fds;

        (void) data;
        memset(request.text, 'x', PROTOCOL_PARAMETERS_MAX);
        g_assert_cmpint(protocol_send_request(f->near, &request, -1), ==, 0);
        g_assert_cmpint(protocol_receive_request(f->far, &received, &fds), ==, 0);
        g_assert_cmpstr(received.text, ==, request.text);

        memset(reply.text, 'y', PROTOCOL_TEXT_MAX);
        g_assert_cmpint(protocol_send_reply(f->near, &reply), ==, 0);
        g_assert_cmpint(protocol_receive_reply(f->far, &answer), ==, 0);
        g_assert_true(memcmp(&answer, &reply, sizeof reply) == 0);
}

static void test_replies(struct fixture *f, gconstpointer data) {
        (void) data;
        for (uint32_t outcome = OUTCOME_DONE; outcome <= OUTCOME_FAILED; outcome++) {
                static struct loader_reply reply, answer;

                reply = (struct loader_reply){
                        .outcome = outcome, .verdict = 3, .cause = CAUSE_SYMBOL, .error = 17, .text = "text"
                };
                g_assert_cmpint(protocol_send_reply(f->near, &reply), ==, 0);
                g_assert_cmpint(protocol_receive_reply(f->far, &answer), ==, 0);
                g_assert_cmpuint(answer.outcome, ==, outcome);
                g_assert_cmpuint(answer.verdict, ==, 3);
                g_assert_cmpuint(answer.cause, ==, CAUSE_SYMBOL);
                g_assert_cmpint(answer.error, ==, 17);
                g_assert_cmpstr(answer.text, ==, "text");
        }
}

static void test_numbers_of_descriptors(struct fixture *f, gconstpointer data) {
        static const size_t numbers[] = { 0, 1, 2, 3, 100, PROTOCOL_FDS_MAX };

        (void) data;
        for (size_t i = 0; i < G_N_ELEMENTS(numbers); i++) {
                size_t n = numbers[i];

                expect_request(f, &good_load, REQUEST_HEAD + 3, n, n == 1 ? 0 : -EBADMSG);
                expect_request(f, &good_unload, REQUEST_HEAD + 3, n, n == 0 ? 0 : -EBADMSG);
        }
}

static void test_malformed_requests(struct fixture *f, gconstpointer data) {
        struct wire_request bad;

        (void) data;
        expect_request(f, &good_load, REQUEST_HEAD + 3, 1, 0);

#define EXPECT_BAD(size, ...)                                                                               \
        do {                                                                                                \
                bad = good_load;                                                                            \
                __VA_ARGS__;                                                                                \
                expect_request(f, &bad, (size), 1, -EBADMSG);                                               \
        } while (0)

        EXPECT_BAD(REQUEST_HEAD + 3, bad.version = 0);
        EXPECT_BAD(REQUEST_HEAD + 3, bad.version = 2);
        EXPECT_BAD(REQUEST_HEAD + 3, bad.kind = 0);
        EXPECT_BAD(REQUEST_HEAD + 3, bad.kind = 3);
        EXPECT_BAD(REQUEST_HEAD + 3, bad.kind = UINT32_MAX);
        EXPECT_BAD(REQUEST_HEAD + 3, bad.length = 2);
        EXPECT_BAD(REQUEST_HEAD + 3, bad.length = 4);
        EXPECT_BAD(REQUEST_HEAD + 3, bad.length = UINT32_MAX);
        EXPECT_BAD(REQUEST_HEAD + 3, bad.text[1] = '\0');
        EXPECT_BAD(REQUEST_HEAD + 3, bad.text[2] = '\0');
        EXPECT_BAD(REQUEST_HEAD + 4, bad.length = 4);
        EXPECT_BAD(REQUEST_HEAD, bad.length = 3);
        EXPECT_BAD(REQUEST_HEAD - 1, (void) 0);
        EXPECT_BAD(1, (void) 0);
        /* One longer than there is room for, and far longer. */
        EXPECT_BAD(REQUEST_HEAD + 4096, bad.length = 4096, memset(bad.text, 'x', 4096));
        EXPECT_BAD(REQUEST_HEAD + 4097, bad.length = 4095, memset(bad.text, 'x', 4097));
        EXPECT_BAD(REQUEST_HEAD + 8192, bad.length = 8192, memset(bad.text, 'x', 8192));
#undef EXPECT_BAD
        /* And the connection still works. */
        expect_request(f, &good_load, REQUEST_HEAD + 3, 1, 0);
}

static void test_malformed_replies(struct fixture *f, gconstpointer data) {
        static struct loader_reply answer;
        struct wire_reply bad;

        (void) data;
        support_send(f->near, &good_reply, REPLY_HEAD + 2, NULL, 0);
        g_assert_cmpint(protocol_receive_reply(f->far, &answer), ==, 0);
        g_assert_cmpint(answer.error, ==, 2);

#define EXPECT_BAD(size, ...)                                                                               \
        do {                                                                                                \
                bad = good_reply;                                                                           \
                __VA_ARGS__;                                                                                \
                support_send(f->near, &bad, (size), NULL, 0);                                               \
                g_assert_cmpint(protocol_receive_reply(f->far, &answer), ==, -EBADMSG);                     \
        } while (0)

        EXPECT_BAD(REPLY_HEAD + 2, bad.version = 0);
        EXPECT_BAD(REPLY_HEAD + 2, bad.outcome = OUTCOME_FAILED + 1);
        EXPECT_BAD(REPLY_HEAD + 2, bad.outcome = UINT32_MAX);
        EXPECT_BAD(REPLY_HEAD + 2, bad.cause = CAUSE_INIT + 1);
        EXPECT_BAD(REPLY_HEAD + 2, bad.cause = UINT32_MAX);
        EXPECT_BAD(REPLY_HEAD + 2, bad.error = -1);
        EXPECT_BAD(REPLY_HEAD + 2, bad.error = INT32_MIN);
        EXPECT_BAD(REPLY_HEAD + 2, bad.length = 1);
        EXPECT_BAD(REPLY_HEAD + 2, bad.text[0] = '\0');
        EXPECT_BAD(REPLY_HEAD - 1, (void) 0);
        EXPECT_BAD(REPLY_HEAD + 4096, bad.length = 4096, memset(bad.text, 'x', 4096));
#undef EXPECT_BAD
}

/* A loader sends none; one that was taken over shall not fill the broker's table. */
static void test_reply_with_descriptors(struct fixture *f, gconstpointer data) {
        static struct loader_reply answer;
        size_t before = support_count_descriptors();
        int fds[] = { f->near, f->near };

        (void) data;
        support_send(f->near, &good_reply, REPLY_HEAD + 2, fds, 2);
        g_assert_cmpint(protocol_receive_reply(f->far, &answer), ==, -EBADMSG);
        g_assert_cmpuint(support_count_descriptors(), ==, before);
}

static void test_nothing_there(struct fixture *f, gconstpointer data) {
        static struct loader_request request;
        static struct loader_reply reply;
        struct received_fds fds;

        (void) data;
        g_assert_cmpint(protocol_receive_request(f->far, &request, &fds), ==, -EAGAIN);
        g_assert_cmpuint(fds.n, ==, 0);
        g_assert_cmpint(protocol_receive_reply(f->far, &reply), ==, -EAGAIN);
}

static void test_end(struct fixture *f, gconstpointer data) {
        static struct loader_request request = { .kind = REQUEST_UNLOAD, .text = "foo" };
        static struct loader_reply reply;
        struct received_fds fds;

        (void) data;
        g_assert_cmpint(protocol_send_request(f->near, &request, -1), ==, 0);
        (void) close(f->near);
        f->near = -1;
        g_assert_cmpint(protocol_receive_request(f->far, &request, &fds), ==, 0);
        g_assert_cmpint(protocol_receive_request(f->far, &request, &fds), ==, -ENODATA);
        g_assert_cmpuint(fds.n, ==, 0);
        g_assert_cmpint(protocol_receive_reply(f->far, &reply), ==, -ENODATA);
        g_assert_cmpint(protocol_send_reply(f->far, &reply), ==, -EPIPE);
}

/* An empty packet with descriptors looks like the end; it must not leave them behind. */
static void test_empty_packet(struct fixture *f, gconstpointer data) {
        int fd = f->near;

        (void) data;
        expect_request(f, &good_load, 0, 0, -ENODATA);
        support_send(f->near, "", 0, &fd, 1);
        {
                static struct loader_request request;
                struct received_fds fds;

                g_assert_cmpint(protocol_receive_request(f->far, &request, &fds), ==, -ENODATA);
                g_assert_cmpuint(fds.n, ==, 1);
                close_all(&fds);
        }
}

static void test_full(struct fixture *f, gconstpointer data) {
        static struct loader_request request = { .kind = REQUEST_UNLOAD, .text = "foo" };
        int r = 0;

        (void) data;
        for (int i = 0; r == 0 && i < 100000; i++)
                r = protocol_send_request(f->near, &request, -1);
        g_assert_cmpint(r, ==, -EAGAIN);
}

static void test_garbage(struct fixture *f, gconstpointer data) {
        g_autoptr(GRand) rand = g_rand_new_with_seed(4711);

        (void) data;
        for (int i = 0; i < 3000; i++) {
                static struct loader_request request;
                static struct loader_reply reply;
                unsigned char bytes[256];
                size_t n = (size_t) g_rand_int_range(rand, 1, sizeof bytes);
                struct received_fds fds;
                int fd = f->near, r;

                for (size_t j = 0; j < n; j++)
                        bytes[j] = (unsigned char) g_rand_int_range(rand, 0, g_rand_boolean(rand) ? 4 : 256);
                if (n > 4 && g_rand_boolean(rand))
                        memcpy(bytes, &(uint32_t){ 1 }, 4);
                support_send(f->near, bytes, n, &fd, (size_t) g_rand_int_range(rand, 0, 2));
                r = protocol_receive_request(f->far, &request, &fds);
                g_assert_true(r == 0 || r == -EBADMSG);
                close_all(&fds);
                support_send(f->near, bytes, n, NULL, 0);
                r = protocol_receive_reply(f->far, &reply);
                g_assert_true(r == 0 || r == -EBADMSG);
        }
}

int main(int argc, char *argv[]) {
        g_test_init(&argc, &argv, NULL);
#define ADD(name, function) g_test_add("/protocol/" name, struct fixture, NULL, set_up, function, tear_down)
        ADD("load", test_load);
        ADD("unload", test_unload);
        ADD("longest", test_longest);
        ADD("replies", test_replies);
        ADD("numbers-of-descriptors", test_numbers_of_descriptors);
        ADD("malformed-requests", test_malformed_requests);
        ADD("malformed-replies", test_malformed_replies);
        ADD("reply-with-descriptors", test_reply_with_descriptors);
        ADD("nothing-there", test_nothing_there);
        ADD("end", test_end);
        ADD("empty-packet", test_empty_packet);
        ADD("full", test_full);
        ADD("garbage", test_garbage);
        return g_test_run();
}
