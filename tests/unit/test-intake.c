/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Two ends of a bus in one process: what one sends in a message, the other must find taken out of it, by a recvmsg()
 * that libsystemd calls and that is not the C library's.
 */

#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <stdbool.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <systemd/sd-bus.h>
#include <unistd.h>

#include "intake.h"
#include "support.h"

/* Many times what a socket holds. */
#define LONG_SIZE ((size_t) 4 * 1024 * 1024)
#define ROUNDS_MAX 100000

/* sd-bus forgets the list of numbers that came with a message that it drops; see lsan_interface.h. */
const char *__lsan_default_suppressions(void);

const char *__lsan_default_suppressions(void) {
        return "leak:libsystemd.so";
}

struct fixture {
        sd_bus *server, *client;
        int client_fd;
        size_t descriptors;
        struct arrival arrivals[INTAKE_MAX]; /* as the filter found them */
        size_t n;
        unsigned messages;
        int mentioned[2];
        int errors;
        bool discards; /* instead of taking */
        int strays[INTAKE_MAX];
        size_t n_strays;
};

static bool is_null(int fd) {
        struct stat st;

        g_assert_no_errno(fstat(fd, &st));
        return S_ISCHR(st.st_mode) && st.st_rdev == makedev(1, 3);
}

static void on_stray(const int *fds, size_t n, void *userdata) {
        struct fixture *f = userdata;

        g_assert_cmpuint(f->n_strays + n, <=, INTAKE_MAX);
        memcpy(f->strays + f->n_strays, fds, n * sizeof *fds);
        f->n_strays += n;
}

static int on_message(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        struct fixture *f = userdata;

        (void) error;
        f->messages++;
        if (f->discards)
                intake_discard();
        else
                f->n = intake_take(f->arrivals);
        f->errors = sd_bus_message_read(message, "hh", &f->mentioned[0], &f->mentioned[1]);
        for (size_t i = 0; i < 2; i++)
                g_assert_true(f->mentioned[i] < 0 || is_null(f->mentioned[i]));
        return 1;
}

/* Return: whether anything was done. */
static bool turn(struct fixture *f) {
        int r, q;

        r = sd_bus_process(f->client, NULL);
        g_assert_cmpint(r, >=, 0);
        q = sd_bus_process(f->server, NULL);
        g_assert_cmpint(q, >=, 0);
        return r > 0 || q > 0;
}

static void set_up(struct fixture *f, gconstpointer data) {
        sd_id128_t id = SD_ID128_MAKE(0, 11, 22, 33, 44, 55, 66, 77, 88, 99, aa, bb, cc, dd, ee, ff);
        int ends[2];

        (void) data;
        g_assert_cmpint(intake_begin(-1, NULL, NULL), ==, 0);
        f->descriptors = support_count_descriptors();
        g_assert_no_errno(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends));
        g_assert_cmpint(intake_begin(ends[0], on_stray, f), ==, 0);
        f->client_fd = ends[1];
        g_assert_cmpint(sd_bus_new(&f->server), >=, 0);
        g_assert_cmpint(sd_bus_set_fd(f->server, ends[0], ends[0]), >=, 0);
        g_assert_cmpint(sd_bus_set_server(f->server, 1, id), >=, 0);
        g_assert_cmpint(sd_bus_negotiate_fds(f->server, 1), >=, 0);
        g_assert_cmpint(sd_bus_new(&f->client), >=, 0);
        g_assert_cmpint(sd_bus_set_fd(f->client, ends[1], ends[1]), >=, 0);
        g_assert_cmpint(sd_bus_negotiate_fds(f->client, 1), >=, 0);
        g_assert_cmpint(sd_bus_start(f->server), >=, 0);
        g_assert_cmpint(sd_bus_start(f->client), >=, 0);
        g_assert_cmpint(sd_bus_add_filter(f->server, NULL, on_message, f), >=, 0);
        for (int i = 0;
             i < ROUNDS_MAX && !(sd_bus_is_ready(f->client) > 0 && sd_bus_is_ready(f->server) > 0); i++)
                (void) turn(f);
        g_assert_cmpint(sd_bus_can_send(f->client, SD_BUS_TYPE_UNIX_FD), >, 0);
}

static void tear_down(struct fixture *f, gconstpointer data) {
        (void) data;
        for (size_t i = 0; i < f->n; i++)
                (void) close(f->arrivals[i].fd);
        sd_bus_flush_close_unref(f->client);
        sd_bus_close_unref(f->server);
        g_assert_cmpuint(support_count_descriptors(), ==, f->descriptors);
}

static void submit(struct fixture *f, int a, int b, size_t size) {
        g_autofree char *text = g_strnfill(size, 'x');
        sd_bus_message *message;

        g_assert_cmpint(sd_bus_message_new_method_call(f->client, &message, NULL, "/x", "x.Y", "Z"), >=, 0);
        g_assert_cmpint(sd_bus_message_append(message, "hhs", a, b, text), >=, 0);
        g_assert_cmpint(sd_bus_message_set_expect_reply(message, 0), >=, 0);
        g_assert_cmpint(sd_bus_send(f->client, message, NULL), >=, 0);
        sd_bus_message_unref(message);
}

static bool is_same(int a, int b) {
        struct stat st, other;

        g_assert_no_errno(fstat(a, &st));
        g_assert_no_errno(fstat(b, &other));
        return st.st_dev == other.st_dev && st.st_ino == other.st_ino;
}

/* The two that were sent have been taken, and what the message has in their place is /dev/null, each a number of its own. */
static void expect(const struct fixture *f, int a, int b) {
        g_assert_cmpuint(f->messages, ==, 1);
        g_assert_cmpint(f->errors, >=, 0);
        g_assert_cmpuint(f->n, ==, 2);
        g_assert_true(is_same(f->arrivals[0].fd, a));
        g_assert_true(is_same(f->arrivals[1].fd, b));
        g_assert_cmpint(fcntl(f->arrivals[0].fd, F_GETFD), ==, FD_CLOEXEC);
        g_assert_cmpint(f->mentioned[0], ==, f->arrivals[0].shown);
        g_assert_cmpint(f->mentioned[1], ==, f->arrivals[1].shown);
        g_assert_cmpint(f->mentioned[0], !=, f->mentioned[1]);
}

static void test_short(struct fixture *f, gconstpointer data) {
        int a = support_open("/proc/self/status"), b = support_open("/proc/self/stat");

        (void) data;
        submit(f, a, b, 1);
        while (f->messages == 0)
                g_assert_true(turn(f));
        expect(f, a, b);
        (void) close(a);
        (void) close(b);
}

/* The descriptors come long before the message's end; what is opened in between is not among them. */
static void test_in_pieces(struct fixture *f, gconstpointer data) {
        int a = support_open("/proc/self/status"), b = support_open("/proc/self/stat"), ours[32];
        int small = 65536;
        size_t rounds = 0;

        (void) data;
        /* libsystemd has made it as large as it could. */
        g_assert_no_errno(setsockopt(f->client_fd, SOL_SOCKET, SO_SNDBUF, &small, sizeof small));
        submit(f, a, b, LONG_SIZE);
        while (f->messages == 0) {
                g_assert_true(turn(f));
                if (f->messages == 0 && rounds < G_N_ELEMENTS(ours))
                        ours[rounds++] = support_open("/dev/zero");
        }
        g_assert_cmpuint(rounds, >, 2);
        expect(f, a, b);
        for (size_t i = 0; i < rounds; i++)
                (void) close(ours[i]);
        (void) close(a);
        (void) close(b);
}

static void test_discard(struct fixture *f, gconstpointer data) {
        int a = support_open("/proc/self/status");
        size_t before;

        (void) data;
        before = support_count_descriptors();
        f->discards = true;
        submit(f, a, a, 1);
        while (f->messages == 0)
                g_assert_true(turn(f));
        g_assert_cmpuint(intake_take(f->arrivals), ==, 0);
        g_assert_cmpuint(support_count_descriptors(), ==, before);
        (void) close(a);
}

static void put_field(GByteArray *fields, guint8 code, char type, const void *value, guint32 length) {
        const guint8 start[] = { code, 1, (guint8) type, 0 }, zeros[8] = { 0 };

        g_byte_array_append(fields, zeros, (8 - fields->len % 8) % 8);
        g_byte_array_append(fields, start, sizeof start);
        g_byte_array_append(fields, (const guint8 *) &length, sizeof length);
        if (value)
                g_byte_array_append(fields, value, length + 1);
}

/* The bus relays it, and sd-bus has no paths that are so long. Several descriptors are with it. */
static void send_malformed(const struct fixture *f, int fd) {
        g_autoptr(GByteArray) fields = g_byte_array_new(), message = g_byte_array_new();
        g_autofree char *name = g_strnfill(70000, 'x'), *path = g_strconcat("/", name, NULL);
        const guint8 zeros[8] = { 0 };
        guint32 numbers[3] = { 0, 77, 0 };
        union {
                struct cmsghdr align;
                char buffer[CMSG_SPACE(2 * sizeof(int))];
        } control = { 0 };
        struct iovec iov;
        struct msghdr m = { .msg_iov = &iov,
                            .msg_iovlen = 1,
                            .msg_control = control.buffer,
                            .msg_controllen = sizeof control.buffer };

        put_field(fields, 1, 'o', path, (guint32) strlen(path));
        put_field(fields, 3, 's', "Z", 1);
        put_field(fields, 9, 'u', NULL, 2);
        numbers[2] = fields->len;
        g_byte_array_append(message,
                            (const guint8 *) (G_BYTE_ORDER == G_LITTLE_ENDIAN ? "l\1\1\1" : "B\1\1\1"), 4);
        g_byte_array_append(message, (const guint8 *) numbers, sizeof numbers);
        g_byte_array_append(message, fields->data, fields->len);
        g_byte_array_append(message, zeros, (8 - message->len % 8) % 8);

        m.msg_controllen = sizeof control.buffer;
        control.align = (struct cmsghdr){ .cmsg_len = CMSG_LEN(2 * sizeof(int)),
                                          .cmsg_level = SOL_SOCKET,
                                          .cmsg_type = SCM_RIGHTS };
        memcpy(CMSG_DATA(&control.align), (const int[]){ fd, fd }, 2 * sizeof(int));
        iov = (struct iovec){ message->data, message->len };
        g_assert_cmpint(sendmsg(f->client_fd, &m, 0), ==, (ssize_t) message->len);
}

/* No filter sees it; what came with it is not taken for the next one's, nor for the bus's own. */
static void test_malformed(struct fixture *f, gconstpointer data) {
        int a = support_open("/proc/self/status"), b = support_open("/proc/self/stat");

        (void) data;
        for (size_t i = 0; i < 3; i++)
                send_malformed(f, b);
        submit(f, a, a, 1);
        while (f->messages == 0)
                g_assert_true(turn(f));
        expect(f, a, a);
        g_assert_cmpuint(f->n_strays, ==, 6);
        for (size_t i = 0; i < f->n_strays; i++) {
                g_assert_true(is_same(f->strays[i], b));
                (void) close(f->strays[i]);
        }
        (void) close(a);
        (void) close(b);
}

/* No number is left for what would take its place: then the message has none, and nothing is lost. */
static void test_no_number_left(struct fixture *f, gconstpointer data) {
        int a = support_open("/proc/self/status"), fillers[256];
        struct rlimit limit, low;
        size_t n = 0;

        (void) data;
        submit(f, a, a, 1);
        while (sd_bus_process(f->client, NULL) > 0)
                ;
        g_assert_no_errno(getrlimit(RLIMIT_NOFILE, &limit));
        low = limit;
        low.rlim_cur = G_N_ELEMENTS(fillers);
        g_assert_no_errno(setrlimit(RLIMIT_NOFILE, &low));
        while ((fillers[n] = dup(a)) >= 0)
                n++;
        /* For the two that arrive, and for what takes the place of the first. */
        for (size_t i = 0; i < 3; i++)
                (void) close(fillers[--n]);

        while (f->messages == 0)
                g_assert_cmpint(sd_bus_process(f->server, NULL), >, 0);
        g_assert_no_errno(setrlimit(RLIMIT_NOFILE, &limit));
        g_assert_cmpuint(f->n, ==, 2);
        g_assert_true(is_same(f->arrivals[0].fd, a));
        g_assert_cmpint(f->arrivals[0].shown, >=, 0);
        g_assert_cmpint(f->arrivals[1].shown, ==, -1);
        while (n > 0)
                (void) close(fillers[--n]);
        (void) close(a);
}

int main(int argc, char *argv[]) {
        g_test_init(&argc, &argv, NULL);
#define ADD(name, function) g_test_add("/intake/" name, struct fixture, NULL, set_up, function, tear_down)
        ADD("short", test_short);
        ADD("in-pieces", test_in_pieces);
        ADD("discard", test_discard);
        ADD("malformed", test_malformed);
        ADD("no-number-left", test_no_number_left);
        return g_test_run();
}
