/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <glib.h>
#include <stdbool.h>
#include <string.h>

#include "cleanup.h"
#include "escape.h"

struct vector {
        const char *text;
        size_t max;
        const char *escaped;
};

static const struct vector vectors[] = {
        { "", 8, "" },
        { "plain text", 100, "plain text" },
        { "~ !", 100, "~ !" },
        { "new\nline", 100, "new\\x0aline" },
        { "\x1b[31mred", 100, "\\x1b[31mred" },
        { "del\x7f", 100, "del\\x7f" },
        { "\xff\xc3\xa9", 100, "\\xff\\xc3\\xa9" },
        { "back\\slash", 100, "back\\\\slash" },
        { "\\x0a", 100, "\\\\x0a" },

        /* Exactly as long as allowed is not cut. */
        { "12345678", 8, "12345678" },
        { "123456789", 8, "12345..." },
        /* Never in the middle of a sequence. */
        { "1234\n", 8, "1234\\x0a" },
        { "12345\n", 8, "12345..." },
        { "123\n67", 8, "123..." },
        { "1\n67", 8, "1\\x0a67" },
        { "1\n6789", 8, "1\\x0a..." },
        { "1234\\6789", 8, "1234..." },
        { "\n\n\n", 8, "\\x0a..." },
};

static void test_vectors(void) {
        for (size_t i = 0; i < G_N_ELEMENTS(vectors); i++) {
                _cleanup_free_ char *escaped = escape(vectors[i].text, vectors[i].max);

                g_assert_cmpstr(escaped, ==, vectors[i].escaped);
        }
}

static bool is_printable_ascii(const char *text) {
        for (; *text; text++)
                if ((unsigned char) *text < 0x20 || (unsigned char) *text >= 0x7f)
                        return false;
        return true;
}

/* Whatever goes in, what comes out is printable, not too long, and tells inputs apart unless it was cut. */
static void test_every_byte(void) {
        g_autoptr(GHashTable) seen = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);

        for (int c = 1; c < 256; c++)
                for (size_t max = 8; max < 40; max++) {
                        char text[16];
                        _cleanup_free_ char *escaped = NULL;

                        memset(text, c, sizeof text - 1);
                        text[sizeof text - 1] = '\0';
                        escaped = escape(text, max);
                        g_assert_nonnull(escaped);
                        g_assert_true(is_printable_ascii(escaped));
                        g_assert_cmpuint(strlen(escaped), <=, max);
                        g_assert_cmpuint(strlen(escaped), >, max < 15 ? max - 4 : 0);
                }

        for (int c = 1; c < 256; c++) {
                char text[] = { (char) c, '\0' };
                char *escaped = escape(text, 100);

                g_assert_true(g_hash_table_add(seen, g_strdup(escaped)));
                free(escaped);
        }
}

int main(int argc, char *argv[]) {
        g_test_init(&argc, &argv, NULL);
        g_test_add_func("/escape/vectors", test_vectors);
        g_test_add_func("/escape/every-byte", test_every_byte);
        return g_test_run();
}
