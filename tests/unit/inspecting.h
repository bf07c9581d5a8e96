/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Inspecting
 *
 * What the tests of inspections share: an inspector with its event loop, files to ask it about, and a look at its
 * processes.
 */

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>
#include <systemd/sd-event.h>

#include "inspect.h"

struct inspecting {
        sd_event *event;
        struct inspector *inspector;
        char *directory;
        size_t descriptors;
        unsigned n_died;
};

/* One inspection; begins as { 0 }. */
struct asked {
        struct inspecting *inspecting;
        struct inspection *inspection;
        int fd;
        unsigned n_answers;
        int result;
        int signal;
        struct modinfo *info;
};

void inspecting_set_up(struct inspecting *f, gconstpointer data);
void inspecting_tear_down(struct inspecting *f, gconstpointer data);

char *inspecting_write(const struct inspecting *f, const void *bytes, size_t size);
void inspecting_ask(struct inspecting *f, const char *path, const char *expected, struct asked *ret);
void inspecting_wait(struct inspecting *f, const struct asked *asked);
void inspecting_clear(struct asked *asked);
int inspecting_outcome(struct inspecting *f, const char *path, const char *expected);

size_t inspecting_children(pid_t of, pid_t *ret, size_t max);
pid_t inspecting_zygote(void);
pid_t inspecting_await_child(struct inspecting *f);
void inspecting_await_end(pid_t pid);
char *inspecting_status(pid_t pid, const char *key);
