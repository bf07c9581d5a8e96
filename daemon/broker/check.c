/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Check
 *
 * The method Check: the verdict that Load would reach on a descriptor, with its reasons, and what the file says of itself.
 * Nothing is loaded and nobody is asked. What stands inside the file is told only where an origin accepts it: else this
 * would be a way to read what the caller cannot, or to have bytes of the caller's parsed.
 *
 * The keys of the answer are described in org.moduled1(5).
 */

#include <errno.h>
#include <string.h>

#include "check.h"
#include "cleanup.h"
#include "escape.h"
#include "names.h"
#include "policy.h"
#include "report.h"
#include "request.h"

/* What the inspector tells is cut already; this bounds what is not. */
#define TEXT_MAX 4096

static int put_text(sd_bus_message *reply, const char *key, const char *text) {
        _cleanup_free_ char *escaped = NULL;

        if (!text)
                return 0;
        escaped = escape(text, TEXT_MAX);
        return escaped ? sd_bus_message_append(reply, "{sv}", key, "s", escaped) : -ENOMEM;
}

static int put_bool(sd_bus_message *reply, const char *key, bool value) {
        return sd_bus_message_append(reply, "{sv}", key, "b", (int) value);
}

/* Opens {sv} with an array of @type in it. */
static int open_array(sd_bus_message *reply, const char *key, const char *variant, const char *type) {
        int r;

        r = sd_bus_message_open_container(reply, 'e', "sv");
        if (r >= 0)
                r = sd_bus_message_append(reply, "s", key);
        if (r >= 0)
                r = sd_bus_message_open_container(reply, 'v', variant);
        return r < 0 ? r : sd_bus_message_open_container(reply, 'a', type);
}

static int close_array(sd_bus_message *reply) {
        int r = 0;

        for (size_t i = 0; i < 3 && r >= 0; i++)
                r = sd_bus_message_close_container(reply);
        return r;
}

static int put_list(sd_bus_message *reply, const char *key, const struct modinfo_list *list) {
        int r;

        r = open_array(reply, key, "as", "s");
        for (size_t i = 0; r >= 0 && i < list->n; i++) {
                _cleanup_free_ char *escaped = escape(list->items[i], TEXT_MAX);

                r = escaped ? sd_bus_message_append(reply, "s", escaped) : -ENOMEM;
        }
        return r < 0 ? r : close_array(reply);
}

static int put_parameters(sd_bus_message *reply, const struct modinfo *info) {
        int r;

        r = open_array(reply, "Parameters", "a(sss)", "(sss)");
        for (size_t i = 0; r >= 0 && i < info->n_parameters; i++) {
                const struct modinfo_parameter *parameter = &info->parameters[i];
                _cleanup_free_ char *name = escape(parameter->name, TEXT_MAX),
                                    *type = escape(parameter->type ? parameter->type : "", TEXT_MAX),
                                    *description = escape(parameter->description ? parameter->description
                                                                                 : "",
                                                          TEXT_MAX);

                r = name && type && description
                                    ? sd_bus_message_append(reply, "(sss)", name, type, description)
                                    : -ENOMEM;
        }
        return r < 0 ? r : close_array(reply);
}

static int put_info(sd_bus_message *reply, const struct modinfo *info) {
        const struct {
                const char *key, *text;
        } texts[] = {
                { "Name", info->name },
                { "ModuleVersion", info->version },
                { "License", info->license },
                { "Vermagic", info->vermagic },
                { "SrcVersion", info->srcversion },
                { "Compression", info->compression },
        };
        int r = 0;

        for (size_t i = 0; r >= 0 && i < sizeof texts / sizeof *texts; i++)
                r = put_text(reply, texts[i].key, texts[i].text);
        if (r >= 0)
                r = put_bool(reply, "Signed", info->is_signed);
        if (r >= 0)
                r = put_list(reply, "Depends", &info->depends);
        if (r >= 0)
                r = put_list(reply, "SoftDeps", &info->softdeps);
        return r < 0 ? r : put_parameters(reply, info);
}

static int put_report(sd_bus_message *reply, const struct report *report) {
        const struct fact *verity = report_find(report, "dm-verity");
        int r;

        r = open_array(reply, "Requirements", "a(sbbs)", "(sbbs)");
        for (size_t i = 0; r >= 0 && i < report->n; i++) {
                const struct fact *fact = &report->facts[i];
                _cleanup_free_ char *found = escape(fact->found, TEXT_MAX);

                r = found ? sd_bus_message_append(reply, "(sbbs)", fact->name, (int) fact->required,
                                                  (int) fact->holds, found)
                          : -ENOMEM;
        }
        if (r >= 0)
                r = close_array(reply);
        if (r >= 0)
                r = put_text(reply, "FilesystemType", report_find(report, "FilesystemType")->found);
        if (r >= 0)
                r = put_text(reply, "Superblock", report_find(report, "read-only")->found);
        return r < 0 ? r : put_text(reply, "VerityDevice", verity->holds ? verity->found : "");
}

static const struct origin *find_origin(const struct context *context, const char *name) {
        const struct origin *origin;

        TAILQ_FOREACH(origin, &context->config->origins, link)
                if (name && strcmp(origin->name, name) == 0)
                        return origin;
        return NULL;
}

/* What holds of the file where it is known to be the origin's own. */
static int put_origin(sd_bus_message *reply, const struct request *request) {
        const struct item *item = &request->items[0];
        const struct origin *origin = find_origin(request->context, item->origin);
        _cleanup_(report_clear) struct report report = { 0 };
        int r;

        r = put_text(reply, "Path", item->path);
        if (r >= 0)
                r = put_text(reply, "Origin", item->origin);
        if (r < 0 || !origin || !item->proven)
                return r;
        r = report_read(origin, item->path, &report);
        /* It went away while we looked. */
        if (r != 0)
                return r < 0 ? r : 0;
        return put_report(reply, &report);
}

/* @error is what Load would answer, if it is set. */
static void answer(struct request *request, const struct modinfo *info, const sd_bus_error *error) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
        _cleanup_(sd_bus_error_free) sd_bus_error ours = SD_BUS_ERROR_NULL;
        int r;

        r = sd_bus_message_new_method_return(request->message, &reply);
        if (r >= 0)
                r = sd_bus_message_open_container(reply, 'a', "{sv}");
        if (r >= 0)
                r = put_bool(reply, "Accepted", !sd_bus_error_is_set(error));
        if (r >= 0)
                r = put_text(reply, "Error", sd_bus_error_is_set(error) ? error->name : "");
        if (r >= 0)
                r = put_text(reply, "Reason", sd_bus_error_is_set(error) ? error->message : "");
        if (r >= 0)
                r = put_origin(reply, request);
        if (r >= 0 && info)
                r = put_info(reply, info);
        if (r >= 0)
                r = sd_bus_message_close_container(reply);
        if (r >= 0)
                r = sd_bus_send(NULL, reply, NULL);
        if (r < 0)
                request_fail(request, &request->items[0], r, &ours);
        else
                request_free(request);
}

static void on_inspection(int result, struct modinfo *info, void *userdata) {
        _cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
        struct item *item = userdata;
        struct request *request = item->request;

        (void) item_inspected(item, result, info, &error);
        answer(request, info, sd_bus_error_is_set(&request->failure) ? &request->failure : &error);
}

static void proceed(struct request *request) {
        _cleanup_(finding_clear) struct finding finding = { 0 };
        _cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
        struct context *context = request->context;
        struct item *item = &request->items[0];
        int r;

        /* Told together with what else is found. */
        r = policy_check_modules_enabled(&request->failure);
        if (r >= 0 || sd_bus_error_is_set(&request->failure))
                r = item_verify(item, context->config, &finding, &error);
        if (r < 0 && !sd_bus_error_is_set(&error)) {
                request_fail(request, item, r, &error);
                return;
        }
        if (r < 0) {
                answer(request, NULL, sd_bus_error_is_set(&request->failure) ? &request->failure : &error);
                return;
        }
        if (!sd_bus_error_is_set(&request->failure))
                (void) item_check(item, context->config, context->modprobe, &request->failure);
        r = inspection_new(context->inspector, item->fd, item->name, on_inspection, item, &item->inspection);
        if (r < 0)
                request_fail_errno(request, item, r, "The file could not be looked into");
}

/**
 * check_begin() - begin a check
 * @context:    the broker's context
 * @message:    the call; answered when the request ends
 * @fd:         what the message has in the place of the descriptor
 * @error:      set on failure
 *
 * To be called from the message's handler.
 *
 * Return: 1 if the request is under way, or a negative errno if it was not begun.
 */
int check_begin(struct context *context, sd_bus_message *message, int fd, sd_bus_error *error) {
        struct request *request;
        int r;

        r = request_new(context, message, "check", proceed, &request, error);
        if (r < 0)
                return r;
        r = item_set(&request->items[0], context->config, fd, "", 0, error);
        if (r < 0) {
                request_free(request);
                return r;
        }
        request->n_items = 1;
        return request_begin(request);
}
