/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <glib.h>
#include <string.h>

#include "arguments.h"
#include "options.h"
#include "protocol.h"

/* A module with the parameters a to f, and one that is called long_name. */
static bool declares(const char *name, void *userdata) {
        g_assert_cmpstr(userdata, ==, "userdata");
        return arguments_is_same_name(name, "long_name") ||
               (name[0] >= 'a' && name[0] <= 'f' && name[1] == '\0');
}

static int join(const char *const *texts, const char *parameters, struct options *ret) {
        g_autoptr(GArray) options = g_array_new(FALSE, TRUE, sizeof(struct modprobe_option));
        static const char *const files[] = { "/etc/modprobe.d/0", "/etc/modprobe.d/1", "/etc/modprobe.d/2" };
        struct modprobe_policy policy = { 0 };
        int r;

        for (; texts[policy.n_options]; policy.n_options++) {
                struct modprobe_option option = { .file = (char *) files[policy.n_options],
                                                  .text = (char *) texts[policy.n_options] };

                g_array_append_val(options, option);
        }
        policy.options = (struct modprobe_option *) (void *) options->data;
        r = options_join(&policy, parameters, declares, (char[]){ "userdata" }, ret);
        g_assert_true((r == OPTIONS_JOINED) == (ret->text != NULL));
        g_assert_true((r == OPTIONS_OVERRIDDEN || r == OPTIONS_UNCLOSED) == (ret->name != NULL));
        g_assert_true(!ret->name == !ret->file);
        return r;
}

struct joined {
        const char *options[4];
        const char *parameters;
        const char *text;
        const char *dropped; /* each with a blank after it */
};

static const struct joined joined[] = {
        { { NULL }, "", "", "" },
        { { NULL }, "x=1  \"y\"", "x=1  \"y\"", "" },
        { { "a=1" }, "", "a=1", "" },
        { { "a=1" }, "b=2", "a=1 b=2", "" },
        { { "  a=1   b ", "c=\"3 4\"", "a=5" }, "d=6", "a=1 b c=\"3 4\" a=5 d=6", "" },
        { { "x=1 a=2 y" }, "b", "a=2 b", "x=1 y " },
        { { "x=1" }, "b", "b", "x=1 " },
        { { "x=1" }, "", "", "x=1 " },
        /* What the module does not have is not in the caller's way; it is the kernel's to say so. */
        { { "x=1" }, "x=2", "x=2", "x=1 " },
        { { "x=\"1 a=2\" b=3" }, "", "b=3", "x=\"1 a=2\" " },
        { { "\"a=1 2\" b" }, "", "\"a=1 2\" b", "" },
        { { "a=1\xa0"
            "b=2" },
          "c",
          "a=1 b=2 c",
          "" },
        { { "long-name=1" }, "", "long-name=1", "" },
        /* Here the kernel would stop reading. */
        { { "a=1 -- b=2" }, "c=3", "a=1 b=2 c=3", "-- " },
        { { "=1 a=2" }, "", "a=2", "=1 " },
        { { "a=\"\" b=x\"y\"z" }, "", "a=\"\" b=x\"y\"z", "" },
};

static void test_joined(void) {
        for (size_t i = 0; i < G_N_ELEMENTS(joined); i++) {
                g_autoptr(GString) dropped = g_string_new(NULL);
                struct options options = { 0 };

                g_test_message("case %zu", i);
                g_assert_cmpint(join(joined[i].options, joined[i].parameters, &options), ==, OPTIONS_JOINED);
                g_assert_cmpstr(options.text, ==, joined[i].text);
                for (size_t j = 0; j < options.n_dropped; j++) {
                        g_assert_cmpstr(options.dropped[j].file, ==, "/etc/modprobe.d/0");
                        g_string_append_printf(dropped, "%s ", options.dropped[j].text);
                }
                g_assert_cmpstr(dropped->str, ==, joined[i].dropped);
                options_clear(&options);
                g_assert_null(options.text);
        }
}

struct refused {
        const char *options[4];
        const char *parameters;
        enum options_outcome outcome;
        const char *name;
        const char *file;
};

static const struct refused refused[] = {
        { { "a=1" }, "a=2", OPTIONS_OVERRIDDEN, "a", "/etc/modprobe.d/0" },
        { { "a=1", "b=2" }, "c=3 b", OPTIONS_OVERRIDDEN, "b", "/etc/modprobe.d/1" },
        { { "a=1" }, "b \"a=2\"", OPTIONS_OVERRIDDEN, "a", "/etc/modprobe.d/0" },
        { { "a=1" },
          "b\xa0"
          "a=2",
          OPTIONS_OVERRIDDEN,
          "a",
          "/etc/modprobe.d/0" },
        { { "long_name=1" }, "long-name=2", OPTIONS_OVERRIDDEN, "long-name", "/etc/modprobe.d/0" },
        { { "long-name=1" }, "long_name=2", OPTIONS_OVERRIDDEN, "long_name", "/etc/modprobe.d/0" },
        /* The caller's would become part of the administrator's. */
        { { "a=\"/lib/x" }, "b=1", OPTIONS_UNCLOSED, "a", "/etc/modprobe.d/0" },
        { { "b=1", "a=x\" c=2" }, "", OPTIONS_UNCLOSED, "a", "/etc/modprobe.d/1" },
        { { "\"a=1 b=2" }, "", OPTIONS_UNCLOSED, "a", "/etc/modprobe.d/0" },
        { { "x=\"1" }, "", OPTIONS_UNCLOSED, "x", "/etc/modprobe.d/0" },
};

static void test_refused(void) {
        for (size_t i = 0; i < G_N_ELEMENTS(refused); i++) {
                struct options options = { 0 };

                g_test_message("case %zu", i);
                g_assert_cmpint(join(refused[i].options, refused[i].parameters, &options), ==,
                                (int) refused[i].outcome);
                g_assert_cmpstr(options.name, ==, refused[i].name);
                g_assert_cmpstr(options.file, ==, refused[i].file);
                options_clear(&options);
        }
}

/* A package's defaults are not the administrator's word. */
static void test_vendors_defaults(void) {
        static const char *const files[] = { "/usr/lib/modprobe.d/systemd.conf",
                                             "/lib/modprobe.d/x.conf",
                                             "/usr/local/lib/modprobe.d/x.conf",
                                             "/etc/modprobe.d/x.conf",
                                             "/run/modprobe.d/x.conf",
                                             "/proc/cmdline",
                                             "/usr/library/x.conf" };

        for (size_t i = 0; i < G_N_ELEMENTS(files); i++) {
                struct modprobe_option option = { .file = (char *) files[i], .text = (char[]){ "a=0" } };
                struct modprobe_policy policy = { .options = &option, .n_options = 1 };
                struct options options = { 0 };
                int r = options_join(&policy, "a=3", declares, (char[]){ "userdata" }, &options);

                g_assert_cmpint(r, ==, i < 3 ? OPTIONS_JOINED : OPTIONS_OVERRIDDEN);
                g_assert_cmpstr(options.text, ==, i < 3 ? "a=0 a=3" : NULL);
                options_clear(&options);
        }
}

static void test_length(void) {
        g_autofree char *fill = g_strnfill(PROTOCOL_PARAMETERS_MAX - strlen("a=1 b="), 'x');
        g_autofree char *fits = g_strdup_printf("b=%s", fill), *more = g_strdup_printf("b=%sx", fill);
        g_autofree char *alone = g_strdup_printf("b=%sxxxx", fill);
        const char *const none[] = { NULL }, *const one[] = { "a=1", NULL },
                          *const undeclared[] = { "x=1", NULL };
        struct options options = { 0 };

        g_assert_cmpint(join(one, fits, &options), ==, OPTIONS_JOINED);
        g_assert_cmpuint(strlen(options.text), ==, PROTOCOL_PARAMETERS_MAX);
        options_clear(&options);
        g_assert_cmpint(join(one, more, &options), ==, OPTIONS_TOO_LONG);
        options_clear(&options);
        g_assert_cmpint(join(none, alone, &options), ==, OPTIONS_JOINED);
        options_clear(&options);
        g_assert_cmpint(join(undeclared, alone, &options), ==, OPTIONS_JOINED);
        options_clear(&options);
}

int main(int argc, char *argv[]) {
        g_test_init(&argc, &argv, NULL);
        g_test_add_func("/options/joined", test_joined);
        g_test_add_func("/options/refused", test_refused);
        g_test_add_func("/options/vendors-defaults", test_vendors_defaults);
        g_test_add_func("/options/length", test_length);
        return g_test_run();
}
