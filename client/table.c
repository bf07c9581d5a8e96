/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Table
 *
 * What the commands list: columns for people, by libsmartcols, and JSON for programs. Which columns, and in which order, is
 * the user's to say (--output). A table keeps the first error that it met, so that nobody has to look before
 * table_print().
 */

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <libsmartcols/libsmartcols.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "clock.h"
#include "json.h"
#include "message.h"
#include "pager.h"
#include "require.h"
#include "table.h"
#include "terminal.h"

/* clang-format off */
#define FUNCTIONS(function)                      \
        function(scols_cell_get_data)            \
        function(scols_cell_set_color)           \
        function(scols_cell_set_data)            \
        function(scols_column_get_header)        \
        function(scols_line_get_cell)            \
        function(scols_new_table)                \
        function(scols_print_table_to_string)    \
        function(scols_table_enable_colors)      \
        function(scols_table_enable_noencoding)  \
        function(scols_table_enable_noheadings)  \
        function(scols_table_get_line)           \
        function(scols_table_get_ncols)          \
        function(scols_table_get_nlines)         \
        function(scols_table_new_column)         \
        function(scols_table_new_line)           \
        function(scols_table_set_termforce)      \
        function(scols_unref_table)
/* clang-format on */

LIBRARY(smartcols, "libsmartcols.so.1", "tables of modctl list and modctl log", "recommended")

/* Between the items of a list. Nothing that printable() made has it. */
#define LIST_SEPARATOR "\n"

/* Where there are fewer, columns would be narrow towers of letters; the terminal itself breaks long lines better. */
#define COLUMNS_MIN 60

struct table {
        const char *name;
        const struct column *columns;
        struct libscols_table *scols;
        struct libscols_line *line;
        /* For each of @columns its place in @scols, or -1. */
        int *places;
        unsigned options;
        int error;
};

static size_t count(const struct column *columns) {
        size_t n = 0;

        while (columns[n].name)
                n++;
        return n;
}

/* What JSON calls a column. */
static void member_name(const char *name, char *ret, size_t size) {
        size_t i;

        for (i = 0; name[i] && i + 1 < size; i++)
                ret[i] = (char) (name[i] == '-' ? '_' : tolower((unsigned char) name[i]));
        ret[i] = '\0';
}

static void set_heading(struct libscols_column *column) {
        if (terminal_has_colours(STDOUT_FILENO))
                (void) lib_scols_cell_set_color(lib_scols_column_get_header(column), COLOUR_HEADING);
}

static int append_column(struct table *table, unsigned i) {
        static const int flags[] = {
                [COLUMN_TEXT] = 0, [COLUMN_LONG] = SCOLS_FL_WRAP, [COLUMN_NUMBER] = SCOLS_FL_RIGHT,
                [COLUMN_TIME] = 0, [COLUMN_LIST] = SCOLS_FL_WRAP,
        };
        const struct column *column = &table->columns[i];
        struct libscols_column *made;

        if (table->places[i] >= 0)
                return 0;
        made = lib_scols_table_new_column(table->scols, column->name, 0, flags[column->type]);
        if (!made)
                return -ENOMEM;
        table->places[i] = (int) lib_scols_table_get_ncols(table->scols) - 1;
        set_heading(made);
        return 0;
}

/* Whether a word of --output is this column, in whichever way it is written. */
static bool is_column(const char *word, size_t length, const char *name) {
        if (strlen(name) != length)
                return false;
        for (size_t i = 0; i < length; i++)
                if (word[i] != name[i] && toupper((unsigned char) word[i]) != name[i] &&
                    !(word[i] == '_' && name[i] == '-'))
                        return false;
        return true;
}

static void say_unknown(const struct column *columns, const char *word, size_t length) {
        _cleanup_free_ char *names = NULL;
        size_t size = 0;
        FILE *f = open_memstream(&names, &size);

        if (!f)
                return;
        for (const struct column *column = columns; column->name; column++)
                fprintf(f, "%s%s", column == columns ? "" : ", ", column->name);
        if (fclose(f) == 0)
                say("There is no column '%.*s' to --output; there are %s; choose among these.", (int) length,
                    word, names);
}

/* Words separated by commas or blanks, as people write them. */
static int append_output(struct table *table, const char *output) {
        static const char separators[] = ", \t\n";
        const char *word = output + strspn(output, separators);
        int r = 0;

        if (!*word) {
                say_unknown(table->columns, "", 0);
                return -EINVAL;
        }
        for (; r == 0 && *word; word += strspn(word, separators)) {
                size_t length = strcspn(word, separators);
                unsigned i = 0;

                while (table->columns[i].name && !is_column(word, length, table->columns[i].name))
                        i++;
                if (!table->columns[i].name) {
                        say_unknown(table->columns, word, length);
                        return -EINVAL;
                }
                r = append_column(table, i);
                word += length;
        }
        return r;
}

static int append_columns(struct table *table, const char *output, const unsigned *shown) {
        int r = 0;

        if (output)
                return append_output(table, output);
        if (table->options & OPTION_JSON)
                for (unsigned i = 0; r == 0 && table->columns[i].name; i++)
                        r = append_column(table, i);
        else
                for (; r == 0 && *shown != COLUMN_END; shown++)
                        r = append_column(table, *shown);
        return r;
}

/**
 * table_new() - make a table
 * @name:       what JSON calls it
 * @columns:    those that there can be, up to one without a name; borrowed, for good
 * @shown:      which of them people see unless they say otherwise, up to COLUMN_END; JSON has all
 * @options:    the command's
 * @ret:        owned by the caller
 *
 * Return: 0 or a negative errno, for table_report().
 */
int table_new(const char *name, const struct column *columns, const unsigned *shown,
              const struct options *options, struct table **ret) {
        _cleanup_(table_freep) struct table *table = NULL;
        int r;

        r = require_library(&smartcols);
        if (r < 0)
                return r;
        table = calloc(1, sizeof(*table));
        if (!table)
                return -ENOMEM;
        table->name = name;
        table->columns = columns;
        table->options = options->set;
        table->places = calloc(count(columns) + 1, sizeof(*table->places));
        table->scols = lib_scols_new_table();
        if (!table->places || !table->scols)
                return -ENOMEM;
        for (size_t i = 0; i < count(columns); i++)
                table->places[i] = -1;

        lib_scols_table_enable_noheadings(table->scols, (options->set & OPTION_NO_LEGEND) != 0);
        if (terminal_columns(STDOUT_FILENO) < COLUMNS_MIN)
                (void) lib_scols_table_set_termforce(table->scols, SCOLS_TERMFORCE_NEVER);
        lib_scols_table_enable_colors(table->scols, terminal_has_colours(STDOUT_FILENO));
        /* The texts are escaped already; libsmartcols would do it again. */
        lib_scols_table_enable_noencoding(table->scols, 1);
        r = append_columns(table, options->output, shown);
        if (r < 0)
                return r;
        *ret = take_pointer(&table);
        return 0;
}

/**
 * table_report() - say that there is no table
 * @error:      what table_new() returned, negative; of -EINVAL (--output names no column) and -ELIBACC it has said all
 *
 * Return: the exit code.
 */
int table_report(int error) {
        if (error == -ENOMEM)
                say("There is no memory left; end other programs and try again.");
        return error == -EINVAL ? EXIT_USAGE : EXIT_FAILED;
}

/**
 * table_free() - give back a table
 * @table:      or NULL
 *
 * Return: NULL.
 */
struct table *table_free(struct table *table) {
        if (!table)
                return NULL;
        lib_scols_unref_table(table->scols);
        free(table->places);
        free(table);
        return NULL;
}

/**
 * table_wants() - whether a column will be seen, so that what nobody sees need not be found out
 * @table:      the table
 * @column:     the column's place among those that there can be
 */
bool table_wants(const struct table *table, unsigned column) {
        return table->places[column] >= 0;
}

/**
 * table_add() - begin the next line; what is not set in it stays empty
 * @table:      the table
 */
void table_add(struct table *table) {
        table->line = lib_scols_table_new_line(table->scols, NULL);
        if (!table->line)
                table->error = -ENOMEM;
}

static struct libscols_cell *cell_of(struct table *table, unsigned column) {
        if (table->error < 0 || !table_wants(table, column))
                return NULL;
        return lib_scols_line_get_cell(table->line, (size_t) table->places[column]);
}

static void set(struct table *table, unsigned column, const char *data) {
        struct libscols_cell *cell = cell_of(table, column);

        if (cell && lib_scols_cell_set_data(cell, data) < 0)
                table->error = -ENOMEM;
}

/**
 * table_set_text() - set a text in the last line
 * @table:      the table
 * @column:     the column
 * @raw:        the text; any bytes, made safe here; NULL leaves it empty
 */
void table_set_text(struct table *table, unsigned column, const char *raw) {
        _cleanup_free_ char *text = NULL;

        if (!raw || !table_wants(table, column))
                return;
        text = printable(raw);
        if (text)
                set(table, column, text);
        else
                table->error = -ENOMEM;
}

/**
 * table_set_number() - set a number in the last line
 * @table:      the table
 * @column:     the column
 * @number:     the number
 */
void table_set_number(struct table *table, unsigned column, int64_t number) {
        char text[sizeof("-9223372036854775808")];

        snprintf(text, sizeof(text), "%" PRId64, number);
        set(table, column, text);
}

/**
 * table_set_time() - set a time in the last line
 * @table:      the table
 * @column:     the column
 * @usec:       microseconds since the epoch
 *
 * People get the clock on the wall, programs UTC by RFC 3339.
 */
void table_set_time(struct table *table, unsigned column, uint64_t usec) {
        char text[CLOCK_TEXT_MAX];

        clock_format(usec, (table->options & OPTION_JSON) != 0, text);
        set(table, column, text);
}

/**
 * table_set_user() - set a user in the last line, by name where there is one
 * @table:      the table
 * @column:     the column
 * @uid:        the user
 */
void table_set_user(struct table *table, unsigned column, uid_t uid) {
        const struct passwd *user = table_wants(table, column) ? getpwuid(uid) : NULL;

        if (user)
                table_set_text(table, column, user->pw_name);
        else
                table_set_number(table, column, uid);
}

/**
 * table_set_item() - put one more item into a list in the last line
 * @table:      the table
 * @column:     the column, of type COLUMN_LIST
 * @raw:        the item; any bytes, made safe here
 */
void table_set_item(struct table *table, unsigned column, const char *raw) {
        const char *separator = table->options & OPTION_JSON ? LIST_SEPARATOR : ",";
        struct libscols_cell *cell = cell_of(table, column);
        _cleanup_free_ char *text = NULL, *all = NULL;
        const char *before;

        if (!cell)
                return;
        text = printable(raw);
        before = lib_scols_cell_get_data(cell);
        if (!text || asprintf(&all, "%s%s%s", before ? before : "", before ? separator : "", text) < 0) {
                table->error = -ENOMEM;
                return;
        }
        set(table, column, all);
}

/**
 * table_set_colour() - colour a cell of the last line, where there are colours
 * @table:      the table
 * @column:     the column
 * @sequence:   one of those in terminal.h; borrowed, for good
 */
void table_set_colour(struct table *table, unsigned column, const char *sequence) {
        struct libscols_cell *cell = cell_of(table, column);

        if (cell && terminal_has_colours(STDOUT_FILENO))
                (void) lib_scols_cell_set_color(cell, sequence);
}

static void write_item(struct json *object, const struct column *column, const char *data) {
        char name[32];

        member_name(column->name, name, sizeof(name));
        if (column->type == COLUMN_LIST) {
                _cleanup_free_ char *copy = strdup(data ? data : "");

                json_name(object, name);
                fputc('[', object->file);
                for (char *rest = copy, *item; (item = strsep(&rest, LIST_SEPARATOR)) && *item;) {
                        json_value(object, item);
                        fputs(rest ? ", " : "", object->file);
                }
                fputc(']', object->file);
        } else if (data && column->type == COLUMN_NUMBER) {
                json_name(object, name);
                fputs(data, object->file);
        } else
                json_text(object, name, data);
}

static const struct column *column_at(const struct table *table, size_t place) {
        const struct column *column = table->columns;

        while (table->places[column - table->columns] != (int) place)
                column++;
        return column;
}

/* An object a line, which tools that know lines can read, too. */
static void write_json(const struct table *table, FILE *file) {
        fprintf(file, "{\"%s\": [", table->name);
        for (size_t i = 0; i < lib_scols_table_get_nlines(table->scols); i++) {
                struct libscols_line *line = lib_scols_table_get_line(table->scols, i);
                struct json object;

                fputs(i == 0 ? "\n" : ",\n", file);
                object = json_begin(file);
                for (size_t place = 0; place < lib_scols_table_get_ncols(table->scols); place++)
                        write_item(&object, column_at(table, place),
                                   lib_scols_cell_get_data(lib_scols_line_get_cell(line, place)));
                json_end(&object);
        }
        fputs("\n]}\n", file);
}

static int print_json(const struct table *table, char **ret) {
        size_t size = 0;
        FILE *file = open_memstream(ret, &size);

        if (!file)
                return -ENOMEM;
        write_json(table, file);
        return fclose(file) == 0 ? 0 : -ENOMEM;
}

/* libsmartcols ends no text with a newline. */
static int print_columns(const struct table *table, char **ret) {
        _cleanup_free_ char *text = NULL;

        if (lib_scols_print_table_to_string(table->scols, &text) < 0 ||
            asprintf(ret, "%s%s", text ? text : "", text && *text ? "\n" : "") < 0)
                return -ENOMEM;
        return 0;
}

/**
 * table_print() - print a table, through a pager if it is longer than the terminal
 * @table:      the table
 *
 * Return: 0, or a negative errno: the first that there was.
 */
int table_print(struct table *table) {
        _cleanup_free_ char *text = NULL;
        int r;

        if (table->error < 0)
                return table->error;
        r = table->options & OPTION_JSON ? print_json(table, &text) : print_columns(table, &text);
        if (r < 0)
                return r;
        pager_show(text, table->options);
        return 0;
}
