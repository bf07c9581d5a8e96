/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <errno.h>
#include <glib.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "status.h"
#include "support.h"

#define HOUR UINT64_C(3600000000)

/* The service manager's end, and what the broker has of it. */
struct fixture {
        char *directory;
        int manager;
        struct registry registry;
        struct context context;
        struct status *status;
};

static void begin(struct fixture *f, uint64_t interval_usec) {
        struct sockaddr_un address = { .sun_family = AF_UNIX };
        g_autofree char *path = NULL;

        f->directory = support_directory();
        path = g_strdup_printf("%s/notify", f->directory);
        g_assert_cmpuint(g_strlcpy(address.sun_path, path, sizeof address.sun_path), <,
                         sizeof address.sun_path);
        f->manager = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        g_assert_no_errno(f->manager);
        g_assert_no_errno(bind(f->manager, (struct sockaddr *) &address, sizeof address));
        g_assert_true(g_setenv("NOTIFY_SOCKET", path, TRUE));

        TAILQ_INIT(&f->registry.modules);
        f->context.registry = &f->registry;
        g_assert_cmpint(sd_event_new(&f->context.event), ==, 0);
        g_assert_cmpint(status_new(&f->context, interval_usec, &f->status), ==, 0);
}

static void end(struct fixture *f) {
        g_assert_null(status_free(f->status));
        sd_event_unref(f->context.event);
        close(f->manager);
        support_remove(f->directory);
        g_free(f->directory);
}

static int on_defer(sd_event_source *source, void *userdata) {
        (void) source;
        (void) userdata;
        return 0;
}

/* Something happens; what follows from it at once follows. */
static void turn(const struct fixture *f) {
        sd_event_source *source = NULL;

        g_assert_cmpint(sd_event_add_defer(f->context.event, &source, on_defer, NULL), >=, 0);
        while (sd_event_run(f->context.event, 0) > 0)
                ;
        sd_event_source_unref(source);
}

static void assert_told(const struct fixture *f, const char *expected) {
        char text[256];
        ssize_t n = recv(f->manager, text, sizeof text - 1, 0);

        if (!expected) {
                g_assert_cmpint(n, ==, -1);
                g_assert_cmpint(errno, ==, EAGAIN);
                return;
        }
        g_assert_cmpint(n, >=, 0);
        text[n] = '\0';
        g_assert_cmpstr(text, ==, expected);
}

static void test_first(void) {
        struct fixture f = { .registry = { .n_modules = 2 } };

        begin(&f, HOUR);
        assert_told(&f, NULL);
        turn(&f);
        assert_told(&f, "STATUS=Requests in progress: 0. Modules loaded: 2.");
        turn(&f);
        assert_told(&f, NULL);
        end(&f);
}

static void test_seldom(void) {
        struct fixture f = { 0 };

        begin(&f, HOUR);
        turn(&f);
        assert_told(&f, "STATUS=Requests in progress: 0. Modules loaded: 0.");
        for (f.context.n_requests = 1; f.context.n_requests < 100; f.context.n_requests++) {
                turn(&f);
                assert_told(&f, NULL);
        }
        end(&f);
}

static bool is_told(const struct fixture *f) {
        char byte;

        return recv(f->manager, &byte, 1, MSG_PEEK) >= 0;
}

/* What changed while nothing was told is told when the time is over, though nothing else happens then. */
static void test_last(void) {
        struct fixture f = { 0 };

        begin(&f, 50000);
        turn(&f);
        assert_told(&f, "STATUS=Requests in progress: 0. Modules loaded: 0.");
        f.context.n_requests = 3;
        f.registry.n_modules = 1;
        turn(&f);
        while (!is_told(&f))
                g_assert_cmpint(sd_event_run(f.context.event, UINT64_MAX), >, 0);
        assert_told(&f, "STATUS=Requests in progress: 3. Modules loaded: 1.");
        end(&f);
}

static void test_none(void) {
        g_assert_null(status_free(NULL));
}

int main(int argc, char *argv[]) {
        g_test_init(&argc, &argv, NULL);
        g_test_add_func("/status/first", test_first);
        g_test_add_func("/status/seldom", test_seldom);
        g_test_add_func("/status/last", test_last);
        g_test_add_func("/status/none", test_none);
        return g_test_run();
}
