/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Clock
 *
 * Times as they are written: by people, who mean the clock on their wall, and for programs.
 */

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"

#define USEC_PER_SEC 1000000U
#define HOUR_SEC 3600
#define DAY_SEC (24 * HOUR_SEC)

/* More is no date of ours; and a sum of two cannot overflow. */
#define SECONDS_MAX 1e11

/**
 * clock_format() - write a time
 * @usec:       microseconds since the epoch
 * @utc:        UTC by RFC 3339, for programs; else the clock on the wall
 * @ret:        the text; empty if there is no such time
 */
void clock_format(uint64_t usec, bool utc, char ret[static CLOCK_TEXT_MAX]) {
        time_t seconds = (time_t) (usec / USEC_PER_SEC);
        struct tm tm;

        ret[0] = '\0';
        if (utc ? gmtime_r(&seconds, &tm) : localtime_r(&seconds, &tm))
                (void) strftime(ret, CLOCK_TEXT_MAX, utc ? "%Y-%m-%dT%H:%M:%SZ" : "%Y-%m-%d %H:%M:%S", &tm);
}

static double unit_seconds(const char *unit, size_t length) {
        static const struct {
                const char *names[6];
                double seconds;
        } units[] = {
                { { "s", "sec", "second", "seconds" }, 1 },   { { "m", "min", "minute", "minutes" }, 60 },
                { { "h", "hr", "hour", "hours" }, HOUR_SEC }, { { "d", "day", "days" }, DAY_SEC },
                { { "w", "week", "weeks" }, 7 * DAY_SEC },
        };

        for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++)
                for (const char *const *name = units[i].names; *name; name++)
                        if (strlen(*name) == length && strncmp(*name, unit, length) == 0)
                                return units[i].seconds;
        return 0;
}

/* "1h 30min", with whatever follows it; returns where that begins, or NULL if there is no span. */
static const char *parse_span(const char *text, double *ret) {
        double seconds = 0;
        const char *p = text;

        while (isdigit((unsigned char) *p)) {
                double number = 0, unit;
                size_t length;

                for (; isdigit((unsigned char) *p); p++)
                        number = number * 10 + (*p - '0');
                p += strspn(p, " ");
                for (length = 0; isalpha((unsigned char) p[length]);)
                        length++;
                unit = unit_seconds(p, length);
                if (unit == 0)
                        return NULL;
                seconds += number * unit;
                if (seconds > SECONDS_MAX)
                        return NULL;
                p += length;
                p += strspn(p, " ");
        }
        if (p == text)
                return NULL;
        *ret = seconds;
        return p;
}

/* "-1h", "1h ago" */
static int parse_ago(const char *text, time_t now, time_t *ret) {
        bool minus = *text == '-';
        const char *rest;
        double seconds;

        rest = parse_span(text + minus, &seconds);
        if (!rest || strcmp(rest, minus ? "" : "ago") != 0)
                return -EINVAL;
        *ret = now - (time_t) seconds;
        return 0;
}

/* Midnight before @now, some days away; noon is in the same day wherever clocks are put forward and back. */
static int midnight(time_t now, int days, time_t *ret) {
        struct tm tm;

        if (!localtime_r(&now, &tm))
                return -EINVAL;
        tm.tm_mday += days;
        tm.tm_hour = tm.tm_min = tm.tm_sec = 0;
        tm.tm_isdst = -1;
        *ret = mktime(&tm);
        return *ret == (time_t) -1 ? -EINVAL : 0;
}

/* "2026-01-31", "2026-01-31 12:30", "12:30:59" */
static int parse_date(const char *text, time_t now, time_t *ret) {
        static const char *const formats[] = {
                "%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M", "%Y-%m-%d", "%H:%M:%S", "%H:%M",
        };

        for (size_t i = 0; i < sizeof(formats) / sizeof(formats[0]); i++) {
                struct tm tm, given;
                const char *end;

                if (!localtime_r(&now, &tm))
                        return -EINVAL;
                tm.tm_hour = tm.tm_min = tm.tm_sec = 0;
                tm.tm_isdst = -1;
                end = strptime(text, formats[i], &tm);
                if (!end || *end)
                        continue;
                given = tm;
                *ret = mktime(&tm);
                /* There is no February 30. */
                return *ret == (time_t) -1 || tm.tm_mday != given.tm_mday ? -EINVAL : 0;
        }
        return -EINVAL;
}

/* "@1700000000" */
static int parse_epoch(const char *text, time_t *ret) {
        unsigned long long seconds;
        char *end;

        if (!isdigit((unsigned char) text[1]))
                return -EINVAL;
        seconds = strtoull(text + 1, &end, 10);
        if (*end || seconds > (unsigned long long) SECONDS_MAX)
                return -EINVAL;
        *ret = (time_t) seconds;
        return 0;
}

/**
 * clock_parse() - read a time in the past as people write it
 * @text:       the simple ones of systemd.time(7): "now", "today", "yesterday", "-1h 30min", "2 days ago",
 *              "2026-01-31 12:30:00" or a part of it, "@" and seconds since the epoch
 * @now:        seconds since the epoch
 * @ret:        the time, likewise
 *
 * Return: 0, or -EINVAL if @text is none of these.
 */
int clock_parse(const char *text, time_t now, time_t *ret) {
        if (strcmp(text, "now") == 0) {
                *ret = now;
                return 0;
        }
        if (strcmp(text, "today") == 0)
                return midnight(now, 0, ret);
        if (strcmp(text, "yesterday") == 0)
                return midnight(now, -1, ret);
        if (*text == '@')
                return parse_epoch(text, ret);
        return parse_ago(text, now, ret) == 0 ? 0 : parse_date(text, now, ret);
}
