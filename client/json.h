/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

/* An object that is being written. */
struct json {
        FILE *file;
        bool any; /* whether it has a member yet */
};

struct json json_begin(FILE *file);
void json_end(struct json *json);
void json_name(struct json *json, const char *name);
void json_value(struct json *json, const char *raw);
void json_text(struct json *json, const char *name, const char *raw);
void json_number(struct json *json, const char *name, int64_t number);
void json_bool(struct json *json, const char *name, bool value);
void json_null(struct json *json, const char *name);
void json_list(struct json *json, const char *name, char **items);
