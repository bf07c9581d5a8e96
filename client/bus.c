/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Bus
 *
 * One method call at a time, waited for. An answer that is an error is handed back as a message, not only as a name
 * and a text, because only the message tells whether the service or the bus itself sent it.
 */

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <systemd/sd-event.h>
#include <unistd.h>

#include "agent.h"
#include "bus.h"
#include "cleanup.h"
#include "interrupt.h"
#include "progress.h"
#include "subject.h"

/* A person may be asked, and takes as long as it takes; the service bounds that, and ^C is always there. */
#define NO_TIMEOUT UINT64_MAX

/* Nobody is asked: sd-bus's own, 25 seconds. */
#define DEFAULT_TIMEOUT 0

struct call {
        sd_bus_message *reply;
        struct subject *subject;
        bool interrupted;
};

static void call_clear(struct call *call) {
        (void) sd_bus_message_unref(call->reply);
        (void) subject_free(call->subject);
}

/**
 * bus_begin() - begin to connect to the system bus
 * @ret:        the connection, owned by the caller, for bus_go_on() and bus_finish()
 *
 * It takes the bus a while to let us in, for something else to be done meanwhile.
 *
 * Return: 0 or a negative errno.
 */
int bus_begin(sd_bus **ret) {
        int r;

        r = sd_bus_open_system_with_description(ret, "modctl");
        return r < 0 ? r : 0;
}

/**
 * bus_go_on() - answer what the bus has asked since, if it has
 * @bus:        what bus_begin() made, or NULL
 *
 * What goes wrong bus_finish() will tell.
 */
void bus_go_on(sd_bus *bus) {
        /* It takes a round to hear that we are who we say, and another one to ask for a name. */
        while (bus && sd_bus_process(bus, NULL) > 0)
                ;
}

/**
 * bus_finish() - wait until the bus has let us in
 * @bus:        what bus_begin() made
 *
 * Return: 0 or a negative errno.
 */
int bus_finish(sd_bus *bus) {
        const char *name;
        int r;

        /* Until the bus has given a name, nothing but a socket is known to be there. */
        r = sd_bus_get_unique_name(bus, &name);
        return r < 0 ? r : 0;
}

/**
 * bus_open() - connect to the system bus
 * @ret:        the connection, owned by the caller
 *
 * Return: 0 once the bus has let us in, or a negative errno.
 */
int bus_open(sd_bus **ret) {
        _cleanup_(sd_bus_close_unrefp) sd_bus *bus = NULL;
        int r;

        r = bus_begin(&bus);
        if (r >= 0)
                r = bus_finish(bus);
        if (r < 0)
                return r;

        *ret = take_pointer(&bus);
        return 0;
}

static int on_reply(sd_bus_message *m, void *userdata, sd_bus_error *ret_error) {
        struct call *call = userdata;

        (void) ret_error;
        call->reply = sd_bus_message_ref(m);
        return 1;
}

static int on_interrupt(sd_event_source *source, int fd, uint32_t events, void *userdata) {
        struct call *call = userdata;

        (void) source;
        (void) fd;
        (void) events;
        call->interrupted = true;
        return 0;
}

/* Sends the call, and waits for what ends the wait. */
static int wait_for_end(sd_bus *bus, sd_bus_message *m, uint64_t timeout, int interrupt_fd,
                        struct progress *progress, struct call *call) {
        _cleanup_(sd_event_unrefp) sd_event *event = NULL;
        _cleanup_(sd_bus_slot_unrefp) sd_bus_slot *slot = NULL;
        int r;

        r = sd_event_new(&event);
        if (r >= 0)
                r = sd_bus_attach_event(bus, event, SD_EVENT_PRIORITY_NORMAL);
        if (r < 0)
                return r;
        if (interrupt_fd >= 0)
                r = sd_event_add_io(event, NULL, interrupt_fd, EPOLLIN, on_interrupt, call);
        if (r >= 0)
                r = sd_bus_call_async(bus, &slot, m, on_reply, call, timeout);
        if (r >= 0)
                progress->subject = call->subject = subject_new(m);
        if (r >= 0)
                r = progress_start(progress, event);
        while (r >= 0 && !call->reply && !call->interrupted)
                r = sd_event_run(event, UINT64_MAX);
        progress_clear(progress);
        (void) sd_bus_detach_event(bus);
        return r;
}

static int call_with_timeout(sd_bus *bus, sd_bus_message *m, uint64_t timeout, bool ask,
                             sd_bus_message **ret) {
        _cleanup_(interrupt_release) struct interrupt interrupt = { .fd = -1 };
        _cleanup_(call_clear) struct call call = { 0 };
        struct progress progress = { .may_ask = ask && geteuid() != 0 };
        struct agent *agent;
        int r;

        /* Where there is nobody to tell and nothing to mend, a signal may act at once. */
        if (isatty(STDERR_FILENO))
                interrupt_hold(&interrupt);
        agent = ask ? agent_new(&interrupt) : NULL;
        progress.agent = agent;
        /* Who gave up while the agent started wants nothing loaded. */
        if (interrupt_is_pending(&interrupt))
                r = -EINTR;
        else
                r = wait_for_end(bus, m, timeout, interrupt.fd, &progress, &call);
        if (call.interrupted)
                sd_bus_close(bus);
        agent_free(agent);
        if (call.interrupted) {
                /* The cursor stands behind a prompt, or behind the ^C. */
                fputc('\n', stderr);
                subject_tell_interrupted(call.subject);
        }
        if (call.reply) {
                *ret = take_pointer(&call.reply);
                return sd_bus_message_is_method_error(*ret, NULL) > 0;
        }
        return r < 0 ? r : -EINTR;
}

/**
 * bus_call() - call a method that nobody has to authorize
 * @bus:        the connection
 * @m:          the call
 * @ret:        the answer, owned by the caller
 *
 * May not return if a signal ends us meanwhile.
 *
 * Return: 0 if it was answered, 1 if @ret is an error, or a negative errno.
 */
int bus_call(sd_bus *bus, sd_bus_message *m, sd_bus_message **ret) {
        return call_with_timeout(bus, m, DEFAULT_TIMEOUT, false, ret);
}

/**
 * bus_call_authorized() - call a method that polkit guards
 * @bus:        the connection
 * @m:          the call
 * @ask:        whether a person may be asked for a password
 * @ret:        the answer, owned by the caller
 *
 * Waits for the answer as long as it takes. May not return if a signal ends us meanwhile; then the call is withdrawn,
 * and what it had done is said.
 *
 * Return: 0 if it was answered, 1 if @ret is an error, or a negative errno.
 */
int bus_call_authorized(sd_bus *bus, sd_bus_message *m, bool ask, sd_bus_message **ret) {
        int r;

        r = sd_bus_message_set_allow_interactive_authorization(m, ask);
        return r < 0 ? r : call_with_timeout(bus, m, NO_TIMEOUT, ask, ret);
}
