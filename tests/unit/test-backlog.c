/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <errno.h>
#include <glib.h>
#include <stdbool.h>
#include <systemd/sd-event.h>

#include "backlog.h"

/* What does not fail on demand: the linker puts these before the libraries' own. */
static bool calloc_fails, set_prepare_fails;

void *__real_calloc(size_t n, size_t size);
void *__wrap_calloc(size_t n, size_t size);
int __real_sd_event_source_set_prepare(sd_event_source *source, sd_event_handler_t callback);
int __wrap_sd_event_source_set_prepare(sd_event_source *source, sd_event_handler_t callback);

void *__wrap_calloc(size_t n, size_t size) {
        return calloc_fails ? NULL : __real_calloc(n, size);
}

int __wrap_sd_event_source_set_prepare(sd_event_source *source, sd_event_handler_t callback) {
        return set_prepare_fails ? -ENOMEM : __real_sd_event_source_set_prepare(source, callback);
}

struct fixture {
        sd_event *event;
        struct backlog *backlog;
        struct user a, b;
        sd_event_source *other;
        GString *order;
};

/* One that notes when it goes. */
struct task {
        struct fixture *fixture;
        char letter;
        struct backlog_entry entry;
        struct task *removes, *adds; /* when it goes */
};

static void set_up(struct fixture *fixture, gconstpointer data) {
        (void) data;
        g_assert_cmpint(sd_event_new(&fixture->event), >=, 0);
        g_assert_cmpint(backlog_new(fixture->event, &fixture->backlog), ==, 0);
        TAILQ_INIT(&fixture->a.backlog);
        TAILQ_INIT(&fixture->b.backlog);
        fixture->order = g_string_new(NULL);
}

static void tear_down(struct fixture *fixture, gconstpointer data) {
        (void) data;
        backlog_free(fixture->backlog);
        sd_event_source_unref(fixture->other);
        sd_event_unref(fixture->event);
        g_string_free(fixture->order, TRUE);
}

static void add(struct fixture *fixture, struct user *user, struct task *task);

static void go(void *userdata) {
        struct task *task = userdata;
        struct fixture *fixture = task->fixture;

        g_assert_null(task->entry.user);
        g_string_append_c(fixture->order, task->letter);
        if (task->removes)
                backlog_remove(fixture->backlog, &task->removes->entry);
        if (task->adds)
                add(fixture, &fixture->a, task->adds);
}

static void add(struct fixture *fixture, struct user *user, struct task *task) {
        task->fixture = fixture;
        g_assert_cmpint(backlog_add(fixture->backlog, user, &task->entry, go, task), ==, 0);
}

static void run(struct fixture *fixture, const char *expected) {
        while (sd_event_run(fixture->event, 0) > 0)
                ;
        g_assert_cmpstr(fixture->order->str, ==, expected);
}

static void test_turns(struct fixture *fixture, gconstpointer data) {
        struct task a[] = { { .letter = '1' }, { .letter = '2' }, { .letter = '3' } },
                    b[] = { { .letter = 'x' }, { .letter = 'y' } };

        (void) data;
        for (size_t i = 0; i < G_N_ELEMENTS(a); i++)
                add(fixture, &fixture->a, &a[i]);
        for (size_t i = 0; i < G_N_ELEMENTS(b); i++)
                add(fixture, &fixture->b, &b[i]);
        /* Not from within. */
        g_assert_cmpstr(fixture->order->str, ==, "");
        run(fixture, "1x2y3");
}

static void test_remove(struct fixture *fixture, gconstpointer data) {
        struct task second = { .letter = '2' }, third = { .letter = '3' }, late = { .letter = 'l' },
                    first = { .letter = '1', .removes = &second, .adds = &late }, alone = { .letter = 'x' },
                    never = { .letter = '?' };

        (void) data;
        add(fixture, &fixture->a, &first);
        add(fixture, &fixture->b, &alone);
        add(fixture, &fixture->a, &second);
        add(fixture, &fixture->a, &third);
        backlog_remove(fixture->backlog, &alone.entry);
        backlog_remove(fixture->backlog, &alone.entry);
        backlog_remove(fixture->backlog, &never.entry);
        run(fixture, "13l");
        /* It has gone, and the backlog is empty. */
        backlog_remove(fixture->backlog, &first.entry);
        add(fixture, &fixture->b, &alone);
        run(fixture, "13lx");
}

static int on_other(sd_event_source *source, void *userdata) {
        struct fixture *fixture = userdata;

        (void) source;
        g_string_append_c(fixture->order, '.');
        return 0;
}

/* Others go first, but not for good. */
static void test_others(struct fixture *fixture, gconstpointer data) {
        struct task first = { .letter = '1' }, second = { .letter = '2' };

        (void) data;
        g_assert_cmpint(sd_event_add_defer(fixture->event, &fixture->other, on_other, fixture), >=, 0);
        g_assert_cmpint(sd_event_source_set_enabled(fixture->other, SD_EVENT_ON), >=, 0);
        add(fixture, &fixture->a, &first);
        add(fixture, &fixture->a, &second);
        for (unsigned i = 0; i < 20; i++)
                g_assert_cmpint(sd_event_run(fixture->event, 0), >, 0);
        g_assert_cmpstr(fixture->order->str, ==, "........1........2..");

        /* What comes into an empty backlog waits as long as the first did. */
        g_string_truncate(fixture->order, 0);
        add(fixture, &fixture->b, &first);
        for (unsigned i = 0; i < 9; i++)
                g_assert_cmpint(sd_event_run(fixture->event, 0), >, 0);
        g_assert_cmpstr(fixture->order->str, ==, "........1");
}

/* Who calls without end does not put off whoever is first. */
static void test_no_end(struct fixture *fixture, gconstpointer data) {
        struct task first = { .letter = '1' }, later[8] = { 0 };

        (void) data;
        g_assert_cmpint(sd_event_add_defer(fixture->event, &fixture->other, on_other, fixture), >=, 0);
        g_assert_cmpint(sd_event_source_set_enabled(fixture->other, SD_EVENT_ON), >=, 0);
        add(fixture, &fixture->a, &first);
        for (unsigned i = 0; i < 9; i++) {
                if (i < G_N_ELEMENTS(later)) {
                        later[i].letter = 'x';
                        add(fixture, &fixture->b, &later[i]);
                }
                g_assert_cmpint(sd_event_run(fixture->event, 0), >, 0);
        }
        g_assert_cmpstr(fixture->order->str, ==, "........1");
}

/* As soon as the others are done. */
static void test_idle(struct fixture *fixture, gconstpointer data) {
        struct task task = { .letter = '1' };

        (void) data;
        g_assert_cmpint(sd_event_add_defer(fixture->event, &fixture->other, on_other, fixture), >=, 0);
        add(fixture, &fixture->a, &task);
        run(fixture, ".1");
}

/* It has the event loop do nothing, not even once. */
static void test_nobody(struct fixture *fixture, gconstpointer data) {
        (void) data;
        g_assert_cmpint(sd_event_run(fixture->event, 0), ==, 0);
        g_assert_null(backlog_free(NULL));
}

static void test_no_memory(struct fixture *fixture, gconstpointer data) {
        struct backlog *backlog = NULL;

        (void) data;
        calloc_fails = true;
        g_assert_cmpint(backlog_new(fixture->event, &backlog), ==, -ENOMEM);
        calloc_fails = false;
        set_prepare_fails = true;
        g_assert_cmpint(backlog_new(fixture->event, &backlog), ==, -ENOMEM);
        set_prepare_fails = false;
        g_assert_null(backlog);
}

/* An event loop that has ended takes nothing. */
static void test_ended(struct fixture *fixture, gconstpointer data) {
        struct task task = { .letter = '1' };
        struct backlog *backlog = NULL;

        (void) data;
        g_assert_cmpint(sd_event_exit(fixture->event, 0), >=, 0);
        g_assert_cmpint(sd_event_loop(fixture->event), ==, 0);
        g_assert_cmpint(backlog_new(fixture->event, &backlog), ==, -ESTALE);
        g_assert_null(backlog);
        g_assert_cmpint(backlog_add(fixture->backlog, &fixture->a, &task.entry, go, &task), ==, -ESTALE);
        g_assert_null(task.entry.user);
        g_assert_true(TAILQ_EMPTY(&fixture->a.backlog));
}

int main(int argc, char *argv[]) {
        g_test_init(&argc, &argv, NULL);
        g_test_add("/backlog/turns", struct fixture, NULL, set_up, test_turns, tear_down);
        g_test_add("/backlog/remove", struct fixture, NULL, set_up, test_remove, tear_down);
        g_test_add("/backlog/others", struct fixture, NULL, set_up, test_others, tear_down);
        g_test_add("/backlog/no-end", struct fixture, NULL, set_up, test_no_end, tear_down);
        g_test_add("/backlog/idle", struct fixture, NULL, set_up, test_idle, tear_down);
        g_test_add("/backlog/nobody", struct fixture, NULL, set_up, test_nobody, tear_down);
        g_test_add("/backlog/no-memory", struct fixture, NULL, set_up, test_no_memory, tear_down);
        g_test_add("/backlog/ended", struct fixture, NULL, set_up, test_ended, tear_down);
        return g_test_run();
}
