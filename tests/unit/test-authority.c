/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* With somebody at the other end of the line who answers as polkit does, or does not, and writes down what it hears. */

#include <errno.h>
#include <glib.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>
#include <systemd/sd-bus.h>

#include "authority.h"
#include "support.h"

/* In µs: how long what must happen may take. */
#define SOON (40 * G_USEC_PER_SEC)
/* More than it takes until a prompt is closed. */
#define LONGER (G_USEC_PER_SEC + G_USEC_PER_SEC / 2)
/* As many as authority.c has under way. */
#define SENT 64
#define A_WHILE (600 * UINT64_C(1000000))

/* --- what does not fail on demand; the linker puts this before the libraries' own --- */

static bool no_memory, no_timer, no_sending;

void *__real_calloc(size_t n, size_t size);
void *__wrap_calloc(size_t n, size_t size);

void *__wrap_calloc(size_t n, size_t size) {
        return no_memory ? NULL : __real_calloc(n, size);
}

int __real_sd_bus_call_async(sd_bus *bus, sd_bus_slot **ret, sd_bus_message *message,
                             sd_bus_message_handler_t callback, void *userdata, uint64_t usec);
int __wrap_sd_bus_call_async(sd_bus *bus, sd_bus_slot **ret, sd_bus_message *message,
                             sd_bus_message_handler_t callback, void *userdata, uint64_t usec);

int __wrap_sd_bus_call_async(sd_bus *bus, sd_bus_slot **ret, sd_bus_message *message,
                             sd_bus_message_handler_t callback, void *userdata, uint64_t usec) {
        return no_sending ? -ENOBUFS : __real_sd_bus_call_async(bus, ret, message, callback, userdata, usec);
}

int __real_sd_event_add_time_relative(sd_event *event, sd_event_source **ret, clockid_t clock, uint64_t usec,
                                      uint64_t accuracy, sd_event_time_handler_t callback, void *userdata);
int __wrap_sd_event_add_time_relative(sd_event *event, sd_event_source **ret, clockid_t clock, uint64_t usec,
                                      uint64_t accuracy, sd_event_time_handler_t callback, void *userdata);

int __wrap_sd_event_add_time_relative(sd_event *event, sd_event_source **ret, clockid_t clock, uint64_t usec,
                                      uint64_t accuracy, sd_event_time_handler_t callback, void *userdata) {
        return no_timer ? -ENOMEM
                        : __real_sd_event_add_time_relative(event, ret, clock, usec, accuracy, callback,
                                                            userdata);
}

/* --- the fixture --- */

struct fixture {
        sd_event *event;
        sd_bus *bus, *polkit;
        struct authority *authority;
        struct users users;
        struct user *user;
        GPtrArray *asked; /* messages */
        GString *heard;   /* a word for each other message */
        unsigned answered;
        enum authority_answer answer;
};

static int on_message(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        struct fixture *f = userdata;
        const char *word;

        (void) error;
        if (sd_bus_message_is_method_call(message, "org.freedesktop.PolicyKit1.Authority",
                                          "CheckAuthorization")) {
                g_ptr_array_add(f->asked, sd_bus_message_ref(message));
                return 1;
        }
        if (sd_bus_message_is_signal(message, NULL, NULL))
                return 0;
        g_assert_cmpint(sd_bus_message_read(message, "s", &word), >=, 0);
        g_string_append_printf(f->heard, "%s ", word);
        if (g_str_equal(word, "marker"))
                return 1;
        g_assert_true(sd_bus_message_is_method_call(message, "org.freedesktop.PolicyKit1.Authority",
                                                    "CancelCheckAuthorization"));
        g_assert_cmpstr(sd_bus_message_get_destination(message), ==, "org.freedesktop.PolicyKit1");
        g_assert_cmpstr(sd_bus_message_get_path(message), ==, "/org/freedesktop/PolicyKit1/Authority");
        g_assert_cmpint(sd_bus_message_get_expect_reply(message), ==, 0);
        return 1;
}

static void unref_message(gpointer message) {
        sd_bus_message_unref(message);
}

static void set_up(struct fixture *f, gconstpointer data) {
        sd_id128_t id;
        int ends[2];

        (void) data;
        no_memory = no_timer = no_sending = false;
        f->heard = g_string_new(NULL);
        f->asked = g_ptr_array_new_with_free_func(unref_message);
        g_assert_cmpint(user_get(&f->users, 1000, &f->user), ==, 0);
        g_assert_no_errno(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends));
        g_assert_cmpint(sd_event_new(&f->event), >=, 0);
        g_assert_cmpint(sd_id128_randomize(&id), >=, 0);
        g_assert_cmpint(sd_bus_new(&f->polkit), >=, 0);
        g_assert_cmpint(sd_bus_set_fd(f->polkit, ends[0], ends[0]), >=, 0);
        g_assert_cmpint(sd_bus_set_server(f->polkit, 1, id), >=, 0);
        g_assert_cmpint(sd_bus_add_filter(f->polkit, NULL, on_message, f), >=, 0);
        g_assert_cmpint(sd_bus_start(f->polkit), >=, 0);
        g_assert_cmpint(sd_bus_attach_event(f->polkit, f->event, SD_EVENT_PRIORITY_NORMAL), >=, 0);
        g_assert_cmpint(sd_bus_new(&f->bus), >=, 0);
        g_assert_cmpint(sd_bus_set_fd(f->bus, ends[1], ends[1]), >=, 0);
        g_assert_cmpint(sd_bus_start(f->bus), >=, 0);
        g_assert_cmpint(sd_bus_attach_event(f->bus, f->event, SD_EVENT_PRIORITY_NORMAL), >=, 0);
        g_assert_cmpint(authority_new(f->event, f->bus, &f->authority), ==, 0);
}

static void tear_down(struct fixture *f, gconstpointer data) {
        (void) data;
        g_assert_null(authority_free(f->authority));
        g_assert_cmpuint(f->users.prompts, ==, 0);
        g_assert_cmpuint(f->user->prompts, ==, 0);
        g_assert_cmpuint(f->user->references, ==, 1);
        user_unref(f->user);
        g_ptr_array_unref(f->asked);
        g_string_free(f->heard, TRUE);
        sd_bus_flush_close_unref(f->bus);
        sd_bus_flush_close_unref(f->polkit);
        sd_event_unref(f->event);
}

static void on_answer(enum authority_answer answer, void *userdata) {
        struct fixture *f = userdata;

        f->answered++;
        f->answer = answer;
}

static int try_to_ask(struct fixture *f, uint64_t prompt_usec, struct authority_query **ret) {
        static const struct authority_details details = { .module = "dummy" };
        struct authority_prompt prompt = { .user = f->user, .usec = prompt_usec };

        return authority_query_new(f->authority, ":1.7", "org.moduled1.load", &details,
                                   prompt_usec > 0 ? &prompt : NULL, on_answer, f, ret);
}

static struct authority_query *ask(struct fixture *f, uint64_t prompt_usec) {
        struct authority_query *query;

        g_assert_cmpint(try_to_ask(f, prompt_usec, &query), ==, 0);
        return query;
}

static void turn(const struct fixture *f) {
        g_assert_cmpint(sd_event_run(f->event, 10 * 1000), >=, 0);
}

/* Waits for an expression. */
#define UNTIL(f, condition)                                                                                 \
        do {                                                                                                \
                gint64 end_ = g_get_monotonic_time() + SOON;                                                \
                while (!(condition) && g_get_monotonic_time() < end_)                                       \
                        turn(f);                                                                            \
                g_assert_true(condition);                                                                   \
        } while (0)

/* What was sent before has come in when this has. */
static void mark(const struct fixture *f) {
        size_t before = f->heard->len;
        sd_bus_message *message;

        g_assert_cmpint(sd_bus_message_new_method_call(f->bus, &message, NULL, "/x", "x.Y", "Z"), >=, 0);
        g_assert_cmpint(sd_bus_message_append(message, "s", "marker"), >=, 0);
        g_assert_cmpint(sd_bus_message_set_expect_reply(message, 0), >=, 0);
        g_assert_cmpint(sd_bus_send(f->bus, message, NULL), >=, 0);
        sd_bus_message_unref(message);
        UNTIL(f, g_str_has_suffix(f->heard->str + before, "marker "));
}

static void wait_longer(const struct fixture *f) {
        for (gint64 end = g_get_monotonic_time() + LONGER; g_get_monotonic_time() < end;)
                turn(f);
}

static sd_bus_message *question(const struct fixture *f, unsigned i) {
        UNTIL(f, f->asked->len > i);
        return g_ptr_array_index(f->asked, i);
}

static void say(const struct fixture *f, unsigned i, bool is_authorized, bool is_challenge,
                const char *detail) {
        sd_bus_message *reply;

        g_assert_cmpint(sd_bus_message_new_method_return(question(f, i), &reply), >=, 0);
        g_assert_cmpint(sd_bus_message_open_container(reply, 'r', "bba{ss}"), >=, 0);
        g_assert_cmpint(sd_bus_message_append(reply, "bb", is_authorized, is_challenge), >=, 0);
        if (detail)
                g_assert_cmpint(sd_bus_message_append(reply, "a{ss}", 2, "other", "x", detail, "true"), >=,
                                0);
        else
                g_assert_cmpint(sd_bus_message_append(reply, "a{ss}", 0), >=, 0);
        g_assert_cmpint(sd_bus_message_close_container(reply), >=, 0);
        g_assert_cmpint(sd_bus_send(f->polkit, reply, NULL), >=, 0);
        sd_bus_message_unref(reply);
}

static void fail(const struct fixture *f, unsigned i, const char *name) {
        g_assert_cmpint(sd_bus_reply_method_errorf(question(f, i), name, "No."), >=, 0);
}

/* How many prompts are counted. */
static unsigned prompts(const struct fixture *f) {
        g_assert_cmpuint(f->users.prompts, ==, f->user->prompts);
        return f->user->prompts;
}

/* --- what is asked and answered --- */

static void test_question(struct fixture *f, gconstpointer data) {
        const char *kind, *key, *name, *action, *detail, *value, *cancellation;
        struct authority_query *query;
        uint32_t flags;

        (void) data;
        for (unsigned i = 0; i < 2; i++) {
                query = ask(f, i == 1 ? A_WHILE : 0);
                g_assert_cmpuint(prompts(f), ==, i);
                g_assert_cmpint(sd_bus_message_read(question(f, i), "(sa{sv})sa{ss}us", &kind, 1, &key, "s",
                                                    &name, &action, 1, &detail, &value, &flags,
                                                    &cancellation),
                                >=, 0);
                g_assert_cmpstr(kind, ==, "system-bus-name");
                g_assert_cmpstr(key, ==, "name");
                g_assert_cmpstr(name, ==, ":1.7");
                g_assert_cmpstr(action, ==, "org.moduled1.load");
                g_assert_cmpstr(detail, ==, "module");
                g_assert_cmpstr(value, ==, "dummy");
                g_assert_cmpuint(flags, ==, i);
                g_assert_cmpstr(cancellation, ==, i == 1 ? "moduled-1" : "");
                say(f, i, true, false, NULL);
                UNTIL(f, f->answered == i + 1);
                g_assert_cmpint(f->answer, ==, AUTHORITY_YES);
                g_assert_cmpuint(prompts(f), ==, 0);
                g_assert_null(authority_query_free(query));
        }
        wait_longer(f);
        g_assert_cmpstr(f->heard->str, ==, "");
}

static void test_answers(struct fixture *f, gconstpointer data) {
        static const struct {
                bool is_authorized, is_challenge;
                const char *detail, *error;
                enum authority_answer answer;
        } cases[] = {
                { true, false, NULL, NULL, AUTHORITY_YES },
                { false, false, NULL, NULL, AUTHORITY_NO },
                { false, true, NULL, NULL, AUTHORITY_CHALLENGE },
                { false, false, "polkit.dismissed", NULL, AUTHORITY_DISMISSED },
                { false, true, "polkit.dismissed", NULL, AUTHORITY_DISMISSED },
                { true, false, "polkit.temporary_authorization_id", NULL, AUTHORITY_KEPT },
                { false, true, "polkit.retains_authorization_after_challenge", NULL, AUTHORITY_KEPT },
                { false, false, NULL, "org.freedesktop.PolicyKit1.Error.Cancelled", AUTHORITY_DISMISSED },
                { false, false, NULL, "org.freedesktop.PolicyKit1.Error.Failed", AUTHORITY_ABSENT },
                { false, false, NULL, "org.freedesktop.DBus.Error.NoReply", AUTHORITY_ABSENT },
                { false, false, NULL, "org.freedesktop.DBus.Error.ServiceUnknown", AUTHORITY_ABSENT },
        };

        (void) data;
        for (unsigned i = 0; i < 2 * G_N_ELEMENTS(cases); i++) {
                struct authority_query *query = ask(f, i % 2 == 1 ? A_WHILE : 0);

                if (cases[i / 2].error)
                        fail(f, i, cases[i / 2].error);
                else
                        say(f, i, cases[i / 2].is_authorized, cases[i / 2].is_challenge,
                            cases[i / 2].detail);
                UNTIL(f, f->answered == i + 1);
                g_assert_cmpint(f->answer, ==, cases[i / 2].answer);
                g_assert_cmpuint(prompts(f), ==, 0);
                authority_query_free(query);
        }
}

static void test_nonsense(struct fixture *f, gconstpointer data) {
        struct authority_query *query = ask(f, 0);

        (void) data;
        g_assert_cmpint(sd_bus_reply_method_return(question(f, 0), "s", "yes"), >=, 0);
        UNTIL(f, f->answered == 1);
        g_assert_cmpint(f->answer, ==, AUTHORITY_NO);
        authority_query_free(query);
}

/* --- prompts that are given up --- */

static void test_closed_later(struct fixture *f, gconstpointer data) {
        struct authority_query *query = ask(f, A_WHILE);

        (void) data;
        (void) question(f, 0);
        g_assert_null(authority_query_free(query));
        mark(f);
        UNTIL(f, strstr(f->heard->str, "moduled-1"));
        g_assert_cmpstr(f->heard->str, ==, "marker moduled-1 ");
        g_assert_cmpuint(prompts(f), ==, 1);
        fail(f, 0, "org.freedesktop.PolicyKit1.Error.Cancelled");
        UNTIL(f, prompts(f) == 0);
        g_assert_cmpuint(f->answered, ==, 0);
}

/* As when its agent ends with its caller. Yes is no answer any more either. */
static void test_closed_by_itself(struct fixture *f, gconstpointer data) {
        struct authority_query *query = ask(f, A_WHILE);

        (void) data;
        (void) question(f, 0);
        authority_query_free(query);
        say(f, 0, true, false, NULL);
        UNTIL(f, prompts(f) == 0);
        wait_longer(f);
        g_assert_cmpstr(f->heard->str, ==, "");
        g_assert_cmpuint(f->answered, ==, 0);
}

static void test_times_out(struct fixture *f, gconstpointer data) {
        struct authority_query *query = ask(f, 100 * 1000);

        (void) data;
        UNTIL(f, f->answered == 1);
        g_assert_cmpint(f->answer, ==, AUTHORITY_TIMED_OUT);
        g_assert_cmpuint(prompts(f), ==, 1);
        authority_query_free(query);
        mark(f);
        UNTIL(f, strstr(f->heard->str, "moduled-1"));
        g_assert_cmpstr(f->heard->str, ==, "marker moduled-1 ");
        UNTIL(f, prompts(f) == 0);
}

/* Given up before its time, which ends before the prompt is closed (0.1 s), and after (2 s); polkit never answers. */
static void test_times_out_late(struct fixture *f, gconstpointer data) {
        (void) data;
        for (unsigned i = 0; i < 2; i++) {
                g_autofree char *id = g_strdup_printf("moduled-%u", i + 1);

                authority_query_free(ask(f, i == 0 ? 100 * 1000 : 2 * G_USEC_PER_SEC));
                UNTIL(f, strstr(f->heard->str, id));
                UNTIL(f, prompts(f) == 0);
        }
        wait_longer(f);
        g_assert_cmpstr(f->heard->str, ==, "moduled-1 moduled-2 ");
        g_assert_cmpuint(f->answered, ==, 0);
}

static void test_no_timer(struct fixture *f, gconstpointer data) {
        struct authority_query *query;

        (void) data;
        no_timer = true;
        authority_query_free(ask(f, A_WHILE));
        mark(f);
        g_assert_cmpstr(f->heard->str, ==, "moduled-1 marker ");
        g_assert_cmpuint(prompts(f), ==, 1);
        say(f, 0, false, false, NULL);
        UNTIL(f, prompts(f) == 0);

        query = ask(f, 100 * 1000);
        UNTIL(f, f->answered == 1);
        authority_query_free(query);
        g_assert_cmpuint(prompts(f), ==, 0);
        mark(f);
        g_assert_cmpstr(f->heard->str, ==, "moduled-1 marker moduled-2 marker ");
}

/* The end of the connection closes them. */
static void test_left_behind(struct fixture *f, gconstpointer data) {
        (void) data;
        authority_query_free(ask(f, A_WHILE));
        authority_query_free(ask(f, 0));
        (void) question(f, 1);
        g_assert_cmpuint(prompts(f), ==, 1);
        f->authority = authority_free(f->authority);
        g_assert_cmpuint(prompts(f), ==, 0);
        say(f, 0, true, false, NULL);
        say(f, 1, true, false, NULL);
        wait_longer(f);
        g_assert_cmpstr(f->heard->str, ==, "");
}

/* --- many questions --- */

static void test_queue(struct fixture *f, gconstpointer data) {
        struct authority_query *queries[SENT + 3];

        (void) data;
        for (unsigned i = 0; i < G_N_ELEMENTS(queries); i++)
                queries[i] = ask(f, 0);
        mark(f);
        g_assert_cmpuint(f->asked->len, ==, SENT);
        /* A prompt does not wait for them. */
        authority_query_free(ask(f, A_WHILE));
        (void) question(f, SENT);
        /* Given up, the bus counts them all the same; but what waits is not asked any more. */
        authority_query_free(queries[0]);
        authority_query_free(queries[1]);
        authority_query_free(queries[SENT]);
        mark(f);
        g_assert_cmpuint(f->asked->len, ==, SENT + 1);
        /* Answered, they make room. */
        say(f, 0, true, false, NULL);
        UNTIL(f, f->asked->len == SENT + 2);
        g_assert_cmpuint(f->answered, ==, 0);
        say(f, 2, true, false, NULL);
        UNTIL(f, f->asked->len == SENT + 3);
        g_assert_cmpuint(f->answered, ==, 1);
        say(f, SENT + 2, true, false, NULL);
        UNTIL(f, f->answered == 2);
        mark(f);
        g_assert_cmpuint(f->asked->len, ==, SENT + 3);
        for (unsigned i = 2; i < G_N_ELEMENTS(queries); i++)
                if (i != SENT)
                        authority_query_free(queries[i]);
}

/* --- what fails --- */

static void test_no_sending(struct fixture *f, gconstpointer data) {
        struct authority_query *query, *queries[SENT];

        (void) data;
        no_sending = true;
        g_assert_cmpint(try_to_ask(f, 0, &query), ==, -ENOBUFS);
        g_assert_cmpint(try_to_ask(f, A_WHILE, &query), ==, -ENOBUFS);
        g_assert_cmpuint(prompts(f), ==, 0);
        no_sending = false;
        for (unsigned i = 0; i < SENT; i++)
                queries[i] = ask(f, 0);
        query = ask(f, 0);
        no_sending = true;
        say(f, 0, true, false, NULL);
        UNTIL(f, f->answered == 2);
        authority_query_free(query);
        for (unsigned i = 0; i < SENT; i++)
                authority_query_free(queries[i]);
}

static void test_no_memory(struct fixture *f, gconstpointer data) {
        struct authority *authority;
        struct authority_query *query;
        int r, s;

        (void) data;
        mark(f);
        no_memory = true;
        r = authority_new(f->event, f->bus, &authority);
        s = try_to_ask(f, 0, &query);
        no_memory = false;
        g_assert_cmpint(r, ==, -ENOMEM);
        g_assert_cmpint(s, ==, -ENOMEM);
        g_assert_null(authority_free(NULL));
        g_assert_null(authority_query_free(NULL));
}

int main(int argc, char *argv[]) {
        static const struct {
                const char *path;
                void (*function)(struct fixture *, gconstpointer);
        } tests[] = {
                { "/authority/question", test_question },
                { "/authority/answers", test_answers },
                { "/authority/nonsense", test_nonsense },
                { "/authority/closed-later", test_closed_later },
                { "/authority/closed-by-itself", test_closed_by_itself },
                { "/authority/times-out", test_times_out },
                { "/authority/times-out-late", test_times_out_late },
                { "/authority/no-timer", test_no_timer },
                { "/authority/left-behind", test_left_behind },
                { "/authority/queue", test_queue },
                { "/authority/no-sending", test_no_sending },
                { "/authority/no-memory", test_no_memory },
        };

        g_test_init(&argc, &argv, NULL);
        for (size_t i = 0; i < G_N_ELEMENTS(tests); i++)
                g_test_add(tests[i].path, struct fixture, NULL, set_up, tests[i].function, tear_down);
        return g_test_run();
}
