/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Kernel log
 *
 * Why a module did not load the kernel says only in its log. This takes from there the lines that the module loader
 * itself printed about one module since a mark, and no others: the log also holds what is none of the caller's business.
 */

#include <stdbool.h>
#include <string.h>

#include "cleanup.h"
#include "escape.h"
#include "kernel-log.h"
#include "kernel.h"

/* A log that is larger than that is read from its end. */
#define LOG_READ_MAX (1024 * 1024)
#define LINE_SHOWN_MAX 256

/* What kernel/module/ prints after "NAME: ", as of Linux 6.1 to 6.12. */
static const char *const known[] = {
        "Unknown symbol ",
        "disagrees about version of symbol ",
        "no symbol version for ",
        "version magic ",
        "module is blacklisted",
        "exports duplicate symbol ",
        "unknown parameter ",
        "loading out-of-tree module ",
        "loading of ",
        "Loading of ",
        "module verification failed",
        "module uses symbols ",
        "kernel tainted",
        "module license ",
        "has bad ",
};

/* "<6>[   12.345678] " and, where the kernel prints it, "[ T123] "; see printk.time and CONFIG_PRINTK_CALLER. */
static const char *skip_prefix(const char *line, const char *end) {
        const char *p = line;

        if (p < end && *p == '<') {
                const char *close = memchr(p, '>', (size_t) (end - p));

                if (close)
                        p = close + 1;
        }
        while (p < end && *p == '[') {
                const char *close = memchr(p, ']', (size_t) (end - p));

                if (!close)
                        break;
                p = close + 1;
                while (p < end && *p == ' ')
                        p++;
        }
        return p;
}

static bool is_about(const char *text, size_t n, const char *module) {
        size_t m = strlen(module);

        if (n < m + 2 || memcmp(text, module, m) != 0 || memcmp(text + m, ": ", 2) != 0)
                return false;
        text += m + 2;
        n -= m + 2;
        if (n > 0 && text[0] == '`' &&
            memmem(text, n, "invalid for parameter", strlen("invalid for parameter")))
                return true;
        for (size_t i = 0; i < sizeof known / sizeof *known; i++)
                if (n >= strlen(known[i]) && memcmp(text, known[i], strlen(known[i])) == 0)
                        return true;
        return false;
}

static const char *find_last(const char *log, size_t n, const struct kernel_log_mark *mark) {
        if (mark->n == 0)
                return log;
        for (const char *p = log + n - (n >= mark->n ? mark->n : n); p >= log; p--)
                if ((size_t) (log + n - p) >= mark->n && memcmp(p, mark->record, mark->n) == 0)
                        return p + mark->n;
        return log;
}

static size_t append(char *ret, size_t used, size_t size, const char *text, size_t n) {
        char line[LINE_SHOWN_MAX + 1];
        _cleanup_free_ char *escaped = NULL;
        int written;

        n = n < LINE_SHOWN_MAX ? n : LINE_SHOWN_MAX;
        memcpy(line, text, n);
        line[n] = '\0';
        escaped = escape(line, LINE_SHOWN_MAX);
        if (!escaped)
                return used;
        written = snprintf(ret + used, size - used, "%s%s", used > 0 ? "; " : "", escaped);
        if (written < 0 || (size_t) written >= size - used) {
                ret[used] = '\0';
                return used;
        }
        return used + (size_t) written;
}

/**
 * kernel_log_select() - pick the lines about a module out of a log
 * @log:        the log's text
 * @n:          its length
 * @mark:       where to begin; if it is not in @log any more, all of @log is looked at
 * @module:     the module's name
 * @ret:        the lines in printable ASCII, without priority and time, separated by "; "; as many as fit
 * @size:       the size of @ret
 *
 * Return: the length of @ret.
 */
size_t kernel_log_select(const char *log, size_t n, const struct kernel_log_mark *mark, const char *module,
                         char *ret, size_t size) {
        const char *end = log + n;
        size_t used = 0;

        ret[0] = '\0';
        for (const char *line = find_last(log, n, mark); line < end;) {
                const char *newline = memchr(line, '\n', (size_t) (end - line));
                const char *stop = newline ? newline : end;
                const char *text = skip_prefix(line, stop);

                if (is_about(text, (size_t) (stop - text), module))
                        used = append(ret, used, size, text, (size_t) (stop - text));
                line = stop + 1;
        }
        return used;
}

/**
 * kernel_log_mark() - remember where the log ends now
 * @ret:        the mark; empty if the log cannot be read
 */
void kernel_log_mark(struct kernel_log_mark *ret) {
        int n = kernel_log_read(ret->record, sizeof ret->record);
        size_t begin;

        ret->n = n > 0 ? (size_t) n : 0;
        for (begin = ret->n; begin > 1 && ret->record[begin - 2] != '\n'; begin--)
                ;
        begin = begin > 0 ? begin - 1 : 0;
        ret->n -= begin;
        memmove(ret->record, ret->record + begin, ret->n);
}

/**
 * kernel_log_since() - what the kernel said about a module since a mark
 * @mark:       the mark
 * @module:     the module's name
 * @ret:        the lines as kernel_log_select() gives them; empty if there are none or the log cannot be read
 * @size:       the size of @ret
 */
void kernel_log_since(const struct kernel_log_mark *mark, const char *module, char *ret, size_t size) {
        _cleanup_free_ char *log = NULL;
        int n = kernel_log_size();

        ret[0] = '\0';
        if (n <= 0)
                return;
        n = n < LOG_READ_MAX ? n : LOG_READ_MAX;
        log = malloc((size_t) n);
        if (!log)
                return;
        n = kernel_log_read(log, (size_t) n);
        if (n > 0)
                (void) kernel_log_select(log, (size_t) n, mark, module, ret, size);
}
