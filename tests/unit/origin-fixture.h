/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * A tree of files below /run with an origin "vendor" in it, and what the tests of origin.c do to it.
 */

#include <fcntl.h>
#include <glib.h>
#include <stdbool.h>

#include "origin.h"
#include "support.h"

#define MODULE "tree/kernel/foo.ko"

struct fixture {
        char *top;
        struct config config;
        size_t descriptors;
};

/* Adds a test on the fixture. */
#define ADD(name, function) g_test_add("/origin/" name, struct fixture, NULL, set_up, function, tear_down)

char *path_of(const struct fixture *f, const char *name);
void put(const struct fixture *f, const char *name, const char *text);
int open_at(const struct fixture *f, const char *name, int flags);
void own(const struct fixture *f, const char *name, uid_t uid);
void mode(const struct fixture *f, const char *name, mode_t bits);
void bind_mount(const struct fixture *f, const char *what, const char *where);
void mount_empty(const struct fixture *f, const char *where);
void unmount(const struct fixture *f, const char *where);
void move(const struct fixture *f, const char *from, const char *to);
void add_origin(struct fixture *f, const char *name, const char *directory);
void clear_origins(struct fixture *f);
void set_up(struct fixture *f, gconstpointer data);
void tear_down(struct fixture *f, gconstpointer data);
bool is_printable_ascii(const char *text);
void expect(const struct fixture *f, int fd, enum verdict verdict, const char *origin, const char *culprit);
void expect_outside(const struct fixture *f, int fd);
void expect_accepted(const struct fixture *f, int fd, const char *origin, const char *name);
char *name_of(int fd);
