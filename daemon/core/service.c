/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Service
 *
 * What both programs do as services: speak to the journal, and read their configuration.
 */

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cleanup.h"
#include "service.h"

/* How journald takes a line of standard error for an error; see sd-daemon(3). The loader does without libsystemd. */
#define JOURNAL_ERROR "<3>"

/**
 * service_never_wait_for_journald() - have standard error take what it can at once, and lose the rest
 *
 * It leads to journald, and one that does not read must not stop us.
 */
void service_never_wait_for_journald(void) {
        struct stat st;

        if (fstat(STDERR_FILENO, &st) == 0 && S_ISSOCK(st.st_mode))
                (void) fcntl(STDERR_FILENO, F_SETFL, O_WRONLY | O_NONBLOCK);
}

/**
 * service_complain() - say on standard error what has failed
 * @format:     a sentence with what to do next, as for printf(3), without a newline
 */
void service_complain(const char *format, ...) {
        _cleanup_free_ char *text = NULL;
        va_list ap;
        int n;

        va_start(ap, format);
        n = vasprintf(&text, format, ap);
        va_end(ap);
        if (n < 0)
                text = NULL;
        /* In one piece, for that is what can be lost. */
        fprintf(stderr, JOURNAL_ERROR "%s\n",
                text ? text : "There is no memory to say what is wrong; make some free.");
}

/**
 * service_read_config() - read the configuration, and say what is wrong with it
 * @root:       below which to look; "" for the real one
 * @ret:        the configuration, to be given to config_free()
 *
 * Return: 0, -EINVAL if it has an error, or another negative errno.
 */
int service_read_config(const char *root, struct config **ret) {
        struct config_error error = { 0 };
        _cleanup_free_ char *text = NULL;
        int r;

        r = config_load(root, ret, &error);
        if (r == -EINVAL)
                text = config_error_format(&error);
        if (r < 0)
                service_complain(text ? "%s" : "The configuration cannot be read: %s; try again.",
                                 text ? text : strerror(-r));
        config_error_clear(&error);
        return r;
}
