/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Tests of daemon/inspector/: whole inspections, from a descriptor to an answer, of good files and of hostile ones. What
 * a file could do with an inspector that it had taken over is in test-sandbox.c.
 */

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "compress.h"
#include "inspecting.h"
#include "modinfo.h"
#include "modprobe-ask.h"
#include "object.h"
#include "support.h"
#include "zygote.h"

#define NAME "the_example"
/* More than the sandbox has memory for. */
#define BOMB_MEBIBYTES 300
#define MANY 100

/* The address sanitizer keeps what was freed, and a shadow of all. */
#if defined(__SANITIZE_ADDRESS__)
#define MEMORY_FACTOR 4
#else
#define MEMORY_FACTOR 1
#endif

static char *example_path(void) {
        return g_build_filename(g_getenv("TEST_MODULES"), "example.ko", NULL);
}

/* Made once for all tests. */
static char *bombs;

static char *bomb_path(const char *format) {
        char *path = g_build_filename(bombs, format, NULL);

        if (!g_file_test(path, G_FILE_TEST_EXISTS))
                compress_zeros(format, BOMB_MEBIBYTES, path);
        return path;
}

static void expect_good(struct inspecting *f) {
        g_autofree char *path = example_path();

        g_assert_cmpint(inspecting_outcome(f, path, NAME), ==, MODINFO_GOOD);
}

/* No module, for whatever reason. */
static void expect_refused(struct inspecting *f, const char *path) {
        g_assert_cmpint(inspecting_outcome(f, path, NAME), >, MODINFO_GOOD);
}

static void test_good(struct inspecting *f, gconstpointer data) {
        g_autofree char *path = example_path();
        struct asked asked;

        (void) data;
        inspecting_ask(f, path, NAME, &asked);
        inspecting_wait(f, &asked);
        g_assert_cmpint(asked.result, ==, MODINFO_GOOD);
        g_assert_cmpint(asked.signal, ==, 0);
        g_assert_cmpstr(asked.info->name, ==, "the_example");
        g_assert_cmpstr(asked.info->vermagic, ==, "6.1.0-test SMP preempt mod_unload ");
        g_assert_cmpuint(asked.info->n_parameters, ==, 6);
        g_assert_cmpstr(asked.info->parameters[4].name, ==, "untyped");
        g_assert_true(asked.info->parameters_complete);
        inspecting_clear(&asked);
}

static void test_compressed(struct inspecting *f, gconstpointer format) {
        g_autofree char *plain = example_path(), *path = NULL;
        g_autoptr(GByteArray) object = object_read(plain),
                              packed = compress_bytes(format, object->data, object->len);
        struct asked asked;

        path = inspecting_write(f, packed->data, packed->len);
        inspecting_ask(f, path, NAME, &asked);
        inspecting_wait(f, &asked);
        g_assert_cmpstr(asked.info->compression, ==, format);
        if (strcmp(format, "zstd") != 0 || asked.result != MODINFO_UNSUPPORTED_COMPRESSION) {
                g_assert_cmpint(asked.result, ==, MODINFO_GOOD);
                g_assert_cmpstr(asked.info->license, ==, "GPL");
        }
        inspecting_clear(&asked);
}

static void test_other_name(struct inspecting *f, gconstpointer data) {
        g_autofree char *path = example_path();

        (void) data;
        g_assert_cmpint(inspecting_outcome(f, path, "the-example"), ==, MODINFO_GOOD);
        g_assert_cmpint(inspecting_outcome(f, path, "another"), ==, MODINFO_OTHER_NAME);
}

static void test_small_files(struct inspecting *f, gconstpointer data) {
        static const char *const texts[] = { "", "x", "\x7f", ELFMAG, "#!/bin/sh\n" };

        (void) data;
        for (size_t i = 0; i < G_N_ELEMENTS(texts); i++) {
                g_autofree char *path = inspecting_write(f, texts[i], strlen(texts[i]));

                expect_refused(f, path);
        }
        expect_good(f);
}

static void test_truncated(struct inspecting *f, gconstpointer data) {
        g_autofree char *path = example_path();
        g_autoptr(GByteArray) object = object_read(path);
        const elf_shdr_t *section;

        (void) data;
        for (size_t i = 1; i < object_header(object)->e_shnum; i++) {
                g_autofree char *part = NULL;

                section = object_section_at(object, i);
                part = inspecting_write(f, object->data, section->sh_offset);
                expect_refused(f, part);
        }
        expect_good(f);
}

static void test_sparse(struct inspecting *f, gconstpointer data) {
        static const off_t sizes[] = { INT32_MAX, (off_t) INT32_MAX + 1, (off_t) 10 << 30 };
        g_autofree char *path = inspecting_write(f, ELFMAG, SELFMAG);

        (void) data;
        for (size_t i = 0; i < G_N_ELEMENTS(sizes); i++) {
                g_assert_no_errno(truncate(path, sizes[i]));
                g_assert_cmpint(inspecting_outcome(f, path, NAME), ==,
                                sizes[i] > INT32_MAX ? MODINFO_TOO_LARGE : MODINFO_WRONG_MACHINE);
        }
        expect_good(f);
}

static void expect_patched(struct inspecting *f, const GByteArray *object, int outcome) {
        g_autofree char *path = inspecting_write(f, object->data, object->len);

        g_assert_cmpint(inspecting_outcome(f, path, NAME), ==, outcome);
}

static void test_bad_sections(struct inspecting *f, gconstpointer data) {
        g_autofree char *path = example_path();
        g_autoptr(GByteArray) object = object_read(path);
        elf_ehdr_t *header = object_header(object), saved = *header;
        elf_shdr_t *modinfo = object_find(object, ".modinfo"), *names = object_names(object);

        (void) data;
        /* 2^32 - 1, and 2^32 and more. */
        header->e_shnum = 0;
        for (uint64_t n = UINT32_MAX; n <= (uint64_t) UINT32_MAX + 2; n++) {
                object_section_at(object, 0)->sh_size = (elf_xword_t) n;
                expect_patched(f, object, MODINFO_MALFORMED);
        }
        *header = saved;
        modinfo->sh_offset += object->len;
        expect_patched(f, object, MODINFO_MALFORMED);
        modinfo->sh_offset -= object->len;
        names->sh_size--;
        expect_patched(f, object, MODINFO_MALFORMED);
        names->sh_size++;
        *names = *modinfo;
        expect_patched(f, object, MODINFO_NO_MODINFO);
        expect_good(f);
}

/* It ends by the memory that it may take, and so does what it costs. */
static void test_bomb(struct inspecting *f, gconstpointer format) {
        g_autofree char *path = bomb_path(format);
        pid_t zygote = inspecting_zygote();
        struct rusage usage;
        int r;

        r = inspecting_outcome(f, path, NAME);
        if (strcmp(format, "zstd") != 0 || r != MODINFO_UNSUPPORTED_COMPRESSION)
                g_assert_true(r == MODINFO_TOO_LARGE || r == MODINFO_KILLED || r == MODINFO_TIMED_OUT);
        expect_good(f);
        g_assert_cmpint(inspecting_zygote(), ==, zygote);
        inspector_free(f->inspector);
        f->inspector = NULL;
        g_assert_no_errno(getrusage(RUSAGE_CHILDREN, &usage));
        g_assert_cmpint(usage.ru_maxrss / 1024, <, BOMB_MEBIBYTES * MEMORY_FACTOR);
}

/* A descriptor that cannot be mapped is no business of the inspector's. */
static void test_not_a_file(struct inspecting *f, gconstpointer data) {
        (void) data;
        g_assert_cmpint(inspecting_outcome(f, "/dev/zero", NAME), ==, -EINVAL);
        g_assert_cmpint(inspecting_outcome(f, f->directory, NAME), ==, -EINVAL);
        expect_good(f);
}

static void test_many(struct inspecting *f, gconstpointer data) {
        g_autofree char *path = example_path();
        static struct asked asked[MANY];
        pid_t zygote = inspecting_zygote(), children[ZYGOTE_CHILDREN_MAX];

        (void) data;
        for (size_t i = 0; i < MANY; i++)
                inspecting_ask(f, path, i % 2 == 0 ? NAME : "another", &asked[i]);
        for (size_t i = 0; i < MANY; i++) {
                inspecting_wait(f, &asked[i]);
                /* Fails if there are more. */
                (void) inspecting_children(zygote, children, ZYGOTE_CHILDREN_MAX);
                g_assert_cmpint(asked[i].result, ==, i % 2 == 0 ? MODINFO_GOOD : MODINFO_OTHER_NAME);
        }
        for (size_t i = 0; i < MANY; i++)
                inspecting_clear(&asked[i]);
}

/* Runs what is running to its end, so that the next test begins with all places free. */
static void await_no_children(struct inspecting *f, pid_t zygote) {
        pid_t children[ZYGOTE_CHILDREN_MAX];

        while (inspecting_children(zygote, children, ZYGOTE_CHILDREN_MAX) > 0)
                g_assert_cmpint(sd_event_run(f->event, 1000), >=, 0);
}

static void test_child_killed(struct inspecting *f, gconstpointer data) {
        g_autofree char *path = bomb_path("xz");
        struct asked asked;
        pid_t child;

        (void) data;
        inspecting_ask(f, path, NAME, &asked);
        child = inspecting_await_child(f);
        g_assert_no_errno(kill(child, SIGKILL));
        inspecting_wait(f, &asked);
        g_assert_cmpint(asked.result, ==, MODINFO_KILLED);
        g_assert_cmpint(asked.signal, ==, SIGKILL);
        g_assert_null(asked.info);
        inspecting_clear(&asked);
        expect_good(f);
}

/* Nobody is told anything then, and the child does not go on for nobody. */
static void test_freed(struct inspecting *f, gconstpointer data) {
        g_autofree char *path = bomb_path("xz");
        struct asked asked[ZYGOTE_CHILDREN_MAX + 2];
        pid_t zygote = inspecting_zygote(), children[ZYGOTE_CHILDREN_MAX];

        (void) data;
        for (size_t i = 0; i < G_N_ELEMENTS(asked); i++)
                inspecting_ask(f, path, NAME, &asked[i]);
        while (inspecting_children(zygote, children, ZYGOTE_CHILDREN_MAX) < ZYGOTE_CHILDREN_MAX)
                g_assert_cmpint(sd_event_run(f->event, 1000), >=, 0);
        for (size_t i = 0; i < G_N_ELEMENTS(asked); i++) {
                g_assert_cmpuint(asked[i].n_answers, ==, 0);
                inspecting_clear(&asked[i]);
        }
        await_no_children(f, zygote);
        expect_good(f);
}

/* What reads modprobe.d beside it takes none of its reports. */
static void test_beside_modprobe(struct inspecting *f, gconstpointer data) {
        g_autofree char *path = example_path();
        int copy = memfd_create("modprobe.d", MFD_CLOEXEC);
        struct entries entries;
        struct asked asked;

        (void) data;
        g_assert_no_errno(copy);
        inspecting_ask(f, path, NAME, &asked);
        /* The order is sent. */
        g_assert_cmpint(sd_event_run(f->event, 1000), >=, 0);
        for (int i = 0; i < 2 * ZYGOTE_READERS_MAX; i++) {
                g_assert_cmpint(modprobe_ask(inspector_zygote(f->inspector), copy, &entries), ==,
                                ENTRIES_READ);
                entries_clear(&entries);
        }
        g_assert_cmpuint(asked.n_answers, ==, 0);
        inspecting_wait(f, &asked);
        g_assert_cmpint(asked.result, ==, MODINFO_GOOD);
        inspecting_clear(&asked);
        (void) close(copy);
}

static void test_zygote_killed(struct inspecting *f, gconstpointer data) {
        g_autofree char *path = bomb_path("xz");
        struct asked asked[ZYGOTE_CHILDREN_MAX + 2];
        struct inspection *inspection = NULL;
        pid_t child;

        (void) data;
        inspecting_ask(f, path, NAME, &asked[0]);
        child = inspecting_await_child(f);
        for (size_t i = 1; i < G_N_ELEMENTS(asked); i++)
                inspecting_ask(f, path, NAME, &asked[i]);
        g_assert_no_errno(kill(inspecting_zygote(), SIGKILL));
        for (size_t i = 0; i < G_N_ELEMENTS(asked); i++) {
                inspecting_wait(f, &asked[i]);
                g_assert_cmpint(asked[i].result, ==, -ECONNRESET);
        }
        g_assert_cmpuint(f->n_died, ==, 1);
        g_assert_cmpint(inspection_new(f->inspector, 0, NAME, NULL, NULL, &inspection), ==, -ECONNRESET);
        for (size_t i = 0; i < G_N_ELEMENTS(asked); i++)
                inspecting_clear(&asked[i]);
        inspecting_await_end(child);
        /* It is told once. */
        for (int i = 0; i < 10; i++)
                g_assert_cmpint(sd_event_run(f->event, 1000), >=, 0);
        g_assert_cmpuint(f->n_died, ==, 1);
}

/* As if the broker was killed: nothing stays. The numbers come out of the process that dies. */
static void test_broker_killed(struct inspecting *f, gconstpointer data) {
        g_autofree char *path = bomb_path("xz");
        struct asked asked;
        pid_t broker, pids[2];
        int ends[2];

        (void) f;
        (void) data;
        g_assert_no_errno(pipe(ends));
        broker = fork();
        g_assert_no_errno(broker);
        if (broker == 0) {
                struct inspecting other;

                inspecting_set_up(&other, NULL);
                inspecting_ask(&other, path, NAME, &asked);
                pids[1] = inspecting_await_child(&other);
                pids[0] = inspecting_zygote();
                support_remove(other.directory);
                if (write(ends[1], pids, sizeof pids) == sizeof pids)
                        (void) raise(SIGKILL);
                _exit(EXIT_FAILURE);
        }
        g_assert_cmpint(read(ends[0], pids, sizeof pids), ==, sizeof pids);
        g_assert_cmpint(waitpid(broker, NULL, 0), ==, broker);
        inspecting_await_end(pids[0]);
        inspecting_await_end(pids[1]);
        (void) close(ends[0]);
        (void) close(ends[1]);
}

/* A stop of the service goes to all its processes; whether they go on is the broker's to say. */
static void test_signals(struct inspecting *f, gconstpointer data) {
        static const int signals[] = { SIGTERM, SIGINT, SIGHUP };

        (void) data;
        for (size_t i = 0; i < G_N_ELEMENTS(signals); i++)
                g_assert_no_errno(kill(inspecting_zygote(), signals[i]));
        expect_good(f);
        g_assert_cmpuint(f->n_died, ==, 0);
}

static void expect_status(pid_t pid, const char *key, const char *expected) {
        g_autofree char *value = inspecting_status(pid, key);

        g_assert_cmpstr(value, ==, expected);
}

/* Stops a child that has reached its sandbox. */
static pid_t stop_child(struct inspecting *f) {
        pid_t child = inspecting_await_child(f);

        for (;;) {
                g_autofree char *seccomp = NULL, *state = NULL;

                g_assert_no_errno(kill(child, SIGSTOP));
                while (!state || state[0] != 'T') {
                        g_free(state);
                        state = inspecting_status(child, "State");
                        g_assert_nonnull(state);
                }
                seccomp = inspecting_status(child, "Seccomp");
                if (strcmp(seccomp, "2") == 0)
                        return child;
                g_assert_no_errno(kill(child, SIGCONT));
        }
}

/* The pages that are gone end whoever looks at them by SIGBUS, or what the sanitizer makes of that. */
static void test_truncated_while_read(struct inspecting *f, gconstpointer data) {
        g_autofree char *bomb = bomb_path("xz"), *path = NULL;
        g_autoptr(GByteArray) bytes = object_read(bomb);
        struct asked asked;
        pid_t child;

        (void) data;
        path = inspecting_write(f, bytes->data, bytes->len);
        inspecting_ask(f, path, NAME, &asked);
        child = stop_child(f);
        g_assert_no_errno(truncate(path, 0));
        g_assert_no_errno(kill(child, SIGCONT));
        inspecting_wait(f, &asked);
        /* It may not have got as far as to map it. */
        if (asked.result != MODINFO_NOT_ELF) {
                g_assert_cmpint(asked.result, ==, MODINFO_KILLED);
                g_assert_true(asked.signal == SIGBUS || asked.signal == SIGSYS);
        }
        inspecting_clear(&asked);
        expect_good(f);
}

static GHashTable *open_files(pid_t pid) {
        GHashTable *files = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
        g_autofree char *path = g_strdup_printf("/proc/%d/fd", pid);
        g_autoptr(GDir) directory = g_dir_open(path, 0, NULL);
        const char *name;

        g_assert_nonnull(directory);
        while ((name = g_dir_read_name(directory))) {
                g_autofree char *link = g_build_filename(path, name, NULL);

                g_hash_table_add(files, g_file_read_link(link, NULL));
        }
        return files;
}

static void test_child(struct inspecting *f, gconstpointer data) {
        g_autofree char *path = bomb_path("xz");
        g_autoptr(GHashTable) files = NULL;
        GHashTableIter iter;
        gpointer file;
        struct asked asked;
        pid_t child;

        (void) data;
        NEEDS_ROOT();
        inspecting_ask(f, path, NAME, &asked);
        child = stop_child(f);
        expect_status(child, "Seccomp", "2");
        expect_status(child, "NoNewPrivs", "1");
        expect_status(child, "Threads", "1");

        files = open_files(child);
        g_assert_cmpuint(g_hash_table_size(files), ==, 2);
        g_assert_true(g_hash_table_remove(files, path));
        g_hash_table_iter_init(&iter, files);
        g_assert_true(g_hash_table_iter_next(&iter, &file, NULL));
        g_assert_true(g_str_has_prefix(file, "pipe:"));

        g_assert_no_errno(kill(child, SIGCONT));
        inspecting_wait(f, &asked);
        inspecting_clear(&asked);
}

/* Neither what this process has open nor what it could be asked by. */
static void test_zygote(struct inspecting *f, gconstpointer data) {
        g_autoptr(GHashTable) files = NULL;
        struct inspector *inspector;
        pid_t zygote;
        int fd;

        (void) data;
        NEEDS_ROOT();
        inspector_free(f->inspector);
        fd = support_open("/etc/passwd");
        g_assert_cmpint(inspector_new(&inspector), ==, 0);
        f->inspector = inspector;
        zygote = inspecting_zygote();
        /* It answers one order, so it is ready. */
        {
                sd_event *event;

                g_assert_cmpint(sd_event_new(&event), >=, 0);
                sd_event_unref(f->event);
                f->event = event;
                g_assert_cmpint(inspector_attach(inspector, event, (inspector_died_t) abort, NULL), ==, 0);
        }
        expect_good(f);
        files = open_files(zygote);
        g_assert_false(g_hash_table_contains(files, "/etc/passwd"));
        expect_status(zygote, "NoNewPrivs", "1");
        expect_status(zygote, "Threads", "1");
        expect_status(zygote, "Name", "moduled-inspect");
        (void) close(fd);
}

static void test_long_name(struct inspecting *f, gconstpointer data) {
        g_autofree char *name = g_strnfill(MODULE_NAME_MAX + 1, 'x'), *path = example_path();
        struct inspection *inspection = NULL;

        (void) data;
        g_assert_cmpint(inspection_new(f->inspector, 0, name, NULL, NULL, &inspection), ==, -ENAMETOOLONG);
        g_assert_cmpint(inspecting_outcome(f, path, name + 1), ==, MODINFO_OTHER_NAME);
}

int main(int argc, char *argv[]) {
        int r;

        g_test_init(&argc, &argv, NULL);
#define ADD(name, data, function)                                                                           \
        g_test_add("/inspect/" name, struct inspecting, data, inspecting_set_up, function,                  \
                   inspecting_tear_down)
        ADD("good", NULL, test_good);
        ADD("compressed/gzip", "gzip", test_compressed);
        ADD("compressed/xz", "xz", test_compressed);
        ADD("compressed/zstd", "zstd", test_compressed);
        ADD("other-name", NULL, test_other_name);
        ADD("small-files", NULL, test_small_files);
        ADD("truncated", NULL, test_truncated);
        ADD("sparse", NULL, test_sparse);
        ADD("bad-sections", NULL, test_bad_sections);
        ADD("bomb/gzip", "gzip", test_bomb);
        ADD("bomb/xz", "xz", test_bomb);
        ADD("bomb/zstd", "zstd", test_bomb);
        ADD("not-a-file", NULL, test_not_a_file);
        ADD("many", NULL, test_many);
        ADD("child-killed", NULL, test_child_killed);
        ADD("freed", NULL, test_freed);
        ADD("beside-modprobe", NULL, test_beside_modprobe);
        ADD("zygote-killed", NULL, test_zygote_killed);
        ADD("broker-killed", NULL, test_broker_killed);
        ADD("signals", NULL, test_signals);
        ADD("truncated-while-read", NULL, test_truncated_while_read);
        ADD("child", NULL, test_child);
        ADD("zygote", NULL, test_zygote);
        ADD("long-name", NULL, test_long_name);
        bombs = support_directory();
        r = g_test_run();
        support_remove(bombs);
        g_free(bombs);
        return r;
}
