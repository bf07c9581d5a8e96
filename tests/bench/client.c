/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Client
 *
 * Takes times. Reads commands from standard input, one a line:
 *
 *     ROUNDS CALLERS OPERATION…
 *     each ROUNDS CALLERS OPERATION…
 *
 * So many callers, each with a connection to the bus of its own, do the operations one after the other, so many times. The
 * number in an operation is the caller's, with `each` another one in each round. For each operation it prints a line of what each one took, in µs, then what all of it took. operation.h has the operations.
 * Anything that goes wrong ends it.
 *
 *     bench-client UID
 *
 * Its connections are this user's. So nothing of what makes a process, or connects it to the bus, is in the times.
 */

#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <systemd/sd-event.h>

#include "operation.h"

#define CALLERS_MAX 512

struct client;

struct caller {
        struct client *client;
        unsigned index;
        sd_bus *bus;
        sd_bus_slot *slot;
        unsigned round, next;
        uint64_t began;
};

struct client {
        uid_t uid;
        sd_event *event;
        sd_bus *root;
        struct caller callers[CALLERS_MAX];
        unsigned connected;

        struct operation operations[OPERATIONS_MAX];
        unsigned n_operations, n_callers, rounds, running;
        bool each;
        uint64_t *times; /* by operation, caller, round */
};

static void die(const char *what, int r) __attribute__((noreturn));

static void die(const char *what, int r) {
        fprintf(stderr, "bench-client: %s: %s\n", what, strerror(-r));
        exit(EXIT_FAILURE);
}

static uint64_t now(void) {
        struct timespec ts;

        (void) clock_gettime(CLOCK_MONOTONIC, &ts);
        return (uint64_t) ts.tv_sec * UINT64_C(1000000000) + (uint64_t) ts.tv_nsec;
}

static sd_bus *open_bus(struct client *client, uid_t uid) {
        sd_bus *bus = NULL;
        const char *name;
        int r;

        /* The bus asks the kernel who has connected. */
        if (seteuid(uid) < 0)
                die("seteuid", -errno);
        r = sd_bus_open_system(&bus);
        if (seteuid(0) < 0)
                die("seteuid", -errno);
        if (r >= 0)
                r = sd_bus_get_unique_name(bus, &name);
        if (r >= 0)
                r = sd_bus_attach_event(bus, client->event, SD_EVENT_PRIORITY_NORMAL);
        if (r < 0)
                die("the bus", r);
        return bus;
}

static uint64_t *time_of(struct client *client, unsigned operation, unsigned caller, unsigned round) {
        return &client->times[((size_t) operation * client->n_callers + caller) * client->rounds + round];
}

static void go_on(struct caller *caller);

/* Takes the time, and sets the next operation. */
static void done(struct caller *caller) {
        struct client *client = caller->client;

        *time_of(client, caller->next, caller->index, caller->round) = now() - caller->began;
        if (++caller->next < client->n_operations)
                return;
        caller->next = 0;
        caller->round++;
}

static int on_answer(sd_bus_message *reply, void *userdata, sd_bus_error *error) {
        struct caller *caller = userdata;
        const struct operation *operation = &caller->client->operations[caller->next];

        (void) error;
        done(caller);
        caller->slot = sd_bus_slot_unref(caller->slot);
        if (!operation_judge(operation, reply)) {
                const sd_bus_error *said = sd_bus_message_get_error(reply);

                fprintf(stderr, "bench-client: %s: %s\n", operation->argument,
                        said && said->message ? said->message : "not what was to come");
                exit(EXIT_FAILURE);
        }
        go_on(caller);
        return 0;
}

static unsigned number_of(const struct caller *caller) {
        return caller->index + (caller->client->each ? caller->round * caller->client->n_callers : 0);
}

static void go_on(struct caller *caller) {
        struct client *client = caller->client;

        while (caller->round < client->rounds) {
                const struct operation *operation = &client->operations[caller->next];
                int r;

                caller->began = now();
                r = operation_send(operation, number_of(caller), caller->bus, client->root, on_answer,
                                   caller, &caller->slot);
                if (r < 0)
                        die(operation->argument, r);
                if (r > 0)
                        return;
                done(caller);
        }
        client->running--;
}

static void print_times(const struct client *client, unsigned operation) {
        size_t n = (size_t) client->n_callers * client->rounds;
        const uint64_t *times = client->times + operation * n;

        for (size_t i = 0; i < n; i++)
                printf("%s%" PRIu64 ".%" PRIu64, i > 0 ? " " : "", times[i] / 1000, times[i] / 100 % 10);
        putchar('\n');
}

static void run(struct client *client) {
        uint64_t began;

        client->times = calloc((size_t) client->n_operations * client->n_callers * client->rounds,
                               sizeof *client->times);
        if (!client->times)
                die("memory", -ENOMEM);
        for (; client->connected < client->n_callers; client->connected++)
                client->callers[client->connected].bus = open_bus(client, client->uid);

        began = now();
        client->running = client->n_callers;
        for (unsigned i = 0; i < client->n_callers; i++) {
                struct caller *caller = &client->callers[i];

                caller->client = client;
                caller->index = i;
                caller->round = caller->next = 0;
                go_on(caller);
        }
        while (client->running > 0) {
                int r = sd_event_run(client->event, UINT64_MAX);

                if (r < 0)
                        die("the event loop", r);
        }
        began = now() - began;
        for (unsigned i = 0; i < client->n_operations; i++)
                print_times(client, i);
        printf("%" PRIu64 "\n", began / 1000);
        (void) fflush(stdout);
        free(client->times);
}

static bool parse(struct client *client, char *line) {
        char *save = NULL, *word = strtok_r(line, " \n", &save);

        client->each = word && strcmp(word, "each") == 0;
        if (client->each)
                word = strtok_r(NULL, " \n", &save);
        client->rounds = word ? (unsigned) strtoul(word, NULL, 10) : 0;
        word = strtok_r(NULL, " \n", &save);
        client->n_callers = word ? (unsigned) strtoul(word, NULL, 10) : 0;
        client->n_operations = 0;
        while ((word = strtok_r(NULL, " \n", &save)))
                if (client->n_operations == OPERATIONS_MAX ||
                    operation_parse(word, &client->operations[client->n_operations++]) < 0)
                        return false;
        return client->rounds > 0 && client->n_callers > 0 && client->n_callers <= CALLERS_MAX &&
               client->n_operations > 0;
}

int main(int argc, char *argv[]) {
        static struct client client;
        char *line = NULL;
        size_t size = 0;
        int r;

        if (argc != 2 || geteuid() != 0) {
                fprintf(stderr, "usage, as root: bench-client UID\n");
                return EXIT_FAILURE;
        }
        client.uid = (uid_t) strtoul(argv[1], NULL, 10);
        r = sd_event_default(&client.event);
        if (r < 0)
                die("the event loop", r);
        client.root = open_bus(&client, 0);
        while (getline(&line, &size, stdin) > 0) {
                if (!parse(&client, line)) {
                        fprintf(stderr, "bench-client: no command: %s\n", line);
                        return EXIT_FAILURE;
                }
                run(&client);
        }
        free(line);
        return EXIT_SUCCESS;
}
