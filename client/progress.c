/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Progress
 *
 * A line on the terminal that says what a call waits for, and that is gone afterwards. What the service is at is not
 * known here; what the kernel is at can be seen.
 *
 * The agent that asks for passwords writes to the same terminal, whenever polkit makes it. While it may be asking,
 * nothing is written but that a module initializes, for then it has asked. And the cursor is left where the line begins,
 * so that whoever writes next writes over it.
 */

#include <errno.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "cleanup.h"
#include "message.h"
#include "progress.h"
#include "terminal.h"

/* Less is no wait. */
#define PATIENCE_USEC (500 * UINT64_C(1000))
#define TICK_USEC (200 * UINT64_C(1000))

static char *describe(const struct progress *progress) {
        bool is_unload = false;
        const char *name = subject_under_way(progress->subject, &is_unload);
        _cleanup_free_ char *safe = NULL;
        char *text;

        if (name) {
                safe = printable(name);
                if (asprintf(&text, "Waiting for %s to %s", safe ? safe : "the module",
                             is_unload ? "be unloaded" : "initialize") < 0)
                        return NULL;
                return text;
        }
        if (agent_asks_here(progress->agent))
                return NULL;
        if (asprintf(&text, "Waiting for moduled%s", progress->may_ask ? " or for authorization" : "") < 0)
                return NULL;
        return text;
}

static int on_tick(sd_event_source *source, uint64_t usec, void *userdata) {
        struct progress *progress = userdata;
        _cleanup_free_ char *text = describe(progress);
        size_t room = terminal_columns(STDERR_FILENO) - 1;

        (void) usec;
        progress_clear(progress);
        if (text) {
                int width = fprintf(stderr, "\r%.*s\r", (int) room, text) - 2;

                progress->width = width > 0 ? (size_t) width : 0;
        }
        return sd_event_source_set_time_relative(source, TICK_USEC);
}

/**
 * progress_start() - say what is waited for, once it takes long
 * @progress:   what is known of it; borrowed as long as @event runs
 * @event:      the loop in which it is waited
 *
 * Does nothing where there is no terminal to say it on.
 *
 * Return: 0 or a negative errno.
 */
int progress_start(struct progress *progress, sd_event *event) {
        _cleanup_(sd_event_source_unrefp) sd_event_source *source = NULL;
        int r;

        if (!isatty(STDERR_FILENO))
                return 0;
        r = sd_event_add_time_relative(event, &source, CLOCK_MONOTONIC, PATIENCE_USEC, TICK_USEC / 4,
                                       on_tick, progress);
        if (r >= 0)
                r = sd_event_source_set_enabled(source, SD_EVENT_ON);
        if (r >= 0)
                r = sd_event_source_set_floating(source, true);
        return r < 0 ? r : 0;
}

/**
 * progress_clear() - take the line off the terminal
 * @progress:   the progress
 */
void progress_clear(struct progress *progress) {
        if (progress->width > 0)
                fprintf(stderr, "\r%*s\r", (int) progress->width, "");
        progress->width = 0;
}
