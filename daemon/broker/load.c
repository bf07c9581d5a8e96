/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Load
 *
 * The methods Load and LoadMany, up to where everybody agrees: what can be known before anybody is asked; and then polkit,
 * while the inspector looks into the files.
 */

#include <errno.h>
#include <string.h>

#include "cleanup.h"
#include "delivery.h"
#include "failure.h"
#include "load.h"
#include "names.h"
#include "origin.h"
#include "policy.h"
#include "request.h"

static const struct item *item_of(const struct request *request, const struct question *question) {
        for (size_t i = 0; i < request->n_items; i++)
                if (question && question->details.module == request->items[i].name)
                        return &request->items[i];
        return NULL;
}

static void on_authorization(enum authorization_outcome outcome, enum authority_answer answer,
                             const struct question *question, void *userdata) {
        _cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
        struct request *request = userdata;
        int r;

        if (outcome != AUTHORIZATION_GIVEN) {
                r = failure_from_authorization(outcome, answer, question, &error);
                request_fail(request, item_of(request, question), r, &error);
                return;
        }
        request->authorized = true;
        if (request->n_inspections == 0)
                delivery_begin(request);
}

/* What was found in the file may end the request while somebody still looks for a password: then the prompt goes. */
static void on_inspection(int result, struct modinfo *info, void *userdata) {
        _cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
        struct item *item = userdata;
        struct request *request = item->request;
        int r;

        request->n_inspections--;
        r = item_inspected(item, result, info, &error);
        if (r < 0)
                request_fail(request, item, r, &error);
        else if (request->authorized && request->n_inspections == 0)
                delivery_begin(request);
}

/* Beside polkit's answer, which takes longer. */
static int inspect(struct request *request) {
        for (size_t i = 0; i < request->n_items; i++) {
                struct item *item = &request->items[i];
                int r;

                if (item->state != ITEM_WANTED)
                        continue;
                r = inspection_new(request->context->inspector, item->fd, item->name, on_inspection, item,
                                   &item->inspection);
                if (r < 0)
                        return r;
                request->n_inspections++;
        }
        return 0;
}

static void add_questions(const struct item *item, struct question *questions, size_t *n) {
        struct authority_details details = {
                .module = item->name,
                .path = item->path,
                .origin = item->origin,
                .parameters = item->parameters,
        };

        questions[(*n)++] = (struct question){ .action = MODULED_ACTION_LOAD, .details = details };
        if (item->parameters[0])
                questions[(*n)++] = (struct question){ .action = MODULED_ACTION_LOAD_WITH_PARAMETERS,
                                                       .details = details };
        if (item->flags != 0)
                questions[(*n)++] = (struct question){ .action = MODULED_ACTION_LOAD_FORCED,
                                                       .details = details };
}

static void authorize(struct request *request) {
        struct question questions[QUESTIONS_MAX];
        struct asker asker;
        size_t n = 0;
        int r;

        for (size_t i = 0; i < request->n_items; i++)
                if (request->items[i].state == ITEM_WANTED)
                        add_questions(&request->items[i], questions, &n);
        if (n == 0) {
                delivery_begin(request);
                return;
        }
        r = delivery_prepare(request);
        if (r < 0) {
                request_fail_errno(request, &request->items[0], r, "The loader cannot be reached");
                return;
        }
        request_asker(request, &asker);
        asker.one_prompt = request->chain;
        r = authorization_new(&asker, questions, n, on_authorization, request, &request->authorization);
        if (r < 0) {
                request_fail_errno(request, &request->items[0], r, "polkit cannot be asked");
                return;
        }
        request_learn_unit(request);
        r = inspect(request);
        if (r < 0)
                request_fail_errno(request, &request->items[0], r, "The file could not be looked into");
}

static bool stands_before(const struct request *request, size_t index) {
        for (size_t i = 0; i < index; i++)
                if (strcmp(request->items[i].name, request->items[index].name) == 0)
                        return true;
        return false;
}

/* Everything that can be known before anybody is asked. */
static int check(struct request *request, size_t index, sd_bus_error *error) {
        _cleanup_(finding_clear) struct finding finding = { 0 };
        struct item *item = &request->items[index];
        int r;

        r = item_verify(item, request->context->config, &finding, error);
        if (r >= 0)
                r = item_check(item, request->context->config, request->context->modprobe, error);
        if (request->chain && (r >= 0 ? stands_before(request, index)
                                      : sd_bus_error_has_name(error, MODULED_ERROR_ALREADY_LOADED))) {
                item->state = ITEM_PASSED;
                sd_bus_error_free(error);
                return 0;
        }
        return r;
}

static void proceed(struct request *request) {
        _cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
        const struct item *item = NULL;
        int r;

        r = policy_check_modules_enabled(&error);
        for (size_t i = 0; r >= 0 && i < request->n_items; i++) {
                item = &request->items[i];
                r = check(request, i, &error);
        }
        if (r < 0)
                request_fail(request, item, r, &error);
        else
                authorize(request);
}

/**
 * load_begin() - begin a load
 * @context:    the broker's context
 * @message:    the call; answered when the request ends
 * @wanted:     what is to be loaded, in this order
 * @n:          how many, 1 to ITEMS_MAX; 1 unless @chain
 * @chain:      whether it is LoadMany
 * @error:      set on failure
 *
 * To be called from the message's handler.
 *
 * Return: 1 if the request is under way, or a negative errno if it was not begun.
 */
int load_begin(struct context *context, sd_bus_message *message, const struct wanted *wanted, size_t n,
               bool chain, sd_bus_error *error) {
        struct request *request;
        int r;

        r = request_new(context, message, "load", proceed, &request, error);
        if (r < 0)
                return r;
        request->chain = chain;
        for (size_t i = 0; r >= 0 && i < n; i++) {
                r = item_set(&request->items[i], context->config, wanted[i].fd, wanted[i].parameters,
                             wanted[i].flags, error);
                if (r >= 0)
                        request->n_items++;
        }
        if (r < 0) {
                request_free(request);
                return r;
        }
        return request_begin(request);
}
