/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * A caller's parameters, the names that a module declares, a line each, and what an administrator set in modprobe.d; each
 * up to a NUL.
 */

#include <string.h>

#include "arguments.h"
#include "cleanup.h"
#include "fuzz.h"
#include "options.h"
#include "policy.h"
#include "protocol.h"

DEFINE_CLEANUP(struct modinfo *, modinfo_free);

/* Return: how many there are. */
static size_t check_arguments(const char *list) {
        const char *end = list + strlen(list), *rest = list;
        size_t sum = 0, n = 0;

        for (;;) {
                _cleanup_free_ char *name = NULL;
                const char *before = rest;
                int r = arguments_next(&rest, &name);

                CHECK(r >= 0 && rest >= before && rest <= end);
                if (r == 0)
                        break;
                /* Each takes something from the list, and no byte of it twice. */
                CHECK(rest > before && strlen(name) <= (size_t) (rest - before));
                sum += strlen(name);
                n++;
        }
        CHECK(sum <= strlen(list));
        return n;
}

static bool is_declared(const char *name, void *userdata) {
        return arguments_is_declared(userdata, name);
}

/* Put together they are what they were apart: no quote of the one reaches into the other. */
static void check_joined(char *set, const char *list, struct modinfo *info) {
        struct modprobe_option option = { .file = (char *) "/etc/modprobe.d/fuzz.conf", .text = set };
        const struct modprobe_policy policy = { .options = &option, .n_options = 1 };
        struct options options = { 0 };
        int r;

        r = options_join(&policy, list, is_declared, info, &options);
        CHECK(r >= OPTIONS_JOINED && r <= OPTIONS_TOO_LONG);
        CHECK((r == OPTIONS_JOINED) == (options.text != NULL));
        if (r == OPTIONS_JOINED)
                CHECK(check_arguments(options.text) + options.n_dropped ==
                      check_arguments(set) + check_arguments(list));
        options_clear(&options);
}

/* Return: the next field, copied. */
static char *take_field(const uint8_t **data, size_t *size) {
        char *field = strndup((const char *) *data, *size);
        size_t n;

        CHECK(field);
        n = strlen(field) < *size ? strlen(field) + 1 : *size;
        *data += n;
        *size -= n;
        return field;
}

static struct modinfo *module_of(char *names) {
        struct modinfo *info = modinfo_new();
        char *state = NULL;

        CHECK(info);
        info->parameters_complete = true;
        for (char *name = strtok_r(names, "\n", &state); name; name = strtok_r(NULL, "\n", &state)) {
                struct modinfo_parameter *parameter;

                if (modinfo_add_parameter(info, name, &parameter) == 0)
                        parameter->is_known = true;
        }
        return info;
}

static const struct config config = { .limits = { .parameter_length = PROTOCOL_PARAMETERS_MAX } };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        _cleanup_free_ char *list = take_field(&data, &size), *names = take_field(&data, &size),
                            *set = take_field(&data, &size), *name = NULL, *declared = NULL;
        _cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
        _cleanup_(modinfo_freep) struct modinfo *info = NULL;
        int r;

        info = module_of(names);

        r = policy_check_parameters(&config, list, &error);
        CHECK((r < 0) == (sd_bus_error_is_set(&error) != 0));
        if (r == 0)
                check_joined(set, list, info);
        (void) check_arguments(list);
        r = arguments_find_undeclared(list, info, &name);
        CHECK(r == (name ? 1 : 0));
        declared = arguments_declared(info);
        CHECK(declared);
        return 0;
}
