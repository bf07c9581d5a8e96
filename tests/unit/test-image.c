/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Tests of daemon/inspector/image.c: what comes out of a descriptor.
 */

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "cleanup.h"
#include "compress.h"
#include "image.h"
#include "modinfo.h"
#include "object.h"
#include "support.h"

#define NAME "the_example"
#define XZ_MAGIC "\xfd\x37zXZ"

DEFINE_CLEANUP(struct modinfo *, modinfo_free);

static GByteArray *example(void) {
        g_autofree char *path = g_build_filename(g_getenv("TEST_MODULES"), "example.ko", NULL);

        return object_read(path);
}

static int open_bytes(const void *bytes, size_t size) {
        int fd = memfd_create("test", MFD_CLOEXEC);

        g_assert_no_errno(fd);
        g_assert_cmpint(write(fd, bytes, size), ==, (gssize) size);
        return fd;
}

/* Return: the outcome, with how the file is compressed. */
static int read_bytes(const void *bytes, size_t size, const char **ret_compression) {
        _cleanup_(modinfo_freep) struct modinfo *info = NULL;
        _cleanup_close_ int fd = open_bytes(bytes, size);
        int r = modinfo_read(fd, NAME, &info);

        g_assert_cmpint(r, >=, 0);
        g_assert_nonnull(info);
        if (r == MODINFO_GOOD)
                g_assert_cmpstr(info->license, ==, "GPL");
        *ret_compression = info->compression;
        return r;
}

static void expect(const void *bytes, size_t size, int outcome, const char *compression) {
        const char *seen;

        g_assert_cmpint(read_bytes(bytes, size, &seen), ==, outcome);
        g_assert_cmpstr(seen, ==, compression);
}

/* Not every libdw unpacks zstd; see elfutils' NEWS. */
static bool can_unpack(const char *format) {
        g_autoptr(GByteArray) object = example(), packed = compress_bytes(format, object->data, object->len);
        const char *compression;
        int r = read_bytes(packed->data, packed->len, &compression);

        g_assert_cmpstr(compression, ==, format);
        if (strcmp(format, "zstd") == 0)
                g_assert_true(r == MODINFO_GOOD || r == MODINFO_UNSUPPORTED_COMPRESSION);
        else
                g_assert_cmpint(r, ==, MODINFO_GOOD);
        return r == MODINFO_GOOD;
}

static void test_plain(void) {
        g_autoptr(GByteArray) object = example();

        expect(object->data, object->len, MODINFO_GOOD, "");
}

static void test_compressed(gconstpointer format) {
        (void) can_unpack(format);
}

/* libdw takes the beginning of a zstd file for one that it does not know. */
static void expect_corrupt(const GByteArray *packed, size_t size, const char *format) {
        const char *seen;
        int r = read_bytes(packed->data, size, &seen);

        g_assert_cmpstr(seen, ==, format);
        if (strcmp(format, "zstd") != 0 || r != MODINFO_UNSUPPORTED_COMPRESSION)
                g_assert_cmpint(r, ==, MODINFO_MALFORMED);
}

/* Cut or changed, it is not taken for whole. */
static void test_corrupt(gconstpointer format) {
        g_autoptr(GByteArray) object = example(), packed = compress_bytes(format, object->data, object->len);

        for (guint n = 32; n < packed->len - 8; n += 61)
                expect_corrupt(packed, n, format);
        packed->data[packed->len / 2] ^= 0x55;
        expect_corrupt(packed, packed->len, format);
}

static void test_compressed_text(gconstpointer format) {
        static const char text[] = "This is no module, but it is compressed.";
        g_autoptr(GByteArray) packed = compress_bytes(format, text, sizeof text);

        expect(packed->data, packed->len,
               can_unpack(format) ? MODINFO_NOT_ELF : MODINFO_UNSUPPORTED_COMPRESSION, format);
}

/* As depmod, moduled unpacks once. */
static void test_compressed_twice(gconstpointer format) {
        g_autoptr(GByteArray) object = example(), once = compress_bytes("xz", object->data, object->len),
                              twice = compress_bytes(format, once->data, once->len);

        expect(twice->data, twice->len,
               can_unpack(format) ? MODINFO_NOT_ELF : MODINFO_UNSUPPORTED_COMPRESSION, format);
}

/* The descriptor is somebody else's, and may stand anywhere. */
static void test_position(gconstpointer format) {
        g_autoptr(GByteArray) object = example(), packed = compress_bytes(format, object->data, object->len);
        _cleanup_(modinfo_freep) struct modinfo *info = NULL;
        _cleanup_close_ int fd = open_bytes(packed->data, packed->len);

        g_assert_cmpint(lseek(fd, 100, SEEK_SET), ==, 100);
        g_assert_cmpint(modinfo_read(fd, NAME, &info), ==,
                        can_unpack(format) ? MODINFO_GOOD : MODINFO_UNSUPPORTED_COMPRESSION);
}

/* The beginning of a compressed file, and nothing more. */
static void test_magic_alone(void) {
        expect("\x1f\x8b", 2, MODINFO_MALFORMED, "gzip");
        expect(XZ_MAGIC "\0", 6, MODINFO_UNSUPPORTED_COMPRESSION, "xz");
        expect("\x28\xb5\x2f\xfd", 4, MODINFO_UNSUPPORTED_COMPRESSION, "zstd");
        expect(XZ_MAGIC, 5, MODINFO_NOT_ELF, "");
        expect("BZh9", 4, MODINFO_NOT_ELF, "");
}

static void test_empty(void) {
        const char *compression;

        g_assert_cmpint(read_bytes("", 0, &compression), ==, MODINFO_NOT_ELF);
        expect("x", 1, MODINFO_NOT_ELF, "");
}

/* Nobody maps it to see that. */
static void test_too_large(void) {
        _cleanup_(modinfo_freep) struct modinfo *info = NULL;
        _cleanup_close_ int fd = open_bytes(ELFMAG, SELFMAG);

        g_assert_no_errno(ftruncate(fd, IMAGE_FILE_MAX + 1));
        g_assert_cmpint(modinfo_read(fd, NAME, &info), ==, MODINFO_TOO_LARGE);
}

static void test_not_a_file(void) {
        static const char *const paths[] = { "/", "/dev/null" };
        struct modinfo *info = NULL;
        int ends[2];

        for (size_t i = 0; i < G_N_ELEMENTS(paths); i++) {
                _cleanup_close_ int fd = support_open(paths[i]);

                g_assert_cmpint(modinfo_read(fd, NAME, &info), ==, -EINVAL);
        }
        g_assert_no_errno(pipe2(ends, O_CLOEXEC));
        g_assert_cmpint(modinfo_read(ends[0], NAME, &info), ==, -EINVAL);
        (void) close(ends[0]);
        (void) close(ends[1]);
        g_assert_cmpint(modinfo_read(-1, NAME, &info), ==, -EBADF);
        g_assert_null(info);
}

/* One that cannot be mapped, for want of permission. */
static void test_not_readable(void) {
        g_autofree char *directory = support_directory(), *path = g_build_filename(directory, "file", NULL);
        struct modinfo *info = NULL;
        int fd;

        support_write(path, "text");
        fd = open(path, O_WRONLY | O_CLOEXEC);
        g_assert_no_errno(fd);
        g_assert_cmpint(modinfo_read(fd, NAME, &info), ==, -EACCES);
        g_assert_null(info);
        (void) close(fd);
        support_remove(directory);
}

int main(int argc, char *argv[]) {
        static const struct {
                const char *name;
                GTestDataFunc function;
        } for_each_format[] = {
                { "compressed", test_compressed },
                { "corrupt", test_corrupt },
                { "compressed-text", test_compressed_text },
                { "compressed-twice", test_compressed_twice },
                { "position", test_position },
        };

        g_test_init(&argc, &argv, NULL);
        g_test_add_func("/image/plain", test_plain);
        for (size_t i = 0; i < G_N_ELEMENTS(for_each_format); i++)
                for (size_t j = 0; j < G_N_ELEMENTS(compress_formats); j++) {
                        g_autofree char *path = g_strdup_printf("/image/%s/%s", for_each_format[i].name,
                                                                compress_formats[j]);

                        g_test_add_data_func(path, compress_formats[j], for_each_format[i].function);
                }
        g_test_add_func("/image/magic-alone", test_magic_alone);
        g_test_add_func("/image/empty", test_empty);
        g_test_add_func("/image/too-large", test_too_large);
        g_test_add_func("/image/not-a-file", test_not_a_file);
        g_test_add_func("/image/not-readable", test_not_readable);
        return g_test_run();
}
