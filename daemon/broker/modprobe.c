/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * modprobe.d
 *
 * What modprobe.d(5) says of a module, and with it modprobe.blacklist= and MODULE.OPTION= on the kernel's command line.
 * libkmod understands all that, but passes over what it cannot read, and does not tell which file an entry is from. So
 * the files are read here and copied into one, with a mark after each, and libkmod gets that, in another process
 * (modprobe-read.c).
 *
 * It is asked twice for each load. So what libkmod made of the files is kept; each time it is looked whether they, and
 * the directories that they are in, are still the same (stamp.c).
 */

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <stdbool.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "cleanup.h"
#include "modprobe-ask.h"
#include "modprobe.h"
#include "stamp.h"

#define COMMAND_LINE "/proc/cmdline"
/* libkmod's KCMD_LINE_SIZE: of a longer command line it takes what fits, and so would we not know the rest. */
#define COMMAND_LINE_MAX 4095
/* In bytes. The largest in Debian have a few thousand; what is larger than this is no list of modules. */
#define FILE_MAX ((size_t) 1024 * 1024)
/*
 * Of all of them, in bytes. libkmod passes over a line that it has no memory for, without a word. It takes seven times as
 * much as there is to read at most, and so stays far below what the process that has it may take (sandbox.h).
 */
#define COPY_MAX ((off_t) 8 * 1024 * 1024)

/*
 * What we add after each file, behind an empty line because its last one may end in a backslash. So libkmod's lists tell
 * where a file ends and that all were read; what comes after the last mark is from the command line. No module has a dot
 * in its name.
 */
#define MARK ".moduled."
static const char mark[] = "\n\nblacklist " MARK "\ninstall " MARK " x\noptions " MARK " x\n";

struct file {
        char *name;
        char *path;
        struct stamp stamp;
};

struct files {
        struct file *items;
        size_t n;
};

struct modprobe {
        const char *const *directories;
        const struct zygote_link *zygote; /* who forks the process that has libkmod */
        struct stamp *stamps;             /* of the directories */
        struct files files;               /* by name, the order in which they count */
        struct entries entries;           /* what libkmod made of them */
        bool is_kept;                     /* entries, files and stamps are there, and of one time */
};

struct query {
        struct modprobe *modprobe;
        const char *name;
        int copy;
        const char *file; /* where the entry that is being looked at stands */
        struct modprobe_policy policy;
};

typedef int (*take_t)(struct query *query, const struct entry *entry);

/**
 * modprobe_options_free() - give back a list of options
 * @options:    the list
 * @n:          how many there are
 */
void modprobe_options_free(struct modprobe_option *options, size_t n) {
        for (size_t i = 0; i < n; i++) {
                free(options[i].file);
                free(options[i].text);
        }
        free(options);
}

/**
 * modprobe_policy_clear() - give back what a policy holds
 * @policy:     the policy; valid and empty afterwards
 */
void modprobe_policy_clear(struct modprobe_policy *policy) {
        modprobe_options_free(policy->options, policy->n_options);
        free(policy->file);
        *policy = (struct modprobe_policy){ 0 };
}

static void files_clear(struct files *files) {
        for (size_t i = 0; i < files->n; i++) {
                free(files->items[i].name);
                free(files->items[i].path);
        }
        free(files->items);
        *files = (struct files){ 0 };
}

static int conclude(struct query *query, enum modprobe_outcome outcome, const char *file, int error) {
        query->policy.file = strdup(file);
        query->policy.error = error;
        return query->policy.file ? (int) outcome : -ENOMEM;
}

/* libkmod makes each - in a name to _, but not in modprobe.blacklist=. */
static bool is_same_name(const char *key, const char *name) {
        for (; *key && *name; key++, name++)
                if (*key != *name && !(*key == '-' && *name == '_'))
                        return false;
        return *key == *name;
}

static int take_blacklist(struct query *query, const struct entry *entry) {
        return is_same_name(entry->key, query->name) ? conclude(query, MODPROBE_BLACKLISTED, query->file, 0)
                                                     : 0;
}

/* Here, and only here, modprobe(8) takes the name for a pattern. */
static int take_install(struct query *query, const struct entry *entry) {
        return fnmatch(entry->key, query->name, 0) == 0 ? conclude(query, MODPROBE_INSTALL, query->file, 0)
                                                        : 0;
}

static int take_options(struct query *query, const struct entry *entry) {
        struct modprobe_policy *policy = &query->policy;
        struct modprobe_option *options, *option;

        if (!is_same_name(entry->key, query->name))
                return 0;
        options = reallocarray(policy->options, policy->n_options + 1, sizeof *options);
        if (!options)
                return -ENOMEM;
        policy->options = options;
        option = &options[policy->n_options++];
        option->file = strdup(query->file);
        option->text = strdup(entry->value);
        return option->file && option->text ? 0 : -ENOMEM;
}

/* Looks at the entries of one kind, until one is against the module. */
static int take_entries(struct query *query, enum entry_kind kind, take_t take) {
        const struct files *files = &query->modprobe->files;
        size_t n_marks = 0, position = 0;
        struct entry entry;
        int r = 0;

        while (r == 0 && entries_next(&query->modprobe->entries, &position, &entry)) {
                if (entry.kind != kind)
                        continue;
                if (strcmp(entry.key, MARK) == 0) {
                        n_marks++;
                        continue;
                }
                query->file = n_marks < files->n ? files->items[n_marks].path : COMMAND_LINE;
                r = take(query, &entry);
        }
        return r == 0 && n_marks != files->n ? -EIO : r;
}

static int take_all(struct query *query) {
        int r;

        r = take_entries(query, ENTRY_BLACKLIST, take_blacklist);
        if (r == 0)
                r = take_entries(query, ENTRY_INSTALL, take_install);
        if (r == 0)
                r = take_entries(query, ENTRY_OPTIONS, take_options);
        return r;
}

/* Return: 0 or a negative errno. A directory is passed over, as by modprobe(8). */
static int copy_file(const char *path, int copy) {
        _cleanup_close_ int fd = -1;
        struct stat st;
        ssize_t n;
        size_t done = 0;

        fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
        if (fd < 0 || fstat(fd, &st) < 0)
                return -errno;
        if (S_ISDIR(st.st_mode) || (S_ISCHR(st.st_mode) && st.st_rdev == makedev(1, 3)))
                return 0;
        if (!S_ISREG(st.st_mode))
                return -EINVAL;
        do {
                n = sendfile(copy, fd, NULL, FILE_MAX + 1 - done);
                if (n < 0)
                        return -errno;
                done += (size_t) n;
        } while (n > 0 && done <= FILE_MAX);
        return done > FILE_MAX ? -EFBIG : 0;
}

static int copy_files(struct query *query) {
        struct files *files = &query->modprobe->files;

        for (size_t i = 0; i < files->n; i++) {
                const char *path = files->items[i].path;
                int r;

                stamp_take(path, &files->items[i].stamp);
                r = copy_file(path, query->copy);
                if (r < 0)
                        return conclude(query, MODPROBE_UNREADABLE, path, -r);
                if (write(query->copy, mark, sizeof mark - 1) != sizeof mark - 1)
                        return -EIO;
                if (lseek(query->copy, 0, SEEK_CUR) > COPY_MAX)
                        return conclude(query, MODPROBE_UNREADABLE, path, EFBIG);
        }
        return 0;
}

/* libkmod reads it for itself. */
static int check_command_line(struct query *query) {
        _cleanup_close_ int fd = -1;
        char line[COMMAND_LINE_MAX];
        ssize_t n;

        fd = open(COMMAND_LINE, O_RDONLY | O_CLOEXEC);
        n = fd < 0 ? -1 : read(fd, line, sizeof line);
        if (n < 0 || n == sizeof line)
                return conclude(query, MODPROBE_UNREADABLE, COMMAND_LINE, n < 0 ? errno : EFBIG);
        return 0;
}

/* libkmod before 33 reads .alias, too; elsewhere there are none. */
static int is_config(const struct dirent *entry) {
        const char *dot = strrchr(entry->d_name, '.');

        return entry->d_name[0] != '.' && dot && (strcmp(dot, ".conf") == 0 || strcmp(dot, ".alias") == 0);
}

static int files_add(struct files *files, const char *directory, const char *name) {
        struct file *items, *item;

        for (size_t i = 0; i < files->n; i++)
                if (strcmp(files->items[i].name, name) == 0)
                        return 0;
        items = reallocarray(files->items, files->n + 1, sizeof *items);
        if (!items)
                return -ENOMEM;
        files->items = items;
        item = &items[files->n++];
        item->name = strdup(name);
        if (asprintf(&item->path, "%s/%s", directory, name) < 0)
                item->path = NULL;
        return item->name && item->path ? 0 : -ENOMEM;
}

static int list_directory(struct query *query, const char *directory) {
        struct dirent **entries;
        int n, r = 0;

        n = scandir(directory, &entries, is_config, NULL);
        if (n < 0 && errno == ENOENT)
                return 0;
        if (n < 0)
                return conclude(query, MODPROBE_UNREADABLE, directory, errno);
        for (int i = 0; i < n; i++) {
                if (r == 0)
                        r = files_add(&query->modprobe->files, directory, entries[i]->d_name);
                free(entries[i]);
        }
        free(entries);
        return r;
}

static int compare_names(const void *a, const void *b) {
        return strcmp(((const struct file *) a)->name, ((const struct file *) b)->name);
}

static int read_files(struct query *query) {
        struct modprobe *modprobe = query->modprobe;
        struct files *files = &modprobe->files;
        int r = 0;

        for (size_t i = 0; r == 0 && modprobe->directories[i]; i++) {
                stamp_take(modprobe->directories[i], &modprobe->stamps[i]);
                r = list_directory(query, modprobe->directories[i]);
        }
        if (files->n > 0)
                qsort(files->items, files->n, sizeof *files->items, compare_names);
        if (r == 0)
                r = copy_files(query);
        if (r == 0)
                r = check_command_line(query);
        return r;
}

static int parse(struct query *query) {
        int r;

        r = modprobe_ask(query->modprobe->zygote, query->copy, &query->modprobe->entries);
        return r == ENTRIES_NO_LIBRARY ? MODPROBE_NO_LIBRARY : r;
}

static void forget(struct modprobe *modprobe) {
        modprobe->is_kept = false;
        entries_clear(&modprobe->entries);
        files_clear(&modprobe->files);
}

static bool is_unchanged(const char *path, const struct stamp *stamp) {
        struct stamp latest;

        stamp_take(path, &latest);
        return stamp_is_same(stamp, &latest);
}

static bool is_current(const struct modprobe *modprobe) {
        const struct files *files = &modprobe->files;

        for (size_t i = 0; modprobe->directories[i]; i++)
                if (!is_unchanged(modprobe->directories[i], &modprobe->stamps[i]))
                        return false;
        for (size_t i = 0; i < files->n; i++)
                if (!is_unchanged(files->items[i].path, &files->items[i].stamp))
                        return false;
        return true;
}

static bool is_settled(const struct modprobe *modprobe, const struct timespec *begun) {
        for (size_t i = 0; modprobe->directories[i]; i++)
                if (!stamp_is_settled(&modprobe->stamps[i], begun))
                        return false;
        for (size_t i = 0; i < modprobe->files.n; i++)
                if (!stamp_is_settled(&modprobe->files.items[i].stamp, begun))
                        return false;
        return true;
}

static int run_query(struct query *query) {
        struct modprobe *modprobe = query->modprobe;
        struct timespec begun;
        int r = 0;

        if (modprobe->is_kept && is_current(modprobe))
                return take_all(query);
        forget(modprobe);
        (void) clock_gettime(CLOCK_REALTIME, &begun);
        query->copy = memfd_create("modprobe.d", MFD_CLOEXEC);
        r = query->copy < 0 ? -errno : read_files(query);
        if (r == 0)
                r = parse(query);
        cleanup_closep(&query->copy);
        modprobe->is_kept = r == 0 && is_settled(modprobe, &begun);
        if (r == 0)
                r = take_all(query);
        if (!modprobe->is_kept || r < 0)
                forget(modprobe);
        return r;
}

/**
 * modprobe_new() - make what reads modprobe.d
 * @directories:        where to look, first to last, ends with NULL; modprobe_directories are the system's own; borrowed
 * @zygote:             who forks the process that has libkmod; borrowed
 * @ret:                owned by the caller
 *
 * Return: 0 or -ENOMEM.
 */
int modprobe_new(const char *const *directories, const struct zygote_link *zygote, struct modprobe **ret) {
        struct modprobe *modprobe = calloc(1, sizeof *modprobe);
        size_t n = 0;

        while (directories[n])
                n++;
        if (modprobe)
                modprobe->stamps = calloc(n + 1, sizeof *modprobe->stamps);
        if (!modprobe || !modprobe->stamps) {
                free(modprobe);
                return -ENOMEM;
        }
        modprobe->directories = directories;
        modprobe->zygote = zygote;
        *ret = modprobe;
        return 0;
}

/**
 * modprobe_free() - give back what modprobe_new() gave
 * @modprobe:   or NULL
 *
 * Return: NULL.
 */
struct modprobe *modprobe_free(struct modprobe *modprobe) {
        if (!modprobe)
                return NULL;
        forget(modprobe);
        free(modprobe->stamps);
        free(modprobe);
        return NULL;
}

/**
 * modprobe_query() - what do modprobe.d and the kernel's command line say of a module now
 * @modprobe:           what reads them
 * @name:               the module's name, normalized
 * @ret:                the options, or what is against it and where; to be given to modprobe_policy_clear()
 *
 * For modprobe(8) `blacklist` stops a module's aliases only; here it stops the module, since nobody but the caller has
 * named it. Whatever `install` would run is against it: it is not our business to run it. That a file cannot be read
 * comes before what the others say. The file of what is on the command line is "/proc/cmdline".
 *
 * Return: an enum modprobe_outcome, or a negative errno if it could not be found out for a reason of our own, such as
 * those of modprobe_ask().
 */
int modprobe_query(struct modprobe *modprobe, const char *name, struct modprobe_policy *ret) {
        struct query query = { .modprobe = modprobe, .name = name, .copy = -1 };
        int r;

        r = run_query(&query);
        if (r < 0) {
                modprobe_policy_clear(&query.policy);
                return r;
        }
        if (r > 0) {
                modprobe_options_free(query.policy.options, query.policy.n_options);
                query.policy.options = NULL;
                query.policy.n_options = 0;
        }
        *ret = query.policy;
        return r;
}
