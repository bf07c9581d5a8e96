/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Escape
 *
 * Text from outside (paths, parameters, names, kernel lines) may hold terminal sequences, newlines that forge log
 * entries, or bytes that are no UTF-8. Before it gets into a message, prompt, journal entry or terminal it goes
 * through here, and everything but printable ASCII becomes \xNN.
 */

#include <stdlib.h>
#include <string.h>

#include "escape.h"

#define ELLIPSIS "..."

static size_t escaped_width(unsigned char c) {
        return c < 0x20 || c >= 0x7f ? 4 : c == '\\' ? 2 : 1;
}

/**
 * escape() - make text from outside safe to show
 * @text:       the text; any bytes
 * @max:        the longest result, in bytes, without the final NUL; longer results end in "..."; at least 8
 *
 * Return: the text in printable ASCII, to be freed by the caller, or NULL if there is no memory. A backslash becomes
 * two, so that different texts stay different unless they were cut.
 */
char *escape(const char *text, size_t max) {
        static const char digits[] = "0123456789abcdef";
        size_t length = 0, cut = 0;
        const char *p;
        char *result, *out;

        for (p = text; *p; p++) {
                size_t width = escaped_width((unsigned char) *p);

                if (length + width > max)
                        break;
                length += width;
                if (length <= max - strlen(ELLIPSIS))
                        cut = length;
        }

        /* The ellipsis may reach further than what did not fit. */
        result = malloc(length + strlen(ELLIPSIS) + 1);
        if (!result)
                return NULL;

        out = result;
        for (const char *q = text; q < p; q++) {
                unsigned char c = (unsigned char) *q;

                if (*p && (size_t) (out - result) >= cut)
                        break;
                if (escaped_width(c) == 4) {
                        *out++ = '\\';
                        *out++ = 'x';
                        *out++ = digits[c >> 4];
                        *out++ = digits[c & 15];
                } else {
                        if (c == '\\')
                                *out++ = '\\';
                        *out++ = (char) c;
                }
        }
        if (*p)
                out = (char *) memcpy(out, ELLIPSIS, strlen(ELLIPSIS)) + strlen(ELLIPSIS);
        *out = '\0';
        return result;
}
