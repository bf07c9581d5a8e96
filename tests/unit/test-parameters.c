/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Tests of client/parameters.c: from a shell's arguments to the kernel's one string.
 */

#include <errno.h>
#include <glib.h>

#include "cleanup.h"
#include "parameters.h"

#define MAX_ARGUMENTS 4

struct vector {
        const char *arguments[MAX_ARGUMENTS];
        const char *joined; /* NULL: -EINVAL */
        const char *bad;
};

static const struct vector vectors[] = {
        { { NULL }, "", NULL },
        { { "a=1" }, "a=1", NULL },
        { { "a=1", "b=2" }, "a=1 b=2", NULL },
        { { "flag" }, "flag", NULL },
        { { "a=" }, "a=", NULL },
        { { "a=b=c" }, "a=b=c", NULL },
        { { "a=one,two" }, "a=one,two", NULL },

        { { "a=two words" }, "a=\"two words\"", NULL },
        { { "a= ", "b" }, "a=\" \" b", NULL },
        { { "a=tab\there" }, "a=\"tab\there\"", NULL },
        { { "a=line\nline" }, "a=\"line\nline\"", NULL },
        /* The kernel takes the second byte of a UTF-8 "a" with a grave accent for a blank. */
        { { "a=\xc3\xa0" }, "a=\"\xc3\xa0\"", NULL },
        { { "a=\xc3\xa9" }, "a=\xc3\xa9", NULL },

        { { "a=\"two words\"" }, "a=\"two words\"", NULL },
        { { "a=\"word\"" }, "a=\"word\"", NULL },
        { { "a=\"\"" }, "a=\"\"", NULL },
        { { "a=x\"y\"z", "b=1" }, "a=x\"y\"z b=1", NULL },
        { { "a=it's" }, "a=it's", NULL },

        { { "a=\"x\" y" }, NULL, "a=\"x\" y" },
        { { "a=x \"y\"" }, NULL, "a=x \"y\"" },
        { { "a=\"x y\" \"z\"" }, NULL, "a=\"x y\" \"z\"" },
        { { "a=5\"" }, NULL, "a=5\"" },
        { { "a=\"" }, NULL, "a=\"" },
        { { "ok=1", "a=\"x", "b=2" }, NULL, "a=\"x" },

        { { "" }, NULL, "" },
        { { "=1" }, NULL, "=1" },
        { { "a b" }, NULL, "a b" },
        { { "a b=1" }, NULL, "a b=1" },
        { { "\"a\"=1" }, NULL, "\"a\"=1" },
};

static void test_join(gconstpointer data) {
        const struct vector *v = data;
        char *arguments[MAX_ARGUMENTS + 1] = { NULL };
        _cleanup_free_ char *joined = NULL;
        const char *bad = NULL;
        int r;

        for (size_t i = 0; i < MAX_ARGUMENTS; i++)
                arguments[i] = (char *) v->arguments[i];
        r = parameters_join(arguments, &joined, &bad);

        g_assert_cmpint(r, ==, v->joined ? 0 : -EINVAL);
        g_assert_cmpstr(joined, ==, v->joined);
        g_assert_cmpstr(bad, ==, v->bad);
}

int main(int argc, char *argv[]) {
        g_test_init(&argc, &argv, NULL);
        for (size_t i = 0; i < G_N_ELEMENTS(vectors); i++) {
                g_autofree char *path = g_strdup_printf("/parameters/join/%zu", i);

                g_test_add_data_func(path, &vectors[i], test_join);
        }
        return g_test_run();
}
