/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Limits
 *
 * What one caller, and all together, may have under way, and how long things may take. Each has a default that does for
 * a desktop with some users and for a server with many, and a range outside which moduled could not hold its promises.
 */

#include <stddef.h>
#include <string.h>

#include "config-value.h"
#include "limit.h"
#include "protocol.h"

/* Each request has a match rule of its own, of which the system bus allows 512 (max_match_rules_per_connection). */
#define REQUESTS_MAX 400
/* The system bus relays 16 descriptors in one message (max_message_unix_fds). */
#define MODULES_MAX 16
/* Time enough for whatever is worth waiting for; with more a mistake would look like a service that hangs. */
#define SECONDS_MAX (24 * 60 * 60)

struct limit {
        const char *key;
        size_t offset;
        unsigned min, max, initial;
};

#define LIMIT(key, field, min, max, initial)                                                                \
        { key, offsetof(struct limits, field), min, max, initial }

static const struct limit known[] = {
        /* A request is held for minutes while somebody looks for a password; nobody has so many modules to load. */
        LIMIT("RequestsPerUser", requests_per_user, 1, REQUESTS_MAX, 32),
        /* Eight users who do their worst, and match rules to spare for what else the service listens to. */
        LIMIT("RequestsInAll", requests_in_all, 1, REQUESTS_MAX, 256),
        /* Nobody can read more than one at a time; the second is for another session of the same user. */
        LIMIT("PromptsPerUser", prompts_per_user, 1, REQUESTS_MAX, 2),
        /* Eight users at their agents. polkit and the agents hold memory for each. */
        LIMIT("PromptsInAll", prompts_in_all, 1, REQUESTS_MAX, 16),
        /* The longest chain in Debian's kernels is shorter. */
        LIMIT("ModulesPerCall", modules_per_call, 1, MODULES_MAX, 16),
        /* As long as the loader takes. */
        LIMIT("ParameterLength", parameter_length, 0, PROTOCOL_PARAMETERS_MAX, PROTOCOL_PARAMETERS_MAX),
        /* Five minutes to find the password, or who knows it. */
        LIMIT("PromptSec", prompt_sec, 1, SECONDS_MAX, 300),
        /* It is done in milliseconds; this is for a machine that is busy with something else. */
        LIMIT("InspectionSec", inspection_sec, 1, SECONDS_MAX, 10),
        /* Hardware that has to be probed may take some seconds; after this somebody should know. */
        LIMIT("InitWarnSec", init_warn_sec, 1, SECONDS_MAX, 30),
        /* Who loads one module often loads another. */
        LIMIT("IdleSec", idle_sec, 1, SECONDS_MAX, 60),
};

#define N_KNOWN (sizeof known / sizeof *known)

static unsigned *field_of(struct limits *limits, const struct limit *limit) {
        return (unsigned *) ((char *) limits + limit->offset);
}

/**
 * limits_default() - the limits that hold unless moduled.conf says otherwise
 * @ret:        all of them
 */
void limits_default(struct limits *ret) {
        for (size_t i = 0; i < N_KNOWN; i++)
                *field_of(ret, &known[i]) = known[i].initial;
}

/**
 * limits_assign() - take an assignment in [Limits]
 * @place:      where it stands, with a key
 * @value:      what stands after the equals sign
 * @limits:     the limits, of which it sets one
 * @error:      filled on -EINVAL
 *
 * Return: 0, -EINVAL if there is no such limit or the value is outside its range, or another negative errno.
 */
int limits_assign(const struct config_place *place, const char *value, struct limits *limits,
                  struct config_error *error) {
        for (size_t i = 0; i < N_KNOWN; i++)
                if (strcmp(place->key, known[i].key) == 0)
                        return config_set_number(place, value, known[i].min, known[i].max,
                                                 field_of(limits, &known[i]), error);
        return config_error_set(
                        error, place,
                        "is not a key of [Limits]; known are RequestsPerUser=, RequestsInAll=, "
                        "PromptsPerUser=, PromptsInAll=, ModulesPerCall=, ParameterLength=, PromptSec=, "
                        "InspectionSec=, InitWarnSec= and IdleSec=");
}
