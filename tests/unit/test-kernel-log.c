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

static const struct kernel_log_subject foo = { .module = "foo" };

static void check_causes(const char *log, int error, unsigned causes, const char *expected) {
        const struct kernel_log_subject subject = { .module = "foo", .error = error };
        char text[1024];

        g_assert_cmpuint(kernel_log_select(log, strlen(log), &beginning, &subject, text, sizeof text), ==,
                         causes);
        g_assert_cmpstr(text, ==, expected);
}

static void check(const char *log, const char *module, const char *expected) {
        const struct kernel_log_subject subject = { .module = module };
        char text[1024];

        (void) kernel_log_select(log, strlen(log), &beginning, &subject, text, sizeof text);
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

/* Each as Linux 6.1 or 6.12 prints it, after the module's name. */
static void test_causes(void) {
        static const struct {
                const char *line;
                unsigned cause;
        } lines[] = {
                { "Unknown symbol bar (err -2)", KERNEL_LOG_SYMBOL },
                { "gave up waiting for init of module bar.", KERNEL_LOG_SYMBOL },
                { "module uses symbol (bar) from namespace BAZ, but does not import it.", 0 },
                { "module using GPL-only symbols uses symbols bar from proprietary module baz.", 0 },
                { "module uses symbols bar from proprietary module baz, inheriting taint.", 0 },
                { "version magic '6.1 SMP ' should be '6.1 UP '", KERNEL_LOG_VERSION },
                { "disagrees about version of symbol module_layout", KERNEL_LOG_VERSION },
                { "no symbol version for bar", KERNEL_LOG_VERSION },
                { "bad vermagic: kernel tainted.", 0 },
                { "`x' invalid for parameter `n'", KERNEL_LOG_PARAMETER },
                { "`' invalid for parameter `n'", KERNEL_LOG_PARAMETER },
                { "`xxxxxxxx' too large for parameter `n'", KERNEL_LOG_PARAMETER },
                { "Unknown parameter `n'", KERNEL_LOG_PARAMETER },
                { "unknown parameter 'n' ignored", 0 },
                { "parameters 'x=1' after `--' ignored", 0 },
                { "exports duplicate symbol bar (owned by baz)", KERNEL_LOG_LATE },
                { "module is already loaded", KERNEL_LOG_LATE },
                { "Could not allocate 4096 bytes percpu data", 0 },
                { "No module found in object", 0 },
                { "module has no symbols (stripped?)", 0 },
                { "Symbol x has an invalid section index 9 (max 7)", 0 },
                { "Unknown rela relocation: 77", 0 },
                { "has both .ctors and .init_array.", 0 },
                { "module is marked as livepatch module, but livepatch support is disabled", 0 },
                { "please compile with -fno-common", 0 },
                { "section .text (index 3) has invalid WRITE|EXEC flags", 0 },
                { "loading out-of-tree module taints kernel.", 0 },
                { "loading test module taints kernel.", 0 },
                { "loading module not compiled with retpoline compiler.", 0 },
                { "module is from the staging directory, the quality is unknown, you have been warned.", 0 },
                { "module license 'Proprietary' taints kernel.", 0 },
                { "module verification failed: signature and/or required key missing - tainting kernel", 0 },
        };

        for (size_t i = 0; i < G_N_ELEMENTS(lines); i++) {
                g_autofree char *line = g_strconcat("foo: ", lines[i].line, NULL);
                g_autofree char *shown =
                                g_strndup(line, strlen(line) - (g_str_has_suffix(line, ".") ? 1 : 0));
                g_autofree char *log = g_strconcat("<4>[    1.0] ", line, "\n<6>[    1.1] usb: x\n", NULL);
                g_autofree char *other = g_strconcat("<4>[    1.0] ba", line, "\n", NULL);

                check_causes(log, 0, lines[i].cause, shown);
                check_causes(other, 0, 0, "");
        }
        check_causes("foo: Unknown symbol a (err -22)\nfoo: disagrees about version of symbol a\n", 0,
                     KERNEL_LOG_SYMBOL | KERNEL_LOG_VERSION,
                     "foo: Unknown symbol a (err -22); foo: disagrees about version of symbol a");
        /* The same with the name elsewhere. */
        check_causes("<3>[ 1.0] Module foo is blacklisted\n", 0, 0, "Module foo is blacklisted");
        check_causes("Module foobar is blacklisted\nModule fo is blacklisted\n", 0, 0, "");
        check_causes("module foo: .gnu.linkonce.this_module section must have a size set", 0, 0,
                     "module foo: .gnu.linkonce.this_module section must have a size set");
        check_causes("failed to validate module [foo] BTF: -22", 0, 0,
                     "failed to validate module [foo] BTF: -22");
}

/* Lines that name nobody: only with the errno that the kernel returns after them. */
static void test_nameless(void) {
        static const struct {
                const char *line;
                int error;
                unsigned cause;
        } lines[] = {
                { "Loading of unsigned module is rejected", EKEYREJECTED, KERNEL_LOG_SIGNATURE },
                { "Loading of module with unavailable key is rejected", EKEYREJECTED, KERNEL_LOG_SIGNATURE },
                { "Module hash 0123 is blacklisted", EKEYREJECTED, KERNEL_LOG_SIGNATURE },
                { "Lockdown: moduled-loader: unsigned module loading is restricted; see man kernel_lockdown.7",
                  EPERM, KERNEL_LOG_SIGNATURE },
                { "Invalid ELF header len 5", ENOEXEC, 0 },
                { "Invalid architecture in ELF header: 3", ENOEXEC, 0 },
                { "Invalid module architecture in ELF header: 3", ENOEXEC, 0 },
                { "ELF Spec violation: section name table isn't null terminated", ENOEXEC, 0 },
                { "Only one .modinfo section must exist", ENOEXEC, 0 },
                { "empty section name table", ENOEXEC, 0 },
                { "overflow in relocation type 11 val 7f", ENOEXEC, 0 },
                { "x86/modules: Invalid relocation target, existing value is nonzero for type 1, loc 1, val 1",
                  ENOEXEC, 0 },
                { "decompression failed with status 7", EINVAL, 0 },
                { "failed to initialize decompressor: -22", EINVAL, 0 },
                { "not a gzip compressed module", EINVAL, 0 },
                { "not an xz compressed module", EINVAL, 0 },
                { "not a zstd compressed module", EINVAL, 0 },
                { "ZSTD-compressed data has an incomplete frame header", EINVAL, 0 },
        };

        for (size_t i = 0; i < G_N_ELEMENTS(lines); i++) {
                g_autofree char *log = g_strconcat("<5>[    1.0] ", lines[i].line, "\n", NULL);
                g_autofree char *quoted = g_strconcat("<5>[    1.0] bar: ", lines[i].line, "\n", NULL);

                check_causes(log, lines[i].error, lines[i].cause, lines[i].line);
                check_causes(quoted, lines[i].error, 0, "");
                check_causes(log, ENOENT, 0, "");
                check_causes(log, 0, 0, "");
        }
        check_causes("Loading of a truck is delayed", EKEYREJECTED, 0, "");
        check_causes("Lockdown: mokutil: raw io port access is restricted; see man kernel_lockdown.7", EPERM,
                     0, "");
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
        check("<6>[    1.0] foo: `x' is the password for parameter `n'\n", "foo", "");
        check("<6>[    1.0] foo: unknown parameter 'n' is the password\n", "foo", "");
        check("<6>[    1.0] foo: version magic is 1234\n", "foo", "");
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
        kernel_log_select(log, strlen("foo: Unknown symbol abc"), &beginning, &foo, text, sizeof text);
        g_assert_cmpstr(text, ==, "foo: Unknown symbol abc");
        kernel_log_select(log, strlen("foo: Unknown"), &beginning, &foo, text, sizeof text);
        g_assert_cmpstr(text, ==, "");
        kernel_log_select("foo: \0Unknown symbol x", 22, &beginning, &foo, text, sizeof text);
        g_assert_cmpstr(text, ==, "");
}

static void test_bounds(void) {
        g_autoptr(GString) log = g_string_new(NULL);
        g_autofree char *endless = g_strnfill(5000, 'x');
        char text[400], small[30], tiny[1] = { 'x' };
        size_t n;

        for (int i = 0; i < 100; i++)
                g_string_append_printf(log, "<4>[    1.0] foo: Unknown symbol s%02d (err -2)\n", i);
        g_assert_cmpuint(kernel_log_select(log->str, log->len, &beginning, &foo, text, sizeof text), ==,
                         KERNEL_LOG_SYMBOL);
        n = strlen(text);
        g_assert_cmpuint(n, <, sizeof text);
        g_assert_cmpuint(n, >, sizeof text / 2);
        g_assert_true(g_str_has_prefix(text, "foo: Unknown symbol s00 (err -2); foo: Unknown symbol s01 "));
        g_assert_true(g_str_has_suffix(text, "(err -2)"));

        /* What a line says counts, even if there is no room to show it. */
        g_assert_cmpuint(kernel_log_select(log->str, log->len, &beginning, &foo, small, sizeof small), ==,
                         KERNEL_LOG_SYMBOL);
        g_assert_cmpstr(small, ==, "");
        g_assert_cmpuint(kernel_log_select(log->str, log->len, &beginning, &foo, tiny, sizeof tiny), ==,
                         KERNEL_LOG_SYMBOL);
        g_assert_cmpstr(tiny, ==, "");

        g_string_printf(log, "foo: Unknown symbol %s\nfoo: no symbol version for x\n", endless);
        (void) kernel_log_select(log->str, log->len, &beginning, &foo, text, sizeof text);
        g_assert_cmpuint(strlen(text), ==, 256 + strlen("; foo: no symbol version for x"));
        g_assert_true(g_str_has_suffix(text, "; foo: no symbol version for x"));
}

static void since(const struct kernel_log_mark *mark, const char *expected) {
        char text[1024] = "left over";

        kernel_log_since(mark, &foo, text, sizeof text);
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
        g_test_add_func("/kernel-log/causes", test_causes);
        g_test_add_func("/kernel-log/nameless", test_nameless);
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
