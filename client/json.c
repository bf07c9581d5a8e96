/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * JSON
 *
 * Objects, member by member. libsmartcols writes JSON, too, but one document with one table, and an empty list as one
 * with null in it (2.38); here are also objects with a table in them, and a document a line.
 */

#include <inttypes.h>

#include "cleanup.h"
#include "json.h"
#include "message.h"

/**
 * json_begin() - begin an object
 * @file:       where it is written; borrowed
 *
 * Return: the object, to be ended by json_end().
 */
struct json json_begin(FILE *file) {
        fputc('{', file);
        return (struct json){ .file = file };
}

/**
 * json_end() - end an object
 * @json:       the object
 */
void json_end(struct json *json) {
        fputc('}', json->file);
}

/**
 * json_name() - begin a member whose value the caller writes
 * @json:       the object
 * @name:       the member's name, without anything that JSON would have escaped
 */
void json_name(struct json *json, const char *name) {
        fprintf(json->file, "%s\"%s\": ", json->any ? ", " : "", name);
        json->any = true;
}

/**
 * json_value() - write a text
 * @json:       the object
 * @raw:        the text, any bytes
 *
 * After printable() only two characters mean something to JSON.
 */
void json_value(struct json *json, const char *raw) {
        _cleanup_free_ char *text = printable(raw);

        fputc('"', json->file);
        for (const char *p = text ? text : ""; *p; p++) {
                if (*p == '"' || *p == '\\')
                        fputc('\\', json->file);
                fputc(*p, json->file);
        }
        fputc('"', json->file);
}

/**
 * json_text() - write a member that is a text
 * @json:       the object
 * @name:       its name
 * @raw:        its value, any bytes; NULL is null
 */
void json_text(struct json *json, const char *name, const char *raw) {
        json_name(json, name);
        if (raw)
                json_value(json, raw);
        else
                fputs("null", json->file);
}

/**
 * json_number() - write a member that is a number
 * @json:       the object
 * @name:       its name
 * @number:     its value
 */
void json_number(struct json *json, const char *name, int64_t number) {
        json_name(json, name);
        fprintf(json->file, "%" PRId64, number);
}

/**
 * json_bool() - write a member that is true or false
 * @json:       the object
 * @name:       its name
 * @value:      its value
 */
void json_bool(struct json *json, const char *name, bool value) {
        json_name(json, name);
        fputs(value ? "true" : "false", json->file);
}

/**
 * json_null() - write a member that is null
 * @json:       the object
 * @name:       its name
 */
void json_null(struct json *json, const char *name) {
        json_text(json, name, NULL);
}

/**
 * json_list() - write a member that is a list of texts
 * @json:       the object
 * @name:       its name
 * @items:      up to NULL; NULL is an empty list
 */
void json_list(struct json *json, const char *name, char **items) {
        json_name(json, name);
        fputc('[', json->file);
        for (size_t i = 0; items && items[i]; i++) {
                fputs(i == 0 ? "" : ", ", json->file);
                json_value(json, items[i]);
        }
        fputc(']', json->file);
}
