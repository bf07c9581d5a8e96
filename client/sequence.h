/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "resolve.h"

/* One module on the way to the one that is wanted. */
struct step {
        struct kmod_module *module;
        unsigned softdep; /* 0 if the target cannot be loaded without it; else the soft dependency that it is for */
        bool is_target;
        bool has_softdeps; /* such a module's `install` command is passed over; see softdep in modprobe.d(5) */
};

struct sequence {
        struct step *items;
        size_t n;
        unsigned n_softdeps;
};

int sequence_new(struct resolver *resolver, struct kmod_module *target, struct sequence *ret);
void sequence_clear(struct sequence *sequence);
