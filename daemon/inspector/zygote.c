/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Zygote
 *
 * The process that the inspectors are forked from, and what reads modprobe.d. It is forked from the broker before that
 * has met anybody: so neither it nor its children inherit a thread, a connection to the bus, or a stranger's descriptor.
 * All it does is to fork a child for each order, to kill one, and to report how each inspector ended. It ends with the
 * connection to the broker, and its children end with it.
 */

#include <errno.h>
#include <linux/sockios.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "answer.h"
#include "cleanup.h"
#include "modinfo.h"
#include "modprobe-read.h"
#include "sandbox.h"
#include "zygote.h"

#define PROCESS_NAME "moduled-inspect"
/* The file and the pipe. */
#define ORDER_FDS 2

struct child {
        uint32_t id;
        pid_t pid; /* 0: none */
};

struct zygote {
        int socket;
        int signals;
        pid_t pid;
        struct sandbox sandbox;
        struct child inspectors[ZYGOTE_CHILDREN_MAX];
        struct child readers[ZYGOTE_READERS_MAX];
};

union control {
        struct cmsghdr align;
        char buffer[CMSG_SPACE(ORDER_FDS * sizeof(int))];
};

/**
 * zygote_send_order() - order something
 * @link:       the zygote
 * @order:      the order
 * @file:       the file, or the copy of modprobe.d; -1 for ZYGOTE_KILL; borrowed
 * @pipe:       where the answer goes; -1 for ZYGOTE_KILL; borrowed
 *
 * Return: 0, -ECONNRESET if the zygote is gone, or another negative errno.
 */
int zygote_send_order(const struct zygote_link *link, const struct zygote_order *order, int file, int pipe) {
        struct iovec iov = { .iov_base = (void *) order, .iov_len = sizeof *order };
        struct msghdr message = { .msg_iov = &iov, .msg_iovlen = 1 };
        const int fds[ORDER_FDS] = { file, pipe };
        union control control = { 0 };

        if (link->socket < 0)
                return -ECONNRESET;
        if (order->kind != ZYGOTE_KILL) {
                struct cmsghdr *c;

                message.msg_control = control.buffer;
                message.msg_controllen = sizeof control.buffer;
                c = CMSG_FIRSTHDR(&message);
                c->cmsg_level = SOL_SOCKET;
                c->cmsg_type = SCM_RIGHTS;
                c->cmsg_len = CMSG_LEN(sizeof fds);
                memcpy(CMSG_DATA(c), fds, sizeof fds);
        }
        if (sendmsg(link->socket, &message, MSG_DONTWAIT | MSG_NOSIGNAL) < 0)
                return errno == EPIPE ? -ECONNRESET : -errno;
        return 0;
}

/**
 * zygote_receive_report() - take a report
 * @link:       the zygote
 * @ret:        the report
 *
 * Return: 0, -EAGAIN if there is none, -ECONNRESET if the zygote is gone, or another negative errno.
 */
int zygote_receive_report(const struct zygote_link *link, struct zygote_report *ret) {
        ssize_t n = recv(link->socket, ret, sizeof *ret, MSG_DONTWAIT);

        if (n < 0)
                return -errno;
        return n == sizeof *ret ? 0 : -ECONNRESET;
}

/**
 * zygote_has_orders() - are there orders that it has not taken
 * @link:       the zygote, which takes each at once; see SIOCOUTQ in unix(7)
 */
bool zygote_has_orders(const struct zygote_link *link) {
        int waiting = 0;

        return ioctl(link->socket, SIOCOUTQ, &waiting) == 0 && waiting > 0;
}

/* Waits. Return: 0, or a negative errno: the broker is gone or lost its mind. */
static int receive_order(int socket, struct zygote_order *ret, int ret_fds[ORDER_FDS]) {
        struct iovec iov = { .iov_base = ret, .iov_len = sizeof *ret };
        union control control;
        struct msghdr message = {
                .msg_iov = &iov,
                .msg_iovlen = 1,
                .msg_control = control.buffer,
                .msg_controllen = sizeof control.buffer,
        };
        const struct cmsghdr *c;
        ssize_t n;

        n = recvmsg(socket, &message, MSG_CMSG_CLOEXEC);
        if (n < 0)
                return -errno;
        if (n != sizeof *ret || ret->expected[MODULE_NAME_MAX] != '\0')
                return -EBADMSG;
        c = CMSG_FIRSTHDR(&message);
        if (ret->kind == ZYGOTE_KILL)
                return c ? -EBADMSG : 0;
        if ((ret->kind == ZYGOTE_START) != (ret->id != ZYGOTE_READER_ID) ||
            (ret->kind != ZYGOTE_START && ret->kind != ZYGOTE_READ))
                return -EBADMSG;
        if (!c || c->cmsg_type != SCM_RIGHTS || c->cmsg_len != CMSG_LEN(ORDER_FDS * sizeof(int)))
                return -EBADMSG;
        memcpy(ret_fds, CMSG_DATA(c), ORDER_FDS * sizeof(int));
        return 0;
}

static int inspect(const struct zygote *zygote, const struct zygote_order *order, int file, int pipe) {
        struct modinfo *info = NULL;
        int r;

        r = sandbox_enter(&zygote->sandbox, file, pipe, order->seconds);
        if (r == 0)
                r = modinfo_read(file, order->expected, &info);
        return answer_send(pipe, r, info);
}

/* What it reads is root's, so it is not for the filter, which would not let it load a library either. */
static int read_modprobe(const struct zygote *zygote, const struct zygote_order *order, int copy, int pipe) {
        int r;

        r = sandbox_limit(&zygote->sandbox, copy, pipe, order->seconds);
        return r == 0 ? modprobe_read(copy, pipe) : r;
}

/* In the child: nobody else is there to look at an error but who reads the pipe. */
static void child_main(const struct zygote *zygote, const struct zygote_order *order, int file, int pipe)
                __attribute__((noreturn));

static void child_main(const struct zygote *zygote, const struct zygote_order *order, int file, int pipe) {
        int r;

        /* A zygote that died before this call is no parent any more. */
        if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) < 0 || getppid() != zygote->pid)
                _exit(EXIT_FAILURE);
        if (order->kind == ZYGOTE_START)
                r = inspect(zygote, order, file, pipe);
        else
                r = read_modprobe(zygote, order, file, pipe);
        _exit(r < 0 ? EXIT_FAILURE : EXIT_SUCCESS);
}

static struct child *find_free(struct child *children, size_t n) {
        for (size_t i = 0; i < n; i++)
                if (children[i].pid == 0)
                        return &children[i];
        return NULL;
}

/* Of what reads modprobe.d the pipe tells all. */
static int report(const struct zygote *zygote, uint32_t id, int error, int status) {
        const struct zygote_report message = { .id = id, .error = error, .status = status };

        if (id == ZYGOTE_READER_ID)
                return 0;
        return send(zygote->socket, &message, sizeof message, MSG_NOSIGNAL) < 0 ? -errno : 0;
}

static int start_child(struct zygote *zygote, const struct zygote_order *order, int file, int pipe) {
        struct child *child = order->kind == ZYGOTE_START
                                              ? find_free(zygote->inspectors, ZYGOTE_CHILDREN_MAX)
                                              : find_free(zygote->readers, ZYGOTE_READERS_MAX);
        pid_t pid;

        if (!child)
                return report(zygote, order->id, -EUSERS, 0);
        pid = fork();
        if (pid < 0)
                return report(zygote, order->id, -errno, 0);
        if (pid == 0)
                child_main(zygote, order, file, pipe);
        *child = (struct child){ .id = order->id, .pid = pid };
        return 0;
}

/* Not waited for yet, so the numbers are still the children's, even if they have ended. */
static void kill_children(const struct child *children, size_t n, uint32_t id) {
        for (size_t i = 0; i < n; i++)
                if (children[i].pid != 0 && children[i].id == id)
                        (void) kill(children[i].pid, SIGKILL);
}

static int take_order(struct zygote *zygote) {
        _cleanup_close_ int file = -1, pipe = -1;
        struct zygote_order order;
        int fds[ORDER_FDS] = { -1, -1 }, r;

        r = receive_order(zygote->socket, &order, fds);
        if (r < 0)
                return r;
        if (order.kind == ZYGOTE_KILL) {
                kill_children(zygote->inspectors, ZYGOTE_CHILDREN_MAX, order.id);
                kill_children(zygote->readers, ZYGOTE_READERS_MAX, order.id);
                return 0;
        }
        file = fds[0];
        pipe = fds[1];
        return start_child(zygote, &order, file, pipe);
}

static int reap(const struct zygote *zygote, struct child *children, size_t n) {
        int r = 0;

        for (size_t i = 0; r == 0 && i < n; i++) {
                struct child *child = &children[i];
                int status;

                if (child->pid == 0 || waitpid(child->pid, &status, WNOHANG) != child->pid)
                        continue;
                child->pid = 0;
                r = report(zygote, child->id, 0, status);
        }
        return r;
}

static int reap_children(struct zygote *zygote) {
        struct signalfd_siginfo info;
        int r;

        /* One may stand for several children that ended. */
        while (read(zygote->signals, &info, sizeof info) == sizeof info)
                ;
        r = reap(zygote, zygote->inspectors, ZYGOTE_CHILDREN_MAX);
        return r == 0 ? reap(zygote, zygote->readers, ZYGOTE_READERS_MAX) : r;
}

/* A stop of the service is the broker's to take; when it is gone this process ends. */
static int take_signals(void) {
        sigset_t signals;
        int fd;

        (void) signal(SIGTERM, SIG_IGN);
        (void) signal(SIGINT, SIG_IGN);
        (void) signal(SIGHUP, SIG_IGN);
        (void) signal(SIGCHLD, SIG_DFL);
        sigemptyset(&signals);
        sigaddset(&signals, SIGCHLD);
        if (sigprocmask(SIG_SETMASK, &signals, NULL) < 0)
                return -errno;
        fd = signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK);
        return fd < 0 ? -errno : fd;
}

static int run(struct zygote *zygote) {
        struct pollfd fds[2];
        int r = 0;

        zygote->pid = getpid();
        (void) prctl(PR_SET_NAME, PROCESS_NAME, 0, 0, 0);
        /* The children are born with both. */
        if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 || prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0)
                return -errno;
        if ((zygote->socket > 3 && close_range(3, (unsigned) zygote->socket - 1, 0) < 0) ||
            close_range((unsigned) zygote->socket + 1, ~0U, 0) < 0)
                return -errno;
        zygote->signals = take_signals();
        if (zygote->signals < 0)
                return zygote->signals;

        fds[0] = (struct pollfd){ .fd = zygote->socket, .events = POLLIN };
        fds[1] = (struct pollfd){ .fd = zygote->signals, .events = POLLIN };
        while (r == 0) {
                if (poll(fds, 2, -1) < 0 && errno != EINTR)
                        return -errno;
                if (fds[1].revents)
                        r = reap_children(zygote);
                if (r == 0 && fds[0].revents)
                        r = take_order(zygote);
        }
        return r;
}

/**
 * zygote_start() - fork the process that the inspectors are forked from
 * @ret:        the zygote; to be given to zygote_end()
 *
 * To be called while this process has no other thread, and nothing open that an inspector must not see; what is open,
 * but for standard input, output and error, is closed there.
 *
 * Return: 0 or a negative errno.
 */
int zygote_start(struct zygote_link *ret) {
        struct zygote zygote = { 0 };
        sigset_t all, before;
        int ends[2], r;
        pid_t pid;

        r = sandbox_prepare(&zygote.sandbox);
        if (r < 0)
                return r;
        if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0) {
                r = -errno;
                sandbox_clear(&zygote.sandbox);
                return r;
        }
        /* One that comes before take_signals() must not end it either. */
        sigfillset(&all);
        (void) sigprocmask(SIG_SETMASK, &all, &before);
        pid = fork();
        r = pid < 0 ? -errno : 0;
        if (pid == 0) {
                zygote.socket = ends[1];
                _exit(run(&zygote) == -EBADMSG ? EXIT_FAILURE : EXIT_SUCCESS);
        }
        (void) sigprocmask(SIG_SETMASK, &before, NULL);
        sandbox_clear(&zygote.sandbox);
        (void) close(ends[1]);
        if (r < 0) {
                (void) close(ends[0]);
                return r;
        }
        *ret = (struct zygote_link){ .socket = ends[0], .pid = pid };
        return 0;
}

/**
 * zygote_end() - end the zygote and all its children
 * @link:       the zygote
 */
void zygote_end(struct zygote_link *link) {
        cleanup_closep(&link->socket);
        link->socket = -1;
        (void) kill(link->pid, SIGKILL);
        while (waitpid(link->pid, NULL, 0) < 0 && errno == EINTR)
                ;
}
