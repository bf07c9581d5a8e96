/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Message
 *
 * What modctl says. Much of it was written by others (the service, the bus, whoever named a file), so all of it is
 * made safe for a terminal here.
 */

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cleanup.h"
#include "command.h"
#include "escape.h"
#include "message.h"

/* Longer than any sentence of the service's with the kernel's lines in it, and still no flood. */
#define MESSAGE_MAX 8192

/**
 * printable() - make text from the service safe to show
 * @text:       the text; any bytes
 *
 * The service escapes what it sends, and to do it again would double its backslashes. So text that is printable
 * ASCII and not too long is shown as it came, and any other text is escaped.
 *
 * Return: the text, to be freed by the caller, or NULL if there is no memory.
 */
char *printable(const char *text) {
        size_t length = 0;

        while (text[length] >= 0x20 && text[length] < 0x7f)
                length++;
        if (text[length] || length > MESSAGE_MAX)
                return escape(text, MESSAGE_MAX);
        return strdup(text);
}

/**
 * say() - write one sentence to standard error
 * @format:     the sentence, with its full stop and without a newline
 */
void say(const char *format, ...) {
        _cleanup_free_ char *raw = NULL, *text = NULL;
        va_list arguments;
        int r;

        va_start(arguments, format);
        r = vasprintf(&raw, format, arguments);
        va_end(arguments);
        if (r < 0)
                raw = NULL;
        else
                text = printable(raw);
        fprintf(stderr, "modctl: %s\n",
                text ? text : "There is no memory left; end other programs and try again.");
}

/**
 * announce() - say on standard output what was done to a module
 * @options:    the command's; they and the output decide whether anybody wants to know
 * @what:       "Loaded" and the like
 * @name:       the module
 */
void announce(unsigned options, const char *what, const char *name) {
        _cleanup_free_ char *text = NULL;

        if (options & OPTION_QUIET || !(options & OPTION_VERBOSE || isatty(STDOUT_FILENO)))
                return;
        text = printable(name);
        printf("%s %s.\n", what, text ? text : "it");
}
