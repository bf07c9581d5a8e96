/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stdbool.h>
#include <systemd/sd-event.h>

#include "agent.h"
#include "subject.h"

struct progress {
        const struct subject *subject; /* or NULL */
        bool may_ask;                  /* somebody may be asked for a password */
        const struct agent *agent;     /* or NULL */
        size_t width;                  /* of what is on the terminal now */
};

int progress_start(struct progress *progress, sd_event *event);
void progress_clear(struct progress *progress);
