/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <glib.h>
#include <stdbool.h>

#include "turn.h"

static GString *order;

/* A turn that notes when it goes, and gives itself back at once if it is @hasty. */
struct walker {
        struct turns *turns;
        struct turn *turn;
        char letter;
        bool hasty;
};

static void go(void *userdata) {
        struct walker *walker = userdata;

        g_string_append_c(order, walker->letter);
        if (walker->hasty)
                walker->turn = turn_free(walker->turn);
}

static void queue_up(struct walker *walker, const char *name) {
        g_assert_cmpint(turn_new(walker->turns, name, go, walker, &walker->turn), ==, 0);
}

static void expect(const char *letters) {
        g_assert_cmpstr(order->str, ==, letters);
        g_string_truncate(order, 0);
}

static void test_one_at_a_time(void) {
        struct turns turns = TAILQ_HEAD_INITIALIZER(turns);
        struct walker a = { &turns, NULL, 'a', false }, b = { &turns, NULL, 'b', false },
                      c = { &turns, NULL, 'c', false }, other = { &turns, NULL, 'o', false };

        queue_up(&a, "dummy");
        queue_up(&b, "dummy");
        queue_up(&c, "dummy");
        queue_up(&other, "dumm");
        expect("ao");
        a.turn = turn_free(a.turn);
        expect("b");
        turn_free(b.turn);
        expect("c");
        turn_free(c.turn);
        turn_free(other.turn);
        expect("");
        g_assert_true(TAILQ_EMPTY(&turns));
}

/* Who waits can leave without disturbing who goes, or who waits behind. */
static void test_leave_the_queue(void) {
        struct turns turns = TAILQ_HEAD_INITIALIZER(turns);
        struct walker a = { &turns, NULL, 'a', false }, b = { &turns, NULL, 'b', false },
                      c = { &turns, NULL, 'c', false };

        queue_up(&a, "x");
        queue_up(&b, "x");
        queue_up(&c, "x");
        turn_free(b.turn);
        expect("a");
        turn_free(a.turn);
        expect("c");
        turn_free(c.turn);
        g_assert_null(turn_free(NULL));
}

/* One that is done at once, as where the module is loaded by now, lets the next one go. */
static void test_done_at_once(void) {
        struct turns turns = TAILQ_HEAD_INITIALIZER(turns);
        struct walker a = { &turns, NULL, 'a', false }, b = { &turns, NULL, 'b', true },
                      c = { &turns, NULL, 'c', true };

        queue_up(&a, "x");
        queue_up(&b, "x");
        queue_up(&c, "x");
        turn_free(a.turn);
        expect("abc");
        g_assert_null(b.turn);
        g_assert_null(c.turn);
        queue_up(&c, "x");
        expect("c");
        g_assert_true(TAILQ_EMPTY(&turns));
}

int main(int argc, char *argv[]) {
        int r;

        g_test_init(&argc, &argv, NULL);
        order = g_string_new("");
        g_test_add_func("/turn/one-at-a-time", test_one_at_a_time);
        g_test_add_func("/turn/leave-the-queue", test_leave_the_queue);
        g_test_add_func("/turn/done-at-once", test_done_at_once);
        r = g_test_run();
        g_string_free(order, TRUE);
        return r;
}
