/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Manager
 *
 * The object /org/moduled1: takes calls apart, hands them to requests, and says what it knows of the kernel. The
 * interface is described in dbus/org.moduled1.xml.
 */

#include <errno.h>
#include <string.h>

#include "announce.h"
#include "build.h"
#include "check.h"
#include "cleanup.h"
#include "load.h"
#include "manager.h"
#include "module-name.h"
#include "module.h"
#include "names.h"
#include "origin.h"
#include "request.h"
#include "system.h"
#include "unload.h"

static int method_load(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        struct context *context = userdata;
        struct wanted wanted;
        int r;

        r = sd_bus_message_read(message, "hst", &wanted.fd, &wanted.parameters, &wanted.flags);
        if (r < 0)
                return r;
        return load_begin(context, message, &wanted, 1, false, error);
}

static int read_wanted(sd_bus_message *message, unsigned max, struct wanted *ret, size_t *ret_n,
                       sd_bus_error *error) {
        struct wanted wanted;
        size_t n = 0;
        int r;

        r = sd_bus_message_enter_container(message, 'a', "(hst)");
        if (r < 0)
                return r;
        while ((r = sd_bus_message_read(message, "(hst)", &wanted.fd, &wanted.parameters, &wanted.flags)) >
               0) {
                if (n == max)
                        return sd_bus_error_setf(
                                        error, SD_BUS_ERROR_LIMITS_EXCEEDED,
                                        "One call takes %u modules at the most; make several calls, "
                                        "dependencies first.",
                                        max);
                ret[n++] = wanted;
        }
        if (r < 0)
                return r;
        if (n == 0)
                return sd_bus_error_set(error, SD_BUS_ERROR_INVALID_ARGS,
                                        "There is no module in the list; name one.");
        *ret_n = n;
        return sd_bus_message_exit_container(message);
}

static int method_load_many(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        struct context *context = userdata;
        struct wanted wanted[ITEMS_MAX];
        size_t n = 0;
        int r;

        r = read_wanted(message, context->config->limits.modules_per_call, wanted, &n, error);
        if (r >= 0)
                r = sd_bus_message_enter_container(message, 'a', "{sv}");
        if (r < 0)
                return r;
        if (sd_bus_message_at_end(message, false) <= 0)
                return sd_bus_error_set(error, SD_BUS_ERROR_INVALID_ARGS,
                                        "The options of LoadMany are for the future; they must be empty.");
        r = sd_bus_message_exit_container(message);
        return r < 0 ? r : load_begin(context, message, wanted, n, true, error);
}

static int method_check(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        struct context *context = userdata;
        int fd, r;

        r = sd_bus_message_read(message, "h", &fd);
        return r < 0 ? r : check_begin(context, message, fd, error);
}

static int method_unload(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        struct context *context = userdata;
        const char *name;
        uint64_t flags;
        int r;

        r = sd_bus_message_read(message, "st", &name, &flags);
        if (r < 0)
                return r;
        return unload_begin(context, message, name, flags, error);
}

static int method_get_module(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        struct context *context = userdata;
        _cleanup_free_ char *path = NULL;
        char name[MODULE_NAME_MAX + 1];
        const char *given;
        int r;

        r = sd_bus_message_read(message, "s", &given);
        if (r < 0)
                return r;
        if (!module_name_is_plain(given))
                return sd_bus_error_set(
                                error, SD_BUS_ERROR_INVALID_ARGS,
                                "This cannot be the name of a module; give one of letters, digits, - and _.");
        (void) snprintf(name, sizeof name, "%s", given);
        module_name_normalize(name);
        if (!registry_find(context->registry, name))
                return sd_bus_error_setf(
                                error, MODULED_ERROR_NOT_LOADED,
                                "moduled has not loaded a module %s; 'modctl list' shows those that it has.",
                                name);

        r = announce_path(name, &path);
        return r < 0 ? r : sd_bus_reply_method_return(message, "o", path);
}

static int append_words(sd_bus_message *reply, const char *key, char **words) {
        int r;

        r = sd_bus_message_open_container(reply, 'e', "sv");
        if (r >= 0)
                r = sd_bus_message_append(reply, "s", key);
        if (r >= 0)
                r = sd_bus_message_open_container(reply, 'v', "as");
        if (r >= 0)
                r = sd_bus_message_append_strv(reply, words);
        if (r >= 0)
                r = sd_bus_message_close_container(reply);
        return r < 0 ? r : sd_bus_message_close_container(reply);
}

/* Only what the origin asks for. */
static int append_requirements(sd_bus_message *reply, const struct origin *origin) {
        char *names[REQUIREMENT_MAX_ + 1] = { NULL };
        size_t n = 0;
        int r = 0;

        for (size_t i = 0; i < REQUIREMENT_MAX_; i++)
                if (origin->requires[i])
                        names[n++] = (char *) requirement_name((enum requirement) i);
        if (origin->mount_point)
                r = sd_bus_message_append(reply, "{sv}", "MountPoint", "s", origin->mount_point);
        if (r >= 0 && origin->filesystem_types.n > 0)
                r = append_words(reply, "FilesystemType", origin->filesystem_types.items);
        if (r >= 0 && n > 0)
                r = append_words(reply, "Require", names);
        return r;
}

static int append_origin(sd_bus_message *reply, const struct origin *origin) {
        _cleanup_(finding_clear) struct finding finding = { 0 };
        _cleanup_free_ char *reason = NULL;
        int holds, r;

        holds = origin_examine(origin, &finding);
        if (holds < 0)
                return holds;
        reason = holds == 0 ? strdup("") : finding_reason(&finding);
        if (!reason)
                return -ENOMEM;

        r = sd_bus_message_open_container(reply, 'a', "{sv}");
        if (r >= 0)
                r = sd_bus_message_append(reply, "{sv}{sv}{sv}{sv}", "Name", "s", origin->name, "Directory",
                                          "s", origin->directory, "Holds", "b", holds == 0, "Reason", "s",
                                          reason);
        if (r >= 0)
                r = append_requirements(reply, origin);
        return r < 0 ? r : sd_bus_message_close_container(reply);
}

static int method_list_origins(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
        const struct context *context = userdata;
        const struct origin *origin;
        int r;

        (void) error;
        r = sd_bus_message_new_method_return(message, &reply);
        if (r >= 0)
                r = sd_bus_message_open_container(reply, 'a', "a{sv}");
        TAILQ_FOREACH(origin, &context->config->origins, link)
                if (r >= 0)
                        r = append_origin(reply, origin);
        if (r >= 0)
                r = sd_bus_message_close_container(reply);
        return r < 0 ? r : sd_bus_send(NULL, reply, NULL);
}

/* What every getter gets and none of these needs. */
#define GETTER(name)                                                                                        \
        static int name(sd_bus *bus __attribute__((unused)), const char *path __attribute__((unused)),      \
                        const char *interface __attribute__((unused)),                                      \
                        const char *property __attribute__((unused)), sd_bus_message *reply,                \
                        void *userdata __attribute__((unused)),                                             \
                        sd_bus_error *error __attribute__((unused)))

static int append_text(sd_bus_message *reply, int (*read)(char **)) {
        _cleanup_free_ char *text = NULL;
        int r;

        r = read(&text);
        return r < 0 ? r : sd_bus_message_append(reply, "s", text);
}

GETTER(get_version) {
        return sd_bus_message_append(reply, "s", PROJECT_VERSION);
}

GETTER(get_kernel_release) {
        return append_text(reply, system_kernel_release);
}

GETTER(get_modules_disabled) {
        int r = system_modules_state();

        return r < 0 ? r : sd_bus_message_append(reply, "b", r != MODULES_ENABLED);
}

GETTER(get_signature_enforced) {
        int r = system_signature_enforced();

        return r < 0 ? r : sd_bus_message_append(reply, "b", r);
}

GETTER(get_lockdown) {
        return append_text(reply, system_lockdown);
}

GETTER(get_decompression) {
        return append_text(reply, system_decompression);
}

static const sd_bus_vtable manager_vtable[] = {
        SD_BUS_VTABLE_START(0),
        SD_BUS_METHOD_WITH_ARGS("Load", SD_BUS_ARGS("h", descriptor, "s", parameters, "t", flags),
                                SD_BUS_RESULT("o", module), method_load, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD_WITH_ARGS("LoadMany", SD_BUS_ARGS("a(hst)", modules, "a{sv}", options),
                                SD_BUS_RESULT("a(ob)", loaded), method_load_many,
                                SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD_WITH_ARGS("Check", SD_BUS_ARGS("h", descriptor), SD_BUS_RESULT("a{sv}", verdict),
                                method_check, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD_WITH_ARGS("GetModule", SD_BUS_ARGS("s", name), SD_BUS_RESULT("o", module),
                                method_get_module, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD_WITH_ARGS("ListOrigins", SD_BUS_NO_ARGS, SD_BUS_RESULT("aa{sv}", origins),
                                method_list_origins, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD_WITH_ARGS("Unload", SD_BUS_ARGS("s", name, "t", flags), SD_BUS_NO_RESULT,
                                method_unload, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_SIGNAL_WITH_ARGS("ModuleLoaded", SD_BUS_ARGS("s", name, "o", module), 0),
        SD_BUS_SIGNAL_WITH_ARGS("ModuleUnloaded", SD_BUS_ARGS("s", name, "o", module), 0),
        SD_BUS_PROPERTY("Version", "s", get_version, 0, SD_BUS_VTABLE_PROPERTY_CONST),
        SD_BUS_PROPERTY("KernelRelease", "s", get_kernel_release, 0, SD_BUS_VTABLE_PROPERTY_CONST),
        SD_BUS_PROPERTY("ModulesDisabled", "b", get_modules_disabled, 0, 0),
        SD_BUS_PROPERTY("SignatureEnforced", "b", get_signature_enforced, 0, 0),
        SD_BUS_PROPERTY("Lockdown", "s", get_lockdown, 0, 0),
        SD_BUS_PROPERTY("Decompression", "s", get_decompression, 0, SD_BUS_VTABLE_PROPERTY_CONST),
        SD_BUS_VTABLE_END,
};

/**
 * manager_attach() - put the manager's object on the bus
 * @context:    the broker's context
 *
 * Return: 0 or a negative errno.
 */
int manager_attach(struct context *context) {
        int r;

        r = sd_bus_add_object_vtable(context->bus, NULL, MODULED_OBJECT_PATH, MODULED_MANAGER_INTERFACE,
                                     manager_vtable, context);
        return r < 0 ? r : module_objects_attach(context);
}
