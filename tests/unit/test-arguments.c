/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Tests of daemon/inspector/arguments.c: a caller's list of arguments, as the kernel takes it apart.
 */

#include <glib.h>
#include <stdio.h>

#include "arguments.h"
#include "cleanup.h"

#define MAX_NAMES 4

DEFINE_CLEANUP(struct modinfo *, modinfo_free);

static const struct {
        const char *list;
        const char *names[MAX_NAMES + 1];
} vectors[] = {
        { "", { NULL } },
        { "   ", { NULL } },
        { "a", { "a" } },
        { "a=1", { "a" } },
        { "a=1 b=2", { "a", "b" } },
        { "  a=1\tb \n c=", { "a", "b", "c" } },
        { "a=b=c", { "a" } },
        { "a=1,2,3 b", { "a", "b" } },

        { "a=\"x y\" b", { "a", "b" } },
        { "a=x\" \"y b", { "a", "b" } },
        { "a=\"x=y z\"", { "a" } },
        { "a=\"\" b=\"", { "a", "b" } },
        { "a=\"never closed b=1", { "a" } },

        /* A quote in front belongs to the whole argument. */
        { "\"a=x y\" b", { "a", "b" } },
        { "\"a\"", { "a" } },
        { "\"a b\" c", { "a b", "c" } },
        { "\"a b=1\"", { "a b" } },
        { "\"", { "" } },
        { "\"\"", { "" } },
        { "\"\" a", { "", "a" } },
        /* A quote within does not. */
        { "a\"b c\"d", { "a\"b c\"d" } },
        { "a\"b\"=1", { "a\"b\"" } },

        /* An argument that begins with an equals sign has that in its name. */
        { "=1", { "=1" } },
        { "=1=2", { "=1" } },
        { "=", { "=" } },

        /* A no-break space of Latin-1, also as the second byte of UTF-8. */
        { "a\xa0"
          "b",
          { "a", "b" } },
        { "a=\xc3\xa0 b", { "a", "b" } },
        { "a=\xc3\xa9 b", { "a", "b" } },

        { "a -- b", { "a", "--", "b" } },
        { "module.a=1", { "module.a" } },
};

static void test_next(void) {
        for (size_t i = 0; i < G_N_ELEMENTS(vectors); i++) {
                const char *list = vectors[i].list;

                for (size_t j = 0; vectors[i].names[j]; j++) {
                        _cleanup_free_ char *name = NULL;

                        g_assert_cmpint(arguments_next(&list, &name), ==, 1);
                        g_assert_cmpstr(name, ==, vectors[i].names[j]);
                }
                {
                        char *name = NULL;

                        g_assert_cmpint(arguments_next(&list, &name), ==, 0);
                        g_assert_null(name);
                }
        }
}

static struct modinfo *module_with(const char *const *names) {
        struct modinfo *info = modinfo_new();
        struct modinfo_parameter *parameter;

        g_assert_nonnull(info);
        info->parameters_complete = true;
        for (; *names; names++) {
                g_assert_cmpint(modinfo_add_parameter(info, *names, &parameter), ==, 0);
                parameter->is_known = true;
        }
        return info;
}

static void expect_undeclared(const struct modinfo *info, const char *list, const char *expected) {
        _cleanup_free_ char *name = NULL;

        g_assert_cmpint(arguments_find_undeclared(list, info, &name), ==, expected ? 1 : 0);
        g_assert_cmpstr(name, ==, expected);
}

static void test_undeclared(void) {
        const char *const names[] = { "num_dummies", "debug-level", "other.prefixed", NULL };
        _cleanup_(modinfo_freep) struct modinfo *info = module_with(names);
        struct modinfo_parameter *parameter;

        /* Described, but not in the kernel's table. */
        g_assert_cmpint(modinfo_add_parameter(info, "gone", &parameter), ==, 0);

        expect_undeclared(info, "", NULL);
        expect_undeclared(info, "num_dummies=1", NULL);
        expect_undeclared(info, "num_dummies", NULL);
        expect_undeclared(info, "num-dummies=1 debug_level other.prefixed=2", NULL);
        expect_undeclared(info, "\"num_dummies=1\"", NULL);
        expect_undeclared(info, "num_dummies=1 numdummies=2 what=3", "numdummies");
        expect_undeclared(info, "num_dummie=1", "num_dummie");
        expect_undeclared(info, "num_dummiess=1", "num_dummiess");
        expect_undeclared(info, "Num_dummies=1", "Num_dummies");
        expect_undeclared(info, "prefixed=1", "prefixed");
        expect_undeclared(info, "gone=1", "gone");
        expect_undeclared(info, "=1", "=1");
        expect_undeclared(info, "\"\"", "");
        /* The kernel would leave alone what comes after it. */
        expect_undeclared(info, "num_dummies=1 -- debug_level", "--");
}

static void test_of_the_kernel(void) {
        const char *const names[] = { NULL };
        _cleanup_(modinfo_freep) struct modinfo *info = module_with(names);

        expect_undeclared(info, "async_probe dyndbg=+p", NULL);
        expect_undeclared(info, "async_probe=1 dyndbg", NULL);
        expect_undeclared(info, "async-probe", "async-probe");
        /* This one would be for another module. */
        expect_undeclared(info, "other.dyndbg=+p", "other.dyndbg");
}

static void test_not_complete(void) {
        const char *const names[] = { "a", NULL };
        _cleanup_(modinfo_freep) struct modinfo *info = module_with(names);

        info->parameters_complete = false;
        expect_undeclared(info, "b=1", NULL);
}

static void test_declared(void) {
        const char *const none[] = { NULL }, *const names[] = { "b", "a", "c", NULL };
        _cleanup_(modinfo_freep) struct modinfo *empty = module_with(none), *info = module_with(names);
        _cleanup_free_ char *nothing = arguments_declared(empty), *some = NULL;

        g_assert_cmpstr(nothing, ==, "");
        info->parameters[0].is_known = false;
        some = arguments_declared(info);
        g_assert_cmpstr(some, ==, "a, c");
}

int main(int argc, char *argv[]) {
        g_test_init(&argc, &argv, NULL);
        g_test_add_func("/arguments/next", test_next);
        g_test_add_func("/arguments/undeclared", test_undeclared);
        g_test_add_func("/arguments/of-the-kernel", test_of_the_kernel);
        g_test_add_func("/arguments/not-complete", test_not_complete);
        g_test_add_func("/arguments/declared", test_declared);
        return g_test_run();
}
