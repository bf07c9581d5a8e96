/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * modprobe.d
 *
 * What modprobe.d(5) says of a module, and with it modprobe.blacklist= and MODULE.OPTION= on the kernel's command line.
 * libkmod understands all that, but passes over what it cannot read, and does not tell which file an entry is from. So
 * each file is read here, and a context of libkmod's own gets a copy of it alone. Debian's files take 0.3 ms, so that is
 * done afresh for each request.
 */

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <libkmod.h>
#include <stdbool.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "cleanup.h"
#include "modprobe.h"

#define COMMAND_LINE "/proc/cmdline"
/* libkmod's KCMD_LINE_SIZE: of a longer command line it takes what fits, and so would we not know the rest. */
#define COMMAND_LINE_MAX 4095
/* In bytes. The largest in Debian have a few thousand; what is larger than this is no list of modules. */
#define FILE_MAX (1024 * 1024)

/*
 * What we add to each copy, after an empty line because its last one may end in a backslash. In libkmod's lists it stands
 * between what is from the file and what is from the command line, and shows that libkmod has read the copy to its end.
 * No module has a dot in its name.
 */
#define MARK ".moduled."
static const char trailer[] = "\n\nblacklist " MARK "\ninstall " MARK " x\noptions " MARK " x\n";

/*
 * modprobe(8)'s own, first to last: of files with the same name the first counts. libkmod before 31 does not know
 * /usr/lib/modprobe.d, which is another name for /lib/modprobe.d there.
 */
const char *const modprobe_directories[] = {
        "/etc/modprobe.d",     "/run/modprobe.d", "/usr/local/lib/modprobe.d",
        "/usr/lib/modprobe.d", "/lib/modprobe.d", NULL,
};

struct file {
        char *name;
        char *path;
};

struct files {
        struct file *items;
        size_t n;
};

struct query {
        const char *name;
        const char *file; /* where the entries that are being looked at stand */
        struct modprobe_policy policy;
};

typedef struct kmod_config_iter *(*get_entries_t)(const struct kmod_ctx *context);
typedef int (*take_t)(struct query *query, const char *key, const char *value);

DEFINE_CLEANUP(struct kmod_ctx *, kmod_unref);
DEFINE_CLEANUP(struct kmod_config_iter *, kmod_config_iter_free_iter);

static void options_clear(struct modprobe_option *options, size_t n) {
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
        options_clear(policy->options, policy->n_options);
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

static int take_blacklist(struct query *query, const char *key, const char *value) {
        (void) value;
        return is_same_name(key, query->name) ? conclude(query, MODPROBE_BLACKLISTED, query->file, 0) : 0;
}

/* Here, and only here, modprobe(8) takes the name for a pattern. */
static int take_install(struct query *query, const char *key, const char *value) {
        (void) value;
        return fnmatch(key, query->name, 0) == 0 ? conclude(query, MODPROBE_INSTALL, query->file, 0) : 0;
}

static int take_options(struct query *query, const char *key, const char *value) {
        struct modprobe_policy *policy = &query->policy;
        struct modprobe_option *options, *option;

        if (!is_same_name(key, query->name))
                return 0;
        options = reallocarray(policy->options, policy->n_options + 1, sizeof *options);
        if (!options)
                return -ENOMEM;
        policy->options = options;
        option = &options[policy->n_options++];
        option->file = strdup(query->file);
        option->text = strdup(value);
        return option->file && option->text ? 0 : -ENOMEM;
}

/* Looks at the entries of one kind that stand before the mark, in the file, or behind it, on the command line. */
static int take_entries(struct query *query, struct kmod_ctx *context, get_entries_t get, take_t take,
                        bool wants_behind) {
        _cleanup_(kmod_config_iter_free_iterp) struct kmod_config_iter *iter = get(context);
        bool is_behind = false;
        int r = 0;

        if (!iter)
                return -ENOMEM;
        while (r == 0 && kmod_config_iter_next(iter)) {
                const char *key = kmod_config_iter_get_key(iter);

                if (strcmp(key, MARK) == 0)
                        is_behind = true;
                else if (is_behind == wants_behind)
                        r = take(query, key, kmod_config_iter_get_value(iter));
        }
        return r == 0 && !is_behind ? -EIO : r;
}

/* @copy ends with the trailer. */
static int parse(struct query *query, int copy, const char *file, bool is_command_line) {
        _cleanup_(kmod_unrefp) struct kmod_ctx *context = NULL;
        char path[sizeof "/proc/self/fd/" + 3 * sizeof copy];
        const char *const paths[] = { path, NULL };
        int r;

        (void) snprintf(path, sizeof path, "/proc/self/fd/%d", copy);
        /* A directory of modules is not needed, nor the modules.softdep in it. */
        context = kmod_new("/dev/null", paths);
        if (!context)
                return -ENOMEM;

        query->file = file;
        r = take_entries(query, context, kmod_config_get_blacklists, take_blacklist, is_command_line);
        if (r == 0)
                r = take_entries(query, context, kmod_config_get_install_commands, take_install,
                                 is_command_line);
        if (r == 0)
                r = take_entries(query, context, kmod_config_get_options, take_options, is_command_line);
        return r;
}

static int new_copy(void) {
        int fd = memfd_create("modprobe.d", MFD_CLOEXEC);

        return fd < 0 ? -errno : fd;
}

static int end_copy(int copy) {
        ssize_t n = write(copy, trailer, sizeof trailer - 1);

        return n < 0 ? -errno : (size_t) n == sizeof trailer - 1 ? 0 : -EIO;
}

/* Return: 0, 1 if it is a directory, which modprobe(8) passes over, or a negative errno. */
static int copy_file(const char *path, int copy) {
        _cleanup_close_ int fd = -1;
        struct stat st;
        ssize_t n;
        size_t done = 0;

        fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
        if (fd < 0 || fstat(fd, &st) < 0)
                return -errno;
        if (S_ISDIR(st.st_mode))
                return 1;
        if (S_ISCHR(st.st_mode) && st.st_rdev == makedev(1, 3))
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

static int read_file(struct query *query, const char *path) {
        _cleanup_close_ int copy = new_copy();
        int r;

        if (copy < 0)
                return copy;
        r = copy_file(path, copy);
        if (r != 0)
                return r > 0 ? 0 : conclude(query, MODPROBE_UNREADABLE, path, -r);
        r = end_copy(copy);
        return r < 0 ? r : parse(query, copy, path, false);
}

static int read_command_line(struct query *query) {
        _cleanup_close_ int copy = new_copy(), fd = -1;
        char line[COMMAND_LINE_MAX];
        ssize_t n;
        int r;

        if (copy < 0)
                return copy;
        fd = open(COMMAND_LINE, O_RDONLY | O_CLOEXEC);
        n = fd < 0 ? -1 : read(fd, line, sizeof line);
        if (n < 0 || n == sizeof line)
                return conclude(query, MODPROBE_UNREADABLE, COMMAND_LINE, n < 0 ? errno : EFBIG);
        r = end_copy(copy);
        return r < 0 ? r : parse(query, copy, COMMAND_LINE, true);
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

static int list_directory(struct query *query, const char *directory, struct files *files) {
        struct dirent **entries;
        int n, r = 0;

        n = scandir(directory, &entries, is_config, NULL);
        if (n < 0 && errno == ENOENT)
                return 0;
        if (n < 0)
                return conclude(query, MODPROBE_UNREADABLE, directory, errno);
        for (int i = 0; i < n; i++) {
                if (r == 0)
                        r = files_add(files, directory, entries[i]->d_name);
                free(entries[i]);
        }
        free(entries);
        return r;
}

static int compare_names(const void *a, const void *b) {
        return strcmp(((const struct file *) a)->name, ((const struct file *) b)->name);
}

static int read_all(struct query *query, const char *const *directories) {
        _cleanup_(files_clear) struct files files = { 0 };
        int r = 0;

        for (; r == 0 && *directories; directories++)
                r = list_directory(query, *directories, &files);
        if (files.n > 0)
                qsort(files.items, files.n, sizeof *files.items, compare_names);
        for (size_t i = 0; r == 0 && i < files.n; i++)
                r = read_file(query, files.items[i].path);
        /* Last, because modprobe(8) gives the options there to the kernel after all others. */
        return r == 0 ? read_command_line(query) : r;
}

/**
 * modprobe_query() - what do modprobe.d and the kernel's command line say of a module
 * @directories:        where to look, first to last, ends with NULL; modprobe_directories are the system's own
 * @name:               the module's name, normalized
 * @ret:                the options, or what is against it and where; to be given to modprobe_policy_clear()
 *
 * For modprobe(8) `blacklist` stops a module's aliases only; here it stops the module, since nobody but the caller has
 * named it. Whatever `install` would run is against it: it is not our business to run it. The first thing found counts.
 * The file of what is on the command line is "/proc/cmdline".
 *
 * Return: an enum modprobe_outcome, or a negative errno if it could not be found out for a reason of our own.
 */
int modprobe_query(const char *const *directories, const char *name, struct modprobe_policy *ret) {
        struct query query = { .name = name };
        int r;

        r = read_all(&query, directories);
        if (r < 0) {
                modprobe_policy_clear(&query.policy);
                return r;
        }
        if (r > 0) {
                options_clear(query.policy.options, query.policy.n_options);
                query.policy.options = NULL;
                query.policy.n_options = 0;
        }
        *ret = query.policy;
        return r;
}
