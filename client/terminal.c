/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Terminal
 *
 * What the terminal that somebody looks at can show.
 */

#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "terminal.h"

/* A VT100's, where the terminal does not know. */
#define ROWS 24
#define COLUMNS 80

/**
 * terminal_has_colours() - whether to write colours
 * @fd:         where they would go
 *
 * Not where it is no terminal, nor where TERM says that it can do nothing, nor where NO_COLOR is set; for that see
 * https://no-color.org.
 */
bool terminal_has_colours(int fd) {
        const char *no_color = getenv("NO_COLOR"), *term = getenv("TERM");

        return !(no_color && *no_color) && term && *term && strcmp(term, "dumb") != 0 && isatty(fd);
}

static struct winsize size_of(int fd) {
        struct winsize size = { 0 };

        (void) ioctl(fd, TIOCGWINSZ, &size);
        return size;
}

/**
 * terminal_rows() - how many lines fit on a terminal
 * @fd:         the terminal
 */
size_t terminal_rows(int fd) {
        struct winsize size = size_of(fd);

        return size.ws_row > 0 ? size.ws_row : ROWS;
}

/**
 * terminal_columns() - how many characters fit into a line of a terminal
 * @fd:         the terminal
 */
size_t terminal_columns(int fd) {
        struct winsize size = size_of(fd);

        return size.ws_col > 0 ? size.ws_col : COLUMNS;
}
