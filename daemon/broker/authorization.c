/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Authorization
 *
 * All that polkit must allow for one call. Every question must be answered with yes. Where there are several, each is
 * asked without a prompt first, so that rules decide about each of them and nobody types a password for what a rule
 * forbids anyway; then somebody is prompted for what is left open: once for each question, or, where the call is about a
 * chain of modules, once for all of them.
 *
 * One question at a time: what many callers ask together must not fill the queue to polkit.
 */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "authorization.h"
#include "cleanup.h"
#include "names.h"

struct asked {
        struct question question;
        bool settled; /* the answer was yes */
};

struct authorization {
        struct asker asker;
        struct asked asked[QUESTIONS_MAX + 1]; /* the last one is for load-many */
        size_t n, next;
        bool prompts; /* this round may prompt */
        char *modules;
        struct authority_query *query;
        authorization_done_t done;
        void *userdata;
};

static int ask_next(struct authorization *authorization);

static bool may_prompt_now(const struct asker *asker) {
        return asker->may_prompt && asker->user->prompts < asker->prompts_per_user &&
               asker->user->users->prompts < asker->prompts_in_all;
}

static void finish(struct authorization *authorization, enum authorization_outcome outcome,
                   enum authority_answer answer) {
        const struct question *question =
                        outcome == AUTHORIZATION_GIVEN ? NULL
                                                       : &authorization->asked[authorization->next].question;

        authorization->done(outcome, answer, question, authorization->userdata);
}

static void on_answer(enum authority_answer answer, void *userdata) {
        struct authorization *authorization = userdata;
        struct asked *asked = &authorization->asked[authorization->next];

        authorization->query = authority_query_free(authorization->query);
        if (answer == AUTHORITY_YES || (answer == AUTHORITY_ABSENT && authorization->asker.user->uid == 0))
                asked->settled = true;
        else if (answer != AUTHORITY_CHALLENGE || authorization->prompts ||
                 !authorization->asker.may_prompt) {
                finish(authorization, AUTHORIZATION_REFUSED, answer);
                return;
        }
        authorization->next++;
        if (ask_next(authorization) < 0)
                finish(authorization, AUTHORIZATION_REFUSED, AUTHORITY_ABSENT);
}

static size_t count_open(const struct authorization *authorization) {
        size_t n = 0;

        for (size_t i = 0; i < authorization->n; i++)
                n += !authorization->asked[i].settled;
        return n;
}

static bool is_repeated(const struct authorization *authorization, size_t i) {
        for (size_t j = 0; j < i; j++)
                if (!authorization->asked[j].settled &&
                    strcmp(authorization->asked[j].question.details.module,
                           authorization->asked[i].question.details.module) == 0)
                        return true;
        return false;
}

/*
 * "a, b; b with x=1": the modules that are left, each once, and then the parameters that the caller chose, which may be
 * long and must not hide a module.
 */
static int name_modules(struct authorization *authorization) {
        const char *separator = "";
        size_t size;
        FILE *f;

        f = open_memstream(&authorization->modules, &size);
        if (!f)
                return -ENOMEM;
        for (size_t i = 0; i < authorization->n; i++) {
                if (authorization->asked[i].settled || is_repeated(authorization, i))
                        continue;
                fprintf(f, "%s%s", separator, authorization->asked[i].question.details.module);
                separator = ", ";
        }
        for (size_t i = 0; i < authorization->n; i++) {
                const struct authority_details *details = &authorization->asked[i].question.details;

                if (!authorization->asked[i].settled && !is_repeated(authorization, i) &&
                    details->parameters && details->parameters[0])
                        fprintf(f, "; %s with %s", details->module, details->parameters);
        }
        return fclose(f) != 0 ? -ENOMEM : 0;
}

/* What is left becomes one question. */
static int join(struct authorization *authorization) {
        struct asked *all = &authorization->asked[authorization->n];
        int r;

        r = name_modules(authorization);
        if (r < 0)
                return r;
        for (size_t i = 0; i < authorization->n; i++)
                authorization->asked[i].settled = true;
        all->question.action = MODULED_ACTION_LOAD_MANY;
        all->question.details.modules = authorization->modules;
        authorization->next = authorization->n++;
        return 0;
}

/* Return: 0 if a question is under way; 1 if all is answered, or done() was called; or a negative errno. */
static int second_round(struct authorization *authorization) {
        size_t open = count_open(authorization);

        if (open == 0) {
                finish(authorization, AUTHORIZATION_GIVEN, AUTHORITY_YES);
                return 1;
        }
        authorization->prompts = true;
        authorization->next = 0;
        /* Where one question is left, its own prompt says more. */
        return authorization->asker.one_prompt && open > 1 ? join(authorization) : 0;
}

static int ask_next(struct authorization *authorization) {
        const struct asker *asker = &authorization->asker;
        struct authority_prompt prompt = { .user = asker->user, .usec = asker->prompt_usec };
        const struct question *question;
        int r;

        while (authorization->next < authorization->n && authorization->asked[authorization->next].settled)
                authorization->next++;
        if (authorization->next == authorization->n) {
                r = second_round(authorization);
                return r != 0 ? r : ask_next(authorization);
        }
        if (authorization->prompts && !may_prompt_now(asker)) {
                finish(authorization, AUTHORIZATION_LIMITED, AUTHORITY_CHALLENGE);
                return 1;
        }

        question = &authorization->asked[authorization->next].question;
        return authority_query_new(asker->authority, asker->sender, question->action, &question->details,
                                   authorization->prompts ? &prompt : NULL, on_answer, authorization,
                                   &authorization->query);
}

/**
 * authorization_new() - ask for all that a call needs
 * @asker:      who wants to know; copied
 * @questions:  what must be allowed; copied, but for their strings
 * @n:          how many, 1 to QUESTIONS_MAX; those about one module stand together
 * @done:       called once, unless the authorization is freed before, never before this returns; may free it
 * @userdata:   handed to @done
 * @ret:        owned by the caller
 *
 * Return: 0 or a negative errno.
 */
int authorization_new(const struct asker *asker, const struct question *questions, size_t n,
                      authorization_done_t done, void *userdata, struct authorization **ret) {
        struct authorization *authorization;
        int r;

        if (n == 0 || n > QUESTIONS_MAX)
                return -EINVAL;
        authorization = calloc(1, sizeof *authorization);
        if (!authorization)
                return -ENOMEM;
        authorization->asker = *asker;
        /* Nobody is ever asked for root; and where polkit does not answer, root would have to wait as long as for a prompt. */
        if (asker->user->uid == 0)
                authorization->asker.may_prompt = false;
        for (size_t i = 0; i < n; i++)
                authorization->asked[i].question = questions[i];
        authorization->n = n;
        authorization->done = done;
        authorization->userdata = userdata;
        /* Where there is nothing to be found out first, polkit is asked once and not twice. */
        authorization->prompts = n == 1 && may_prompt_now(&authorization->asker);

        r = ask_next(authorization);
        if (r < 0) {
                authorization_free(authorization);
                return r;
        }
        *ret = authorization;
        return 0;
}

/**
 * authorization_free() - give back an authorization; a prompt that is still open is closed a second later
 * @authorization:      the authorization, or NULL
 *
 * Return: NULL.
 */
struct authorization *authorization_free(struct authorization *authorization) {
        if (!authorization)
                return NULL;
        authority_query_free(authorization->query);
        free(authorization->modules);
        free(authorization);
        return NULL;
}
