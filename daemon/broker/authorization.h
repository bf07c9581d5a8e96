/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stdbool.h>

#include "authority.h"
#include "config.h"
#include "quota.h"

/* The most that one call can need: three actions for each of 16 modules. */
#define QUESTIONS_MAX 48

/* May the caller do this? Strings are borrowed and stay until the authorization is freed. */
struct question {
        const char *action;
        struct authority_details details;
};

/* Who wants to know, and how far one may go to find out. */
struct asker {
        struct authority *authority;
        const char *sender; /* unique name on the bus; borrowed until the authorization is freed */
        struct user *user;  /* the same */
        bool may_prompt;    /* the message allows it */
        bool one_prompt;    /* for all that remains, by the action load-many; else one for each question */
        uint64_t prompt_usec;
        unsigned prompts_per_user, prompts_in_all;
};

enum authorization_outcome {
        AUTHORIZATION_GIVEN = 0,
        AUTHORIZATION_REFUSED, /* by the answer to the question */
        AUTHORIZATION_LIMITED, /* somebody would have to be prompted, and there are too many prompts already */
};

struct authorization;

/* @question is what was refused; NULL if it was given. It, and its strings, live until the authorization is freed. */
typedef void (*authorization_done_t)(enum authorization_outcome outcome, enum authority_answer answer,
                                     const struct question *question, void *userdata);

int authorization_new(const struct asker *asker, const struct question *questions, size_t n,
                      authorization_done_t done, void *userdata, struct authorization **ret);
struct authorization *authorization_free(struct authorization *authorization);
