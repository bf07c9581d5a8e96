/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Files of the configuration below a directory, and what came of reading them.
 */

#include <glib.h>
#include <stdbool.h>

#include "config.h"
#include "support.h"

#define GOOD "[Origin good]\nDirectory=/good\n"

struct fixture {
        char *root;
        struct config *config;
};

/* Adds a test on the fixture. */
#define ADD(name, function) g_test_add("/config/" name, struct fixture, NULL, set_up, function, tear_down)

void set_up(struct fixture *f, gconstpointer data);
void tear_down(struct fixture *f, gconstpointer data);
char *path_of(const struct fixture *f, const char *name);
void put(const struct fixture *f, const char *name, const char *text);
void put_link(const struct fixture *f, const char *name, const char *target);
void load(struct fixture *f);
void expect_error(const struct fixture *f, const char *name, unsigned line, const char *key,
                  const char *part);
const char *directory_of(const struct fixture *f, const char *name);
size_t count_origins(const struct fixture *f);
bool allows(const struct fixture *f, const char *name);
