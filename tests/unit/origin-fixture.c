/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <errno.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include "config-value.h"
#include "origin-fixture.h"

char *path_of(const struct fixture *f, const char *name) {
        return g_strdup_printf("%s/%s", f->top, name);
}

void put(const struct fixture *f, const char *name, const char *text) {
        g_autofree char *path = path_of(f, name);

        support_write(path, text);
}

int open_at(const struct fixture *f, const char *name, int flags) {
        g_autofree char *path = path_of(f, name);
        int fd = open(path, flags | O_CLOEXEC, 0644);

        g_assert_no_errno(fd);
        return fd;
}

void own(const struct fixture *f, const char *name, uid_t uid) {
        g_autofree char *path = path_of(f, name);

        g_assert_no_errno(lchown(path, uid, 0));
}

void mode(const struct fixture *f, const char *name, mode_t bits) {
        g_autofree char *path = path_of(f, name);

        g_assert_no_errno(chmod(path, bits));
}

void bind_mount(const struct fixture *f, const char *what, const char *where) {
        g_autofree char *source = path_of(f, what), *target = path_of(f, where);

        g_assert_no_errno(mount(source, target, NULL, MS_BIND, NULL));
}

void mount_empty(const struct fixture *f, const char *where) {
        g_autofree char *target = path_of(f, where);

        g_assert_no_errno(mount("test", target, "tmpfs", 0, "mode=755"));
}

void unmount(const struct fixture *f, const char *where) {
        g_autofree char *target = path_of(f, where);

        g_assert_no_errno(umount2(target, MNT_DETACH));
}

void move(const struct fixture *f, const char *from, const char *to) {
        g_autofree char *source = path_of(f, from), *target = path_of(f, to);

        g_assert_no_errno(rename(source, target));
}

/* Takes an absolute path as it is. */
void add_origin(struct fixture *f, const char *name, const char *directory) {
        struct origin *origin = g_new0(struct origin, 1);

        origin->name = g_strdup(name);
        origin->directory = directory[0] == '/' ? g_strdup(directory) : path_of(f, directory);
        TAILQ_INSERT_TAIL(&f->config.origins, origin, link);
}

void clear_origins(struct fixture *f) {
        struct origin *origin;

        while ((origin = TAILQ_FIRST(&f->config.origins))) {
                TAILQ_REMOVE(&f->config.origins, origin, link);
                g_free(origin->name);
                g_free(origin->directory);
                g_free(origin->mount_point);
                words_clear(&origin->filesystem_types);
                g_free(origin);
        }
}

void set_up(struct fixture *f, gconstpointer data) {
        (void) data;
        f->top = support_directory();
        f->descriptors = support_count_descriptors();
        TAILQ_INIT(&f->config.origins);
        add_origin(f, "vendor", "tree");
        put(f, MODULE, "module");
        put(f, "outside/foo.ko", "module");
}

void tear_down(struct fixture *f, gconstpointer data) {
        (void) data;
        clear_origins(f);
        g_assert_cmpuint(support_count_descriptors(), ==, f->descriptors);
        support_remove(f->top);
        g_free(f->top);
}

bool is_printable_ascii(const char *text) {
        for (; *text; text++)
                if ((unsigned char) *text < 0x20 || (unsigned char) *text >= 0x7f)
                        return false;
        return true;
}

/* @origin and @culprit (below the fixture's directory, or absolute) may be NULL for none. The descriptor is closed. */
void expect(const struct fixture *f, int fd, enum verdict verdict, const char *origin, const char *culprit) {
        g_autofree char *whole = !culprit || culprit[0] == '/' ? g_strdup(culprit) : path_of(f, culprit),
                        *sentence = NULL;
        size_t descriptors = support_count_descriptors();
        struct finding finding = { .verdict = VERDICT_MAX_ };

        g_assert_cmpint(origin_verify(&f->config, fd, &finding), ==, verdict);
        g_assert_cmpint(finding.verdict, ==, verdict);
        g_assert_cmpstr(finding.origin ? finding.origin->name : NULL, ==, origin);
        g_assert_cmpstr(finding.culprit, ==, whole);
        g_assert_nonnull(finding.path);

        sentence = finding_explain(&finding);
        g_assert_true(is_printable_ascii(sentence));
        g_assert_true(g_str_has_suffix(sentence, "."));
        finding_clear(&finding);
        g_assert_null(finding.path);
        g_assert_cmpuint(support_count_descriptors(), ==, descriptors);
        (void) close(fd);
}

/* Refused for where it is, with nothing more to say. */
void expect_outside(const struct fixture *f, int fd) {
        expect(f, fd, VERDICT_OUTSIDE, TAILQ_FIRST(&f->config.origins)->name, NULL);
}

/* Accepted, as the file at @name. */
void expect_accepted(const struct fixture *f, int fd, const char *origin, const char *name) {
        g_autofree char *path = name[0] == '/' ? g_strdup(name) : path_of(f, name);
        struct finding finding = { 0 };

        g_assert_cmpint(origin_verify(&f->config, fd, &finding), ==, 0);
        g_assert_cmpint(finding.verdict, ==, VERDICT_ACCEPTED);
        g_assert_cmpstr(finding.path, ==, path);
        g_assert_cmpstr(finding.origin->name, ==, origin);
        g_assert_null(finding.culprit);
        g_assert_null(finding.found);
        finding_clear(&finding);
        (void) close(fd);
}

/* What the kernel calls a descriptor. */
char *name_of(int fd) {
        g_autofree char *link = g_strdup_printf("/proc/self/fd/%d", fd);

        return g_file_read_link(link, NULL);
}
