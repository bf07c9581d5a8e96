/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "config-file.h"

int config_set_directory(const struct config_place *place, const char *value, char **field,
                         struct config_error *error);
int config_set_boolean(const struct config_place *place, const char *value, bool *field,
                       struct config_error *error);
int config_set_number(const struct config_place *place, const char *value, unsigned min, unsigned max,
                      unsigned *field, struct config_error *error);
int config_set_patterns(const struct config_place *place, const char *value, struct words *field,
                        struct config_error *error);
int config_set_filesystem_types(const struct config_place *place, const char *value, struct words *field,
                                struct config_error *error);
int config_set_requirements(const struct config_place *place, const char *value, bool *field,
                            struct config_error *error);
void words_clear(struct words *words);
