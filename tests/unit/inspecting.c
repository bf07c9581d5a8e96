/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "inspecting.h"
#include "support.h"

/* Longer than anything takes that ends at all. */
#define LONG_USEC (INT64_C(50) * G_USEC_PER_SEC)
#define STEP_USEC 10000

static void on_died(void *userdata) {
        struct inspecting *f = userdata;

        f->n_died++;
}

/**
 * inspecting_set_up() - make an inspector
 * @f:          the fixture
 * @data:       not used
 */
void inspecting_set_up(struct inspecting *f, gconstpointer data) {
        (void) data;
        *f = (struct inspecting){ .descriptors = support_count_descriptors() };
        f->directory = support_directory();
        g_assert_cmpint(inspector_new(&f->inspector), ==, 0);
        g_assert_cmpint(sd_event_new(&f->event), >=, 0);
        g_assert_cmpint(inspector_attach(f->inspector, f->event, on_died, f), ==, 0);
}

/**
 * inspecting_tear_down() - end it, and see that it leaves nothing behind
 * @f:          the fixture
 * @data:       not used
 */
void inspecting_tear_down(struct inspecting *f, gconstpointer data) {
        (void) data;
        inspector_free(f->inspector);
        sd_event_unref(f->event);
        support_remove(f->directory);
        g_free(f->directory);
        g_assert_cmpint(waitpid(-1, NULL, WNOHANG), ==, -1);
        g_assert_cmpint(errno, ==, ECHILD);
        g_assert_cmpuint(support_count_descriptors(), ==, f->descriptors);
}

/**
 * inspecting_write() - write a file to be asked about
 * @f:          the fixture
 * @bytes:      what is in it
 * @size:       how much
 *
 * Return: its path, to be freed.
 */
char *inspecting_write(const struct inspecting *f, const void *bytes, size_t size) {
        char *path = g_build_filename(f->directory, "file", NULL);

        support_write_bytes(path, bytes, size);
        return path;
}

static void on_answer(int result, struct modinfo *info, void *userdata) {
        struct asked *asked = userdata;

        asked->n_answers++;
        asked->result = result;
        asked->info = info;
        asked->signal = inspection_signal(asked->inspection);
}

/**
 * inspecting_ask() - begin an inspection
 * @f:          the fixture
 * @path:       the file
 * @expected:   the module's name
 * @ret:        the inspection, for inspecting_clear(); stays where it is until then
 */
void inspecting_ask(struct inspecting *f, const char *path, const char *expected, struct asked *ret) {
        *ret = (struct asked){ .inspecting = f, .fd = support_open(path) };
        g_assert_cmpint(inspection_new(f->inspector, ret->fd, expected, on_answer, ret, &ret->inspection),
                        ==, 0);
}

/**
 * inspecting_wait() - wait for an answer
 * @f:          the fixture
 * @asked:      the inspection
 */
void inspecting_wait(struct inspecting *f, const struct asked *asked) {
        gint64 end = g_get_monotonic_time() + LONG_USEC;

        while (asked->n_answers == 0) {
                g_assert_cmpint(g_get_monotonic_time(), <, end);
                g_assert_cmpint(sd_event_run(f->event, STEP_USEC), >=, 0);
        }
        g_assert_cmpuint(asked->n_answers, ==, 1);
}

/**
 * inspecting_clear() - end with an inspection, answered or not
 * @asked:      the inspection
 */
void inspecting_clear(struct asked *asked) {
        inspection_free(asked->inspection);
        modinfo_free(asked->info);
        (void) close(asked->fd);
        *asked = (struct asked){ .fd = -1 };
}

/**
 * inspecting_outcome() - ask about a file, and wait for the answer
 * @f:          the fixture
 * @path:       the file
 * @expected:   the module's name
 *
 * Return: the result.
 */
int inspecting_outcome(struct inspecting *f, const char *path, const char *expected) {
        struct asked asked;
        int result;

        inspecting_ask(f, path, expected, &asked);
        inspecting_wait(f, &asked);
        result = asked.result;
        inspecting_clear(&asked);
        return result;
}

/**
 * inspecting_status() - read a line of a process's status
 * @pid:        the process
 * @key:        the line's key; see proc_pid_status(5)
 *
 * Return: the value, to be freed, or NULL if there is no such process.
 */
char *inspecting_status(pid_t pid, const char *key) {
        g_autofree char *path = g_strdup_printf("/proc/%d/status", pid), *text = NULL;
        g_auto(GStrv) lines = NULL;
        size_t n = strlen(key);

        if (!g_file_get_contents(path, &text, NULL, NULL))
                return NULL;
        lines = g_strsplit(text, "\n", -1);
        for (size_t i = 0; lines[i]; i++)
                if (strncmp(lines[i], key, n) == 0 && lines[i][n] == ':')
                        return g_strdup(g_strstrip(lines[i] + n + 1));
        return NULL;
}

/**
 * inspecting_children() - the living children of a process
 * @of:         the process
 * @ret:        their numbers
 * @max:        how many there is room for; there must not be more
 *
 * Return: how many there are.
 */
size_t inspecting_children(pid_t of, pid_t *ret, size_t max) {
        DIR *directory = opendir("/proc");
        const struct dirent *entry;
        size_t n = 0;

        g_assert_nonnull(directory);
        while ((entry = readdir(directory))) {
                pid_t pid = (pid_t) atoi(entry->d_name);
                g_autofree char *parent = pid > 0 ? inspecting_status(pid, "PPid") : NULL;
                g_autofree char *state = parent ? inspecting_status(pid, "State") : NULL;

                if (!state || atoi(parent) != of || state[0] == 'Z')
                        continue;
                g_assert_cmpuint(n, <, max);
                ret[n++] = pid;
        }
        (void) closedir(directory);
        return n;
}

/**
 * inspecting_zygote() - the inspector's process
 *
 * Return: its number; it is the only child of this process.
 */
pid_t inspecting_zygote(void) {
        pid_t pid;

        g_assert_cmpuint(inspecting_children(getpid(), &pid, 1), ==, 1);
        return pid;
}

/**
 * inspecting_await_child() - wait until an inspection runs, the only one
 * @f:          the fixture
 *
 * Return: its process.
 */
pid_t inspecting_await_child(struct inspecting *f) {
        gint64 end = g_get_monotonic_time() + LONG_USEC;
        pid_t zygote = inspecting_zygote(), pid;

        while (inspecting_children(zygote, &pid, 1) == 0) {
                g_assert_cmpint(g_get_monotonic_time(), <, end);
                g_assert_cmpint(sd_event_run(f->event, 0), >=, 0);
        }
        return pid;
}

/**
 * inspecting_await_end() - wait until a process is gone, or dead and not waited for
 * @pid:        the process
 */
void inspecting_await_end(pid_t pid) {
        gint64 end = g_get_monotonic_time() + LONG_USEC;

        for (;;) {
                g_autofree char *state = inspecting_status(pid, "State");

                if (!state || state[0] == 'Z')
                        return;
                g_assert_cmpint(g_get_monotonic_time(), <, end);
                g_usleep(STEP_USEC);
        }
}
