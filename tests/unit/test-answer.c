/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Tests of daemon/inspector/answer.c: what the inspector answers, and what is no answer.
 */

#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "answer.h"
#include "cleanup.h"

DEFINE_CLEANUP(struct modinfo *, modinfo_free);

/* As on the wire; the test says so apart from answer.c, so that a change of either is seen. */
struct wire_head {
        int32_t result;
        uint32_t length;
};

static GByteArray *sent(int result, struct modinfo *info) {
        _cleanup_close_ int fd = memfd_create("test", MFD_CLOEXEC);
        GByteArray *bytes = g_byte_array_new();
        struct stat st;

        g_assert_no_errno(fd);
        g_assert_cmpint(answer_send(fd, result, info), ==, 0);
        g_assert_no_errno(fstat(fd, &st));
        g_byte_array_set_size(bytes, (guint) st.st_size);
        g_assert_cmpint(pread(fd, bytes->data, bytes->len, 0), ==, bytes->len);
        return bytes;
}

static struct modinfo *received(const GByteArray *bytes, int expected) {
        struct modinfo *info = NULL;
        int result;

        g_assert_cmpint(answer_decode(bytes->data, bytes->len, &result, &info), ==, 0);
        g_assert_cmpint(result, ==, expected);
        return info;
}

static struct modinfo_parameter *add_parameter(struct modinfo *info, const char *name) {
        struct modinfo_parameter *parameter;

        g_assert_cmpint(modinfo_add_parameter(info, name, &parameter), ==, 0);
        return parameter;
}

static struct modinfo *full(void) {
        struct modinfo *info = modinfo_new();
        struct modinfo_parameter *parameter;
        const char *key;
        char **field;

        g_assert_cmpint(modinfo_set_compression(info, "xz"), ==, 0);
        info->is_signed = info->parameters_complete = true;
        for (size_t i = 0; (field = modinfo_text(info, i, &key)); i++) {
                g_autofree char *text = g_strdup_printf("%s=\n\xff", key);

                g_assert_cmpint(modinfo_set_text(info, field, text), ==, 0);
        }
        g_assert_cmpint(modinfo_add(info, &info->depends, "a"), ==, 0);
        g_assert_cmpint(modinfo_add(info, &info->depends, "b"), ==, 0);
        g_assert_cmpint(modinfo_add(info, &info->softdeps, "pre: x"), ==, 0);
        parameter = add_parameter(info, "p");
        g_assert_cmpint(modinfo_set_text(info, &parameter->type, "int"), ==, 0);
        parameter->is_known = true;
        parameter = add_parameter(info, "q");
        g_assert_cmpint(modinfo_set_text(info, &parameter->description, ""), ==, 0);
        return info;
}

static void test_full(void) {
        _cleanup_(modinfo_freep) struct modinfo *before = full(), *after = NULL;
        g_autoptr(GByteArray) bytes = sent(MODINFO_GOOD, before), again = NULL;

        after = received(bytes, MODINFO_GOOD);
        g_assert_cmpstr(after->compression, ==, "xz");
        g_assert_true(after->is_signed);
        g_assert_true(after->parameters_complete);
        g_assert_cmpstr(after->name, ==, "name=\n\xff");
        g_assert_cmpstr(after->version, ==, "version=\n\xff");
        g_assert_cmpstr(after->license, ==, "license=\n\xff");
        g_assert_cmpstr(after->vermagic, ==, "vermagic=\n\xff");
        g_assert_cmpstr(after->srcversion, ==, "srcversion=\n\xff");
        g_assert_cmpuint(after->depends.n, ==, 2);
        g_assert_cmpstr(after->depends.items[1], ==, "b");
        g_assert_cmpuint(after->softdeps.n, ==, 1);
        g_assert_cmpstr(after->softdeps.items[0], ==, "pre: x");
        g_assert_cmpuint(after->n_parameters, ==, 2);
        g_assert_cmpstr(after->parameters[0].name, ==, "p");
        g_assert_cmpstr(after->parameters[0].type, ==, "int");
        g_assert_null(after->parameters[0].description);
        g_assert_true(after->parameters[0].is_known);
        g_assert_cmpstr(after->parameters[1].name, ==, "q");
        g_assert_null(after->parameters[1].type);
        g_assert_cmpstr(after->parameters[1].description, ==, "");
        g_assert_false(after->parameters[1].is_known);

        again = sent(MODINFO_GOOD, after);
        g_assert_cmpuint(again->len, ==, bytes->len);
        g_assert_true(memcmp(bytes->data, again->data, bytes->len) == 0);
}

static void test_outcomes(void) {
        for (int r = MODINFO_NOT_ELF; r <= MODINFO_TOO_LARGE; r++) {
                _cleanup_(modinfo_freep) struct modinfo *info = modinfo_new(), *after = NULL;
                g_autoptr(GByteArray) bytes = sent(r, info);

                after = received(bytes, r);
                g_assert_nonnull(after);
                g_assert_null(after->name);
                g_assert_cmpstr(after->compression, ==, "");
                g_assert_false(after->parameters_complete);
        }
}

static void test_errors(void) {
        static const int errors[] = { -EPERM, -ENOMEM, -4095 };

        for (size_t i = 0; i < G_N_ELEMENTS(errors); i++) {
                g_autoptr(GByteArray) bytes = sent(errors[i], NULL);

                g_assert_null(received(bytes, errors[i]));
        }
}

/* As much as fits into a modinfo fits into an answer. */
static void test_largest(void) {
        _cleanup_(modinfo_freep) struct modinfo *before = modinfo_new(), *after = NULL;
        g_autofree char *text = g_strnfill(MODINFO_TEXT_MAX, 'x');
        g_autoptr(GByteArray) bytes = NULL;

        g_assert_cmpint(modinfo_set_text(before, &before->name, "name"), ==, 0);
        for (int i = 0; i < 500; i++) {
                g_autofree char *name = g_strdup_printf("p%d", i);
                struct modinfo_parameter *parameter = add_parameter(before, name);

                (void) modinfo_set_text(before, &parameter->description, i < 40 ? text : "");
        }
        while (modinfo_add(before, &before->softdeps, "") == 0)
                ;
        bytes = sent(MODINFO_GOOD, before);
        g_assert_cmpuint(bytes->len, <=, ANSWER_MAX);
        after = received(bytes, MODINFO_GOOD);
        g_assert_cmpuint(after->size, ==, before->size);
        g_assert_cmpuint(after->softdeps.n, ==, before->softdeps.n);
}

static void expect_decoded(int32_t result, int64_t length, const char *records, size_t size, int expected) {
        struct wire_head head = { .result = result,
                                  .length = length < 0 ? (uint32_t) size : (uint32_t) length };
        g_autoptr(GByteArray) bytes = g_byte_array_new();
        g_autofree void *copy = NULL;
        _cleanup_(modinfo_freep) struct modinfo *info = NULL;
        int decoded = 4711;

        g_byte_array_append(bytes, (const guint8 *) &head, sizeof head);
        if (size > 0)
                g_byte_array_append(bytes, (const guint8 *) records, (guint) size);
        copy = g_memdup2(bytes->data, bytes->len);
        g_assert_cmpint(answer_decode(copy, bytes->len, &decoded, &info), ==, expected);
        if (expected < 0) {
                g_assert_null(info);
                g_assert_cmpint(decoded, ==, 4711);
        }
}

#define EXPECT(result, records, expected)                                                                   \
        expect_decoded((result), -1, (records), sizeof(records) - 1, (expected))

static void test_heads(void) {
        const char *one = "name=a";

        expect_decoded(0, -1, one, 7, 0);
        expect_decoded(0, 6, one, 7, -EBADMSG);
        expect_decoded(0, 8, one, 7, -EBADMSG);
        expect_decoded(0, UINT32_MAX, one, 7, -EBADMSG);
        expect_decoded(0, 0, NULL, 0, -EBADMSG);
        expect_decoded(1, 0, NULL, 0, -EBADMSG);
        expect_decoded(-1, 0, NULL, 0, 0);
        expect_decoded(-1, -1, one, 7, -EBADMSG);
        expect_decoded(-4096, 0, NULL, 0, -EBADMSG);
        expect_decoded(INT32_MIN, 0, NULL, 0, -EBADMSG);
        /* What only the broker says, of a child that says nothing. */
        expect_decoded(MODINFO_KILLED, -1, one, 7, -EBADMSG);
        expect_decoded(MODINFO_TIMED_OUT, -1, one, 7, -EBADMSG);
        expect_decoded(INT32_MAX, -1, one, 7, -EBADMSG);
}

static void test_records(void) {
        EXPECT(0, "name=a\0", 0);
        EXPECT(0, "name=a", -EBADMSG);
        EXPECT(0, "name\0", -EBADMSG);
        EXPECT(0, "\0", -EBADMSG);
        EXPECT(0, "name=a\0\0", -EBADMSG);
        EXPECT(0, "=a\0name=a\0", -EBADMSG);
        EXPECT(0, "what=a\0name=a\0", -EBADMSG);
        EXPECT(0, "name=a\0name=a\0", -EBADMSG);
        EXPECT(0, "name=a\0license=x\0license=y\0", -EBADMSG);
        EXPECT(0, "Name=a\0", -EBADMSG);
        EXPECT(0, "name =a\0", -EBADMSG);
        /* One that is good has a name. */
        EXPECT(0, "compression=\0", -EBADMSG);
        EXPECT(MODINFO_NO_NAME, "compression=\0", 0);

        EXPECT(0, "name=a\0compression=xz\0", 0);
        EXPECT(0, "name=a\0compression=lzma\0", -EBADMSG);
        EXPECT(0, "name=a\0signed=yes\0complete=yes\0", 0);
        EXPECT(0, "name=a\0signed=no\0", -EBADMSG);
        EXPECT(0, "name=a\0signed=yes\0signed=yes\0", -EBADMSG);
        EXPECT(0, "name=a\0complete=\0", -EBADMSG);

        EXPECT(0, "name=a\0parameter=p\0type=t\0description=d\0known=yes\0parameter=q\0", 0);
        EXPECT(0, "name=a\0type=t\0", -EBADMSG);
        EXPECT(0, "name=a\0description=t\0", -EBADMSG);
        EXPECT(0, "name=a\0known=yes\0", -EBADMSG);
        EXPECT(0, "name=a\0parameter=\0", -EBADMSG);
        EXPECT(0, "name=a\0parameter=p\0parameter=p\0", -EBADMSG);
        EXPECT(0, "name=a\0parameter=p\0parameter=q\0parameter=p\0", -EBADMSG);
        EXPECT(0, "name=a\0parameter=p\0type=t\0type=t\0", -EBADMSG);
        EXPECT(0, "name=a\0parameter=p\0known=no\0", -EBADMSG);
}

static void append(GByteArray *records, const char *key, size_t length) {
        g_autofree char *value = g_strnfill(length, 'x'), *record = g_strdup_printf("%s=%s", key, value);

        g_byte_array_append(records, (const guint8 *) record, (guint) strlen(record) + 1);
}

static void test_limits(void) {
        static const struct {
                const char *key;
                size_t length;
                int expected;
        } vectors[] = { { "license", MODINFO_TEXT_MAX, 0 },
                        { "license", MODINFO_TEXT_MAX + 1, -EBADMSG },
                        { "depends", MODINFO_TEXT_MAX + 1, -EBADMSG },
                        { "parameter", MODINFO_PARAMETER_NAME_MAX, 0 },
                        { "parameter", MODINFO_PARAMETER_NAME_MAX + 1, -EBADMSG } };
        g_autoptr(GByteArray) records = g_byte_array_new();

        for (size_t i = 0; i < G_N_ELEMENTS(vectors); i++) {
                g_byte_array_set_size(records, 0);
                append(records, "name", 1);
                append(records, vectors[i].key, vectors[i].length);
                expect_decoded(0, -1, (const char *) records->data, records->len, vectors[i].expected);
        }

        /* More than fits into a modinfo, and more than an answer may have. */
        g_byte_array_set_size(records, 0);
        append(records, "name", 1);
        for (int i = 0; i < 50; i++)
                append(records, "depends", MODINFO_TEXT_MAX);
        expect_decoded(0, -1, (const char *) records->data, records->len, -EBADMSG);
        while (records->len <= ANSWER_MAX)
                append(records, "depends", 1);
        expect_decoded(0, -1, (const char *) records->data, records->len, -EBADMSG);
}

/* Neither half of an answer nor one and a half is one. */
static void test_every_length(void) {
        _cleanup_(modinfo_freep) struct modinfo *info = full();
        g_autoptr(GByteArray) bytes = sent(MODINFO_GOOD, info);

        for (guint n = 0; n < bytes->len; n++) {
                g_autofree void *copy = g_memdup2(bytes->data, n);
                struct modinfo *got;
                int result;

                g_assert_cmpint(answer_decode(copy, n, &result, &got), ==, -EBADMSG);
        }
        g_byte_array_append(bytes, (const guint8 *) "", 1);
        {
                struct modinfo *got;
                int result;

                g_assert_cmpint(answer_decode(bytes->data, bytes->len, &result, &got), ==, -EBADMSG);
        }
}

static void test_nobody_reads(void) {
        _cleanup_(modinfo_freep) struct modinfo *info = full();
        _cleanup_close_ int fd = open("/dev/full", O_WRONLY | O_CLOEXEC);

        g_assert_no_errno(fd);
        g_assert_cmpint(answer_send(fd, MODINFO_GOOD, info), ==, -ENOSPC);
}

int main(int argc, char *argv[]) {
        g_test_init(&argc, &argv, NULL);
        g_test_add_func("/answer/full", test_full);
        g_test_add_func("/answer/outcomes", test_outcomes);
        g_test_add_func("/answer/errors", test_errors);
        g_test_add_func("/answer/largest", test_largest);
        g_test_add_func("/answer/heads", test_heads);
        g_test_add_func("/answer/records", test_records);
        g_test_add_func("/answer/limits", test_limits);
        g_test_add_func("/answer/every-length", test_every_length);
        g_test_add_func("/answer/nobody-reads", test_nobody_reads);
        return g_test_run();
}
