/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Configuration file
 *
 * The syntax of one file: sections [Name] or [Name argument], assignments Key=Value, comments after # or ; at the start
 * of a line. Stricter than its relatives: no continued lines, no key outside a section, no section or key twice.
 */

#include <fcntl.h>
#include <stdarg.h>
#include <stdbool.h>
#include <string.h>

#include "cleanup.h"
#include "config-file.h"
#include "escape.h"

#define SPACE " \t"
/* Longer than any path; what is longer is no configuration. */
#define LINE_LENGTH_MAX 8192
#define SEEN_MAX 1024
#define SHOWN_MAX 200

/* What stood in the file already: "[section argument]" or "[section argument]key". */
struct seen {
        char *items[SEEN_MAX];
        size_t n;
};

struct parser {
        struct config_place place;
        config_assign_t assign;
        void *userdata;
        struct config_error *error;
        struct seen seen;
        char section[LINE_LENGTH_MAX]; /* holds place.section and place.argument */
        char head[LINE_LENGTH_MAX];    /* the section as written, to tell repeated ones */
};

/**
 * config_error_clear() - give back what an error holds
 * @error:      the error; valid and empty afterwards
 */
void config_error_clear(struct config_error *error) {
        free(error->file);
        free(error->key);
        free(error->reason);
        *error = (struct config_error){ 0 };
}

/**
 * config_error_set() - note what is wrong where
 * @error:      the error to fill; what it held is given back
 * @place:      the place; copied
 * @format:     as for printf(3): what is wrong with it and how to mend it
 *
 * Return: -EINVAL, or -ENOMEM, for the caller to return.
 */
int config_error_set(struct config_error *error, const struct config_place *place, const char *format, ...) {
        va_list ap;
        int r;

        config_error_clear(error);
        va_start(ap, format);
        r = vasprintf(&error->reason, format, ap);
        va_end(ap);
        if (r < 0) {
                error->reason = NULL;
                return -ENOMEM;
        }
        error->line = place->line;
        error->file = place->file ? strdup(place->file) : NULL;
        error->key = place->key ? strdup(place->key) : NULL;
        if ((place->file && !error->file) || (place->key && !error->key))
                return -ENOMEM;
        return -EINVAL;
}

/**
 * config_error_format() - say an error in one line
 * @error:      the error
 *
 * Return: "FILE:LINE: KEY= REASON." in printable ASCII, owned by the caller, or NULL if there is no memory.
 */
char *config_error_format(const struct config_error *error) {
        _cleanup_free_ char *line = NULL, *text = NULL;
        const char *reason = error->reason ? error->reason : "unknown error";

        if (error->line > 0 && asprintf(&line, ":%u", error->line) < 0)
                return NULL;
        if (asprintf(&text, "%s%s: %s%s%s.", error->file ? error->file : "configuration", line ? line : "",
                     error->key ? error->key : "", error->key ? "= " : "", reason) < 0)
                return NULL;
        return escape(text, LINE_LENGTH_MAX);
}

static char *strip(char *text) {
        size_t n;

        text += strspn(text, SPACE);
        for (n = strlen(text); n > 0 && strchr(SPACE, text[n - 1]); n--)
                ;
        text[n] = '\0';
        return text;
}

/* Return: 0 if new, 1 if it was there, or a negative errno. */
static int remember(struct parser *parser, const char *key) {
        struct seen *seen = &parser->seen;
        char *item;

        if (asprintf(&item, "[%s]%s", parser->head, key) < 0)
                return -ENOMEM;
        for (size_t i = 0; i < seen->n; i++)
                if (strcmp(seen->items[i], item) == 0) {
                        free(item);
                        return 1;
                }
        if (seen->n >= SEEN_MAX) {
                free(item);
                return config_error_set(parser->error, &parser->place,
                                        "the file has more than %d assignments; divide it", SEEN_MAX);
        }
        seen->items[seen->n++] = item;
        return 0;
}

static int parse_section(struct parser *parser, char *text) {
        size_t n = strlen(text);
        char *argument;
        int r;

        parser->place.section = parser->place.argument = parser->place.key = NULL;
        if (text[n - 1] != ']' || n < 3)
                return config_error_set(parser->error, &parser->place, "a section must be written [Name]");
        text[n - 1] = '\0';

        strcpy(parser->section, strip(text + 1));
        argument = parser->section + strcspn(parser->section, SPACE);
        if (*argument) {
                *argument++ = '\0';
                parser->place.argument = strip(argument);
        }
        parser->place.section = parser->section;
        (void) snprintf(parser->head, sizeof parser->head, "%s %s", parser->section,
                        parser->place.argument ? parser->place.argument : "");

        r = remember(parser, "");
        if (r > 0)
                return config_error_set(parser->error, &parser->place,
                                        "the section stands twice in this file; join the two");
        return r < 0 ? r : parser->assign(&parser->place, NULL, parser->userdata);
}

static int parse_assignment(struct parser *parser, char *text) {
        char *equals = strchr(text, '='), *key, *value;
        int r;

        if (!equals)
                return config_error_set(
                                parser->error, &parser->place,
                                "neither a section, an assignment KEY=VALUE, nor a comment; begin a comment with #");
        *equals = '\0';
        key = strip(text);
        value = strip(equals + 1);
        parser->place.key = key;
        if (!*key)
                return config_error_set(parser->error, &parser->place,
                                        "needs a name before the equals sign; add it");
        if (!parser->place.section)
                return config_error_set(parser->error, &parser->place,
                                        "stands before any section; move it into one");

        r = remember(parser, key);
        if (r > 0)
                return config_error_set(parser->error, &parser->place,
                                        "stands twice in this section; leave one of the two");
        if (r < 0)
                return r;
        return parser->assign(&parser->place, value, parser->userdata);
}

static int parse_line(struct parser *parser, char *line) {
        char *text = strip(line);

        parser->place.key = NULL;
        switch (text[0]) {
        case '\0':
        case '#':
        case ';':
                return 0;
        case '[':
                return parse_section(parser, text);
        default:
                if (text[strlen(text) - 1] == '\\')
                        return config_error_set(parser->error, &parser->place,
                                                "a line cannot be continued; write it as one");
                return parse_assignment(parser, text);
        }
}

static int read_line(struct parser *parser, FILE *f, char **line, size_t *size) {
        ssize_t n;

        errno = 0;
        n = getline(line, size, f);
        if (n < 0)
                return feof(f) ? 0 : errno ? -errno : -EIO;

        parser->place.line++;
        parser->place.key = NULL;
        if (n > 0 && (*line)[n - 1] == '\n')
                (*line)[--n] = '\0';
        if (n >= LINE_LENGTH_MAX)
                return config_error_set(parser->error, &parser->place,
                                        "the line is longer than %d bytes; shorten it", LINE_LENGTH_MAX);
        if (strlen(*line) != (size_t) n)
                return config_error_set(parser->error, &parser->place,
                                        "the line holds a NUL byte; remove it");
        return 1;
}

/**
 * config_file_read() - read one file of the configuration
 * @path:       the file's name, for errors
 * @fd:         the file, open for reading; borrowed, read from where it stands
 * @assign:     called for each section's head (key and value NULL) and each assignment; a negative errno ends it
 * @userdata:   handed to @assign
 * @error:      filled on -EINVAL
 *
 * Return: 0, -EINVAL if the file is wrong, or another negative errno.
 */
int config_file_read(const char *path, int fd, config_assign_t assign, void *userdata,
                     struct config_error *error) {
        _cleanup_free_ struct parser *parser = NULL;
        _cleanup_fclose_ FILE *f = NULL;
        _cleanup_free_ char *line = NULL;
        size_t size = 0;
        int copy, r;

        parser = calloc(1, sizeof *parser);
        if (!parser)
                return -ENOMEM;
        parser->place.file = path;
        parser->assign = assign;
        parser->userdata = userdata;
        parser->error = error;

        copy = fcntl(fd, F_DUPFD_CLOEXEC, 3);
        if (copy < 0)
                return -errno;
        f = fdopen(copy, "re");
        if (!f) {
                r = -errno;
                close(copy);
                return r;
        }

        while ((r = read_line(parser, f, &line, &size)) > 0) {
                r = parse_line(parser, line);
                if (r < 0)
                        break;
        }
        for (size_t i = 0; i < parser->seen.n; i++)
                free(parser->seen.items[i]);
        return r;
}
