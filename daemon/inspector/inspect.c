/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Inspect
 *
 * The broker's side of looking into a file: an inspection is handed to the zygote, whose child writes an answer into a
 * pipe. A few run at once, the rest wait in a queue. An inspection that takes too long is killed, and one whose child
 * ends without an answer, by whatever signal, has an answer, too: the file cost the inspector its life.
 *
 * A child's place is taken until the zygote reports its end, also if nobody wants the answer any more: a process that
 * waits for a disk cannot be killed.
 */

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <sys/wait.h>
#include <unistd.h>

#include "answer.h"
#include "cleanup.h"
#include "inspect.h"
#include "watch.h"
#include "zygote.h"

/* The largest module takes a quarter of a second to unpack; an emulated or busy machine is ten times slower. */
#define RUN_USEC_DEFAULT (10 * USEC_PER_SEC)
/* Longer than it takes for all before it, unless their disk is stuck. */
#define WAIT_USEC (60 * USEC_PER_SEC)
#define USEC_PER_SEC UINT64_C(1000000)
#define ACCURACY_USEC UINT64_C(100000)

TAILQ_HEAD(inspections, inspection);

struct place {
        uint32_t id; /* 0: free */
        struct inspection *inspection;
};

struct inspector {
        uint64_t run_usec; /* what a file may take */
        struct zygote_link zygote;
        sd_event_source *io;
        sd_event_source *start; /* runs once when there may be something to start */
        struct watch watch;
        sd_event *event;
        inspector_died_t died;
        void *userdata;
        uint32_t last_id;
        struct place places[ZYGOTE_CHILDREN_MAX];
        struct inspections inspections; /* that have no answer yet */
};

struct inspection {
        struct inspector *inspector;
        int fd;
        char expected[MODULE_NAME_MAX + 1];
        inspection_answer_t answer;
        void *userdata;
        bool is_answered;

        struct place *place; /* NULL: it waits in the queue */
        sd_event_source *timer;
        sd_event_source *io;
        int pipe;
        unsigned char *bytes; /* of the answer, with room for one too many */
        size_t n_bytes;
        bool is_over; /* the child has ended */
        int signal;   /* what it died of, or 0 */
        TAILQ_ENTRY(inspection) link;
};

static void kill_child(const struct inspection *inspection) {
        const struct zygote_order order = { .kind = ZYGOTE_KILL, .id = inspection->place->id };
        struct inspector *inspector = inspection->inspector;

        /* A zygote that is gone has no children either. */
        if (zygote_send_order(&inspector->zygote, &order, -1, -1) >= 0)
                watch_order(&inspector->watch);
}

/* Gives back all but the object itself, which is its owner's. */
static void detach(struct inspection *inspection) {
        if (inspection->place)
                inspection->place->inspection = NULL;
        inspection->place = NULL;
        inspection->timer = sd_event_source_disable_unref(inspection->timer);
        inspection->io = sd_event_source_disable_unref(inspection->io);
        cleanup_closep(&inspection->pipe);
        inspection->pipe = -1;
        cleanup_freep(&inspection->bytes);
        inspection->bytes = NULL;
        if (!inspection->is_answered)
                TAILQ_REMOVE(&inspection->inspector->inspections, inspection, link);
        inspection->is_answered = true;
}

/* The last thing to be done with an inspection: its owner may free it now. */
static void give_answer(struct inspection *inspection, int result, struct modinfo *info) {
        detach(inspection);
        inspection->answer(result, info, inspection->userdata);
}

static void give_up(struct inspection *inspection, int result) {
        if (inspection->place)
                kill_child(inspection);
        give_answer(inspection, result, NULL);
}

/* The pipe has ended. An answer that is none is given once it is known what the child died of. */
static void conclude(struct inspection *inspection) {
        struct modinfo *info = NULL;
        int result, r;

        r = answer_decode(inspection->bytes, inspection->n_bytes, &result, &info);
        /* In there only the file can have used it up. */
        if (r == 0 && result == -ENOMEM)
                result = MODINFO_TOO_LARGE;
        if (r == 0)
                give_answer(inspection, result, info);
        else if (r != -EBADMSG)
                give_up(inspection, r);
        else if (inspection->is_over)
                give_answer(inspection, inspection->signal == SIGXCPU ? MODINFO_TIMED_OUT : MODINFO_KILLED,
                            NULL);
        else
                kill_child(inspection);
}

/* Return: 1 at the end of the answer, or if it is too long for one; 0 if there may be more. */
static int read_answer(struct inspection *inspection) {
        for (;;) {
                size_t room = ANSWER_MAX + 1 - inspection->n_bytes;
                ssize_t n;

                if (room == 0)
                        return 1;
                n = read(inspection->pipe, inspection->bytes + inspection->n_bytes, room);
                if (n < 0 && (errno == EAGAIN || errno == EINTR))
                        return 0;
                if (n <= 0)
                        return 1;
                inspection->n_bytes += (size_t) n;
        }
}

static int on_answer(sd_event_source *source, int fd, uint32_t events, void *userdata) {
        struct inspection *inspection = userdata;

        (void) fd;
        (void) events;
        if (read_answer(inspection) == 0)
                return 0;
        (void) sd_event_source_set_enabled(source, SD_EVENT_OFF);
        conclude(inspection);
        return 0;
}

static int on_time(sd_event_source *source, uint64_t usec, void *userdata) {
        struct inspection *inspection = userdata;
        int result = inspection->place ? MODINFO_TIMED_OUT : -EBUSY;

        (void) source;
        (void) usec;
        if (inspection->place && watch_is_stopped(&inspection->inspector->watch))
                result = -ETIMEDOUT;
        give_up(inspection, result);
        return 0;
}

static int set_timer(struct inspection *inspection, uint64_t usec) {
        inspection->timer = sd_event_source_disable_unref(inspection->timer);
        return sd_event_add_time_relative(inspection->inspector->event, &inspection->timer, CLOCK_MONOTONIC,
                                          usec, ACCURACY_USEC, on_time, inspection);
}

static struct place *find_place(struct inspector *inspector, uint32_t id) {
        for (size_t i = 0; i < ZYGOTE_CHILDREN_MAX; i++)
                if (inspector->places[i].id == id)
                        return &inspector->places[i];
        return NULL;
}

/* Never one that a child still has: there are far fewer than there are numbers. */
static uint32_t new_id(struct inspector *inspector) {
        do
                inspector->last_id++;
        while (inspector->last_id == 0 || find_place(inspector, inspector->last_id));
        return inspector->last_id;
}

static int start_inspection(struct inspection *inspection, struct place *place) {
        struct inspector *inspector = inspection->inspector;
        struct zygote_order order = { .kind = ZYGOTE_START };
        _cleanup_close_ int write_end = -1;
        int ends[2], r;

        inspection->bytes = malloc(ANSWER_MAX + 1);
        if (!inspection->bytes)
                return -ENOMEM;
        if (pipe2(ends, O_CLOEXEC) < 0)
                return -errno;
        inspection->pipe = ends[0];
        write_end = ends[1];
        if (fcntl(inspection->pipe, F_SETFL, O_NONBLOCK) < 0)
                return -errno;
        r = sd_event_add_io(inspector->event, &inspection->io, inspection->pipe, EPOLLIN, on_answer,
                            inspection);
        if (r >= 0)
                r = set_timer(inspection, inspector->run_usec);
        if (r < 0)
                return r;

        order.id = new_id(inspector);
        order.seconds = (uint32_t) ((inspector->run_usec + USEC_PER_SEC - 1) / USEC_PER_SEC);
        strcpy(order.expected, inspection->expected);
        r = zygote_send_order(&inspector->zygote, &order, inspection->fd, write_end);
        if (r < 0)
                return r;
        watch_order(&inspector->watch);
        *place = (struct place){ .id = order.id, .inspection = inspection };
        inspection->place = place;
        return 0;
}

static struct inspection *next_waiting(const struct inspector *inspector) {
        struct inspection *inspection;

        TAILQ_FOREACH(inspection, &inspector->inspections, link)
                if (!inspection->place)
                        return inspection;
        return NULL;
}

static int on_start(sd_event_source *source, void *userdata) {
        struct inspector *inspector = userdata;
        struct inspection *inspection;
        struct place *place;

        (void) source;
        while ((inspection = next_waiting(inspector)) && (place = find_place(inspector, 0))) {
                int r = start_inspection(inspection, place);

                if (r < 0)
                        give_answer(inspection, r, NULL);
        }
        return 0;
}

static void start_soon(struct inspector *inspector) {
        (void) sd_event_source_set_enabled(inspector->start, SD_EVENT_ONESHOT);
}

static void take_report(struct inspector *inspector, const struct zygote_report *report) {
        struct place *place = report->id == 0 ? NULL : find_place(inspector, report->id);
        struct inspection *inspection;

        if (!place)
                return;
        inspection = place->inspection;
        *place = (struct place){ 0 };
        start_soon(inspector);
        if (!inspection)
                return;

        if (report->error < 0) {
                give_answer(inspection, report->error, NULL);
                return;
        }
        inspection->is_over = true;
        inspection->signal = WIFSIGNALED(report->status) ? WTERMSIG(report->status) : 0;
        (void) read_answer(inspection);
        conclude(inspection);
}

/* No more can be inspected. */
static void bury(struct inspector *inspector) {
        struct inspection *inspection;

        inspector->io = sd_event_source_disable_unref(inspector->io);
        watch_end(&inspector->watch);
        cleanup_closep(&inspector->zygote.socket);
        inspector->zygote.socket = -1;
        while ((inspection = TAILQ_FIRST(&inspector->inspections)))
                give_answer(inspection, -ECONNRESET, NULL);
        inspector->died(inspector->userdata);
}

static int on_zygote(sd_event_source *source, int fd, uint32_t events, void *userdata) {
        struct inspector *inspector = userdata;
        struct zygote_report report;
        int r;

        (void) source;
        (void) fd;
        (void) events;
        r = zygote_receive_report(&inspector->zygote, &report);
        if (r == 0)
                take_report(inspector, &report);
        else if (r != -EAGAIN && r != -EINTR)
                bury(inspector);
        return 0;
}

/**
 * inspector_new() - make what inspects
 * @ret:        the inspector; owned by the caller
 *
 * Forks. To be called before this process has a second thread, a connection to the bus or anybody's descriptor.
 *
 * Return: 0 or a negative errno.
 */
int inspector_new(struct inspector **ret) {
        struct inspector *inspector = calloc(1, sizeof *inspector);
        int r;

        if (!inspector)
                return -ENOMEM;
        TAILQ_INIT(&inspector->inspections);
        inspector->run_usec = RUN_USEC_DEFAULT;
        r = zygote_start(&inspector->zygote);
        if (r < 0) {
                free(inspector);
                return r;
        }
        *ret = inspector;
        return 0;
}

/**
 * inspector_zygote() - what else can be asked to fork a child
 * @inspector:  the inspector
 *
 * Return: the zygote; borrowed, until the inspector is given back.
 */
const struct zygote_link *inspector_zygote(const struct inspector *inspector) {
        return &inspector->zygote;
}

/**
 * inspector_set_time() - how long looking into one file may take
 * @inspector:  the inspector
 * @usec:       in µs, and as much processor time, in whole seconds; for files that nobody has begun with yet
 */
void inspector_set_time(struct inspector *inspector, uint64_t usec) {
        inspector->run_usec = usec;
}

/**
 * inspector_attach() - let an event loop run the inspections
 * @inspector:  the inspector
 * @event:      the event loop
 * @died:       called once if the inspector is gone and nothing can be inspected any more, after every inspection was
 *              answered by -ECONNRESET; must not free the inspector
 * @userdata:   handed to @died
 *
 * Return: 0 or a negative errno.
 */
int inspector_attach(struct inspector *inspector, sd_event *event, inspector_died_t died, void *userdata) {
        int r;

        inspector->event = sd_event_ref(event);
        inspector->died = died;
        inspector->userdata = userdata;
        r = sd_event_add_io(event, &inspector->io, inspector->zygote.socket, EPOLLIN, on_zygote, inspector);
        if (r >= 0)
                r = sd_event_add_defer(event, &inspector->start, on_start, inspector);
        if (r >= 0)
                r = sd_event_source_set_enabled(inspector->start, SD_EVENT_OFF);
        if (r >= 0)
                r = watch_begin(&inspector->watch, &inspector->zygote, event);
        return r < 0 ? r : 0;
}

/**
 * inspector_free() - end the inspector and all its children
 * @inspector:  the inspector, or NULL; every inspection must have been freed
 *
 * Return: NULL.
 */
struct inspector *inspector_free(struct inspector *inspector) {
        if (!inspector)
                return NULL;

        assert(TAILQ_EMPTY(&inspector->inspections));
        sd_event_source_disable_unref(inspector->start);
        watch_end(&inspector->watch);
        sd_event_source_disable_unref(inspector->io);
        sd_event_unref(inspector->event);
        zygote_end(&inspector->zygote);
        free(inspector);
        return NULL;
}

/**
 * inspection_new() - look into a file, in a process of its own
 * @inspector:  the inspector, attached
 * @fd:         the file, one that an origin accepts; borrowed until the answer
 * @expected:   what the module should be called, by its file's name; copied
 * @answer:     called once, later, unless the inspection is freed before; may free it
 * @userdata:   handed to @answer
 * @ret:        the inspection; owned by the caller, also once it is answered
 *
 * The answer is the MODINFO_ that modinfo_read() gave there; MODINFO_KILLED or MODINFO_TIMED_OUT if there was none; or a
 * negative errno if the file may be none the worse: -EBUSY after a minute in the queue, -ECONNRESET if the inspector died,
 * -ETIMEDOUT if it was stopped, after which it is ended.
 *
 * Return: 0; -ENAMETOOLONG; -ECONNRESET if the inspector died before; or another negative errno.
 */
int inspection_new(struct inspector *inspector, int fd, const char *expected, inspection_answer_t answer,
                   void *userdata, struct inspection **ret) {
        struct inspection *inspection;
        int r;

        if (strlen(expected) > MODULE_NAME_MAX)
                return -ENAMETOOLONG;
        if (inspector->zygote.socket < 0)
                return -ECONNRESET;
        inspection = calloc(1, sizeof *inspection);
        if (!inspection)
                return -ENOMEM;

        inspection->inspector = inspector;
        inspection->fd = fd;
        inspection->pipe = -1;
        strcpy(inspection->expected, expected);
        inspection->answer = answer;
        inspection->userdata = userdata;
        TAILQ_INSERT_TAIL(&inspector->inspections, inspection, link);
        r = set_timer(inspection, WAIT_USEC);
        if (r < 0) {
                inspection_free(inspection);
                return r;
        }
        start_soon(inspector);
        *ret = inspection;
        return 0;
}

/**
 * inspection_free() - give back an inspection; if it has no answer yet nobody is told any
 * @inspection: the inspection, or NULL
 *
 * Return: NULL.
 */
struct inspection *inspection_free(struct inspection *inspection) {
        if (!inspection)
                return NULL;
        if (inspection->place)
                kill_child(inspection);
        detach(inspection);
        free(inspection);
        return NULL;
}

/**
 * inspection_signal() - what an inspection's child died of
 * @inspection: the inspection
 *
 * Return: the signal's number after MODINFO_KILLED, or 0 if it just ended without an answer; see signal(7).
 */
int inspection_signal(const struct inspection *inspection) {
        return inspection->signal;
}
