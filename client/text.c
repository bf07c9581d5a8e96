/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Text
 *
 * What stands in files, on its way to standard output. Anybody may have written it: a terminal gets it without what
 * would steer the terminal, JSON gets it as JSON wants it, and a pipe gets it as it is.
 */

#include <locale.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <wchar.h>
#include <wctype.h>

#include "text.h"

/* Characters without a width of their own that change what stands beside them, and the direction of writing. */
static bool is_invisible(wchar_t c) {
        return (c >= 0x200b && c <= 0x200f) || (c >= 0x2028 && c <= 0x202e) ||
               (c >= 0x2060 && c <= 0x206f) || c == 0xfeff;
}

/* Its length in bytes; 0 if there is no character of this locale. */
static size_t next_character(const char *text, wchar_t *ret) {
        mbstate_t state = { 0 };
        size_t length = mbrtowc(ret, text, strlen(text), &state);

        return length == (size_t) -1 || length == (size_t) -2 ? 0 : length;
}

static void write_shown(FILE *out, const char *text, int indentation) {
        bool is_line_start = false;

        while (*text) {
                wchar_t c;
                size_t length = next_character(text, &c);

                if (indentation > 0 && (*text == '\n' || *text == '\t')) {
                        if (*text == '\n')
                                fprintf(out, "\n%*s", indentation, "");
                        else if (!is_line_start)
                                fputc(' ', out);
                        is_line_start = is_line_start || *text == '\n';
                        text++;
                        continue;
                }
                is_line_start = false;
                if (length > 0 && iswprint((wint_t) c) && !is_invisible(c)) {
                        fwrite(text, 1, length, out);
                        text += length;
                } else
                        fprintf(out, "\\x%02x", (unsigned char) *text++);
        }
}

/**
 * text_shown() - make text fit for standard output
 * @text:       any bytes
 * @indentation: in which column lines behind the first begin, so that none looks like the begin of something else; 0
 *              if all is to be one line
 *
 * On a terminal everything but printable characters of the user's locale is written as \xNN. Elsewhere nothing is
 * changed.
 *
 * Return: the text, to be freed by the caller, or NULL if there is no memory.
 */
char *text_shown(const char *text, int indentation) {
        locale_t locale, before;
        char *shown = NULL;
        size_t size;
        FILE *out;

        if (!isatty(STDOUT_FILENO))
                return strdup(text);
        out = open_memstream(&shown, &size);
        if (!out)
                return NULL;
        locale = newlocale(LC_CTYPE_MASK, "", (locale_t) 0);
        before = locale ? uselocale(locale) : (locale_t) 0;
        write_shown(out, text, indentation);
        if (locale) {
                uselocale(before);
                freelocale(locale);
        }
        return fclose(out) == 0 ? shown : NULL;
}

static void write_json(FILE *out, const char *text) {
        while (*text) {
                wchar_t c;
                size_t length = next_character(text, &c);

                if (length == 0)
                        fprintf(out, "\\\\x%02x", (unsigned char) *text++);
                else if (c <= 0xffff && (!iswprint((wint_t) c) || is_invisible(c)))
                        fprintf(out, "\\u%04x", (unsigned) c);
                else {
                        if (c == L'"' || c == L'\\')
                                fputc('\\', out);
                        fwrite(text, 1, length, out);
                }
                text += length;
        }
}

/**
 * text_write_json() - write text as a string of JSON
 * @out:        where to
 * @text:       any bytes; what is no UTF-8 is written as \xNN, with the backslash in the text
 */
void text_write_json(FILE *out, const char *text) {
        locale_t locale = newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t) 0),
                 before = locale ? uselocale(locale) : (locale_t) 0;

        fputc('"', out);
        write_json(out, text);
        fputc('"', out);
        if (locale) {
                uselocale(before);
                freelocale(locale);
        }
}
