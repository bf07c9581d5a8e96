/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <errno.h>
#include <glib.h>
#include <string.h>

#include "kernel-log.h"
#include "kernel.h"

/* The kernel's log, as kernel.c would read it. */
static const char *fake_log;
static int fake_error;

int kernel_log_read(char *buffer, size_t size) {
        size_t n;

        if (fake_error)
                return fake_error;
        n = strlen(fake_log);
        if (n > size) {
                const char *record = strchr(fake_log + n - size, '\n') + 1;

                n = strlen(record);
                memcpy(buffer, record, n);
                return (int) n;
        }
        memcpy(buffer, fake_log, n);
        return (int) n;
}

int kernel_log_size(void) {
        return fake_error ? fake_error : 1 << 17;
}

static const struct kernel_log_mark beginning = { .n = 0 };

static void check(const char *log, const char *module, const char *expected) {
        char text[1024];

        g_assert_cmpuint(kernel_log_select(log, strlen(log), &beginning, module, text, sizeof text), ==,
                         strlen(expected));
        g_assert_cmpstr(text, ==, expected);
}

static void test_known_lines(void) {
        check("", "foo", "");
        check("foo: Unknown symbol bar (err -2)", "foo", "foo: Unknown symbol bar (err -2)");
        check("<4>[   12.345678] foo: Unknown symbol bar (err -2)\n", "foo",
              "foo: Unknown symbol bar (err -2)");
        check("<3>[    1.000000] [   T123] foo: version magic 'a' should be 'b'\n", "foo",
              "foo: version magic 'a' should be 'b'");
        check("[T1] foo: disagrees about version of symbol x\n", "foo",
              "foo: disagrees about version of symbol x");
        check("<6>foo: `x' invalid for parameter `n'\n", "foo", "foo: `x' invalid for parameter `n'");
        check("foo: unknown parameter 'x' ignored\nfoo: module verification failed: signature and/or required key "
              "missing - tainting kernel\n",
              "foo",
              "foo: unknown parameter 'x' ignored; foo: module verification failed: signature and/or required key "
              "missing - tainting kernel");
}

static void test_other_lines(void) {
        check("<6>[    1.0] bar: Unknown symbol baz (err -2)\n", "foo", "");
        check("<6>[    1.0] foobar: Unknown symbol baz (err -2)\n", "foo", "");
        check("<6>[    1.0] xfoo: Unknown symbol baz (err -2)\n", "foo", "");
        check("<6>[    1.0] foo:Unknown symbol baz\n", "foo", "");
        check("<6>[    1.0] foo\n", "foo", "");
        check("<6>[    1.0] foo: \n", "foo", "");
        /* What the module itself prints may be anything. */
        check("<6>[    1.0] foo: the password is 1234\n", "foo", "");
        check("<6>[    1.0] foo: `x\n", "foo", "");
        check("<6>[    1.0] audit: foo: Unknown symbol bar\n", "foo", "");
        check("<6>[    1.0 foo: Unknown symbol bar\n", "foo", "");
        check("<6 foo: Unknown symbol bar\n", "foo", "");
        check("[[[[\n<<<<\n[]]\n\n\n>", "foo", "");
}

static void test_escaped(void) {
        check("foo: Unknown symbol \x1b[2J\x07\\ (err -2)\n", "foo",
              "foo: Unknown symbol \\x1b[2J\\x07\\\\ (err -2)");
}

static void test_line_without_end(void) {
        const char log[] = "foo: Unknown symbol abcdef";
        char text[64];

        /* Read to the length and no further. */
        kernel_log_select(log, strlen("foo: Unknown symbol abc"), &beginning, "foo", text, sizeof text);
        g_assert_cmpstr(text, ==, "foo: Unknown symbol abc");
        kernel_log_select(log, strlen("foo: Unknown"), &beginning, "foo", text, sizeof text);
        g_assert_cmpstr(text, ==, "");
        kernel_log_select("foo: \0Unknown symbol x", 22, &beginning, "foo", text, sizeof text);
        g_assert_cmpstr(text, ==, "");
}

static void test_bounds(void) {
        g_autoptr(GString) log = g_string_new(NULL);
        g_autofree char *endless = g_strnfill(5000, 'x');
        char text[400], small[30], tiny[1] = { 'x' };
        size_t n;

        for (int i = 0; i < 100; i++)
                g_string_append_printf(log, "<4>[    1.0] foo: Unknown symbol s%02d (err -2)\n", i);
        n = kernel_log_select(log->str, log->len, &beginning, "foo", text, sizeof text);
        g_assert_cmpuint(n, ==, strlen(text));
        g_assert_cmpuint(n, <, sizeof text);
        g_assert_cmpuint(n, >, sizeof text / 2);
        g_assert_true(g_str_has_prefix(text, "foo: Unknown symbol s00 (err -2); foo: Unknown symbol s01 "));
        g_assert_true(g_str_has_suffix(text, "(err -2)"));

        g_assert_cmpuint(kernel_log_select(log->str, log->len, &beginning, "foo", small, sizeof small), ==,
                         0);
        g_assert_cmpstr(small, ==, "");
        g_assert_cmpuint(kernel_log_select(log->str, log->len, &beginning, "foo", tiny, sizeof tiny), ==, 0);
        g_assert_cmpstr(tiny, ==, "");

        g_string_printf(log, "foo: Unknown symbol %s\nfoo: has bad relocation\n", endless);
        n = kernel_log_select(log->str, log->len, &beginning, "foo", text, sizeof text);
        g_assert_cmpuint(n, ==, 256 + strlen("; foo: has bad relocation"));
        g_assert_true(g_str_has_suffix(text, "; foo: has bad relocation"));
}

static void since(const struct kernel_log_mark *mark, const char *expected) {
        char text[1024] = "left over";

        kernel_log_since(mark, "foo", text, sizeof text);
        g_assert_cmpstr(text, ==, expected);
}

static void test_mark(void) {
        struct kernel_log_mark mark;

        fake_log = "<4>[    1.0] foo: Unknown symbol before\n<6>[    2.0] usb: something\n";
        kernel_log_mark(&mark);
        since(&mark, "");
        fake_log = "<4>[    1.0] foo: Unknown symbol before\n<6>[    2.0] usb: something\n"
                   "<4>[    3.0] foo: Unknown symbol after\n";
        since(&mark, "foo: Unknown symbol after");
        /* The log has gone round. */
        fake_log = "<4>[    3.0] foo: Unknown symbol after\n";
        since(&mark, "foo: Unknown symbol after");
        /* Shorter than the mark itself. */
        fake_log = "x\n";
        since(&mark, "");
        fake_log = "";
        since(&mark, "");

        kernel_log_mark(&mark);
        g_assert_cmpuint(mark.n, ==, 0);
        fake_log = "foo: Unknown symbol x\n";
        since(&mark, "foo: Unknown symbol x");
}

/* The same text twice: what counts is the last. */
static void test_mark_repeated(void) {
        struct kernel_log_mark mark;

        fake_log = "usb: x\nfoo: Unknown symbol a\nusb: x\n";
        kernel_log_mark(&mark);
        fake_log = "usb: x\nfoo: Unknown symbol a\nusb: x\nfoo: Unknown symbol b\n";
        since(&mark, "foo: Unknown symbol b");
}

static void test_mark_of_long_log(void) {
        g_autoptr(GString) log = g_string_new(NULL);
        struct kernel_log_mark mark;

        for (int i = 0; i < 500; i++)
                g_string_append_printf(log, "<4>[%4d.0] foo: Unknown symbol s%d\n", i, i);
        fake_log = log->str;
        kernel_log_mark(&mark);
        g_string_append(log, "<4>[ 999.0] foo: Unknown symbol last\n");
        fake_log = log->str;
        since(&mark, "foo: Unknown symbol last");
}

static void test_unreadable(void) {
        struct kernel_log_mark mark = { .n = 7 };

        fake_error = -EPERM;
        kernel_log_mark(&mark);
        g_assert_cmpuint(mark.n, ==, 0);
        since(&mark, "");
        fake_error = 0;
}

int main(int argc, char *argv[]) {
        g_test_init(&argc, &argv, NULL);
        g_test_add_func("/kernel-log/known-lines", test_known_lines);
        g_test_add_func("/kernel-log/other-lines", test_other_lines);
        g_test_add_func("/kernel-log/escaped", test_escaped);
        g_test_add_func("/kernel-log/line-without-end", test_line_without_end);
        g_test_add_func("/kernel-log/bounds", test_bounds);
        g_test_add_func("/kernel-log/mark", test_mark);
        g_test_add_func("/kernel-log/mark-repeated", test_mark_repeated);
        g_test_add_func("/kernel-log/mark-of-long-log", test_mark_of_long_log);
        g_test_add_func("/kernel-log/unreadable", test_unreadable);
        return g_test_run();
}
