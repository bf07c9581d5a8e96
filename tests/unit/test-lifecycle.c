/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* When the broker leaves by itself, and that nobody who wants to keeps it from that, or makes it leave others in the lurch. */

#include <glib.h>
#include <stdbool.h>
#include <string.h>
#include <systemd/sd-bus.h>

#include "lifecycle.h"
#include "support.h"

/* In µs: how long what must happen may take. */
#define SOON (40 * G_USEC_PER_SEC)
/* More than lifecycle.c takes for some, and for too many. */
#define SOME 10001
#define TOO_MANY 500001

static struct {
        unsigned n_strays;
        bool is_closing;
        bool is_loading;    /* what is under way is with the loader */
        bool comes_late;    /* a request comes in before the bus has taken the name away */
        unsigned n_looks;   /* how often it was looked whether to leave */
        unsigned n_refused; /* requests that were ended */
        bool leaves;
        sd_bus_message_handler_t released;
        struct context *context;
} world;

bool __wrap_parcels_are_closing(const struct parcels *parcels);
unsigned __wrap_parcels_count_strays(const struct parcels *parcels);
void __wrap_requests_refuse(struct context *context);
int __wrap_sd_bus_release_name_async(sd_bus *bus, sd_bus_slot **ret_slot, const char *name,
                                     sd_bus_message_handler_t callback, void *userdata);

bool __wrap_parcels_are_closing(const struct parcels *parcels) {
        (void) parcels;
        return world.is_closing;
}

unsigned __wrap_parcels_count_strays(const struct parcels *parcels) {
        (void) parcels;
        world.n_looks++;
        return world.n_strays;
}

void __wrap_requests_refuse(struct context *context) {
        if (world.is_loading)
                return;
        world.n_refused += context->n_requests;
        context->n_requests = 0;
}

static int on_bus(sd_event_source *source, void *userdata) {
        (void) source;
        world.context->n_requests += world.comes_late;
        return world.released(NULL, userdata, NULL);
}

int __wrap_sd_bus_release_name_async(sd_bus *bus, sd_bus_slot **ret_slot, const char *name,
                                     sd_bus_message_handler_t callback, void *userdata) {
        (void) bus;
        (void) ret_slot;
        (void) name;
        world.leaves = true;
        world.released = callback;
        return sd_event_add_defer(world.context->event, NULL, on_bus, userdata);
}

struct fixture {
        struct config config;
        struct registry registry;
        struct context context;
        struct lifecycle *lifecycle;
};

static void set_up(struct fixture *f, gconstpointer data) {
        (void) data;
        f->config.limits.idle_sec = 1;
        TAILQ_INIT(&f->registry.modules);
        f->context.config = &f->config;
        f->context.registry = &f->registry;
        g_assert_cmpint(sd_event_new(&f->context.event), >=, 0);
        g_assert_cmpint(sd_bus_new(&f->context.bus), >=, 0);
        memset(&world, 0, sizeof world);
        world.context = &f->context;
        g_assert_cmpint(lifecycle_new(&f->context, &f->lifecycle), ==, 0);
}

static void tear_down(struct fixture *f, gconstpointer data) {
        (void) data;
        g_assert_null(lifecycle_free(f->lifecycle));
        sd_bus_unref(f->context.bus);
        sd_event_unref(f->context.event);
}

static bool has_left(const struct fixture *f) {
        return sd_event_get_state(f->context.event) == SD_EVENT_FINISHED;
}

static void turn(const struct fixture *f) {
        g_assert_cmpint(sd_event_run(f->context.event, 10 * 1000), >=, 0);
}

static void run_until_left(const struct fixture *f) {
        for (gint64 end = g_get_monotonic_time() + SOON; !has_left(f) && g_get_monotonic_time() < end;)
                turn(f);
        g_assert_true(has_left(f));
}

/* It has been looked once more, and what follows from that has followed. */
static void run_until_looked(const struct fixture *f) {
        unsigned before = world.n_looks;

        for (gint64 end = g_get_monotonic_time() + SOON;
             world.n_looks == before && g_get_monotonic_time() < end;)
                turn(f);
        g_assert_cmpuint(world.n_looks, >, before);
}

static void test_idle(struct fixture *f, gconstpointer data) {
        (void) data;
        run_until_left(f);
        g_assert_cmpuint(world.n_refused, ==, 0);
}

/* Who has made the time shorter need not wait for the end of the longer one. */
static void test_reload(struct fixture *f, gconstpointer data) {
        (void) data;
        f->config.limits.idle_sec = 3600;
        g_assert_cmpint(lifecycle_reload(f->lifecycle), >=, 0);
        for (gint64 end = g_get_monotonic_time() + 2 * G_USEC_PER_SEC; g_get_monotonic_time() < end;)
                turn(f);
        g_assert_false(world.leaves);
        f->config.limits.idle_sec = 1;
        g_assert_cmpint(lifecycle_reload(f->lifecycle), >=, 0);
        run_until_left(f);
        g_assert_cmpint(lifecycle_reload(f->lifecycle), ==, 0);
}

static void expect_to_stay(struct fixture *f) {
        f->context.n_requests = 1;
        run_until_looked(f);
        g_assert_false(world.leaves);
        f->context.n_requests = 0;
        world.is_closing = true;
        run_until_looked(f);
        g_assert_false(world.leaves);
}

static void test_busy(struct fixture *f, gconstpointer data) {
        (void) data;
        expect_to_stay(f);
        world.is_closing = false;
        run_until_left(f);
}

/* Somebody looks for a password, or a thread is stuck that the next broker would have to wait for. */
static void test_leaked(struct fixture *f, gconstpointer data) {
        (void) data;
        world.n_strays = SOME;
        expect_to_stay(f);
        g_assert_cmpuint(world.n_refused, ==, 0);
}

static void test_leaked_much(struct fixture *f, gconstpointer data) {
        (void) data;
        world.n_strays = TOO_MANY;
        world.is_closing = true;
        f->context.n_requests = 1;
        run_until_left(f);
        g_assert_cmpuint(world.n_refused, ==, 1);
}

/* Whoever calls while the broker leaves, and then looks for no password, keeps nobody waiting. */
static void test_late(struct fixture *f, gconstpointer data) {
        (void) data;
        world.comes_late = true;
        run_until_left(f);
        g_assert_cmpuint(world.n_refused, ==, 1);
}

static void test_late_with_loader(struct fixture *f, gconstpointer data) {
        (void) data;
        world.comes_late = world.is_loading = true;
        for (unsigned i = 0; i < 8; i++)
                run_until_looked(f);
        g_assert_false(has_left(f));
        f->context.n_requests = 0;
        run_until_left(f);
}

int main(int argc, char *argv[]) {
        g_test_init(&argc, &argv, NULL);
#define ADD(name, function) g_test_add("/lifecycle/" name, struct fixture, NULL, set_up, function, tear_down)
        ADD("idle", test_idle);
        ADD("reload", test_reload);
        ADD("busy", test_busy);
        ADD("leaked", test_leaked);
        ADD("leaked-much", test_leaked_much);
        ADD("late", test_late);
        ADD("late-with-loader", test_late_with_loader);
        return g_test_run();
}
