/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * A caller's parameters, up to the first NUL, and after it the names that a module declares, a line each.
 */

#include <string.h>

#include "arguments.h"
#include "cleanup.h"
#include "fuzz.h"
#include "policy.h"
#include "protocol.h"

DEFINE_CLEANUP(struct modinfo *, modinfo_free);

static void check_arguments(const char *list) {
        const char *end = list + strlen(list), *rest = list;
        size_t sum = 0;

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
        }
        CHECK(sum <= strlen(list));
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
        _cleanup_free_ char *list = strndup((const char *) data, size), *names = NULL, *name = NULL,
                            *declared = NULL;
        _cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
        _cleanup_(modinfo_freep) struct modinfo *info = NULL;
        size_t n;
        int r;

        CHECK(list);
        n = strlen(list) + 1;
        names = n < size ? strndup((const char *) data + n, size - n) : strdup("");
        CHECK(names);
        info = module_of(names);

        r = policy_check_parameters(&config, list, &error);
        CHECK((r < 0) == (sd_bus_error_is_set(&error) != 0));
        check_arguments(list);
        r = arguments_find_undeclared(list, info, &name);
        CHECK(r == (name ? 1 : 0));
        declared = arguments_declared(info);
        CHECK(declared);
        return 0;
}
