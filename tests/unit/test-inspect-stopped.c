/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* An inspector that does not get on, or does not even take orders. */

#include <errno.h>
#include <signal.h>

#include "inspecting.h"
#include "support.h"
#include "zygote.h"

#define SECOND UINT64_C(1000000)
#define NAME "the_example"

static char *example_path(void) {
        return g_build_filename(g_getenv("TEST_MODULES"), "example.ko", NULL);
}

/* Each caller hears of it in time, and then it is ended, for the next one to get on. */
static void test_zygote(struct inspecting *f, gconstpointer data) {
        g_autofree char *path = example_path();
        struct asked asked[ZYGOTE_CHILDREN_MAX];

        (void) data;
        inspector_set_time(f->inspector, SECOND);
        g_assert_no_errno(kill(inspecting_zygote(), SIGSTOP));
        for (size_t i = 0; i < G_N_ELEMENTS(asked); i++)
                inspecting_ask(f, path, NAME, &asked[i]);
        for (size_t i = 0; i < G_N_ELEMENTS(asked); i++) {
                inspecting_wait(f, &asked[i]);
                g_assert_cmpint(asked[i].result, ==, -ETIMEDOUT);
                inspecting_clear(&asked[i]);
        }
        g_assert_cmpuint(f->n_died, ==, 0);
        while (f->n_died == 0)
                g_assert_cmpint(sd_event_run(f->event, SECOND), >=, 0);
}

/* One that goes on before it is ended is not. */
static void test_zygote_continued(struct inspecting *f, gconstpointer data) {
        gint64 end = g_get_monotonic_time() + 4 * G_USEC_PER_SEC;
        g_autofree char *path = example_path();
        struct asked asked;

        (void) data;
        inspector_set_time(f->inspector, SECOND);
        g_assert_no_errno(kill(inspecting_zygote(), SIGSTOP));
        inspecting_ask(f, path, NAME, &asked);
        inspecting_wait(f, &asked);
        g_assert_cmpint(asked.result, ==, -ETIMEDOUT);
        inspecting_clear(&asked);
        g_assert_no_errno(kill(inspecting_zygote(), SIGCONT));
        while (g_get_monotonic_time() < end)
                g_assert_cmpint(sd_event_run(f->event, SECOND), >=, 0);
        g_assert_cmpuint(f->n_died, ==, 0);
        inspector_set_time(f->inspector, 60 * SECOND);
        g_assert_cmpint(inspecting_outcome(f, path, NAME), ==, MODINFO_GOOD);
}

int main(int argc, char *argv[]) {
        g_test_init(&argc, &argv, NULL);
        g_test_add("/inspect-stopped/zygote", struct inspecting, NULL, inspecting_set_up, test_zygote,
                   inspecting_tear_down);
        g_test_add("/inspect-stopped/zygote-continued", struct inspecting, NULL, inspecting_set_up,
                   test_zygote_continued, inspecting_tear_down);
        return g_test_run();
}
