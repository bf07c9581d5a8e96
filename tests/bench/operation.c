/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Operation
 *
 * One thing whose time is taken: a call of moduled's or of another service's, or a system call.
 */

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <string.h>
#include <sys/syscall.h>

#include "cleanup.h"
#include "names.h"
#include "operation.h"

/* In µs: an emulated machine with a hundred callers is slow. */
#define TIMEOUT (100 * UINT64_C(1000000))
#define CHAIN_MAX 16

static const char *const names[KINDS] = {
        [LOAD] = "load",         [UNLOAD] = "unload",   [CHAIN] = "chain",   [CHECK] = "check",
        [REFUSED] = "refused",   [LIMITED] = "limited", [POLKIT] = "polkit", [VERSION] = "version",
        [HOSTNAME] = "hostname", [INSERT] = "insert",   [REMOVE] = "remove",
};

/**
 * operation_parse() - read an operation
 * @text:       KIND or KIND:ARGUMENT; a % in the argument is a number in four digits
 * @ret:        the operation
 *
 * Return: 0 or -EINVAL.
 */
int operation_parse(const char *text, struct operation *ret) {
        size_t n = strcspn(text, ":");

        if (strlen(text) >= sizeof ret->argument)
                return -EINVAL;
        strcpy(ret->argument, text[n] ? text + n + 1 : "");
        for (unsigned i = 0; i < KINDS; i++)
                if (strlen(names[i]) == n && strncmp(names[i], text, n) == 0) {
                        ret->kind = (enum kind) i;
                        return 0;
                }
        return -EINVAL;
}

static void expand(const char *pattern, unsigned index, char ret[ARGUMENT_MAX + 4]) {
        const char *percent = strchr(pattern, '%');

        if (!percent)
                (void) snprintf(ret, ARGUMENT_MAX + 4, "%s", pattern);
        else
                (void) snprintf(ret, ARGUMENT_MAX + 4, "%.*s%04u%s", (int) (percent - pattern), pattern,
                                index, percent + 1);
}

static int open_file(const char *path) {
        int fd = open(path, O_RDONLY | O_CLOEXEC);

        return fd < 0 ? -errno : fd;
}

static int new_call(sd_bus *bus, const char *member, sd_bus_message **ret) {
        return sd_bus_message_new_method_call(bus, ret, MODULED_BUS_NAME, MODULED_OBJECT_PATH,
                                              MODULED_MANAGER_INTERFACE, member);
}

/* sd-bus keeps a copy of the descriptor. */
static int append_file(sd_bus_message *message, enum kind kind, const char *path) {
        _cleanup_close_ int fd = open_file(path);

        if (fd < 0)
                return fd;
        switch (kind) {
        case CHECK:
                return sd_bus_message_append(message, "h", fd);
        case CHAIN:
                return sd_bus_message_append(message, "(hst)", fd, "", UINT64_C(0));
        default:
                return sd_bus_message_append(message, "hst", fd, "", UINT64_C(0));
        }
}

static int append_chain(sd_bus_message *message, const char *argument) {
        char path[ARGUMENT_MAX + 4], *pattern;
        unsigned long n = strtoul(argument, &pattern, 10);
        int r;

        if (*pattern != ':' || n == 0 || n > CHAIN_MAX)
                return -EINVAL;
        r = sd_bus_message_open_container(message, 'a', "(hst)");
        for (unsigned i = 0; r >= 0 && i < n; i++) {
                expand(pattern + 1, i, path);
                r = append_file(message, CHAIN, path);
        }
        if (r >= 0)
                r = sd_bus_message_close_container(message);
        return r < 0 ? r : sd_bus_message_append(message, "a{sv}", 0);
}

/* With the details that moduled gives, so that rules have as much to look at. */
static int new_question(sd_bus *root, const char *subject, const char *path, sd_bus_message **ret) {
        const char *file = strrchr(path, '/') ? strrchr(path, '/') + 1 : path;
        char module[ARGUMENT_MAX + 4];
        int r;

        (void) snprintf(module, sizeof module, "%.*s", (int) strcspn(file, "."), file);
        r = sd_bus_message_new_method_call(root, ret, "org.freedesktop.PolicyKit1",
                                           "/org/freedesktop/PolicyKit1/Authority",
                                           "org.freedesktop.PolicyKit1.Authority", "CheckAuthorization");
        if (r < 0)
                return r;
        return sd_bus_message_append(*ret, "(sa{sv})sa{ss}us", "system-bus-name", 1, "name", "s", subject,
                                     MODULED_ACTION_LOAD, 4, "module", module, "path", path, "origin",
                                     "modules", "parameters", "", 0, "");
}

static int new_get(sd_bus *bus, enum kind kind, sd_bus_message **ret) {
        const char *name = kind == VERSION ? MODULED_BUS_NAME : "org.freedesktop.hostname1";
        int r;

        r = sd_bus_message_new_method_call(
                        bus, ret, name, kind == VERSION ? MODULED_OBJECT_PATH : "/org/freedesktop/hostname1",
                        "org.freedesktop.DBus.Properties", "Get");
        if (r < 0)
                return r;
        return sd_bus_message_append(*ret, "ss", kind == VERSION ? MODULED_MANAGER_INTERFACE : name,
                                     kind == VERSION ? "Version" : "Hostname");
}

static int new_message(const struct operation *operation, const char *argument, sd_bus *bus, sd_bus *root,
                       sd_bus_message **ret) {
        const char *subject;
        int r;

        switch (operation->kind) {
        case LOAD:
        case REFUSED:
        case LIMITED:
        case CHECK:
                r = new_call(bus, operation->kind == CHECK ? "Check" : "Load", ret);
                return r < 0 ? r : append_file(*ret, operation->kind, argument);
        case CHAIN:
                r = new_call(bus, "LoadMany", ret);
                return r < 0 ? r : append_chain(*ret, operation->argument);
        case UNLOAD:
                r = new_call(bus, "Unload", ret);
                return r < 0 ? r : sd_bus_message_append(*ret, "st", argument, UINT64_C(0));
        case POLKIT:
                r = sd_bus_get_unique_name(bus, &subject);
                return r < 0 ? r : new_question(root, subject, argument, ret);
        case VERSION:
        case HOSTNAME:
                return new_get(bus, operation->kind, ret);
        case INSERT:
        case REMOVE:
        case KINDS:
                break;
        }
        return -EINVAL;
}

static int make_system_call(enum kind kind, const char *argument) {
        _cleanup_close_ int fd = -1;

        if (kind == REMOVE)
                return syscall(SYS_delete_module, argument, O_NONBLOCK) < 0 ? -errno : 0;
        fd = open_file(argument);
        if (fd < 0)
                return fd;
        return syscall(SYS_finit_module, fd, "", strstr(argument, ".ko.") ? 4 : 0) < 0 ? -errno : 0;
}

/**
 * operation_send() - begin an operation
 * @operation:  the operation
 * @index:      what stands for a % in the argument
 * @bus:        the caller's connection
 * @root:       a connection of root's
 * @answer:     called with the answer
 * @userdata:   handed to @answer
 * @ret:        the call, while it is under way; owned by the caller
 *
 * Return: 1 if it is under way, 0 if it is done already, or a negative errno.
 */
int operation_send(const struct operation *operation, unsigned index, sd_bus *bus, sd_bus *root,
                   sd_bus_message_handler_t answer, void *userdata, sd_bus_slot **ret) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *message = NULL;
        char argument[ARGUMENT_MAX + 4];
        int r;

        expand(operation->argument, index, argument);
        if (operation->kind == INSERT || operation->kind == REMOVE)
                return make_system_call(operation->kind, argument);
        r = new_message(operation, argument, bus, root, &message);
        if (r >= 0)
                r = sd_bus_call_async(operation->kind == POLKIT ? root : bus, ret, message, answer, userdata,
                                      TIMEOUT);
        return r < 0 ? r : 1;
}

static int is_yes(sd_bus_message *reply) {
        int authorized = 0, r;

        r = sd_bus_message_enter_container(reply, 'r', "bba{ss}");
        if (r >= 0)
                r = sd_bus_message_read(reply, "b", &authorized);
        return r >= 0 && authorized;
}

/**
 * operation_judge() - is an answer the one that was to come
 * @operation:  the operation
 * @reply:      the answer
 *
 * What is refused is quick; if it was not to be refused, nothing has been measured.
 *
 * Return: 1 if it is, 0 if not.
 */
int operation_judge(const struct operation *operation, sd_bus_message *reply) {
        switch (operation->kind) {
        case REFUSED:
                return sd_bus_message_is_method_error(reply, MODULED_ERROR_ORIGIN_REFUSED);
        case LIMITED:
                return sd_bus_message_is_method_error(reply, MODULED_ERROR_ORIGIN_REFUSED) ||
                       sd_bus_message_is_method_error(reply, SD_BUS_ERROR_LIMITS_EXCEEDED);
        case POLKIT:
                return !sd_bus_message_is_method_error(reply, NULL) && is_yes(reply);
        default:
                return !sd_bus_message_is_method_error(reply, NULL);
        }
}
