/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <sys/types.h>
#include <systemd/sd-bus.h>

struct callers;
struct caller_query;

typedef void (*callers_gone_t)(const char *name, void *userdata);

/* error is 0 or a negative errno: -ESRCH if the caller has left. pid is 0 if the bus does not know it. */
typedef void (*caller_answer_t)(int error, uid_t uid, pid_t pid, void *userdata);

int callers_new(sd_bus *bus, callers_gone_t gone, void *userdata, struct callers **ret);
struct callers *callers_free(struct callers *callers);

int caller_query_new(struct callers *callers, const char *sender, caller_answer_t answer, void *userdata,
                     struct caller_query **ret);
struct caller_query *caller_query_free(struct caller_query *query);
