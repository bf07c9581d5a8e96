/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Configuration value
 *
 * What can stand after the equals sign in moduled.conf. A value that is wrong leaves what was set before, and says why.
 */

#include <assert.h>
#include <limits.h>
#include <string.h>
#include <sys/utsname.h>

#include "cleanup.h"
#include "config-value.h"
#include "filesystem.h"
#include "module-name.h"

/* In the order of enum requirement. */
static const char *const requirement_names[REQUIREMENT_MAX_] = { "read-only", "dm-verity", "fs-verity" };

/**
 * words_clear() - give back a list of words
 * @words:      the list; valid and empty afterwards
 */
void words_clear(struct words *words) {
        for (size_t i = 0; i < words->n; i++)
                free(words->items[i]);
        free(words->items);
        *words = (struct words){ 0 };
}

/* See uname(2). */
static int expand(const struct config_place *place, const char *value, char **ret,
                  struct config_error *error) {
        _cleanup_free_ char *result = NULL;
        struct utsname uts;
        size_t size;
        FILE *f;

        if (uname(&uts) < 0)
                return -errno;

        f = open_memstream(&result, &size);
        if (!f)
                return -errno;
        for (const char *p = value; *p; p++) {
                if (*p != '%')
                        fputc(*p, f);
                else if (p[1] == 'r')
                        fputs(uts.release, f), p++;
                else if (p[1] == '%')
                        fputc('%', f), p++;
                else {
                        fclose(f);
                        return config_error_set(
                                        error, place,
                                        "has an unknown specifier; known are %%r (kernel release) and %%%%");
                }
        }
        if (fclose(f) != 0)
                return -ENOMEM;

        *ret = take_pointer(&result);
        return 0;
}

/**
 * config_set_directory() - take an absolute path
 * @place:      where it stands
 * @value:      the path; %r is the running kernel's release, %% a percent sign
 * @field:      what it is set to; what it held is given back
 * @error:      filled on -EINVAL
 *
 * Return: 0 or a negative errno.
 */
int config_set_directory(const struct config_place *place, const char *value, char **field,
                         struct config_error *error) {
        char *expanded = NULL;
        int r;

        r = expand(place, value, &expanded, error);
        if (r < 0)
                return r;
        if (!expanded || expanded[0] != '/') {
                free(expanded);
                return config_error_set(error, place, "must be an absolute path");
        }
        free(*field);
        *field = expanded;
        return 0;
}

/**
 * config_set_boolean() - take a yes or no
 * @place:      where it stands
 * @value:      yes, true, on, 1, or no, false, off, 0
 * @field:      what it is set to
 * @error:      filled on -EINVAL
 *
 * Return: 0 or a negative errno.
 */
int config_set_boolean(const struct config_place *place, const char *value, bool *field,
                       struct config_error *error) {
        static const char *const yes[] = { "yes", "true", "on", "1" }, *const no[] = { "no", "false", "off",
                                                                                       "0" };

        for (size_t i = 0; i < sizeof yes / sizeof *yes; i++) {
                if (strcmp(value, yes[i]) == 0) {
                        *field = true;
                        return 0;
                }
                if (strcmp(value, no[i]) == 0) {
                        *field = false;
                        return 0;
                }
        }
        return config_error_set(error, place, "must be yes or no");
}

/**
 * config_set_number() - take a whole number
 * @place:      where it stands
 * @value:      decimal digits
 * @min:        the smallest number to take
 * @max:        the largest one, below a thousand million
 * @field:      what it is set to
 * @error:      filled on -EINVAL
 *
 * Return: 0 or a negative errno.
 */
int config_set_number(const struct config_place *place, const char *value, unsigned min, unsigned max,
                      unsigned *field, struct config_error *error) {
        size_t n = strspn(value, "0123456789");
        unsigned long number;

        assert(max < 1000000000);
        /* Nine digits fit into any type of integer here. */
        number = n > 0 && n <= 9 && !value[n] ? strtoul(value, NULL, 10) : ULONG_MAX;
        if (number < min || number > max)
                return config_error_set(error, place, "must be a whole number from %u to %u", min, max);
        *field = (unsigned) number;
        return 0;
}

static int words_add(struct words *words, const char *word) {
        char **items = reallocarray(words->items, words->n + 2, sizeof *items);

        if (!items)
                return -ENOMEM;
        words->items = items;
        items[words->n] = strdup(word);
        if (!items[words->n])
                return -ENOMEM;
        items[++words->n] = NULL;
        return 0;
}

/* Why a word cannot stand in a list, or NULL if it can; may change it. */
typedef const char *(*check_word_t)(char *word);

/* A later file replaces the list of an earlier one, so that an administrator can also take words out. */
static int set_words(const struct config_place *place, const char *value, check_word_t check,
                     struct words *field, struct config_error *error) {
        _cleanup_(words_clear) struct words result = { 0 };
        _cleanup_free_ char *copy = strdup(value);
        char *state = NULL;

        if (!copy)
                return -ENOMEM;
        for (char *word = strtok_r(copy, " \t", &state); word; word = strtok_r(NULL, " \t", &state)) {
                const char *wrong = check(word);

                if (wrong)
                        return config_error_set(error, place, "has the word '%s', %s", word, wrong);
                if (words_add(&result, word) < 0)
                        return -ENOMEM;
        }
        words_clear(field);
        *field = result;
        result = (struct words){ 0 };
        return 0;
}

static const char *check_pattern(char *word) {
        if (strspn(word, MODULE_NAME_CHARACTERS "*?[]!^") != strlen(word))
                return "which cannot match a module's name; use letters, digits, - and _, and *, ? and [] for any";
        module_name_normalize(word);
        return NULL;
}

/**
 * config_set_patterns() - take a list of shell patterns of module names
 * @place:      where it stands
 * @value:      the words, separated by blanks; - and _ are the same
 * @field:      what it is set to, normalized; what it held is given back
 * @error:      filled on -EINVAL
 *
 * Return: 0 or a negative errno.
 */
int config_set_patterns(const struct config_place *place, const char *value, struct words *field,
                        struct config_error *error) {
        return set_words(place, value, check_pattern, field, error);
}

static const char *check_filesystem_type(char *word) {
        return filesystem_is_known(word)
                               ? NULL
                               : "a type of filesystem that moduled does not know; see moduled.conf(5) for those that it does";
}

/**
 * config_set_filesystem_types() - take a list of types of filesystems
 * @place:      where it stands
 * @value:      the words, separated by blanks
 * @field:      what it is set to; what it held is given back
 * @error:      filled on -EINVAL
 *
 * Return: 0 or a negative errno.
 */
int config_set_filesystem_types(const struct config_place *place, const char *value, struct words *field,
                                struct config_error *error) {
        return set_words(place, value, check_filesystem_type, field, error);
}

static const char *check_requirement(char *word) {
        for (size_t i = 0; i < REQUIREMENT_MAX_; i++)
                if (strcmp(word, requirement_names[i]) == 0)
                        return NULL;
        return "which is unknown; known are read-only, dm-verity and fs-verity";
}

/**
 * config_set_requirements() - take a list of requirements
 * @place:      where it stands
 * @value:      the words, separated by blanks
 * @field:      by enum requirement, whether it was named
 * @error:      filled on -EINVAL
 *
 * Return: 0 or a negative errno.
 */
int config_set_requirements(const struct config_place *place, const char *value, bool *field,
                            struct config_error *error) {
        _cleanup_(words_clear) struct words words = { 0 };
        int r;

        r = set_words(place, value, check_requirement, &words, error);
        if (r < 0)
                return r;
        for (size_t i = 0; i < REQUIREMENT_MAX_; i++) {
                field[i] = false;
                for (size_t j = 0; j < words.n; j++)
                        field[i] = field[i] || strcmp(words.items[j], requirement_names[i]) == 0;
        }
        return 0;
}

/**
 * requirement_name() - what a requirement is called in Require=
 * @requirement:        the requirement
 *
 * Return: the name, static.
 */
const char *requirement_name(enum requirement requirement) {
        assert(requirement < REQUIREMENT_MAX_);
        return requirement_names[requirement];
}
