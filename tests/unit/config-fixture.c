/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "config-fixture.h"

void set_up(struct fixture *f, gconstpointer data) {
        (void) data;
        f->root = support_directory();
}

void tear_down(struct fixture *f, gconstpointer data) {
        (void) data;
        config_free(f->config);
        support_remove(f->root);
        g_free(f->root);
}

char *path_of(const struct fixture *f, const char *name) {
        return g_strdup_printf("%s/%s", f->root, name);
}

void put(const struct fixture *f, const char *name, const char *text) {
        g_autofree char *path = path_of(f, name);

        support_write(path, text);
}

void put_link(const struct fixture *f, const char *name, const char *target) {
        g_autofree char *path = path_of(f, name), *directory = g_path_get_dirname(path);

        support_make_directory(directory);
        (void) unlink(path);
        g_assert_no_errno(symlink(target, path));
}

void load(struct fixture *f) {
        struct config_error error = { 0 };
        int r;

        f->config = config_free(f->config);
        r = config_load(f->root, &f->config, &error);
        if (r < 0)
                g_error("%s", config_error_format(&error));
        g_assert_cmpint(r, ==, 0);
}

/* Expects that the configuration is refused, for a reason that has @part in it. */
void expect_error(const struct fixture *f, const char *name, unsigned line, const char *key,
                  const char *part) {
        g_autofree char *path = path_of(f, name), *prefix = NULL, *text = NULL;
        struct config *config = NULL;
        struct config_error error = { 0 };

        g_assert_cmpint(config_load(f->root, &config, &error), ==, -EINVAL);
        g_assert_null(config);
        g_assert_cmpstr(error.file, ==, path);
        g_assert_cmpuint(error.line, ==, line);
        g_assert_cmpstr(error.key, ==, key);
        g_assert_nonnull(strstr(error.reason, part));

        prefix = line > 0 ? g_strdup_printf("%s:%u: %s%s", path, line, key ? key : "", key ? "= " : "")
                          : g_strdup_printf("%s: ", path);
        text = config_error_format(&error);
        g_assert_true(g_str_has_prefix(text, prefix));
        config_error_clear(&error);
        g_assert_null(error.reason);
}

const char *directory_of(const struct fixture *f, const char *name) {
        const struct origin *origin;

        TAILQ_FOREACH(origin, &f->config->origins, link)
                if (strcmp(origin->name, name) == 0)
                        return origin->directory;
        return NULL;
}

size_t count_origins(const struct fixture *f) {
        const struct origin *origin;
        size_t n = 0;

        TAILQ_FOREACH(origin, &f->config->origins, link)
                n++;
        return n;
}

bool allows(const struct fixture *f, const char *name) {
        const char *pattern = "untouched";

        return config_allows_name(f->config, name, &pattern);
}
