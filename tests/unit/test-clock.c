/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Tests of clock.c, in a zone that puts its clocks forward and back.
 */

#include <errno.h>
#include <glib.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"

/* 2023-03-26 15:00:00 in Berlin, twelve hours after the clocks were put forward. */
#define NOW 1679835600

static const struct {
        const char *text;
        time_t time;
} times[] = {
        { "now", NOW },
        { "today", 1679785200 },
        { "yesterday", 1679698800 },
        { "-1h", NOW - 3600 },
        { "-1h30min", NOW - 5400 },
        { "-1h 30min", NOW - 5400 },
        { "-2 weeks", NOW - 2 * 7 * 86400 },
        { "90s ago", NOW - 90 },
        { "2 days ago", NOW - 2 * 86400 },
        { "1 hour 1 minute 1 second ago", NOW - 3661 },
        { "2023-01-31", 1675119600 },
        { "2023-01-31 12:30", 1675164600 },
        { "2023-01-31 12:30:59", 1675164659 },
        { "2023-01-31T12:30:59", 1675164659 },
        { "2023-07-01", 1688162400 },
        { "12:30", 1679826600 },
        { "00:00:01", 1679785201 },
        { "@0", 0 },
        { "@1700000000", 1700000000 },
};

static const char *const no_times[] = {
        "",
        "x",
        "-",
        "1h",
        "-1",
        "-1x",
        "-1h ago",
        "ago",
        "h ago",
        "--1h",
        "- 1h",
        "2023-02-30",
        "2023-13-01",
        "2023-01",
        "2023-01-31x",
        "12",
        "25:00",
        "@",
        "@-1",
        "@1x",
        "@ 1",
        "today 12",
        "to day",
        "-99999999999w",
        "99999999999999999999h ago",
        "Now",
        "-1h\n",
        "@99999999999999999999",
};

static void test_times(void) {
        for (size_t i = 0; i < G_N_ELEMENTS(times); i++) {
                time_t time = -1;

                g_test_message("%s", times[i].text);
                g_assert_cmpint(clock_parse(times[i].text, NOW, &time), ==, 0);
                g_assert_cmpint(time, ==, times[i].time);
        }
}

static void test_no_times(void) {
        for (size_t i = 0; i < G_N_ELEMENTS(no_times); i++) {
                time_t time;

                g_test_message("%s", no_times[i]);
                g_assert_cmpint(clock_parse(no_times[i], NOW, &time), ==, -EINVAL);
        }
}

static void test_format(void) {
        char text[CLOCK_TEXT_MAX];

        clock_format(UINT64_C(1000000) * NOW + 999999, true, text);
        g_assert_cmpstr(text, ==, "2023-03-26T13:00:00Z");
        clock_format(UINT64_C(1000000) * NOW, false, text);
        g_assert_cmpstr(text, ==, "2023-03-26 15:00:00");
        clock_format(UINT64_MAX, true, text);
        g_assert_cmpuint(strlen(text), <, CLOCK_TEXT_MAX);
}

int main(int argc, char *argv[]) {
        /* The rule itself, for the machine may have no time zones. */
        (void) setenv("TZ", "CET-1CEST,M3.5.0,M10.5.0/3", 1);
        tzset();
        g_test_init(&argc, &argv, NULL);
        g_test_add_func("/clock/times", test_times);
        g_test_add_func("/clock/no-times", test_no_times);
        g_test_add_func("/clock/format", test_format);
        return g_test_run();
}
