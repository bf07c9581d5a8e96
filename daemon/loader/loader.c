/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Loader
 *
 * Takes requests from the broker and trusts none of them: the descriptor's origin, the module's name and the flags are
 * checked again, against the configuration that this process read. Then a child makes the one system call, so that a
 * module whose init oopses or never returns takes the child with it and nothing else.
 *
 * A connection carries one request at a time. The answer is what the child wrote into a pipe; a pipe that ends without
 * an answer means that the child was killed.
 */

#include <assert.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <sys/queue.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "attempt.h"
#include "cleanup.h"
#include "closer.h"
#include "connection.h"
#include "kernel-log.h"
#include "kernel.h"
#include "loader.h"
#include "module-name.h"
#include "origin.h"
#include "protocol.h"
#include "refusal.h"
#include "system.h"

/* Far more than the broker uses; what comes after waits in the socket's backlog. */
#define CONNECTIONS_MAX 256
#define EXTRA_MAX 4
/* Only a broker that was taken over can make one stick. */
#define CLOSER_THREADS_MAX 8
/*
 * With that many still to be closed nothing is read any more, or whoever can make them stick could take every descriptor
 * that the unit's LimitNOFILE= allows, and the loop would spin over a connection that it cannot accept.
 */
#define CLOSING_MAX 512

#define NO_CONFIG                                                                                           \
        "moduled.conf has an error, which the journal names; have an administrator mend it, and try again."

/* What has become of a request. Apart from the errnos: a filesystem says EBADMSG, too, where a checksum is wrong. */
enum progress {
        IN_HAND = 0,
        ANSWERED,
        MALFORMED, /* or nobody waits for an answer: the connection is over */
};

struct loader {
        int listen_fd;
        uid_t peer_uid;
        pid_t peer;           /* who has connected last, or 0 */
        bool peer_is_another; /* than before, and nobody has asked yet */
        struct config *config;
        struct closer *closer;
        size_t n_closing; /* handed to the closer and not back yet */
        bool exhausted;
        LIST_HEAD(, connection) connections;
        size_t n_connections;
};

static void closed(int fd, void *owner) {
        struct loader *loader = owner;

        loader->n_closing--;
        (void) close(fd);
}

/* For descriptors that nobody has verified. If there is no memory, better stuck than leaking. */
static void close_foreign(struct loader *loader, int fd) {
        if (closer_submit(loader->closer, fd, loader) < 0)
                (void) close(fd);
        else
                loader->n_closing++;
}

/* This process had no room for another descriptor: the next one has. */
static void note_error(struct loader *loader, int r) {
        if (r == -EMFILE || r == -ENFILE)
                loader->exhausted = true;
}

static bool may_read(const struct loader *loader) {
        return loader->n_closing < CLOSING_MAX;
}

/* What the broker may have queued behind its last message is a stranger's, too: so the closer closes the socket. */
static void connection_free(struct loader *loader, struct connection *connection) {
        LIST_REMOVE(connection, link);
        loader->n_connections--;
        connection_end_job(connection);
        close_foreign(loader, connection->socket);
        free(connection);
}

static int connection_add(struct loader *loader, int socket) {
        struct connection *connection = calloc(1, sizeof *connection);

        if (!connection)
                return -ENOMEM;
        connection->socket = socket;
        connection->pipe = connection->fd = -1;
        LIST_INSERT_HEAD(&loader->connections, connection, link);
        loader->n_connections++;
        return 0;
}

/* The socket's mode keeps everybody else out already; root it does not keep out, and root can do without us. */
static void accept_connection(struct loader *loader) {
        struct ucred peer;
        socklen_t size = sizeof peer;
        int socket;

        socket = accept4(loader->listen_fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
        if (socket < 0) {
                note_error(loader, -errno);
                return;
        }
        if (getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0 && peer.uid == loader->peer_uid &&
            connection_add(loader, socket) == 0) {
                loader->peer_is_another = loader->peer != 0 && loader->peer != peer.pid;
                loader->peer = peer.pid;
                return;
        }
        close_foreign(loader, socket);
}

/* In the child. Other requests' connections must not stay open here, or their ends would not be seen. */
static _Noreturn void child_main(const struct loader *loader, const struct connection *mine,
                                 const struct loader_request *request, int flags, const int ends[2]) {
        struct attempt attempt = { 0 };
        struct connection *other;

        /* A stop of the service waits for this call, it does not break it off; nor does the service's end. */
        (void) signal(SIGPIPE, SIG_IGN);
        (void) signal(SIGTERM, SIG_IGN);
        (void) signal(SIGINT, SIG_IGN);
        (void) signal(SIGHUP, SIG_IGN);
        (void) close(ends[0]);
        LIST_FOREACH(other, &loader->connections, link) {
                cleanup_closep(&other->pipe);
                if (other != mine)
                        (void) close(other->socket);
        }

        if (request->kind == REQUEST_LOAD)
                attempt_load(mine->fd, request->text, flags, &attempt);
        else
                attempt.result = kernel_unload(request->text);
        /* The loader was killed meanwhile: then nobody else can tell the broker. */
        if (write(ends[1], &attempt, sizeof attempt) < 0)
                connection_answer(mine, &attempt);
        _exit(EXIT_SUCCESS);
}

static int start_child(struct loader *loader, struct connection *connection,
                       const struct loader_request *request, int flags) {
        int ends[2];
        pid_t pid;

        if (pipe2(ends, O_CLOEXEC) < 0)
                return -errno;
        kernel_log_mark(&connection->mark);
        connection->kind = request->kind;

        pid = fork();
        if (pid < 0) {
                int r = -errno;

                (void) close(ends[0]);
                (void) close(ends[1]);
                return r;
        }
        if (pid == 0)
                child_main(loader, connection, request, flags, ends);

        (void) close(ends[1]);
        (void) fcntl(ends[0], F_SETFL, O_NONBLOCK);
        connection->pipe = ends[0];
        return 0;
}

/* The child has written its answer, or has died without one. */
static void finish(struct connection *connection) {
        struct attempt attempt;
        ssize_t n;

        n = read(connection->pipe, &attempt, sizeof attempt);
        if (n < 0 && errno == EAGAIN)
                return;

        if (n == sizeof attempt)
                connection_answer(connection, &attempt);
        else
                connection_reply(connection, OUTCOME_CRASHED, 0, 0, NULL);
        connection_end_job(connection);
}

/*
 * Since Linux 6.5 concurrent calls for one file all report success though the parameters of only one of them count, so
 * a second one has to wait for the first; it is told so.
 */
static bool is_in_flight(const struct loader *loader, const struct connection *mine) {
        const struct connection *other;

        /* What asks has no child yet, so it does not find itself. */
        LIST_FOREACH(other, &loader->connections, link)
                if (connection_is_at_work(other) &&
                    (strcmp(other->name, mine->name) == 0 ||
                     (mine->inode != 0 && other->inode == mine->inode && other->device == mine->device)))
                        return true;
        return false;
}

/* Return: IN_HAND if verified, with the name set; ANSWERED; or a negative errno. */
static int verify(const struct loader *loader, struct connection *connection, int fd, int *flags) {
        _cleanup_(finding_clear) struct finding finding = { 0 };
        struct stat st;
        int r;

        r = origin_verify(loader->config, fd, &finding);
        if (r < 0)
                return r;
        if (r > 0) {
                _cleanup_free_ char *sentence = finding_explain(&finding);

                connection_reply(connection, OUTCOME_REFUSED, r, 0, sentence);
                return ANSWERED;
        }

        r = module_name_from_path(finding.path, &connection->name);
        if (r == -EINVAL) {
                connection_reply(connection, OUTCOME_KERNEL, 0, ENOEXEC, NULL);
                return ANSWERED;
        }
        if (r < 0)
                return r;
        if (fstat(fd, &st) < 0)
                return -errno;
        connection->device = st.st_dev;
        connection->inode = st.st_ino;
        if (module_compression_from_path(finding.path))
                *flags |= KERNEL_COMPRESSED_FILE;
        return IN_HAND;
}

/* Return: IN_HAND if a child is at work, ANSWERED, MALFORMED, or a negative errno. @fd stays the caller's. */
static int begin_load(struct loader *loader, struct connection *connection,
                      const struct loader_request *request, int fd) {
        int flags = (int) request->flags, r;
        const char *refusal;

        if (request->flags & ~(uint32_t) (KERNEL_IGNORE_MODVERSIONS | KERNEL_IGNORE_VERMAGIC))
                return MALFORMED;

        r = verify(loader, connection, fd, &flags);
        if (r != IN_HAND)
                return r;
        refusal = refusal_find(loader->config, connection->name, request->flags);
        if (refusal) {
                connection_reply(connection, OUTCOME_POLICY, 0, 0, refusal);
                return ANSWERED;
        }

        /* Verified: it lies on a filesystem of ours, and closing it waits for nobody. */
        connection->fd = fcntl(fd, F_DUPFD_CLOEXEC, 3);
        if (connection->fd < 0)
                return -errno;
        if (is_in_flight(loader, connection) || system_module_state(connection->name) == MODULE_COMING) {
                connection_reply(connection, OUTCOME_BUSY, 0, 0, NULL);
                return ANSWERED;
        }
        return start_child(loader, connection, request, flags);
}

/* Return: as for begin_load(). */
static int begin_unload(struct loader *loader, struct connection *connection,
                        const struct loader_request *request) {
        if (!module_name_is_plain(request->text) || request->flags != 0)
                return MALFORMED;
        connection->name = strdup(request->text);
        if (!connection->name)
                return -ENOMEM;
        if (is_in_flight(loader, connection)) {
                connection_reply(connection, OUTCOME_BUSY, 0, 0, NULL);
                return ANSWERED;
        }
        return start_child(loader, connection, request, 0);
}

static void take_request(struct loader *loader, struct connection *connection) {
        struct loader_request request;
        struct received_fds received;
        int r;

        r = protocol_receive_request(connection->socket, &request, &received);
        if (r == -EAGAIN)
                return;
        if (r == -ENODATA || r == -EBADMSG || r == -ECONNRESET)
                r = MALFORMED;
        if (r == 0 && connection_is_given_up(connection))
                r = MALFORMED;
        if (r == 0 && !loader->config) {
                connection_reply(connection, OUTCOME_POLICY, 0, 0, NO_CONFIG);
                r = ANSWERED;
        }
        if (r == 0)
                r = request.kind == REQUEST_LOAD ? begin_load(loader, connection, &request, received.fds[0])
                                                 : begin_unload(loader, connection, &request);
        for (size_t i = 0; i < received.n; i++)
                close_foreign(loader, received.fds[i]);

        if (r == MALFORMED) {
                connection_free(loader, connection);
                return;
        }
        note_error(loader, r);
        if (r < 0)
                connection_reply(connection, OUTCOME_FAILED, 0, -r, NULL);
        if (r != IN_HAND)
                connection_end_job(connection);
}

/**
 * loader_new() - make the loader
 * @listen_fd:  listening SOCK_SEQPACKET socket, non-blocking; borrowed
 * @peer_uid:   the only user to serve
 * @config:     the configuration; taken over, also on failure; NULL: refuse all requests until there is one
 * @ret:        the loader; owned by the caller
 *
 * Return: 0 or a negative errno.
 */
int loader_new(int listen_fd, uid_t peer_uid, struct config *config, struct loader **ret) {
        struct loader *loader = calloc(1, sizeof *loader);
        int r = loader ? closer_new(CLOSER_THREADS_MAX, &loader->closer) : -ENOMEM;

        if (r < 0) {
                config_free(config);
                free(loader);
                return r;
        }
        loader->listen_fd = listen_fd;
        loader->peer_uid = peer_uid;
        loader->config = config;
        LIST_INIT(&loader->connections);
        *ret = loader;
        return 0;
}

/**
 * loader_free() - give back the loader
 * @loader:     the loader, or NULL
 *
 * Children at work go on, and answer the broker themselves.
 *
 * Return: NULL.
 */
struct loader *loader_free(struct loader *loader) {
        struct connection *connection;

        if (!loader)
                return NULL;
        while ((connection = LIST_FIRST(&loader->connections)))
                connection_free(loader, connection);
        closer_free(loader->closer);
        config_free(loader->config);
        free(loader);
        return NULL;
}

/**
 * loader_set_config() - use another configuration from the next request on
 * @loader:     the loader
 * @config:     the configuration; taken over
 */
void loader_set_config(struct loader *loader, struct config *config) {
        config_free(loader->config);
        loader->config = config;
}

/**
 * loader_is_busy() - is a system call under way
 * @loader:     the loader
 *
 * Return: true if a child is at work.
 */
bool loader_is_busy(const struct loader *loader) {
        const struct connection *connection;

        LIST_FOREACH(connection, &loader->connections, link)
                if (connection_is_at_work(connection))
                        return true;
        return false;
}

/**
 * loader_is_idle() - has nobody any business with the loader
 * @loader:     the loader
 *
 * Return: true if there is no connection.
 */
bool loader_is_idle(const struct loader *loader) {
        return loader->n_connections == 0;
}

/**
 * loader_is_exhausted() - has there been no room for a descriptor
 * @loader:     the loader
 *
 * Such a loader accepts no more connections, which wait in the socket for the next loader.
 *
 * Return: true if there was none.
 */
bool loader_is_exhausted(const struct loader *loader) {
        return loader->exhausted;
}

/**
 * loader_is_met_by_another() - has another process connected than before; what it sends is read in the next turn
 * @loader:     the loader
 *
 * Return: true once for each time.
 */
bool loader_is_met_by_another(struct loader *loader) {
        bool another = loader->peer_is_another;

        loader->peer_is_another = false;
        return another;
}

/* While a child is at work its connection is not read: the next request waits in the socket. */
static size_t fill_poll(const struct loader *loader, const int *extra_fds, size_t n_extra,
                        struct pollfd *fds) {
        const struct connection *connection;
        size_t n = 0;

        fds[n++] = (struct pollfd){ .fd = closer_fd(loader->closer), .events = POLLIN };
        fds[n++] = (struct pollfd){
                .fd = loader->n_connections < CONNECTIONS_MAX && !loader->exhausted ? loader->listen_fd : -1,
                .events = POLLIN,
        };
        for (size_t i = 0; i < n_extra; i++)
                fds[n++] = (struct pollfd){ .fd = extra_fds[i], .events = POLLIN };
        LIST_FOREACH(connection, &loader->connections, link)
                fds[n++] = (struct pollfd){ .fd = connection_is_at_work(connection) ? connection->pipe
                                                  : may_read(loader)                ? connection->socket
                                                                                    : -1,
                                            .events = POLLIN };
        return n;
}

/**
 * loader_run_once() - wait for something to do and do it
 * @loader:     the loader
 * @extra_fds:  descriptors of the caller that end the wait when they are readable
 * @n_extra:    how many; at most 4
 * @timeout_ms: how long to wait, in milliseconds; -1 for ever
 *
 * Return: 1 if something happened, 0 if the time ran out, or a negative errno.
 */
int loader_run_once(struct loader *loader, const int *extra_fds, size_t n_extra, int timeout_ms) {
        struct pollfd fds[2 + EXTRA_MAX + CONNECTIONS_MAX];
        struct connection *connection, *next;
        size_t n, i;
        int r;

        assert(n_extra <= EXTRA_MAX);
        n = fill_poll(loader, extra_fds, n_extra, fds);
        r = poll(fds, n, timeout_ms);
        if (r < 0)
                return errno == EINTR ? 1 : -errno;
        if (r == 0)
                return 0;

        /* The list is in the order of fds, and a connection frees none but itself. */
        i = 2 + n_extra;
        for (connection = LIST_FIRST(&loader->connections); connection; connection = next, i++) {
                next = LIST_NEXT(connection, link);
                if (!fds[i].revents)
                        continue;
                if (connection_is_at_work(connection))
                        finish(connection);
                else if (may_read(loader))
                        take_request(loader, connection);
        }
        if (fds[0].revents)
                closer_reap(loader->closer, closed);
        if (fds[1].revents)
                accept_connection(loader);
        return 1;
}
