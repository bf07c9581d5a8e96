/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* With somebody at the other end of the line who answers as the bus does, and counts. */

#include <errno.h>
#include <glib.h>
#include <stdarg.h>
#include <stdbool.h>
#include <sys/socket.h>
#include <systemd/sd-bus.h>

#include "caller.h"

#define MANY 200
/* How much faster time passes for who waits for an answer. */
#define HURRY 10
/* In ms. */
#define A_MOMENT 10
/* None that sd-bus itself has for a message. */
#define UNREADABLE EIO

/* --- what does not fail on demand; the linker puts these before the libraries' own --- */

/* To the one that fails, from 1; 0: none. */
static unsigned allocation, reading;

static bool reached(unsigned *countdown) {
        return *countdown > 0 && --*countdown == 0;
}

#define FAILING(type, name, parameters, arguments, countdown, failure)                                      \
        type __real_##name parameters;                                                                      \
        type __wrap_##name parameters;                                                                      \
        type __wrap_##name parameters {                                                                     \
                return reached(&(countdown)) ? (failure) : __real_##name arguments;                         \
        }

FAILING(void *, calloc, (size_t n, size_t size), (n, size), allocation, NULL)
FAILING(char *, strdup, (const char *text), (text), allocation, NULL)
FAILING(int, sd_bus_add_match_async,
        (sd_bus * bus, sd_bus_slot **ret, const char *match, sd_bus_message_handler_t callback,
         sd_bus_message_handler_t installed, void *userdata),
        (bus, ret, match, callback, installed, userdata), allocation, -ENOMEM)
FAILING(int, sd_bus_message_enter_container, (sd_bus_message * message, char type, const char *contents),
        (message, type, contents), reading, -UNREADABLE)
FAILING(int, sd_bus_message_exit_container, (sd_bus_message * message), (message), reading, -UNREADABLE)
FAILING(int, sd_bus_message_skip, (sd_bus_message * message, const char *types), (message, types), reading,
        -UNREADABLE)

int __wrap_sd_bus_message_read(sd_bus_message *message, const char *types, ...);

int __wrap_sd_bus_message_read(sd_bus_message *message, const char *types, ...) {
        va_list list;
        int r;

        if (reached(&reading))
                return -UNREADABLE;
        va_start(list, types);
        r = sd_bus_message_readv(message, types, list);
        va_end(list);
        return r;
}

/* How long the bus has for the latest question, in µs; and which one cannot be sent. */
static uint64_t latest_timeout;
static unsigned sending;

int __real_sd_bus_call_async(sd_bus *bus, sd_bus_slot **ret, sd_bus_message *message,
                             sd_bus_message_handler_t callback, void *userdata, uint64_t usec);
int __wrap_sd_bus_call_async(sd_bus *bus, sd_bus_slot **ret, sd_bus_message *message,
                             sd_bus_message_handler_t callback, void *userdata, uint64_t usec);

int __wrap_sd_bus_call_async(sd_bus *bus, sd_bus_slot **ret, sd_bus_message *message,
                             sd_bus_message_handler_t callback, void *userdata, uint64_t usec) {
        if (reached(&sending))
                return -ENOBUFS;
        latest_timeout = usec;
        return __real_sd_bus_call_async(bus, ret, message, callback, userdata, usec / HURRY);
}

/* --- the fixture --- */

struct fixture {
        sd_bus *bus, *peer;
        struct callers *callers;
        unsigned asked;
        unsigned lost; /* so many questions get no answer */
        int answered;  /* how often */
        int error;
        uid_t uid;
        pid_t pid;
        GString *gone;
        unsigned reading; /* what fails of how the answer is taken */
};

static int on_question(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        struct fixture *fixture = userdata;
        const char *name;
        unsigned number;

        if (!sd_bus_message_is_method_call(message, "org.freedesktop.DBus", "GetConnectionCredentials"))
                return 0;
        fixture->asked++;
        if (fixture->lost > 0) {
                fixture->lost--;
                return 1;
        }
        g_assert_cmpint(sd_bus_message_read(message, "s", &name), >=, 0);
        if (g_str_equal(name, ":1.0"))
                return sd_bus_error_set(error, SD_BUS_ERROR_NAME_HAS_NO_OWNER, "It has left.");
        if (g_str_equal(name, ":1.2"))
                return sd_bus_error_set(error, SD_BUS_ERROR_ACCESS_DENIED, "It is a secret.");
        if (g_str_equal(name, ":1.1"))
                return sd_bus_reply_method_return(message, "a{sv}", 1, "ProcessID", "u", 1);
        reading = fixture->reading;
        number = (unsigned) g_ascii_strtoull(name + 3, NULL, 10);
        return sd_bus_reply_method_return(message, "a{sv}", 3, "UnixUserID", "u", 1000 + number, "Other",
                                          "as", 1, "x", "ProcessID", "u", number);
}

static void on_gone(const char *name, void *userdata) {
        struct fixture *fixture = userdata;

        g_string_append_printf(fixture->gone, "%s ", name);
}

static void set_up(struct fixture *fixture, gconstpointer data) {
        sd_id128_t id;
        int ends[2];

        (void) data;
        fixture->gone = g_string_new(NULL);
        g_assert_cmpint(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), ==, 0);
        g_assert_cmpint(sd_id128_randomize(&id), >=, 0);
        g_assert_cmpint(sd_bus_new(&fixture->peer), >=, 0);
        g_assert_cmpint(sd_bus_set_fd(fixture->peer, ends[0], ends[0]), >=, 0);
        g_assert_cmpint(sd_bus_set_server(fixture->peer, 1, id), >=, 0);
        g_assert_cmpint(sd_bus_add_filter(fixture->peer, NULL, on_question, fixture), >=, 0);
        g_assert_cmpint(sd_bus_start(fixture->peer), >=, 0);
        g_assert_cmpint(sd_bus_new(&fixture->bus), >=, 0);
        g_assert_cmpint(sd_bus_set_fd(fixture->bus, ends[1], ends[1]), >=, 0);
        g_assert_cmpint(callers_new(fixture->bus, on_gone, fixture, &fixture->callers), ==, 0);
        g_assert_cmpint(sd_bus_start(fixture->bus), >=, 0);
}

static void tear_down(struct fixture *fixture, gconstpointer data) {
        (void) data;
        callers_free(fixture->callers);
        sd_bus_flush_close_unref(fixture->bus);
        sd_bus_flush_close_unref(fixture->peer);
        g_string_free(fixture->gone, TRUE);
}

static void run(struct fixture *fixture) {
        int r;

        do {
                r = sd_bus_process(fixture->bus, NULL);
                g_assert_cmpint(r, >=, 0);
                r |= sd_bus_process(fixture->peer, NULL);
                g_assert_cmpint(r, >=, 0);
        } while (r > 0);
}

static void on_answer(int error, uid_t uid, pid_t pid, void *userdata) {
        struct fixture *fixture = userdata;

        fixture->answered++;
        fixture->error = error;
        fixture->uid = uid;
        fixture->pid = pid;
}

/* Return: how often the bus was asked. */
static unsigned ask(struct fixture *fixture, const char *sender) {
        struct caller_query *query;
        unsigned asked = fixture->asked;
        int answered = fixture->answered;

        g_assert_cmpint(caller_query_new(fixture->callers, sender, on_answer, fixture, &query), ==, 0);
        while (fixture->answered == answered) {
                run(fixture);
                if (fixture->answered == answered)
                        (void) sd_bus_wait(fixture->bus, A_MOMENT * UINT64_C(1000));
        }
        g_assert_true(!query == (fixture->asked == asked));
        g_assert_null(caller_query_free(query));
        g_assert_cmpint(fixture->answered, ==, answered + 1);
        return fixture->asked - asked;
}

/* @sender may be NULL: it has none. */
static void tell(struct fixture *fixture, const char *sender, const char *types, const char *name) {
        sd_bus_message *signal;

        g_assert_cmpint(sd_bus_message_new_signal(fixture->peer, &signal, "/org/freedesktop/DBus",
                                                  "org.freedesktop.DBus", "NameOwnerChanged"),
                        >=, 0);
        if (sender)
                g_assert_cmpint(sd_bus_message_set_sender(signal, sender), >=, 0);
        g_assert_cmpint(sd_bus_message_append(signal, types, name, name, ""), >=, 0);
        g_assert_cmpint(sd_bus_send(fixture->peer, signal, NULL), >=, 0);
        sd_bus_message_unref(signal);
        run(fixture);
}

static void leave(struct fixture *fixture, const char *sender, const char *name) {
        tell(fixture, sender, "sss", name);
}

static void test_once(struct fixture *fixture, gconstpointer data) {
        (void) data;
        g_assert_cmpuint(ask(fixture, ":1.7"), ==, 1);
        g_assert_cmpuint(ask(fixture, ":1.70"), ==, 1);
        g_assert_cmpuint(ask(fixture, ":1.7"), ==, 0);
        g_assert_cmpint(fixture->error, ==, 0);
        g_assert_cmpuint(fixture->uid, ==, 1007);
        g_assert_cmpint(fixture->pid, ==, 7);

        leave(fixture, "org.freedesktop.DBus", ":1.7");
        leave(fixture, "org.freedesktop.DBus", "org.example");
        g_assert_cmpstr(fixture->gone->str, ==, ":1.7 org.example ");
        g_assert_cmpuint(ask(fixture, ":1.7"), ==, 1);
        g_assert_cmpuint(ask(fixture, ":1.70"), ==, 0);
        g_assert_cmpuint(fixture->uid, ==, 1070);
}

/* Who leaves is the bus's to say. */
static void test_forged(struct fixture *fixture, gconstpointer data) {
        (void) data;
        g_assert_cmpuint(ask(fixture, ":1.7"), ==, 1);
        leave(fixture, ":1.8", ":1.7");
        leave(fixture, NULL, ":1.7");
        g_assert_cmpstr(fixture->gone->str, ==, "");
        g_assert_cmpuint(ask(fixture, ":1.7"), ==, 0);
}

static void test_failure(struct fixture *fixture, gconstpointer data) {
        (void) data;
        g_assert_cmpuint(ask(fixture, ":1.0"), ==, 1);
        g_assert_cmpint(fixture->error, ==, -ESRCH);
        g_assert_cmpuint(ask(fixture, ":1.0"), ==, 1);
        g_assert_cmpuint(ask(fixture, ":1.1"), ==, 1);
        g_assert_cmpint(fixture->error, ==, -ENODATA);
        g_assert_cmpuint(ask(fixture, ":1.1"), ==, 1);
        g_assert_cmpuint(ask(fixture, ":1.2"), ==, 1);
        g_assert_cmpint(fixture->error, ==, -EACCES);
        tell(fixture, "org.freedesktop.DBus", "oss", "/org/example");
        g_assert_cmpstr(fixture->gone->str, ==, "");
}

/* Whatever of an answer cannot be read, it is none, and the next one asks again. */
static void test_unreadable(struct fixture *fixture, gconstpointer data) {
        unsigned n = 0;

        (void) data;
        do {
                fixture->reading = ++n;
                g_assert_cmpuint(ask(fixture, ":1.7"), ==, 1);
                g_assert_cmpint(fixture->error, ==, reading == 0 ? -UNREADABLE : 0);
        } while (reading == 0);
        g_assert_cmpuint(n, >, 5);
        reading = 0;
        g_assert_cmpuint(fixture->uid, ==, 1007);
        g_assert_cmpuint(ask(fixture, ":1.7"), ==, 0);
}

static void test_no_memory(struct fixture *fixture, gconstpointer data) {
        struct caller_query *query = NULL;
        struct callers *callers = NULL;

        (void) data;
        for (unsigned n = 1; n <= 2; n++) {
                allocation = n;
                g_assert_cmpint(callers_new(fixture->bus, on_gone, fixture, &callers), ==, -ENOMEM);
                g_assert_null(callers);
                allocation = n;
                g_assert_cmpint(caller_query_new(fixture->callers, ":1.7", on_answer, fixture, &query), ==,
                                -ENOMEM);
                g_assert_null(query);
        }
        g_assert_cmpuint(ask(fixture, ":1.7"), ==, 1);
        g_assert_cmpint(fixture->error, ==, 0);
}

/* What cannot be kept is an answer all the same. */
static void test_long_name(struct fixture *fixture, gconstpointer data) {
        g_autofree char *longest = g_strdup_printf(":1.7%*s", 27, "x"),
                        *longer = g_strdup_printf("%sx", longest);

        (void) data;
        g_assert_cmpuint(strlen(longest), ==, 31);
        for (unsigned i = 0; i < 2; i++) {
                g_assert_cmpuint(ask(fixture, longer), ==, 1);
                g_assert_cmpint(fixture->error, ==, 0);
                g_assert_cmpuint(fixture->uid, ==, 1007);
        }
        g_assert_cmpuint(ask(fixture, longest), ==, 1);
        g_assert_cmpuint(ask(fixture, longest), ==, 0);
        g_assert_cmpuint(fixture->uid, ==, 1007);
}

static void test_closed(struct fixture *fixture, gconstpointer data) {
        struct caller_query *query = NULL;

        (void) data;
        sd_bus_close(fixture->bus);
        g_assert_cmpint(caller_query_new(fixture->callers, ":1.7", on_answer, fixture, &query), ==,
                        -ENOTCONN);
        g_assert_null(query);
        g_assert_cmpint(fixture->answered, ==, 0);
        g_assert_null(callers_free(NULL));
}

/* The bus drops what is for us while there is too much. It may also be slow. */
static void test_lost(struct fixture *fixture, gconstpointer data) {
        uint64_t first, all = 0;

        (void) data;
        g_assert_cmpuint(ask(fixture, ":1.8"), ==, 1);
        first = latest_timeout;
        fixture->lost = 2;
        g_assert_cmpuint(ask(fixture, ":1.7"), ==, 3);
        g_assert_cmpint(fixture->error, ==, 0);
        g_assert_cmpuint(fixture->uid, ==, 1007);
        g_assert_cmpuint(ask(fixture, ":1.7"), ==, 0);

        fixture->lost = 1;
        g_assert_cmpuint(ask(fixture, ":1.0"), ==, 2);
        g_assert_cmpint(fixture->error, ==, -ESRCH);

        fixture->lost = G_MAXUINT;
        g_assert_cmpuint(ask(fixture, ":1.9"), ==, 5);
        g_assert_cmpint(fixture->error, ==, -ETIMEDOUT);
        for (unsigned i = 0; i < 5; i++)
                all += first << i;
        g_assert_cmpuint(latest_timeout, ==, first << 4);
        g_assert_cmpuint(all, >=, 25 * G_USEC_PER_SEC);

        sending = 2;
        g_assert_cmpuint(ask(fixture, ":1.9"), ==, 1);
        g_assert_cmpint(fixture->error, ==, -ETIMEDOUT);
}

/* Two ask for the same at a time, and it leaves but once. */
static void test_twice(struct fixture *fixture, gconstpointer data) {
        struct caller_query *queries[2];

        (void) data;
        for (unsigned i = 0; i < 2; i++)
                g_assert_cmpint(caller_query_new(fixture->callers, ":1.7", on_answer, fixture, &queries[i]),
                                ==, 0);
        while (fixture->answered < 2)
                run(fixture);
        g_assert_cmpuint(fixture->asked, ==, 2);
        for (unsigned i = 0; i < 2; i++)
                caller_query_free(queries[i]);
        leave(fixture, "org.freedesktop.DBus", ":1.7");
        g_assert_cmpuint(ask(fixture, ":1.7"), ==, 1);
}

/* What nobody waits for any more is not answered, and the next one asks. */
static void test_called_off(struct fixture *fixture, gconstpointer data) {
        struct caller_query *first, *second;

        (void) data;
        g_assert_cmpint(caller_query_new(fixture->callers, ":1.7", on_answer, fixture, &first), ==, 0);
        g_assert_cmpint(caller_query_new(fixture->callers, ":1.7", on_answer, fixture, &second), ==, 0);
        g_assert_nonnull(first);
        caller_query_free(first);
        while (fixture->answered == 0)
                run(fixture);
        caller_query_free(second);
        g_assert_cmpint(fixture->answered, ==, 1);
        g_assert_cmpuint(ask(fixture, ":1.7"), ==, 0);
}

/* Not more than some are remembered: those that called last. */
static void test_many(struct fixture *fixture, gconstpointer data) {
        unsigned asked = 0;

        (void) data;
        g_assert_cmpuint(ask(fixture, ":1.7"), ==, 1);
        for (unsigned i = 100; i < 100 + MANY; i++) {
                g_autofree char *sender = g_strdup_printf(":1.%u", i);

                g_assert_cmpuint(ask(fixture, sender), ==, 1);
                g_assert_cmpuint(ask(fixture, ":1.7"), ==, 0);
        }
        for (unsigned i = 100 + MANY; i-- > 100;) {
                g_autofree char *sender = g_strdup_printf(":1.%u", i);

                asked += ask(fixture, sender);
        }
        g_assert_cmpuint(asked, >, 0);
        g_assert_cmpuint(asked, <, MANY);
}

int main(int argc, char *argv[]) {
        g_test_init(&argc, &argv, NULL);
        g_test_add("/caller/once", struct fixture, NULL, set_up, test_once, tear_down);
        g_test_add("/caller/forged", struct fixture, NULL, set_up, test_forged, tear_down);
        g_test_add("/caller/failure", struct fixture, NULL, set_up, test_failure, tear_down);
        g_test_add("/caller/unreadable", struct fixture, NULL, set_up, test_unreadable, tear_down);
        g_test_add("/caller/no-memory", struct fixture, NULL, set_up, test_no_memory, tear_down);
        g_test_add("/caller/long-name", struct fixture, NULL, set_up, test_long_name, tear_down);
        g_test_add("/caller/closed", struct fixture, NULL, set_up, test_closed, tear_down);
        g_test_add("/caller/lost", struct fixture, NULL, set_up, test_lost, tear_down);
        g_test_add("/caller/twice", struct fixture, NULL, set_up, test_twice, tear_down);
        g_test_add("/caller/called-off", struct fixture, NULL, set_up, test_called_off, tear_down);
        g_test_add("/caller/many", struct fixture, NULL, set_up, test_many, tear_down);
        return g_test_run();
}
