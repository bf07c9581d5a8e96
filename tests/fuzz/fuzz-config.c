/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * moduled.conf, and after a line "---" a drop-in. As root, since a configuration that is not root's is not read; for
 * anybody else it is only the syntax.
 */

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cleanup.h"
#include "config-file.h"
#include "config.h"
#include "fuzz.h"

#define SEPARATOR "\n---\n"

static struct {
        char root[64];
        int main_fd;
        int dropin_fd;
} tree;

static const char *const directories[] = { "/usr", "/usr/lib", "/usr/lib/moduled.conf.d" };
static const char *const files[] = { "/usr/lib/moduled.conf", "/usr/lib/moduled.conf.d/10-fuzz.conf" };

static const char *below_root(const char *path) {
        static char buffer[PATH_MAX];

        (void) snprintf(buffer, sizeof buffer, "%s%s", tree.root, path);
        return buffer;
}

static void remove_tree(void) {
        for (size_t i = 0; i < sizeof files / sizeof *files; i++)
                (void) unlink(below_root(files[i]));
        for (size_t i = sizeof directories / sizeof *directories; i > 0; i--)
                (void) rmdir(below_root(directories[i - 1]));
        (void) rmdir(tree.root);
}

static void make_tree(void) {
        /* In memory, if it can be: each input is written there. */
        (void) snprintf(tree.root, sizeof tree.root, "%s/moduled-fuzz-XXXXXX",
                        access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
        CHECK(mkdtemp(tree.root));
        CHECK(atexit(remove_tree) == 0);
        for (size_t i = 0; i < sizeof directories / sizeof *directories; i++)
                CHECK(mkdir(below_root(directories[i]), 0755) == 0);
        tree.main_fd = open(below_root(files[0]), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
        tree.dropin_fd = open(below_root(files[1]), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
        CHECK(tree.main_fd >= 0 && tree.dropin_fd >= 0);
}

static void rewrite(int fd, const uint8_t *data, size_t size) {
        CHECK(ftruncate(fd, 0) == 0);
        CHECK(pwrite(fd, data, size, 0) == (ssize_t) size);
}

/* A place of which a callback can use everything. */
static int on_assign(const struct config_place *place, const char *value, void *userdata) {
        size_t *length = userdata;

        CHECK(place->file && place->line > 0 && place->section);
        CHECK(!place->key == !value);
        *length += strlen(place->section) + (place->argument ? strlen(place->argument) : 0) +
                   (value ? strlen(place->key) + strlen(value) : 0);
        return 0;
}

static void check_error(int r, struct config_error *error) {
        _cleanup_free_ char *text = NULL;

        CHECK((r == -EINVAL) == (error->reason != NULL));
        if (r == -EINVAL) {
                text = config_error_format(error);
                CHECK(text && text[0]);
        }
        config_error_clear(error);
}

static void load(void) {
        struct config_error error = { 0 };
        struct config *config = NULL;
        const char *pattern;
        int r;

        r = config_load(tree.root, &config, &error);
        check_error(r, &error);
        if (r == 0)
                (void) config_allows_name(config, "the_example", &pattern);
        config_free(config);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        const uint8_t *separator = size == 0 ? NULL : memmem(data, size, SEPARATOR, strlen(SEPARATOR));
        size_t first = separator ? (size_t) (separator - data) + 1 : size, second, length = 0;
        struct config_error error = { 0 };
        int r;

        if (!tree.root[0])
                make_tree();
        second = separator ? first + strlen(SEPARATOR) - 1 : size;
        rewrite(tree.main_fd, data, first);
        rewrite(tree.dropin_fd, data + second, size - second);

        CHECK(lseek(tree.main_fd, 0, SEEK_SET) == 0);
        r = config_file_read("fuzz", tree.main_fd, on_assign, &length, &error);
        check_error(r, &error);
        load();
        return 0;
}
