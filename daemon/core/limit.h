/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

struct config_error;
struct config_place;

/* How much may be under way, and for how long: [Limits] in moduled.conf. */
struct limits {
        unsigned requests_per_user;
        unsigned requests_in_all;
        unsigned prompts_per_user;
        unsigned prompts_in_all;
        unsigned modules_per_call;
        unsigned parameter_length; /* in bytes */
        unsigned prompt_sec;
        unsigned inspection_sec;
        unsigned init_warn_sec;
        unsigned idle_sec;
};

void limits_default(struct limits *ret);
int limits_assign(const struct config_place *place, const char *value, struct limits *limits,
                  struct config_error *error);
