/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stdint.h>
#include <systemd/sd-bus.h>

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

struct authority;
struct authority_query;

typedef void (*authority_answer_t)(enum authority_answer answer, void *userdata);

int authority_new(sd_bus *bus, struct authority **ret);
struct authority *authority_free(struct authority *authority);

int authority_query_new(struct authority *authority, const char *sender, const char *action,
                        const struct authority_details *details, uint64_t prompt_usec,
                        authority_answer_t answer, void *userdata, struct authority_query **ret);
struct authority_query *authority_query_free(struct authority_query *query);
