/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Failure, of an inspection
 *
 * The named errors for what a file says of itself, or does not.
 */

#include <errno.h>
#include <string.h>

#include "arguments.h"
#include "cleanup.h"
#include "escape.h"
#include "failure.h"
#include "names.h"

#define NAME_SHOWN_MAX 128
#define LIST_SHOWN_MAX 1024

static const char *what_is_wrong(int result) {
        switch ((enum modinfo_outcome) result) {
        case MODINFO_NOT_ELF:
                return "is no ELF file";
        case MODINFO_WRONG_MACHINE:
                return "was built for another kind of machine";
        case MODINFO_NOT_RELOCATABLE:
                return "is a program or a library";
        case MODINFO_MALFORMED:
                return "is damaged or cut short";
        case MODINFO_NO_MODINFO:
                return "has no section .modinfo";
        case MODINFO_NO_NAME:
                return "does not say the module's name";
        case MODINFO_OTHER_NAME:
                return "holds a module of another name";
        case MODINFO_TOO_LARGE:
                return "is too large, itself or unpacked";
        case MODINFO_TIMED_OUT:
                return "takes too long to look into";
        case MODINFO_KILLED:
        case MODINFO_UNSUPPORTED_COMPRESSION:
        case MODINFO_GOOD:
                break;
        }
        return "cannot be looked into";
}

/**
 * failure_from_inspection() - the error for a file that is no module
 * @result:     a MODINFO_ other than MODINFO_GOOD, or a negative errno
 * @module:     the module's name, by the file's
 * @ret:        the error
 *
 * Return: a negative errno, as sd_bus_error_set() does.
 */
int failure_from_inspection(int result, const char *module, sd_bus_error *ret) {
        if (result < 0)
                return sd_bus_error_setf(ret, SD_BUS_ERROR_FAILED,
                                         "The file of module %s could not be looked into: %s; try again.",
                                         module, strerror(-result));
        if (result == MODINFO_UNSUPPORTED_COMPRESSION)
                return sd_bus_error_setf(
                                ret, MODULED_ERROR_COMPRESSION_UNSUPPORTED,
                                "Module %s is compressed in a way that moduled cannot look into; install it "
                                "uncompressed.",
                                module);
        return sd_bus_error_setf(
                        ret, MODULED_ERROR_NOT_A_MODULE,
                        "The file of module %s %s, so it is not a module for this machine; install it "
                        "anew.",
                        module, what_is_wrong(result));
}

/**
 * failure_from_arguments() - the error for a parameter that a module does not have
 * @parameters: the caller's parameters
 * @info:       what the module says of itself
 * @module:     its name
 * @ret:        the error
 *
 * Return: 0 if it has them all, or a negative errno, as sd_bus_error_set() does.
 */
int failure_from_arguments(const char *parameters, const struct modinfo *info, const char *module,
                           sd_bus_error *ret) {
        _cleanup_free_ char *name = NULL, *declared = NULL, *shown = NULL, *list = NULL;
        int r;

        r = arguments_find_undeclared(parameters, info, &name);
        if (r <= 0)
                return r;
        declared = arguments_declared(info);
        shown = escape(name, NAME_SHOWN_MAX);
        list = declared ? escape(declared, LIST_SHOWN_MAX) : NULL;
        if (!shown || !list)
                return -ENOMEM;
        return sd_bus_error_setf(ret, MODULED_ERROR_BAD_PARAMETERS,
                                 "Module %s has no parameter '%s'; %s%s%s.", module, shown,
                                 list[0] ? "it has " : "it has none: leave it out", list,
                                 list[0] ? ": use one of these" : "");
}
