/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <glib.h>

#include "quota.h"

static void test_account(void) {
        struct users users = { 0 };
        struct user *a, *again, *b, *unknown;

        LIST_INIT(&users.list);
        g_assert_cmpint(user_get(&users, 1000, &a), ==, 0);
        g_assert_cmpint(user_get(&users, 1000, &again), ==, 0);
        g_assert_cmpint(user_get(&users, 0, &b), ==, 0);
        g_assert_cmpint(user_get(&users, UID_UNKNOWN, &unknown), ==, 0);
        g_assert_true(a == again);
        g_assert_true(a != b && b != unknown && a != unknown);
        g_assert_cmpuint(a->uid, ==, 1000);
        g_assert_cmpuint(a->requests + a->closing + a->parked, ==, 0);

        a->requests = 7;
        g_assert_null(user_unref(again));
        g_assert_cmpint(user_get(&users, 1000, &again), ==, 0);
        g_assert_cmpuint(again->requests, ==, 7);

        user_unref(again);
        user_unref(a);
        g_assert_cmpint(user_get(&users, 1000, &a), ==, 0);
        g_assert_cmpuint(a->requests, ==, 0);

        user_unref(a);
        user_unref(unknown);
        user_unref(b);
        g_assert_true(LIST_EMPTY(&users.list));
        g_assert_null(user_unref(NULL));
}

int main(int argc, char *argv[]) {
        g_test_init(&argc, &argv, NULL);
        g_test_add_func("/quota/account", test_account);
        return g_test_run();
}
