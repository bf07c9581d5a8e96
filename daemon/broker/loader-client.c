/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Loader client
 *
 * One request to the loader, over a connection of its own. The connection is opened early, while polkit is being asked:
 * that starts a loader that is not running, and shows one that cannot be.
 */

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "cleanup.h"
#include "loader-client.h"

struct loader_call {
        sd_event *event;
        sd_event_source *source;
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
        call->answer(r == -ENODATA ? -ECONNRESET : r, r < 0 ? NULL : &reply, call->userdata);
        return 0;
}

/**
 * loader_call_new() - open a connection to the loader
 * @event:      the event loop
 * @path:       the loader's socket
 * @answer:     called once after loader_call_send(), unless the call is freed before; may free it
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
        return sd_event_add_io(call->event, &call->source, call->socket, EPOLLIN, on_readable, call);
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
        sd_event_source_unref(call->source);
        sd_event_unref(call->event);
        cleanup_closep(&call->socket);
        free(call->path);
        free(call);
        return NULL;
}
