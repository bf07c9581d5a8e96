/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Connection
 *
 * A connection of the broker's, and the one request that is under way on it.
 */

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>

#include "cleanup.h"
#include "connection.h"

/**
 * connection_is_at_work() - has a child the request
 * @connection: the connection
 *
 * Return: true if it has, and has not answered yet.
 */
bool connection_is_at_work(const struct connection *connection) {
        return connection->pipe >= 0;
}

/**
 * connection_is_given_up() - has the broker closed its end
 * @connection: the connection
 *
 * The broker has told its caller by then that nothing was done, or is gone itself.
 *
 * Return: true if it has.
 */
bool connection_is_given_up(const struct connection *connection) {
        struct pollfd fd = { .fd = connection->socket };

        return poll(&fd, 1, 0) > 0;
}

/**
 * connection_end_job() - give back what is kept for a request
 * @connection: the connection, which stays open
 */
void connection_end_job(struct connection *connection) {
        cleanup_closep(&connection->pipe);
        cleanup_closep(&connection->fd);
        connection->pipe = connection->fd = -1;
        connection->inode = 0;
        free(connection->name);
        connection->name = NULL;
}

/**
 * connection_reply() - answer a request
 * @connection: the connection
 * @outcome:    what came of it
 * @verdict:    the verdict, of OUTCOME_REFUSED
 * @error:      positive errno, of OUTCOME_KERNEL and OUTCOME_FAILED
 * @text:       a sentence, or NULL
 *
 * A broker that is gone, or does not read, has no use for the answer.
 */
void connection_reply(const struct connection *connection, enum outcome outcome, int verdict, int error,
                      const char *text) {
        struct loader_reply message = {
                .outcome = outcome,
                .verdict = (uint32_t) verdict,
                .error = error,
        };

        (void) snprintf(message.text, sizeof message.text, "%s", text ? text : "");
        (void) protocol_send_reply(connection->socket, &message);
}

/**
 * connection_answer() - answer a request that the kernel has had
 * @connection: the connection, with its job
 * @attempt:    what the kernel made of it
 */
void connection_answer(const struct connection *connection, const struct attempt *attempt) {
        struct loader_reply message;

        attempt_report(attempt, connection->kind == REQUEST_LOAD ? &connection->mark : NULL,
                       connection->name, &message);
        (void) protocol_send_reply(connection->socket, &message);
}
