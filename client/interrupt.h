/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <signal.h>
#include <stdbool.h>

/* The signals that would end us, held back. */
struct interrupt {
        int fd; /* readable once there is one; not to be read, or the signal is lost; -1 if none is held back */
        sigset_t outer_mask;
};

void interrupt_hold(struct interrupt *interrupt);
bool interrupt_is_pending(const struct interrupt *interrupt);
void interrupt_release(struct interrupt *interrupt);
