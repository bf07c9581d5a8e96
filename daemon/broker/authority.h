/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stdint.h>
#include <systemd/sd-bus.h>
#include <systemd/sd-event.h>

#include "quota.h"

enum authority_answer {
        AUTHORITY_YES = 0,
        AUTHORITY_NO,        /* by a rule, by default, or because the password was wrong */
        AUTHORITY_KEPT,      /* polkit would have it count for other modules, too */
        AUTHORITY_CHALLENGE, /* somebody would have to be asked, and may not be */
        AUTHORITY_DISMISSED, /* somebody was asked and closed the prompt */
        AUTHORITY_TIMED_OUT, /* nobody answered */
        AUTHORITY_ABSENT,    /* there is no polkit, or it does not answer */
};

/* Shown in the prompt and looked at by rules, under these names. NULL is left out. */
struct authority_details {
        const char *module;
        const char *path;
        const char *origin;
        const char *parameters;
        const char *modules;
};

/* Somebody may be asked for a password. It is one of the user's prompts until polkit has closed it. */
struct authority_prompt {
        struct user *user;
        uint64_t usec; /* how long, in µs */
};

struct authority;
struct authority_query;

typedef void (*authority_answer_t)(enum authority_answer answer, void *userdata);

int authority_new(sd_event *event, sd_bus *bus, struct authority **ret);
struct authority *authority_free(struct authority *authority);

int authority_query_new(struct authority *authority, const char *sender, const char *action,
                        const struct authority_details *details, const struct authority_prompt *prompt,
                        authority_answer_t answer, void *userdata, struct authority_query **ret);
struct authority_query *authority_query_free(struct authority_query *query);
