/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Each allocation of what reads a module's file fails once: nothing may be told of the file then, and the address
 * sanitizer sees that nothing is lost.
 */

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "modinfo.h"
#include "object.h"

#define NAME "the_example"

static unsigned countdown; /* to the allocation that fails, from 1; 0: none */

char *__real_strdup(const char *text);
char *__wrap_strdup(const char *text);
char *__real_strndup(const char *text, size_t n);
char *__wrap_strndup(const char *text, size_t n);
void *__real_calloc(size_t n, size_t size);
void *__wrap_calloc(size_t n, size_t size);
void *__real_reallocarray(void *old, size_t n, size_t size);
void *__wrap_reallocarray(void *old, size_t n, size_t size);

static bool fails(void) {
        if (countdown == 0 || --countdown > 0)
                return false;
        errno = ENOMEM;
        return true;
}

char *__wrap_strdup(const char *text) {
        return fails() ? NULL : __real_strdup(text);
}

char *__wrap_strndup(const char *text, size_t n) {
        return fails() ? NULL : __real_strndup(text, n);
}

void *__wrap_calloc(size_t n, size_t size) {
        return fails() ? NULL : __real_calloc(n, size);
}

void *__wrap_reallocarray(void *old, size_t n, size_t size) {
        return fails() ? NULL : __real_reallocarray(old, n, size);
}

static void test_no_memory(void) {
        g_autofree char *path = g_build_filename(g_getenv("TEST_MODULES"), "example.ko", NULL);
        g_autoptr(GByteArray) object = object_read(path);
        bool reached = true;
        unsigned n;

        for (n = 1; reached; n++) {
                struct modinfo *info = NULL;
                int r;

                countdown = n;
                r = modinfo_parse(object->data, object->len, NAME, &info);
                reached = countdown == 0;
                countdown = 0;
                g_assert_cmpint(r, ==, reached ? -ENOMEM : MODINFO_GOOD);
                g_assert_true(reached == !info);
                modinfo_free(info);
        }
        g_assert_cmpuint(n, >, 30);
}

int main(int argc, char *argv[]) {
        g_test_init(&argc, &argv, NULL);
        g_test_add_func("/modinfo-failure/no-memory", test_no_memory);
        return g_test_run();
}
