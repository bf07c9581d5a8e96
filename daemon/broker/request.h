/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "authorization.h"
#include "context.h"
#include "item.h"
#include "loader-client.h"
#include "turn.h"

/* The bus relays no more descriptors in one message (max_message_unix_fds). */
#define ITEMS_MAX 16

struct request;

typedef void (*request_step_t)(struct request *request);

/*
 * One call of a method, from the message to the reply. What it holds is given back by request_free(), in one place, and
 * what is still under way for it then is called off.
 */
struct request {
        struct context *context;
        sd_bus_message *message;
        const char *verb;       /* "load", "unload" or "check"; static */
        request_step_t proceed; /* what comes once it is known who calls, and it is that user's turn */
        request_step_t give_up; /* the caller has left: called in place of request_free() if not NULL */
        bool left;              /* nobody is there to be answered */

        struct parcel *parcel;
        struct user *user;
        pid_t pid;
        char *unit; /* NULL if it is not known, or if there is none */
        bool is_unit_learnt;

        struct item items[ITEMS_MAX];
        size_t n_items;
        size_t current; /* index of the item that the loader is at, or is to be */
        bool chain; /* LoadMany: what is loaded already is passed over, and all of it is undone if one fails */

        struct authorization *authorization;
        struct turn *turn;
        struct loader_call *loader;
        sd_event_source *slow; /* goes off when the loader takes long */
        bool authorized;
        size_t n_inspections; /* under way */
        bool undoing;
        sd_bus_error failure; /* what the call is answered with when all has been undone */

        struct caller_query *caller;
        struct backlog_entry backlog;
        LIST_ENTRY(request) link;
};

int request_new(struct context *context, sd_bus_message *message, const char *verb, request_step_t proceed,
                struct request **ret, sd_bus_error *error);
int request_begin(struct request *request);
int request_begin_named(struct context *context, sd_bus_message *message, const char *verb,
                        request_step_t proceed, const char *name, sd_bus_error *error);
void request_free(struct request *request);
void request_fail(struct request *request, const struct item *item, int r, sd_bus_error *error);
void request_fail_errno(struct request *request, const struct item *item, int r, const char *what);
void request_learn_unit(struct request *request);
void request_record(struct request *request, const struct item *item, const sd_bus_error *error);
void request_asker(const struct request *request, struct asker *ret);
void requests_refuse(struct context *context);
void requests_give_up(struct context *context, const char *sender);
void requests_drop(struct context *context);
