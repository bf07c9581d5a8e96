/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Pager
 *
 * What is longer than the screen is shown page by page, by the program and with the settings that systemctl(1) would
 * take. What a pager could not show is printed as it would be without one.
 */

#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cleanup.h"
#include "command.h"
#include "pager.h"
#include "terminal.h"

#define DEFAULT_PAGER "less"

/* As systemctl(1): leave where it fits, show colours, chop long lines, leave the screen as it is, and end on ^C. */
#define DEFAULT_LESS "FRSXMK"

/* As a shell says that it found no such program. */
#define EXIT_NOT_FOUND 127

static const char *program(void) {
        static const char *const variables[] = { "SYSTEMD_PAGER", "PAGER" };

        for (size_t i = 0; i < sizeof(variables) / sizeof(variables[0]); i++) {
                const char *value = getenv(variables[i]);

                if (value)
                        return *value && strcmp(value, "cat") != 0 ? value : NULL;
        }
        return DEFAULT_PAGER;
}

static bool fits(const char *text) {
        size_t lines = 0;

        for (const char *p = strchr(text, '\n'); p; p = strchr(p + 1, '\n'))
                lines++;
        /* The last line is the prompt's. */
        return lines < terminal_rows(STDOUT_FILENO);
}

/* Nobody who was let look at a list through sudo gets a shell from it: less's own "!" and the like are off. */
static _Noreturn void run_pager(const char *command, int input) {
        const char *less = getenv("SYSTEMD_LESS");

        if (dup2(input, STDIN_FILENO) < 0 || setenv("LESS", less ? less : DEFAULT_LESS, 1) < 0 ||
            setenv("LESSSECURE", "1", 1) < 0)
                _exit(EXIT_FAILURE);
        if (strcmp(command, DEFAULT_PAGER) == 0)
                execlp(command, command, (char *) NULL);
        else
                execl("/bin/sh", "sh", "-c", command, (char *) NULL);
        _exit(EXIT_NOT_FOUND);
}

/* Starts the pager; returns it and the end of a pipe to it, or -1. */
static pid_t start(const char *command, FILE **ret) {
        int fds[2];
        pid_t pid;

        if (pipe(fds) < 0)
                return -1;
        pid = fork();
        if (pid == 0) {
                (void) close(fds[1]);
                run_pager(command, fds[0]);
        }
        (void) close(fds[0]);
        *ret = pid < 0 ? NULL : fdopen(fds[1], "w");
        if (!*ret)
                (void) close(fds[1]);
        return pid;
}

/* Whether the text was shown, or as much of it as somebody wanted to see. */
static bool show(const char *command, const char *text) {
        sighandler_t on_pipe, on_int, on_quit;
        FILE *input = NULL;
        int status = 0;
        pid_t pid;

        pid = start(command, &input);
        if (pid < 0)
                return false;

        /* It is the pager that ^C and leaving early are meant for. */
        on_pipe = signal(SIGPIPE, SIG_IGN);
        on_int = signal(SIGINT, SIG_IGN);
        on_quit = signal(SIGQUIT, SIG_IGN);
        if (input) {
                (void) fputs(text, input);
                (void) fclose(input);
        }
        while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
                ;
        (void) signal(SIGPIPE, on_pipe);
        (void) signal(SIGINT, on_int);
        (void) signal(SIGQUIT, on_quit);
        return input && !(WIFEXITED(status) && WEXITSTATUS(status) == EXIT_NOT_FOUND);
}

/**
 * pager_show() - print a text, through a pager if it is longer than the terminal
 * @text:       the text
 * @options:    the command's
 */
void pager_show(const char *text, unsigned options) {
        const char *command = program();

        if (command && !(options & OPTION_NO_PAGER) && isatty(STDOUT_FILENO) && !fits(text) &&
            fflush(stdout) == 0 && show(command, text))
                return;
        fputs(text, stdout);
}
