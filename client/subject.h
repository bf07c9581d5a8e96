/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <systemd/sd-bus.h>

struct subject;

struct subject *subject_new(sd_bus_message *call);
struct subject *subject_free(struct subject *subject);
const char *subject_under_way(const struct subject *subject, bool *ret_is_unload);
bool subject_is_coming(const char *name);
void subject_tell_interrupted(const struct subject *subject);

static inline void subject_freep(struct subject **subject) {
        (void) subject_free(*subject);
}
