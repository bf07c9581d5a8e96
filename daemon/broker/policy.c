/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Policy
 *
 * What can be known of a request before anybody is asked for a password: whether this kernel loads modules at all,
 * whether the configuration lets this name load, and whether there is anything to do.
 */

#include <stdbool.h>
#include <string.h>

#include "cleanup.h"
#include "escape.h"
#include "failure.h"
#include "modprobe.h"
#include "module-name.h"
#include "names.h"
#include "policy.h"
#include "protocol.h"
#include "system.h"

#define FILE_SHOWN_MAX 512

/**
 * policy_check_flags() - are these flags that a caller may pass
 * @flags:      as in the description of the interface
 * @error:      says what is wrong and what to do next
 *
 * Return: 0, or a negative errno with @error set.
 */
int policy_check_flags(uint64_t flags, sd_bus_error *error) {
        if (flags & POLICY_FLAG_COMPRESSED)
                return sd_bus_error_set(
                                error, SD_BUS_ERROR_INVALID_ARGS,
                                "Flag 4 is not the caller's to set: moduled sees by itself whether a file is "
                                "compressed. Leave it out.");
        if (flags & ~POLICY_FLAGS_FORCE)
                return sd_bus_error_set(
                                error, SD_BUS_ERROR_INVALID_ARGS,
                                "Unknown flags; known are 1 (ignore symbol versions) and 2 (ignore vermagic). Leave "
                                "out all others.");
        return 0;
}

/**
 * policy_check_parameters() - is this a list of parameters
 * @config:     the configuration
 * @parameters: as for insmod(8)
 * @error:      says what is wrong and what to do next
 *
 * The kernel splits at blanks outside double quotes (next_arg() in lib/cmdline.c).
 *
 * Return: 0, or a negative errno with @error set.
 */
int policy_check_parameters(const struct config *config, const char *parameters, sd_bus_error *error) {
        bool quoted = false;

        if (strlen(parameters) > config->limits.parameter_length)
                return sd_bus_error_setf(error, MODULED_ERROR_BAD_PARAMETERS,
                                         "The parameters are longer than %u bytes; shorten them.",
                                         config->limits.parameter_length);
        for (const char *p = parameters; *p; p++) {
                if (*p == '"')
                        quoted = !quoted;
                else if ((unsigned char) *p < 0x20 || *p == 0x7f)
                        return sd_bus_error_set(
                                        error, MODULED_ERROR_BAD_PARAMETERS,
                                        "The parameters hold a control character; separate them by blanks.");
        }
        if (quoted)
                return sd_bus_error_set(error, MODULED_ERROR_BAD_PARAMETERS,
                                        "A double quote in the parameters is not closed; close it.");
        return 0;
}

/**
 * policy_check_modules_enabled() - does this kernel load and unload modules now
 * @error:      says what is wrong and what to do next
 *
 * Return: 0, or a negative errno with @error set.
 */
int policy_check_modules_enabled(sd_bus_error *error) {
        int state = system_modules_state();

        if (state == MODULES_DISABLED)
                return sd_bus_error_set(
                                error, MODULED_ERROR_MODULES_DISABLED,
                                "Loading and unloading of modules is switched off until the next boot "
                                "(kernel.modules_disabled=1); reboot to have it again.");
        if (state == MODULES_UNSUPPORTED)
                return sd_bus_error_set(
                                error, MODULED_ERROR_MODULES_DISABLED,
                                "This kernel was built without loadable modules; boot one that has them.");
        return state < 0 ? state : 0;
}

/**
 * policy_check_name() - may a module of this name be loaded with these flags
 * @config:     the configuration
 * @name:       the module's name, normalized
 * @flags:      as in the description of the interface
 * @error:      says what is wrong and what to do next
 *
 * Return: 0, or a negative errno with @error set.
 */
int policy_check_name(const struct config *config, const char *name, uint64_t flags, sd_bus_error *error) {
        const char *pattern = NULL;

        if (flags != 0 && !config->allow_forced)
                return sd_bus_error_set(
                                error, MODULED_ERROR_POLICY_REFUSED,
                                "Ignoring symbol versions or vermagic is not allowed here; load the module "
                                "without force, or have an administrator set AllowForced=yes in moduled.conf.");
        if (config_allows_name(config, name, &pattern))
                return 0;
        return sd_bus_error_setf(
                        error, MODULED_ERROR_POLICY_REFUSED,
                        "Module %s is refused by %s in moduled.conf; an administrator can change that.",
                        name, pattern ? "DenyModules=" : "AllowModules=");
}

/**
 * policy_check_modprobe() - does modprobe.d, or the kernel's command line, let a module of this name load
 * @modprobe:   what reads modprobe.d
 * @name:       the module's name, normalized
 * @ret:        with the options that stand there; to be given to modprobe_policy_clear()
 * @error:      says what is wrong and what to do next
 *
 * Return: 0, or a negative errno with @error set.
 */
int policy_check_modprobe(struct modprobe *modprobe, const char *name, struct modprobe_policy *ret,
                          sd_bus_error *error) {
        _cleanup_(modprobe_policy_clear) struct modprobe_policy policy = { 0 };
        _cleanup_free_ char *file = NULL;
        int outcome;

        outcome = modprobe_query(modprobe, name, &policy);
        if (outcome == -ENOMEM)
                return outcome;
        if (outcome < 0)
                return sd_bus_error_setf(
                                error, SD_BUS_ERROR_FAILED,
                                "Whether modprobe.d lets module %s be loaded could not be found out: %s; "
                                "try again.",
                                name,
                                outcome == -EBADMSG ? "the process that reads it has died"
                                                    : strerror(-outcome));
        if (outcome == MODPROBE_NOTHING) {
                *ret = policy;
                policy = (struct modprobe_policy){ 0 };
                return 0;
        }
        file = escape(policy.file ? policy.file : "", FILE_SHOWN_MAX);
        if (!file)
                return -ENOMEM;
        switch ((enum modprobe_outcome) outcome) {
        case MODPROBE_BLACKLISTED:
                return sd_bus_error_setf(error, MODULED_ERROR_POLICY_REFUSED,
                                         "Module %s is blacklisted in %s; an administrator can change that.",
                                         name, file);
        case MODPROBE_INSTALL:
                return sd_bus_error_setf(
                                error, MODULED_ERROR_POLICY_REFUSED,
                                "Instead of loading module %s a command is to be run, says 'install' in %s, and "
                                "moduled does not do that; an administrator can change it.",
                                name, file);
        case MODPROBE_UNREADABLE:
                return sd_bus_error_setf(
                                error, MODULED_ERROR_POLICY_REFUSED,
                                "Whether module %s may be loaded cannot be known, because moduled cannot read %s "
                                "(%s); have an administrator make it readable for the user moduled.",
                                name, file, strerror(policy.error));
        case MODPROBE_NO_LIBRARY:
                return sd_bus_error_setf(
                                error, MODULED_ERROR_POLICY_REFUSED,
                                "Whether module %s may be loaded cannot be known, because moduled cannot load "
                                "libkmod, which reads modprobe.d; have an administrator install it (libkmod2).",
                                name);
        case MODPROBE_NOTHING:
                break;
        }
        return 0;
}

/**
 * policy_check_absent() - is a module not loaded yet
 * @name:       the module's name, normalized
 * @error:      says what is wrong and what to do next
 *
 * Return: 0, or a negative errno with @error set.
 */
int policy_check_absent(const char *name, sd_bus_error *error) {
        int state = system_module_state(name);

        if (state < 0)
                return state;
        return state == MODULE_ABSENT ? 0 : failure_from_module_state(state, name, error);
}

/**
 * policy_check_loaded() - is a module loaded, and can it be unloaded
 * @name:       the module's name, normalized
 * @error:      says what is wrong and what to do next
 *
 * Return: 0, or a negative errno with @error set.
 */
int policy_check_loaded(const char *name, sd_bus_error *error) {
        int state = system_module_state(name);

        if (state < 0)
                return state;
        if (state == MODULE_ABSENT)
                return sd_bus_error_setf(error, MODULED_ERROR_NOT_LOADED,
                                         "Module %s is not loaded; there is nothing to unload.", name);
        if (state == MODULE_BUILTIN)
                return sd_bus_error_setf(error, MODULED_ERROR_NOT_LOADED,
                                         "Module %s is built into this kernel; there is nothing to unload.",
                                         name);
        return 0;
}

/**
 * policy_check_compression() - can this kernel read the module's file
 * @name:       the module's name
 * @path:       the file's path
 * @error:      says what is wrong and what to do next
 *
 * Return: 0, or a negative errno with @error set.
 */
int policy_check_compression(const char *name, const char *path, sd_bus_error *error) {
        const char *format = module_compression_from_path(path);
        _cleanup_free_ char *kernel = NULL;
        int r;

        if (!format)
                return 0;
        r = system_decompression(&kernel);
        if (r < 0)
                return r;
        if (strcmp(kernel, format) == 0)
                return 0;
        return sd_bus_error_setf(
                        error, MODULED_ERROR_COMPRESSION_UNSUPPORTED,
                        "Module %s is compressed with %s, and this kernel %s%s; install it uncompressed.",
                        name, format, kernel[0] ? "decompresses only " : "decompresses nothing itself",
                        kernel);
}
