/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Kernel log
 *
 * Why a module did not load the kernel says only in its log. This takes from there the lines that the module loader
 * itself printed about one module since a mark, and no others: the log also holds what is none of the caller's business,
 * and what a module prints about itself may be anything.
 */

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "cleanup.h"
#include "escape.h"
#include "kernel-log.h"
#include "kernel.h"

/* A log that is larger than that is read from its end. */
#define LOG_READ_MAX (1024 * 1024)
#define LINE_SHOWN_MAX 256

/*
 * What Linux 6.1 to 6.12 prints in kernel/module/, kernel/params.c and arch/x86/kernel/module.c, after "NAME: " or
 * "module NAME: ".
 */
static const struct {
        const char *begin;
        const char *middle; /* somewhere after that; NULL for nothing in particular */
        enum kernel_log_cause cause;
} about_module[] = {
        { "Unknown symbol ", NULL, KERNEL_LOG_SYMBOL },
        { "gave up waiting for init of module ", NULL, KERNEL_LOG_SYMBOL },
        { "module uses symbol (", " does not import it", 0 },
        { "module uses symbols ", " from proprietary module ", 0 },
        { "module using GPL-only symbols uses symbols ", NULL, 0 },

        { "version magic ", " should be ", KERNEL_LOG_VERSION },
        { "disagrees about version of symbol ", NULL, KERNEL_LOG_VERSION },
        { "no symbol version for ", NULL, KERNEL_LOG_VERSION },

        { "`", "' invalid for parameter `", KERNEL_LOG_PARAMETER },
        { "`", "' too large for parameter `", KERNEL_LOG_PARAMETER },
        { "Unknown parameter `", NULL, KERNEL_LOG_PARAMETER },
        { "unknown parameter '", "' ignored", 0 },
        { "parameters '", "' after `--' ignored", 0 },

        { "exports duplicate symbol ", NULL, KERNEL_LOG_LATE },
        { "module is already loaded", NULL, KERNEL_LOG_LATE },

        { "Could not allocate ", " bytes percpu data", 0 },
        { "Exactly one .gnu.linkonce.this_module ", NULL, 0 },
        { "No module found in object", NULL, 0 },
        { "Symbol ", " has an invalid section index ", 0 },
        { "Unknown rela relocation: ", NULL, 0 },
        { "Unknown relocation: ", NULL, 0 },
        { "has both .ctors and .init_array", NULL, 0 },
        { "module has no symbols (stripped?)", NULL, 0 },
        { "module is marked as livepatch module", NULL, 0 },
        { "please compile with -fno-common", NULL, 0 },
        { "section ", " has invalid WRITE|EXEC flags", 0 },
        { ".gnu.linkonce.this_module ", NULL, 0 },

        { "bad vermagic: kernel tainted", NULL, 0 },
        { "loading module not compiled with retpoline compiler", NULL, 0 },
        { "loading out-of-tree module taints kernel", NULL, 0 },
        { "loading test module taints kernel", NULL, 0 },
        { "module is from the staging directory", NULL, 0 },
        { "module license ", NULL, 0 },
        { "module verification failed: ", NULL, 0 },
};

/*
 * These do not name the module. They are taken for this one's if the load failed with the errno that the kernel returns
 * after printing them. Those about signatures and lockdown (security/lockdown/lockdown.c, with the process's name in it)
 * say something wherever they fit, the others are for people.
 */
static const struct {
        const char *begin;
        const char *middle;
        int error;
        enum kernel_log_cause cause;
} about_nobody[] = {
        { "Loading of ", " is rejected", EKEYREJECTED, KERNEL_LOG_SIGNATURE },
        { "Lockdown: ", ": unsigned module loading is restricted", EPERM, KERNEL_LOG_SIGNATURE },
        { "Module hash ", " is blacklisted", EKEYREJECTED, KERNEL_LOG_SIGNATURE },

        { "ELF Spec violation: ", NULL, ENOEXEC, 0 },
        { "Invalid ELF ", NULL, ENOEXEC, 0 },
        { "Invalid architecture in ELF header: ", NULL, ENOEXEC, 0 },
        { "Invalid module architecture in ELF header: ", NULL, ENOEXEC, 0 },
        { "Only one .modinfo section must exist", NULL, ENOEXEC, 0 },
        { "empty section name table", NULL, ENOEXEC, 0 },
        { "overflow in relocation type ", NULL, ENOEXEC, 0 },
        { "x86/modules: ", NULL, ENOEXEC, 0 },

        { "ZSTD-", NULL, EINVAL, 0 },
        { "decompression failed with status ", NULL, EINVAL, 0 },
        { "failed to initialize decompressor: ", NULL, EINVAL, 0 },
        { "not a gzip compressed module", NULL, EINVAL, 0 },
        { "not a zstd compressed module", NULL, EINVAL, 0 },
        { "not an xz compressed module", NULL, EINVAL, 0 },
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

/* A part of the log, not ended by a NUL. */
struct line {
        const char *text;
        size_t n;
};

static bool skip(struct line *line, const char *begin) {
        size_t n = strlen(begin);

        if (line->n < n || memcmp(line->text, begin, n) != 0)
                return false;
        line->text += n;
        line->n -= n;
        return true;
}

static bool matches(struct line line, const char *begin, const char *middle) {
        return skip(&line, begin) && (!middle || memmem(line.text, line.n, middle, strlen(middle)));
}

static bool names(struct line *line, const char *before, const char *module, const char *after) {
        struct line rest = *line;

        if (!skip(&rest, before) || !skip(&rest, module) || !skip(&rest, after))
                return false;
        *line = rest;
        return true;
}

/* Return: whether the line is to be shown; what it says is added to @causes. */
static bool is_about(struct line line, const struct kernel_log_subject *subject, unsigned *causes) {
        for (size_t i = 0; i < sizeof about_nobody / sizeof *about_nobody; i++)
                if (subject->error == about_nobody[i].error &&
                    matches(line, about_nobody[i].begin, about_nobody[i].middle)) {
                        *causes |= about_nobody[i].cause;
                        return true;
                }

        if (names(&line, "Module ", subject->module, " is blacklisted") ||
            names(&line, "failed to validate module [", subject->module, "] BTF: "))
                return true;
        if (!names(&line, "", subject->module, ": ") && !names(&line, "module ", subject->module, ": "))
                return false;
        for (size_t i = 0; i < sizeof about_module / sizeof *about_module; i++)
                if (matches(line, about_module[i].begin, about_module[i].middle)) {
                        *causes |= about_module[i].cause;
                        return true;
                }
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

        /* The lines become one sentence. */
        if (n > 0 && text[n - 1] == '.')
                n--;
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
 * @subject:    whose lines
 * @ret:        the lines in printable ASCII, without priority and time, separated by "; "; as many as fit
 * @size:       the size of @ret
 *
 * Return: what all the lines say, also those that did not fit: KERNEL_LOG_ bits, or 0.
 */
unsigned kernel_log_select(const char *log, size_t n, const struct kernel_log_mark *mark,
                           const struct kernel_log_subject *subject, char *ret, size_t size) {
        const char *end = log + n;
        unsigned causes = 0;
        size_t used = 0;

        ret[0] = '\0';
        for (const char *p = find_last(log, n, mark); p < end;) {
                const char *newline = memchr(p, '\n', (size_t) (end - p));
                const char *stop = newline ? newline : end;
                struct line line = { .text = skip_prefix(p, stop) };

                line.n = (size_t) (stop - line.text);
                if (is_about(line, subject, &causes))
                        used = append(ret, used, size, line.text, line.n);
                p = stop + 1;
        }
        return causes;
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
 * @subject:    whose lines
 * @ret:        the lines as kernel_log_select() gives them; empty if there are none or the log cannot be read
 * @size:       the size of @ret
 *
 * Return: KERNEL_LOG_ bits, or 0.
 */
unsigned kernel_log_since(const struct kernel_log_mark *mark, const struct kernel_log_subject *subject,
                          char *ret, size_t size) {
        _cleanup_free_ char *log = NULL;
        int n = kernel_log_size();

        ret[0] = '\0';
        if (n <= 0)
                return 0;
        n = n < LOG_READ_MAX ? n : LOG_READ_MAX;
        log = malloc((size_t) n);
        if (!log)
                return 0;
        n = kernel_log_read(log, (size_t) n);
        return n > 0 ? kernel_log_select(log, (size_t) n, mark, subject, ret, size) : 0;
}
