/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <errno.h>
#include <glib.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <syslog.h>

#include "journal.h"
#include "support.h"

/* In µs. Nothing depends on how long it is: an interval ends only when the test runs the event loop. */
#define INTERVAL UINT64_C(1000)
#define BURST 20
#define USERS 64

struct fixture {
        char *top;
        char *path;
        int journald; /* a socket that stands for journald's */
        sd_event *event;
        struct journal *journal;
        char entry[8192]; /* the last one received */
};

static void start_journald(struct fixture *f) {
        struct sockaddr_un address = { .sun_family = AF_UNIX };

        f->journald = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        g_assert_no_errno(f->journald);
        strcpy(address.sun_path, f->path);
        g_assert_no_errno(bind(f->journald, (struct sockaddr *) &address, sizeof address));
}

static void set_up(struct fixture *f, gconstpointer data) {
        (void) data;
        f->top = support_directory();
        f->path = g_strdup_printf("%s/journal", f->top);
        start_journald(f);
        g_assert_cmpint(sd_event_new(&f->event), >=, 0);
        g_assert_cmpint(journal_new(f->event, f->path, INTERVAL, &f->journal), ==, 0);
}

static void tear_down(struct fixture *f, gconstpointer data) {
        (void) data;
        journal_free(f->journal);
        sd_event_unref(f->event);
        (void) close(f->journald);
        support_remove(f->top);
        g_free(f->path);
        g_free(f->top);
}

/* Takes the next entry, if there is one. */
static bool receive(struct fixture *f) {
        ssize_t n = recv(f->journald, f->entry, sizeof f->entry - 1, 0);

        if (n < 0) {
                g_assert_cmpint(errno, ==, EAGAIN);
                return false;
        }
        f->entry[n] = '\0';
        return true;
}

static bool has(const struct fixture *f, const char *field) {
        g_autofree char *text = g_strdup_printf("\n%s", f->entry), *line = g_strdup_printf("\n%s\n", field);

        return strstr(text, line);
}

static void write_result(struct fixture *f, uid_t uid, const char *result) {
        struct journal_entry entry = {
                .message_id = JOURNAL_LOAD_REFUSED, .message = "A sentence.", .uid = uid, .result = result
        };

        journal_write(f->journal, &entry);
}

/* Has @n requests refused; returns how many were recorded one by one. */
static unsigned refuse(struct fixture *f, uid_t uid, unsigned n) {
        unsigned written = 0;

        for (unsigned i = 0; i < n; i++) {
                write_result(f, uid, "org.moduled1.Error.OriginRefused");
                if (receive(f)) {
                        g_assert_true(has(f, "MODULED_RESULT=org.moduled1.Error.OriginRefused"));
                        written++;
                }
        }
        return written;
}

/* Only the journal's timer is there to be run. */
static void pass_interval(struct fixture *f) {
        g_assert_cmpint(sd_event_run(f->event, UINT64_MAX), >, 0);
}

static void expect_sum(struct fixture *f, const char *suppressed, const char *uid) {
        g_assert_true(receive(f));
        g_assert_true(has(f, "MESSAGE_ID=" JOURNAL_SUPPRESSED));
        g_assert_true(has(f, suppressed));
        if (uid)
                g_assert_true(has(f, uid));
        else
                g_assert_null(strstr(f->entry, "MODULED_CALLER_UID="));
        g_assert_null(strstr(f->entry, "MODULED_RESULT="));
}

static void test_entry(struct fixture *f, gconstpointer data) {
        struct journal_entry entry = {
                .message_id = JOURNAL_MODULE_LOADED,
                .priority = LOG_NOTICE,
                .message = "Loaded it.",
                .uid = 1000,
                .pid = 77,
                .path = "/a\nMODULED_RESULT=done\n\x1b[31m",
                .parameters = "",
                .result = JOURNAL_DONE,
        };

        (void) data;
        journal_write(f->journal, &entry);
        g_assert_true(receive(f));
        g_assert_cmpstr(f->entry, ==,
                        "MESSAGE=Loaded it.\nMESSAGE_ID=" JOURNAL_MODULE_LOADED
                        "\nPRIORITY=5\nSYSLOG_IDENTIFIER=moduled\nMODULED_CALLER_UID=1000\n"
                        "MODULED_CALLER_PID=77\nMODULED_PATH=/a\\x0aMODULED_RESULT=done\\x0a\\x1b[31m\n"
                        "MODULED_PARAMETERS=\nMODULED_RESULT=done\n");
        g_assert_false(receive(f));
}

static void test_burst(struct fixture *f, gconstpointer data) {
        (void) data;
        g_assert_false(journal_suppresses(f->journal, 1000));
        g_assert_cmpuint(refuse(f, 1000, BURST - 1), ==, BURST - 1);
        g_assert_false(journal_suppresses(f->journal, 1000));
        g_assert_cmpuint(refuse(f, 1000, 1), ==, 1);
        g_assert_true(journal_suppresses(f->journal, 1000));
        g_assert_false(journal_suppresses(f->journal, 1001));
        g_assert_cmpuint(refuse(f, 1000, 5), ==, 0);
        /* Another one's are written. */
        g_assert_cmpuint(refuse(f, 1001, 1), ==, 1);
        pass_interval(f);
        expect_sum(f, "MODULED_SUPPRESSED=5", "MODULED_CALLER_UID=1000");
        g_assert_true(has(f, "MESSAGE=5 further requests of uid 1000 were refused or failed."));
        g_assert_true(has(f, "PRIORITY=4"));

        /* Who goes on gets sums alone. */
        g_assert_cmpuint(refuse(f, 1000, 3), ==, 0);
        pass_interval(f);
        while (!receive(f))
                pass_interval(f);
        g_assert_true(has(f, "MODULED_SUPPRESSED=3"));
        g_assert_true(has(f, "MODULED_CALLER_UID=1000"));
        g_assert_false(receive(f));

        /* Who pauses for an interval begins anew. */
        pass_interval(f);
        g_assert_false(receive(f));
        g_assert_cmpuint(refuse(f, 1000, BURST + 1), ==, BURST);
}

static void test_done_is_written(struct fixture *f, gconstpointer data) {
        (void) data;
        for (unsigned i = 0; i < 10 * BURST; i++) {
                (void) refuse(f, 1000, 1);
                write_result(f, 1000, JOURNAL_DONE);
                g_assert_true(receive(f));
                g_assert_true(has(f, "MODULED_RESULT=done"));
        }
}

/* No timer runs while there is nothing to sum up. */
static void test_quiet(struct fixture *f, gconstpointer data) {
        (void) data;
        g_assert_cmpint(sd_event_run(f->event, 0), ==, 0);
        write_result(f, 1000, JOURNAL_DONE);
        g_assert_true(receive(f));
        g_assert_cmpint(sd_event_run(f->event, 2 * INTERVAL), ==, 0);
        g_assert_cmpuint(refuse(f, 1000, 1), ==, 1);
        pass_interval(f);
        g_assert_cmpint(sd_event_run(f->event, 2 * INTERVAL), ==, 0);
}

static void test_many_users(struct fixture *f, gconstpointer data) {
        (void) data;
        for (uid_t uid = 0; uid < USERS; uid++)
                g_assert_cmpuint(refuse(f, 100000 + uid, 1), ==, 1);
        /* Those who come now are one to us. */
        for (uid_t uid = 0; uid < BURST; uid++)
                g_assert_cmpuint(refuse(f, 200000 + uid, 1), ==, 1);
        g_assert_cmpuint(refuse(f, 300000, 7), ==, 0);
        g_assert_cmpuint(refuse(f, (uid_t) -1, 2), ==, 0);
        g_assert_cmpuint(refuse(f, 100000, BURST), ==, BURST - 1);
        f->journal = journal_free(f->journal);
        expect_sum(f, "MODULED_SUPPRESSED=1", "MODULED_CALLER_UID=100000");
        expect_sum(f, "MODULED_SUPPRESSED=9", NULL);
        g_assert_true(has(f, "MESSAGE=9 further requests of other users were refused or failed."));
        g_assert_false(receive(f));
}

/* Nothing waits for a journald that does not read, and what it missed is counted. */
static void test_stalled(struct fixture *f, gconstpointer data) {
        unsigned sent = 0, received = 0;
        g_autofree char *lost = NULL;

        (void) data;
        g_assert_cmpuint(refuse(f, 1000, BURST + 4), ==, BURST);
        for (; sent < 10000; sent++)
                write_result(f, 1000, JOURNAL_DONE);
        /* The sum does not get lost. */
        pass_interval(f);
        while (receive(f))
                received++;
        g_assert_cmpuint(received, >, 0);
        g_assert_cmpuint(received, <, sent);

        write_result(f, 1000, JOURNAL_DONE);
        g_assert_true(receive(f));
        lost = g_strdup_printf("MODULED_LOST_ENTRIES=%u", sent - received);
        g_assert_true(has(f, lost));
        write_result(f, 1000, JOURNAL_DONE);
        g_assert_true(receive(f));
        g_assert_null(strstr(f->entry, "MODULED_LOST_ENTRIES"));

        pass_interval(f);
        expect_sum(f, "MODULED_SUPPRESSED=4", "MODULED_CALLER_UID=1000");
}

static void test_restarted(struct fixture *f, gconstpointer data) {
        (void) data;
        (void) close(f->journald);
        g_assert_no_errno(unlink(f->path));
        write_result(f, 1000, JOURNAL_DONE);
        start_journald(f);
        write_result(f, 1000, JOURNAL_DONE);
        g_assert_true(receive(f));
        g_assert_true(has(f, "MODULED_LOST_ENTRIES=1"));
}

static void test_long_path(void) {
        g_autofree char *path = g_strnfill(200, 'x');
        struct journal *journal = NULL;
        sd_event *event;

        g_assert_cmpint(sd_event_new(&event), >=, 0);
        g_assert_cmpint(journal_new(event, path, INTERVAL, &journal), ==, -ENAMETOOLONG);
        g_assert_null(journal);
        g_assert_null(journal_free(NULL));
        sd_event_unref(event);
}

int main(int argc, char *argv[]) {
        g_test_init(&argc, &argv, NULL);
#define ADD(name, function) g_test_add("/journal/" name, struct fixture, NULL, set_up, function, tear_down)
        ADD("entry", test_entry);
        ADD("burst", test_burst);
        ADD("done-is-written", test_done_is_written);
        ADD("quiet", test_quiet);
        ADD("many-users", test_many_users);
        ADD("stalled", test_stalled);
        ADD("restarted", test_restarted);
        g_test_add_func("/journal/long-path", test_long_path);
        return g_test_run();
}
