/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Loader client
 *
 * One request to the loader, over a connection of its own. The connection is opened early, while polkit is being asked:
 * that starts a loader that is not running, and shows one that cannot be.
 */

#include <errno.h>
#include <linux/sockios.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "cleanup.h"
#include "loader-client.h"

/*
 * In µs. The loader takes a request at once, whatever the one before it does; a start of the service takes a second, and
 * ten on a bad day.
 */
#define TAKEN_USEC (30 * UINT64_C(1000000))
#define ACCURACY_USEC UINT64_C(100000)

struct loader_call {
        sd_event *event;
        sd_event_source *source;
        sd_event_source *timer; /* from the request on */
        char *path;
        int socket;
        loader_answer_t answer;
        void *userdata;
};

/* connect(2) on a local socket does not wait: it succeeds, or the backlog is full. */
static int open_connection(const char *path) {
        struct sockaddr_un address = { .sun_family = AF_UNIX };
        _cleanup_close_ int fd = -1;

        if (strlen(path) >= sizeof address.sun_path)
                return -ENAMETOOLONG;
        strcpy(address.sun_path, path);

        fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        if (fd < 0)
                return -errno;
        if (connect(fd, (const struct sockaddr *) &address, sizeof address) < 0)
                return -errno;
        return take_fd(&fd);
}

static int on_readable(sd_event_source *source, int fd, uint32_t events, void *userdata) {
        struct loader_call *call = userdata;
        struct loader_reply reply;
        int r;

        (void) source;
        (void) events;
        r = protocol_receive_reply(fd, &reply);
        if (r == -EAGAIN)
                return 0;
        (void) sd_event_source_set_enabled(call->source, SD_EVENT_OFF);
        (void) sd_event_source_set_enabled(call->timer, SD_EVENT_OFF);
        call->answer(r == -ENODATA ? -ECONNRESET : r, r < 0 ? NULL : &reply, call->userdata);
        return 0;
}

/*
 * What the loader has taken it sees through, and that may last. What still lies in the socket it will not do once this
 * end is closed, which the owner does next. See SIOCOUTQ in unix(7).
 */
static int on_late(sd_event_source *source, uint64_t usec, void *userdata) {
        struct loader_call *call = userdata;
        int waiting = 0;

        (void) source;
        (void) usec;
        if (ioctl(call->socket, SIOCOUTQ, &waiting) < 0 || waiting == 0)
                return 0;
        (void) sd_event_source_set_enabled(call->source, SD_EVENT_OFF);
        call->answer(-ETIMEDOUT, NULL, call->userdata);
        return 0;
}

static int watch(struct loader_call *call) {
        int r;

        r = sd_event_add_io(call->event, &call->source, call->socket, EPOLLIN, on_readable, call);
        if (r >= 0)
                r = sd_event_add_time_relative(call->event, &call->timer, CLOCK_MONOTONIC, TAKEN_USEC,
                                               ACCURACY_USEC, on_late, call);
        return r < 0 ? r : 0;
}

/**
 * loader_call_new() - open a connection to the loader
 * @event:      the event loop
 * @path:       the loader's socket
 * @answer:     called once after loader_call_send(), unless the call is freed before; may free it, and must if it gets a
 *              negative errno: -ECONNRESET if the loader is gone, -ETIMEDOUT if it has not even taken the request
 * @userdata:   handed to @answer
 * @ret:        the call; owned by the caller
 *
 * Return: 0 or a negative errno: -ENOENT or -ECONNREFUSED if nobody listens.
 */
int loader_call_new(sd_event *event, const char *path, loader_answer_t answer, void *userdata,
                    struct loader_call **ret) {
        struct loader_call *call = calloc(1, sizeof *call);
        int r = 0;

        if (!call)
                return -ENOMEM;
        call->socket = -1;
        call->event = sd_event_ref(event);
        call->answer = answer;
        call->userdata = userdata;
        call->path = strdup(path);
        if (!call->path)
                r = -ENOMEM;
        if (r >= 0)
                r = call->socket = open_connection(path);
        if (r < 0) {
                loader_call_free(call);
                return r;
        }
        *ret = call;
        return 0;
}

/**
 * loader_call_send() - make the request
 * @call:       the call
 * @request:    the request
 * @fd:         the module's descriptor, borrowed; -1 for none
 *
 * A loader that was started anew since the connection was opened is connected to again.
 *
 * Return: 0 or a negative errno.
 */
int loader_call_send(struct loader_call *call, const struct loader_request *request, int fd) {
        int r;

        r = protocol_send_request(call->socket, request, fd);
        if (r == -EPIPE || r == -ECONNRESET || r == -ENOTCONN) {
                cleanup_closep(&call->socket);
                r = call->socket = open_connection(call->path);
                if (r >= 0)
                        r = protocol_send_request(call->socket, request, fd);
        }
        if (r < 0)
                return r;
        return watch(call);
}

/**
 * loader_call_free() - give back a call; what the loader has begun it ends all the same
 * @call:       the call, or NULL
 *
 * Return: NULL.
 */
struct loader_call *loader_call_free(struct loader_call *call) {
        if (!call)
                return NULL;
        sd_event_source_disable_unref(call->timer);
        sd_event_source_unref(call->source);
        sd_event_unref(call->event);
        cleanup_closep(&call->socket);
        free(call->path);
        free(call);
        return NULL;
}
