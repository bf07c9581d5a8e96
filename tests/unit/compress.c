/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <string.h>

#include "compress.h"
#include "support.h"

const char *const compress_formats[3] = { "gzip", "xz", "zstd" };

static void run(const char *format, ...) G_GNUC_PRINTF(1, 2);

static void run(const char *format, ...) {
        const char *arguments[] = { "sh", "-c", NULL, NULL };
        g_autoptr(GError) error = NULL;
        g_autofree char *command = NULL;
        int status;
        va_list ap;

        va_start(ap, format);
        command = g_strdup_vprintf(format, ap);
        va_end(ap);
        arguments[2] = command;
        g_spawn_sync(NULL, (char **) arguments, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL, NULL, NULL, &status,
                     &error);
        g_assert_no_error(error);
        g_spawn_check_wait_status(status, &error);
        g_assert_no_error(error);
}

/**
 * compress_bytes() - compress some bytes
 * @format:     how
 * @bytes:      what
 * @size:       how much
 *
 * Return: the compressed file's bytes.
 */
GByteArray *compress_bytes(const char *format, const void *bytes, size_t size) {
        g_autofree char *directory = support_directory(), *in = g_build_filename(directory, "in", NULL),
                        *out = g_build_filename(directory, "out", NULL), *result;
        g_autoptr(GError) error = NULL;
        gsize n;

        support_write_bytes(in, bytes, size);
        run("%s -c <%s >%s", format, in, out);
        g_file_get_contents(out, &result, &n, &error);
        g_assert_no_error(error);
        support_remove(directory);
        return g_byte_array_new_take((guint8 *) g_steal_pointer(&result), n);
}

/**
 * compress_zeros() - make a small file that unpacks to a large one
 * @format:     how to compress it
 * @mebibytes:  what it unpacks to
 * @path:       where to write it
 */
void compress_zeros(const char *format, unsigned mebibytes, const char *path) {
        run("head -c %uM /dev/zero | %s -1 -c >%s", mebibytes, format, path);
}
