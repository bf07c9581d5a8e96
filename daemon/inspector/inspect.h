/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stdint.h>
#include <systemd/sd-event.h>

#include "modinfo.h"
#include "zygote.h"

struct inspector;
struct inspection;

/*
 * What came of an inspection: 0, a MODINFO_, or a negative errno. @info is what the file says of itself as far as it
 * could be read, or NULL; owned by who is called.
 */
typedef void (*inspection_answer_t)(int result, struct modinfo *info, void *userdata);
typedef void (*inspector_died_t)(void *userdata);

int inspector_new(struct inspector **ret);
int inspector_attach(struct inspector *inspector, sd_event *event, inspector_died_t died, void *userdata);
const struct zygote_link *inspector_zygote(const struct inspector *inspector);
void inspector_set_time(struct inspector *inspector, uint64_t usec);
struct inspector *inspector_free(struct inspector *inspector);

int inspection_new(struct inspector *inspector, int fd, const char *expected, inspection_answer_t answer,
                   void *userdata, struct inspection **ret);
struct inspection *inspection_free(struct inspection *inspection);
int inspection_signal(const struct inspection *inspection);
