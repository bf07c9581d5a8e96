/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * modctl log
 *
 * What moduled was asked for, by whom, and what came of it: the entries that its broker wrote into the journal.
 *
 * Anybody can write MODULED_... fields, so those are not what an entry is known by. journald itself adds the fields that
 * begin with an underscore, from what the kernel says of the sender, and drops such fields from what a sender writes.
 * _SYSTEMD_UNIT is the system's unit in whose cgroup the sender is (a user's own "moduled.service" has user@UID.service
 * there), and only root puts a process there; _UID is the sender's uid, and the broker's is nobody else's.
 */

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <systemd/sd-journal.h>
#include <unistd.h>

#include "build.h"
#include "cleanup.h"
#include "clock.h"
#include "command.h"
#include "failure.h"
#include "journal-ids.h"
#include "message.h"
#include "table.h"
#include "terminal.h"

#define USEC_PER_SEC UINT64_C(1000000)

/* Before the words of a result that is an error. */
#define ERROR_NAMES "Error."

static const char help[] =
                "Usage: modctl log [OPTION...] [MODULE]\n"
                "\n"
                "Shows what moduled was asked to load and unload, of MODULE or at all: when, by whom,\n"
                "what came of it, from which file, and why not. It is read from the journal, which\n"
                "root and the groups systemd-journal and adm may read.\n"
                "\n"
                "Options:\n"
                "  -n, --lines N          only the last N entries\n"
                "      --since WHEN       only from WHEN on: today, yesterday, -1h, '2 days ago',\n"
                "                         'YYYY-MM-DD HH:MM:SS' or a part of it\n"
                "      --root DIR         read the journal of the system that is mounted on DIR\n"
                "  -o, --output COLUMNS   these columns, separated by commas: TIME, BY, EVENT, MODULE,\n"
                "                         PATH, REASON, RESULT, ORIGIN, PARAMETERS, UID, PID, UNIT,\n"
                "                         LOST\n"
                "      --json             print JSON: {\"entries\": [{\"time\": ...}]}, times in UTC\n"
                "      --no-legend        print no headings\n"
                "      --no-pager         print all at once, however long it is\n"
                "  -h, --help             show this\n";

enum {
        ENTRY_TIME,
        ENTRY_BY,
        ENTRY_EVENT,
        ENTRY_MODULE,
        ENTRY_PATH,
        ENTRY_REASON,
        ENTRY_RESULT,
        ENTRY_ORIGIN,
        ENTRY_PARAMETERS,
        ENTRY_UID,
        ENTRY_PID,
        ENTRY_UNIT,
        ENTRY_LOST,
};

static const struct column columns[] = {
        [ENTRY_TIME] = { "TIME", COLUMN_TIME },
        [ENTRY_BY] = { "BY", COLUMN_TEXT },
        [ENTRY_EVENT] = { "EVENT", COLUMN_TEXT },
        [ENTRY_MODULE] = { "MODULE", COLUMN_TEXT },
        [ENTRY_PATH] = { "PATH", COLUMN_LONG },
        [ENTRY_REASON] = { "REASON", COLUMN_LONG },
        [ENTRY_RESULT] = { "RESULT", COLUMN_TEXT },
        [ENTRY_ORIGIN] = { "ORIGIN", COLUMN_TEXT },
        [ENTRY_PARAMETERS] = { "PARAMETERS", COLUMN_LONG },
        [ENTRY_UID] = { "UID", COLUMN_NUMBER },
        [ENTRY_PID] = { "PID", COLUMN_NUMBER },
        [ENTRY_UNIT] = { "UNIT", COLUMN_TEXT },
        [ENTRY_LOST] = { "LOST", COLUMN_NUMBER },
        { NULL, 0 },
};

static const unsigned shown[] = { ENTRY_TIME, ENTRY_BY,     ENTRY_EVENT, ENTRY_MODULE,
                                  ENTRY_PATH, ENTRY_REASON, COLUMN_END };

static const struct event {
        const char *id;
        const char *name;
        const char *colour;
} events[] = {
        { JOURNAL_MODULE_LOADED, "loaded", NULL },
        { JOURNAL_MODULE_UNLOADED, "unloaded", NULL },
        { JOURNAL_LOAD_REFUSED, "load refused", COLOUR_BAD },
        { JOURNAL_LOAD_FAILED, "load failed", COLOUR_BAD },
        { JOURNAL_UNLOAD_FAILED, "unload failed", COLOUR_BAD },
        { JOURNAL_SUPPRESSED, "not recorded", COLOUR_BAD },
};

#define N_EVENTS (sizeof(events) / sizeof(events[0]))

/* What to look for, and where. */
struct query {
        const char *module;
        const char *root;
        uint64_t since; /* µs since the epoch; 0: from the beginning */
        uint64_t lines; /* 0: all */
};

static void closedirp(DIR **directory) {
        if (*directory)
                (void) closedir(*directory);
}

/* A field of the present entry, or NULL. */
static char *get(sd_journal *journal, const char *field) {
        const char *data;
        size_t length, name = strlen(field) + 1;

        if (sd_journal_get_data(journal, field, (const void **) &data, &length) < 0 || length < name)
                return NULL;
        return strndup(data + name, length - name);
}

static int match(sd_journal *journal, const char *field, const char *value) {
        _cleanup_free_ char *text = NULL;

        if (asprintf(&text, "%s=%s", field, value) < 0)
                return -ENOMEM;
        return sd_journal_add_match(journal, text, 0);
}

/* What is read of another system has that system's uids. */
static int match_sender(sd_journal *journal, const struct query *query) {
        const struct passwd *user = query->root ? NULL : getpwnam(MODULED_USER);
        char uid[sizeof("4294967295")];
        int r;

        r = match(journal, "_SYSTEMD_UNIT", "moduled.service");
        if (r < 0 || !user)
                return r;
        snprintf(uid, sizeof(uid), "%u", user->pw_uid);
        return match(journal, "_UID", uid);
}

/* Matches of one field are alternatives, those of several must all hold. */
static int match_all(sd_journal *journal, const struct query *query) {
        _cleanup_free_ char *module = NULL;
        int r;

        r = match_sender(journal, query);
        for (size_t i = 0; r >= 0 && i < N_EVENTS; i++)
                r = match(journal, "MESSAGE_ID", events[i].id);
        if (r < 0 || !query->module)
                return r;
        module = strdup(query->module);
        if (!module)
                return -ENOMEM;
        for (char *p = module; (p = strchr(p, '-'));)
                *p = '_';
        return match(journal, "MODULED_MODULE", module);
}

/* Goes to the first entry that may be wanted; returns 0 if there is none. */
static int seek(sd_journal *journal, const struct query *query) {
        int r;

        if (query->lines > 0) {
                r = sd_journal_seek_tail(journal);
                return r < 0 ? r : sd_journal_previous_skip(journal, query->lines);
        }
        r = query->since > 0 ? sd_journal_seek_realtime_usec(journal, query->since)
                             : sd_journal_seek_head(journal);
        return r < 0 ? r : sd_journal_next(journal);
}

static void set_field(struct table *table, unsigned column, sd_journal *journal, const char *field) {
        _cleanup_free_ char *text = table_wants(table, column) ? get(journal, field) : NULL;

        table_set_text(table, column, text);
}

static void set_number(struct table *table, unsigned column, sd_journal *journal, const char *field) {
        _cleanup_free_ char *text = table_wants(table, column) ? get(journal, field) : NULL;

        if (text)
                table_set_number(table, column, strtoll(text, NULL, 10));
}

static void set_by(struct table *table, sd_journal *journal) {
        _cleanup_free_ char *uid = get(journal, "MODULED_CALLER_UID");

        if (uid)
                table_set_user(table, ENTRY_BY, (uid_t) strtoul(uid, NULL, 10));
}

static void set_outcome(struct table *table, sd_journal *journal) {
        _cleanup_free_ char *id = get(journal, "MESSAGE_ID"), *result = get(journal, "MODULED_RESULT");
        const char *word = result ? strstr(result, ERROR_NAMES) : NULL;

        for (size_t i = 0; id && i < N_EVENTS; i++) {
                if (strcmp(id, events[i].id) != 0)
                        continue;
                table_set_text(table, ENTRY_EVENT, events[i].name);
                if (events[i].colour)
                        table_set_colour(table, ENTRY_EVENT, events[i].colour);
        }
        table_set_text(table, ENTRY_RESULT, word ? word + strlen(ERROR_NAMES) : result);
        if (!result || strcmp(result, JOURNAL_DONE) != 0)
                set_field(table, ENTRY_REASON, journal, "MESSAGE");
}

static void add(struct table *table, sd_journal *journal, uint64_t time) {
        table_add(table);
        table_set_time(table, ENTRY_TIME, time);
        set_by(table, journal);
        set_outcome(table, journal);
        set_field(table, ENTRY_MODULE, journal, "MODULED_MODULE");
        set_field(table, ENTRY_PATH, journal, "MODULED_PATH");
        set_field(table, ENTRY_ORIGIN, journal, "MODULED_ORIGIN");
        set_field(table, ENTRY_PARAMETERS, journal, "MODULED_PARAMETERS");
        set_number(table, ENTRY_UID, journal, "MODULED_CALLER_UID");
        set_number(table, ENTRY_PID, journal, "MODULED_CALLER_PID");
        set_field(table, ENTRY_UNIT, journal, "MODULED_CALLER_UNIT");
        set_number(table, ENTRY_LOST, journal, "MODULED_LOST_ENTRIES");
}

static int open_journal(const struct query *query, sd_journal **ret) {
        if (query->root)
                return sd_journal_open_directory(ret, query->root, SD_JOURNAL_OS_ROOT | SD_JOURNAL_SYSTEM);
        return sd_journal_open(ret, SD_JOURNAL_LOCAL_ONLY | SD_JOURNAL_SYSTEM);
}

/* Returns how many entries there are, or a negative errno. */
static int read_entries(const struct query *query, struct table *table) {
        _cleanup_(sd_journal_closep) sd_journal *journal = NULL;
        int r, n = 0;

        r = open_journal(query, &journal);
        if (r >= 0)
                r = match_all(journal, query);
        if (r >= 0)
                r = seek(journal, query);
        for (; r > 0; r = sd_journal_next(journal)) {
                uint64_t time;

                r = sd_journal_get_realtime_usec(journal, &time);
                if (r < 0)
                        break;
                if (time < query->since)
                        continue;
                add(table, journal, time);
                n++;
        }
        return r < 0 ? r : n;
}

/* Whether a directory with a journal for each machine has one that can be read. */
static int check_directory(const char *path) {
        _cleanup_(closedirp) DIR *directory = opendir(path);
        const struct dirent *entry;
        int result = -ENOENT;

        if (!directory)
                return -errno;
        while ((entry = readdir(directory))) {
                _cleanup_free_ char *file = NULL;

                if (asprintf(&file, "%s/system.journal", entry->d_name) < 0)
                        return -ENOMEM;
                if (faccessat(dirfd(directory), file, R_OK, AT_EACCESS) == 0)
                        return 0;
                if (errno == EACCES)
                        result = -EACCES;
        }
        return result;
}

/*
 * libsystemd passes over files that it may not read without a word, and an empty list would be a lie. Returns 0 if the
 * system's journal can be read, -EACCES, or another negative errno if there is none.
 */
static int check_access(const char *root) {
        static const char *const directories[] = { "/var/log/journal", "/run/log/journal" };
        int result = -ENOENT;

        for (size_t i = 0; i < sizeof(directories) / sizeof(directories[0]); i++) {
                _cleanup_free_ char *path = NULL;
                int r;

                if (asprintf(&path, "%s%s", root ? root : "", directories[i]) < 0)
                        return -ENOMEM;
                r = check_directory(path);
                if (r == 0)
                        return 0;
                if (r == -EACCES)
                        result = r;
        }
        return result;
}

static int report_access(int error, const char *root) {
        if (error == -EACCES) {
                say("The system's journal is not yours to read; its readers are root and the members of the group "
                    "systemd-journal, to which an administrator can add you by 'usermod -aG systemd-journal NAME'.");
                return EXIT_UNAUTHORIZED;
        }
        if (root) {
                say("There is no journal in %s; give the directory that the system is mounted on.", root);
                return EXIT_FAILED;
        }
        say("There is no journal of this system; see 'systemctl status systemd-journald'.");
        return EXIT_FAILED;
}

/* Returns EXIT_DONE, or EXIT_USAGE after saying why. */
static int read_query(const struct options *options, char **arguments, struct query *query) {
        time_t since = 0;
        char *end;

        query->module = arguments[0];
        query->root = options->root;
        if (options->lines) {
                errno = 0;
                query->lines = strtoull(options->lines, &end, 10);
                if (errno || *end || strspn(options->lines, "0123456789") == 0 || query->lines == 0) {
                        say("'%s' is no number of entries; give --lines 1 or more.", options->lines);
                        return EXIT_USAGE;
                }
        }
        if (options->since) {
                if (clock_parse(options->since, time(NULL), &since) < 0 || since < 0) {
                        say("'%s' is no time; give --since 'today', 'yesterday', '-1h', '2 days ago', "
                            "'YYYY-MM-DD HH:MM:SS', or a part of that.",
                            options->since);
                        return EXIT_USAGE;
                }
                query->since = (uint64_t) since * USEC_PER_SEC;
        }
        return EXIT_DONE;
}

static int run(const struct options *options, char **arguments) {
        _cleanup_(table_freep) struct table *table = NULL;
        struct query query = { 0 };
        int n, r;

        r = read_query(options, arguments, &query);
        if (r != EXIT_DONE)
                return r;
        r = table_new("entries", columns, shown, options, &table);
        if (r < 0)
                return table_report(r);
        r = check_access(query.root);
        if (r < 0)
                return report_access(r, query.root);

        n = read_entries(&query, table);
        if (n < 0) {
                say("The journal cannot be read (%s); see 'systemctl status systemd-journald'.",
                    strerror(-n));
                return EXIT_FAILED;
        }
        if (n == 0 && !(options->set & (OPTION_JSON | OPTION_NO_LEGEND))) {
                printf("The journal has no such entries of moduled.\n");
                return EXIT_DONE;
        }
        r = table_print(table);
        return r < 0 ? failure_report_answer(r) : EXIT_DONE;
}

const struct command command_log = {
        .name = "log",
        .arguments = "[MODULE]",
        .summary = "show who loaded and tried what",
        .help = help,
        .options = OPTION_LINES | OPTION_SINCE | OPTION_ROOT | OPTION_OUTPUT | OPTION_JSON |
                   OPTION_NO_LEGEND | OPTION_NO_PAGER,
        .max_arguments = 1,
        .run = run,
};
