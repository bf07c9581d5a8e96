/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Reader
 *
 * Who may read the parameters that a module was loaded with: whoever loaded it, and root, for there may be a key among
 * them. To tell who asks the bus must be asked, and a getter of sd-bus's has to answer at once. So the calls of
 * org.freedesktop.DBus.Properties.Get that are about this property are taken out before sd-bus comes to its getters, and
 * become requests. GetAll leaves the property out, as its mark in the introspection says.
 */

#include <errno.h>
#include <string.h>

#include "cleanup.h"
#include "failure.h"
#include "names.h"
#include "reader.h"
#include "request.h"

#define PROPERTY "Parameters"

static void proceed(struct request *request) {
        const struct module *module = registry_find(request->context->registry, request->items[0].name);
        const struct user *user = request->user;

        if (!module)
                (void) sd_bus_reply_method_errorf(
                                request->message, MODULED_ERROR_NOT_LOADED,
                                "Module %s is not loaded any more; there is nothing to read.",
                                request->items[0].name);
        else if (user->uid != 0 && user->uid != module->loaded_by)
                (void) sd_bus_reply_method_errorf(
                                request->message, SD_BUS_ERROR_ACCESS_DENIED,
                                "The parameters of module %s are shown to whoever loaded it, and "
                                "to root; ask one of them.",
                                module->name);
        else
                (void) sd_bus_reply_method_return(request->message, "v", "s", module->parameters);
        request_free(request);
}

/* 1 if @message asks for the property; its arguments stand at their beginning afterwards. */
static int is_for_parameters(sd_bus_message *message) {
        const char *interface, *property;
        int r;

        if (sd_bus_message_is_method_call(message, "org.freedesktop.DBus.Properties", "Get") <= 0 ||
            sd_bus_message_has_signature(message, "ss") <= 0)
                return 0;
        r = sd_bus_message_read(message, "ss", &interface, &property);
        if (r >= 0)
                r = (!*interface || strcmp(interface, MODULED_MODULE_INTERFACE) == 0) &&
                    strcmp(property, PROPERTY) == 0;
        (void) sd_bus_message_rewind(message, true);
        return r;
}

static int on_message(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        const char *path = sd_bus_message_get_path(message);
        struct context *context = userdata;
        _cleanup_free_ char *name = NULL;
        int r;

        r = path ? sd_bus_path_decode(path, MODULED_MODULE_PREFIX, &name) : 0;
        if (r <= 0 || is_for_parameters(message) <= 0 || !registry_find(context->registry, name))
                return 0;
        r = request_begin_named(context, message, "check", proceed, name, error);
        if (r < 0 && !sd_bus_error_is_set(error))
                (void) failure_from_errno(r, error);
        if (r < 0)
                r = sd_bus_reply_method_error(message, error);
        return r < 0 ? r : 1;
}

/**
 * reader_refuse() - the getter of the property, for a call that was not taken out
 * @bus:        and all else as sd_bus_property_get_t has it
 *
 * Return: a negative errno, always.
 */
int reader_refuse(sd_bus *bus, const char *path, const char *interface, const char *property,
                  sd_bus_message *reply, void *userdata, sd_bus_error *error) {
        (void) bus;
        (void) path;
        (void) interface;
        (void) property;
        (void) reply;
        (void) userdata;
        return sd_bus_error_set(
                        error, SD_BUS_ERROR_ACCESS_DENIED,
                        "The parameters are shown one module at a time; read the property by itself, with Get.");
}

/**
 * reader_attach() - answer questions for a module's parameters
 * @context:    the broker's context
 *
 * To be called before any other filter is added, for the one that was added last sees a message first, and the others
 * must see those that end here.
 *
 * Return: 0 or a negative errno.
 */
int reader_attach(struct context *context) {
        int r = sd_bus_add_filter(context->bus, NULL, on_message, context);

        return r < 0 ? r : 0;
}
