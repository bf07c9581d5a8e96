/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Report
 *
 * All that an origin can require of a file, and what is found of each, for people who want to know why. Nothing is
 * decided by it: a file is accepted by origin_verify() alone.
 */

#include <string.h>

#include "cleanup.h"
#include "report.h"
#include "requirement.h"

#define KEY_MOUNT_POINT "MountPoint"
#define KEY_FILESYSTEM_TYPE "FilesystemType"

/* Takes @found over. */
static int add(struct report *report, const char *name, bool required, int verdict, char **found) {
        struct fact *fact = &report->facts[report->n];

        if (verdict < 0)
                return verdict;
        *fact = (struct fact){ .name = name, .required = required, .holds = verdict == 0 };
        fact->found = *found ? take_pointer(found) : strdup("");
        if (!fact->found)
                return -ENOMEM;
        report->n++;
        return 0;
}

static int add_mount_point(struct report *report, const struct origin *origin,
                           const struct place *directory) {
        _cleanup_free_ char *culprit = NULL, *found = NULL;
        int r;

        if (!origin->mount_point)
                return 0;
        r = requirement_check_mount_point(origin->mount_point, directory, &culprit, &found);
        return add(report, KEY_MOUNT_POINT, true, r, &found);
}

static int add_all(struct report *report, const struct origin *origin, const struct place *place) {
        _cleanup_free_ char *type = NULL;
        int r;

        r = requirement_check_filesystem(&origin->filesystem_types, place, &type);
        r = add(report, KEY_FILESYSTEM_TYPE, origin->filesystem_types.n > 0, r, &type);
        for (size_t i = 0; r >= 0 && i < REQUIREMENT_MAX_; i++) {
                _cleanup_free_ char *found = NULL;

                r = requirement_check((enum requirement) i, place, &found);
                r = add(report, requirement_name((enum requirement) i), origin->requires[i], r, &found);
        }
        return r;
}

/**
 * report_clear() - give back what a report holds
 * @report:     the report; valid and empty afterwards
 */
void report_clear(struct report *report) {
        for (size_t i = 0; i < report->n; i++)
                free(report->facts[i].found);
        *report = (struct report){ 0 };
}

/**
 * report_read() - find out what holds for a file
 * @origin:     the origin
 * @path:       the file's path, below the origin's directory
 * @ret:        the report; owned by the caller, to be given to report_clear(). Without MountPoint if @origin has none
 *
 * Return: 0, a VERDICT_ if the path does not lead to a file of the origin's, or a negative errno.
 */
int report_read(const struct origin *origin, const char *path, struct report *ret) {
        _cleanup_(place_clear) struct place directory = PLACE_EMPTY, place = PLACE_EMPTY;
        _cleanup_(report_clear) struct report report = { 0 };
        _cleanup_free_ char *culprit = NULL;
        size_t n;
        int r;

        r = tree_open_directory(origin->directory, &directory, &culprit);
        if (r != 0)
                return r;
        n = strcmp(directory.path, "/") == 0 ? 0 : strlen(directory.path);
        if (strncmp(path, directory.path, n) != 0 || path[n] != '/')
                return VERDICT_OUTSIDE;
        r = tree_walk(&directory, path + n + 1, &place, &culprit);
        if (r != 0)
                return r;

        r = add_mount_point(&report, origin, &directory);
        if (r >= 0)
                r = add_all(&report, origin, &place);
        if (r < 0)
                return r;
        *ret = report;
        report = (struct report){ 0 };
        return 0;
}

/**
 * report_find() - what was found of one thing
 * @report:     the report
 * @name:       as in moduled.conf
 *
 * Return: the fact, which belongs to the report, or NULL.
 */
const struct fact *report_find(const struct report *report, const char *name) {
        for (size_t i = 0; i < report->n; i++)
                if (strcmp(report->facts[i].name, name) == 0)
                        return &report->facts[i];
        return NULL;
}
