/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Configuration
 *
 * moduled.conf says which files may become kernel code, so it is read strictly: whatever is not understood is an error
 * with file, line and key, never passed over. The main file comes from /etc, /run or /usr/lib, the first that has one;
 * over it go the drop-ins in moduled.conf.d of all three, sorted by name, where a name in /etc hides the same name in
 * /run, and that the one in /usr/lib. An empty file or a link to /dev/null hides what it stands before.
 *
 * Both programs read the configuration for themselves, and only from files that belong to root.
 */

#include <assert.h>
#include <dirent.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <stdarg.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/utsname.h>

#include "cleanup.h"
#include "config-file.h"
#include "config-value.h"
#include "config.h"
#include "module-name.h"

#define MAIN_NAME "moduled.conf"
#define DROPIN_DIRECTORY "moduled.conf.d"

/* From the administrator's to the vendor's. */
static const char *const places[] = { "etc", "run", "usr/lib" };

struct reader {
        const char *root;
        struct config *config;
        struct config_error *error;
};

static struct origin *origin_free(struct origin *origin) {
        if (!origin)
                return NULL;

        free(origin->name);
        free(origin->directory);
        free(origin->mount_point);
        words_clear(&origin->filesystem_types);
        free(origin->file);
        free(origin);
        return NULL;
}

/**
 * config_free() - give back a configuration
 * @config:     the configuration, or NULL
 *
 * Return: NULL.
 */
struct config *config_free(struct config *config) {
        struct origin *origin;

        if (!config)
                return NULL;

        while ((origin = TAILQ_FIRST(&config->origins))) {
                TAILQ_REMOVE(&config->origins, origin, link);
                origin_free(origin);
        }
        words_clear(&config->allow);
        words_clear(&config->deny);
        free(config);
        return NULL;
}

DEFINE_CLEANUP(struct config *, config_free);

static struct origin *find_origin(struct config *config, const char *name) {
        struct origin *origin;

        TAILQ_FOREACH(origin, &config->origins, link)
                if (strcmp(origin->name, name) == 0)
                        return origin;
        return NULL;
}

static int add_origin(struct config *config, const struct config_place *place, const char *name,
                      struct origin **ret) {
        struct origin *origin;

        origin = calloc(1, sizeof *origin);
        if (!origin)
                return -ENOMEM;

        origin->name = strdup(name);
        origin->file = strdup(place->file);
        origin->line = place->line;
        if (!origin->name || !origin->file) {
                origin_free(origin);
                return -ENOMEM;
        }
        TAILQ_INSERT_TAIL(&config->origins, origin, link);
        *ret = origin;
        return 0;
}

static int assign_origin(struct reader *reader, const struct config_place *place, const char *value) {
        struct origin *origin;
        int r;

        origin = find_origin(reader->config, place->argument);
        if (!origin) {
                r = add_origin(reader->config, place, place->argument, &origin);
                if (r < 0)
                        return r;
        }
        if (!place->key)
                return 0;
        if (strcmp(place->key, "Directory") == 0)
                return config_set_directory(place, value, &origin->directory, reader->error);
        if (strcmp(place->key, "MountPoint") == 0)
                return config_set_directory(place, value, &origin->mount_point, reader->error);
        if (strcmp(place->key, "FilesystemType") == 0)
                return config_set_filesystem_types(place, value, &origin->filesystem_types, reader->error);
        if (strcmp(place->key, "Require") == 0)
                return config_set_requirements(place, value, origin->requires, reader->error);
        return config_error_set(
                        reader->error, place,
                        "is not a key of [Origin]; known are Directory=, MountPoint=, FilesystemType= and "
                        "Require=");
}

static int assign_policy(struct reader *reader, const struct config_place *place, const char *value) {
        struct config *config = reader->config;

        if (!place->key)
                return 0;
        if (strcmp(place->key, "AllowModules") == 0)
                return config_set_patterns(place, value, &config->allow, reader->error);
        if (strcmp(place->key, "DenyModules") == 0)
                return config_set_patterns(place, value, &config->deny, reader->error);
        if (strcmp(place->key, "AllowForced") == 0)
                return config_set_boolean(place, value, &config->allow_forced, reader->error);
        return config_error_set(
                        reader->error, place,
                        "is not a key of [Policy]; known are AllowModules=, DenyModules= and AllowForced=");
}

static int assign_limits(struct reader *reader, const struct config_place *place, const char *value) {
        return place->key ? limits_assign(place, value, &reader->config->limits, reader->error) : 0;
}

/* Takes a section's head (no key) or an assignment. */
static int assign(const struct config_place *place, const char *value, void *userdata) {
        struct reader *reader = userdata;

        if (strcmp(place->section, "Origin") == 0) {
                if (!place->argument || !module_name_is_plain(place->argument))
                        return config_error_set(
                                        reader->error, place,
                                        "[Origin NAME] needs a name; give it one of letters, digits, - and _");
                return assign_origin(reader, place, value);
        }
        if (strcmp(place->section, "Policy") == 0 && !place->argument)
                return assign_policy(reader, place, value);
        if (strcmp(place->section, "Limits") == 0 && !place->argument)
                return assign_limits(reader, place, value);

        return config_error_set(reader->error, place,
                                "unknown section; known are [Origin NAME], [Policy] and [Limits]");
}

/* A symbolic link to /dev/null, or an empty file, says: nothing here, and nothing from further down either. */
static int open_trusted(const struct reader *reader, const char *path, int *ret) {
        _cleanup_close_ int fd = -1;
        struct config_place place = { .file = path };
        struct stat st;

        fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
        if (fd < 0 && errno == ENOENT) {
                if (lstat(path, &st) < 0)
                        return errno == ENOENT ? 0 : -errno;
                return config_error_set(
                                reader->error, &place,
                                "is a symbolic link to nothing; remove it, or make it one to /dev/null");
        }
        if (fd < 0)
                return config_error_set(reader->error, &place, "cannot be read: %s; make it readable",
                                        strerror(errno));
        if (fstat(fd, &st) < 0)
                return -errno;
        if (S_ISCHR(st.st_mode) && st.st_rdev == makedev(1, 3)) {
                *ret = take_fd(&fd);
                return 1;
        }
        if (!S_ISREG(st.st_mode))
                return config_error_set(reader->error, &place,
                                        "is not a regular file; put one in its place");
        if (st.st_uid != 0 || (st.st_mode & (S_IWGRP | S_IWOTH)))
                return config_error_set(
                                reader->error, &place,
                                "must belong to root and be writable by nobody else; use chown root and chmod go-w");
        *ret = take_fd(&fd);
        return 1;
}

/* Return: 1 if the file was there and read, 0 if there is none, or a negative errno. */
static int read_one(struct reader *reader, const char *path) {
        _cleanup_close_ int fd = -1;
        int r;

        r = open_trusted(reader, path, &fd);
        if (r <= 0)
                return r;
        r = config_file_read(path, fd, assign, reader, reader->error);
        return r < 0 ? r : 1;
}

static int read_main(struct reader *reader) {
        for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
                _cleanup_free_ char *path = NULL;
                int r;

                if (asprintf(&path, "%s/%s/" MAIN_NAME, reader->root, places[i]) < 0)
                        return -ENOMEM;
                r = read_one(reader, path);
                if (r != 0)
                        return r < 0 ? r : 0;
        }
        return 0;
}

static int is_dropin(const struct dirent *entry) {
        const char *dot = strrchr(entry->d_name, '.');

        return entry->d_name[0] != '.' && dot && strcmp(dot, ".conf") == 0;
}

/* The names of all three directories; which directory a name is taken from is found afterwards. */
static int collect_dropins(struct reader *reader, char ***names, size_t *n) {
        for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
                _cleanup_free_ char *path = NULL;
                struct dirent **entries;
                int found;

                if (asprintf(&path, "%s/%s/" DROPIN_DIRECTORY, reader->root, places[i]) < 0)
                        return -ENOMEM;
                found = scandir(path, &entries, is_dropin, NULL);
                if (found < 0 && errno == ENOENT)
                        continue;
                if (found < 0)
                        return config_error_set(reader->error, &(struct config_place){ .file = path },
                                                "cannot be read: %s; make it readable", strerror(errno));

                char **grown = reallocarray(*names, *n + (size_t) found + 1, sizeof *grown);
                if (grown)
                        *names = grown;
                for (int j = 0; j < found; j++) {
                        if (grown && (grown[*n] = strdup(entries[j]->d_name)))
                                (*n)++;
                        else
                                grown = NULL;
                        free(entries[j]);
                }
                free(entries);
                if (!grown)
                        return -ENOMEM;
        }
        return 0;
}

static int compare_names(const void *a, const void *b) {
        return strcmp(*(char *const *) a, *(char *const *) b);
}

static int read_dropin(struct reader *reader, const char *name) {
        for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
                _cleanup_free_ char *path = NULL;
                int r;

                if (asprintf(&path, "%s/%s/" DROPIN_DIRECTORY "/%s", reader->root, places[i], name) < 0)
                        return -ENOMEM;
                r = read_one(reader, path);
                if (r != 0)
                        return r < 0 ? r : 0;
        }
        return 0;
}

static int read_dropins(struct reader *reader) {
        char **names = NULL;
        size_t n = 0;
        int r;

        r = collect_dropins(reader, &names, &n);
        if (r >= 0 && n > 0)
                qsort(names, n, sizeof *names, compare_names);
        for (size_t i = 0; r >= 0 && i < n; i++)
                if (i == 0 || strcmp(names[i], names[i - 1]) != 0)
                        r = read_dropin(reader, names[i]);

        for (size_t i = 0; i < n; i++)
                free(names[i]);
        free(names);
        return r;
}

static int check_complete(const struct config *config, struct config_error *error) {
        const struct origin *origin;

        TAILQ_FOREACH(origin, &config->origins, link)
                if (!origin->directory)
                        return config_error_set(error,
                                                &(struct config_place){ .file = origin->file,
                                                                        .line = origin->line,
                                                                        .key = "Directory" },
                                                "is missing in [Origin %s]; add it", origin->name);
        return 0;
}

/**
 * config_load() - read moduled.conf and its drop-ins
 * @root:       directory to read below, without a slash at the end; "" for the system's own
 * @ret:        the configuration; owned by the caller
 * @error:      on -EINVAL says what is wrong where; owned by the caller, to be given to config_error_clear()
 *
 * No file at all is a valid configuration, one with no origin: nothing can be loaded.
 *
 * Return: 0, -EINVAL if the configuration is wrong, or another negative errno if it could not be read.
 */
int config_load(const char *root, struct config **ret, struct config_error *error) {
        _cleanup_(config_freep) struct config *config = NULL;
        struct reader reader;
        int r;

        config = calloc(1, sizeof *config);
        if (!config)
                return -ENOMEM;
        TAILQ_INIT(&config->origins);
        limits_default(&config->limits);
        reader = (struct reader){ .root = root, .config = config, .error = error };

        r = read_main(&reader);
        if (r >= 0)
                r = read_dropins(&reader);
        if (r >= 0)
                r = check_complete(config, error);
        if (r < 0)
                return r;

        *ret = take_pointer(&config);
        return 0;
}

/**
 * config_allows_name() - may a module of this name be loaded, as far as [Policy] goes
 * @config:     the configuration
 * @name:       the module's name, normalized by module_name_normalize()
 * @ret:        on refusal the pattern that denies it, or NULL if none allows it; belongs to @config
 *
 * DenyModules= wins over AllowModules=; an empty AllowModules= allows every name.
 *
 * Return: true if it may.
 */
bool config_allows_name(const struct config *config, const char *name, const char **ret) {
        for (size_t i = 0; i < config->deny.n; i++)
                if (fnmatch(config->deny.items[i], name, 0) == 0) {
                        *ret = config->deny.items[i];
                        return false;
                }

        for (size_t i = 0; i < config->allow.n; i++)
                if (fnmatch(config->allow.items[i], name, 0) == 0)
                        return true;

        if (config->allow.n == 0)
                return true;
        *ret = NULL;
        return false;
}
