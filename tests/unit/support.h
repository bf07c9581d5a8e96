/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Support
 *
 * What the unit tests share: a directory to work in, files in it, a look at what the process has open, and
 * sockets.
 */

#include <glib.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* For tests that need files of root's, mounts or other users. */
#define NEEDS_ROOT()                                                                                        \
        do {                                                                                                \
                if (geteuid() != 0) {                                                                       \
                        g_test_skip("needs root");                                                          \
                        return;                                                                             \
                }                                                                                           \
        } while (0)

/* The same for a whole program, in its main(). */
#define PROGRAM_NEEDS_ROOT()                                                                                \
        do {                                                                                                \
                if (geteuid() != 0) {                                                                       \
                        puts("1..0 # SKIP needs root");                                                     \
                        return EXIT_SUCCESS;                                                                \
                }                                                                                           \
        } while (0)

/* Any user that is not root. */
#define SOMEBODY 65534

char *support_directory(void);
void support_remove(const char *directory);
void support_make_directory(const char *path);
void support_write(const char *path, const char *text);
void support_write_bytes(const char *path, const void *bytes, size_t n);
int support_open(const char *path);
size_t support_count_descriptors(void);
size_t support_count_threads(void);
int support_lingering_socket(int *ret_peer);
void support_let_go(int peer);
void support_send(int connection, const void *bytes, size_t n, const int *fds, size_t n_fds);
