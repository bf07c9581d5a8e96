/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <systemd/sd-event.h>

#include "protocol.h"

struct loader_call;

/* error is 0, -ECONNRESET if the loader went away without an answer, or another negative errno; reply only if 0. */
typedef void (*loader_answer_t)(int error, const struct loader_reply *reply, void *userdata);

int loader_call_new(sd_event *event, const char *path, loader_answer_t answer, void *userdata,
                    struct loader_call **ret);
int loader_call_send(struct loader_call *call, const struct loader_request *request, int fd);
struct loader_call *loader_call_free(struct loader_call *call);
