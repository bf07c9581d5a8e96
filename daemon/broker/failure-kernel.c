/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Failure: kernel
 *
 * The named errors for what the kernel says of a load or an unload, each with a sentence that says what to do next, and
 * with the lines of the kernel's log that the loader has picked and escaped.
 */

#include <errno.h>
#include <string.h>

#include "cleanup.h"
#include "failure.h"
#include "names.h"
#include "system.h"

#define NOT_FOR_THIS_KERNEL "is not a module for the running kernel; install the one that was built for it."
#define MISSES_SYMBOLS                                                                                      \
        "needs symbols that the kernel does not have; load the modules that it depends on first."
#define NOT_SIGNED                                                                                          \
        "has no signature that this kernel accepts; install a module that is signed by a key it trusts."
#define SEE_KERNEL_LOG "an administrator finds more in the kernel's log."
#define UNLOAD_REFUSED "cannot be unloaded; the kernel refused"

static int set(sd_bus_error *ret, const char *name, const char *module, const char *what, const char *log) {
        return sd_bus_error_setf(ret, name, "Module %s %s%s%s%s", module, what,
                                 log[0] ? " The kernel said: " : "", log, log[0] ? "." : "");
}

/* With the errno's symbol where it has one: a module's documentation, or its source, says what it means by that. */
static int set_errno(sd_bus_error *ret, const char *name, const char *module, const char *what, int error,
                     const char *log) {
        const char *symbol = strerrorname_np(error);
        _cleanup_free_ char *sentence = NULL;
        int r;

        r = symbol ? asprintf(&sentence, "%s: %s, %s; " SEE_KERNEL_LOG, what, symbol, strerror(error))
                   : asprintf(&sentence, "%s: %d, an error without a name; " SEE_KERNEL_LOG, what, error);
        if (r < 0)
                return -ENOMEM;
        return set(ret, name, module, sentence, log);
}

/* Where it is hidden from us it counts as off. */
static bool is_locked_down(void) {
        _cleanup_free_ char *mode = NULL;

        return system_lockdown(&mode) >= 0 && mode[0] && strcmp(mode, "none") != 0;
}

/*
 * The kernel tells of a signature that lockdown misses, but only ten times in five seconds; of everything else that it
 * denies by this errno it tells always (module_blacklist=) or not here (a security module).
 */
static int kernel_denial(int error, const char *module, const char *log, sd_bus_error *ret) {
        if (error == EPERM && system_modules_state() == MODULES_DISABLED)
                return set(ret, MODULED_ERROR_MODULES_DISABLED, module,
                           "cannot be loaded: loading is switched off until the next boot "
                           "(kernel.modules_disabled=1); reboot to load it.",
                           log);
        if (error == EPERM && !log[0] && is_locked_down())
                return set(ret, MODULED_ERROR_SIGNATURE_REJECTED, module, NOT_SIGNED, log);
        return set(ret, MODULED_ERROR_KERNEL_REFUSED, module,
                   "was refused by the kernel's security policy; an administrator finds the reason in the "
                   "kernel's log.",
                   log);
}

/* What the kernel says of the file, before it looks at parameters. */
static int kernel_refusal(int error, const char *module, const char *log, sd_bus_error *ret) {
        switch (error) {
        case EEXIST:
                return set(ret, MODULED_ERROR_ALREADY_LOADED, module,
                           "is loaded already; to load it anew, unload it first.", log);
        case EBUSY:
                return set(ret, MODULED_ERROR_IN_USE, module,
                           "was just being loaded by somebody else, who did not succeed; try again.", log);
        case ENOEXEC:
        case ESRCH:
                return set(ret, MODULED_ERROR_INCOMPATIBLE, module, NOT_FOR_THIS_KERNEL, log);
        case ENOENT:
                return set(ret, MODULED_ERROR_UNKNOWN_SYMBOL, module, MISSES_SYMBOLS, log);
        case ENOKEY:
        case EKEYREJECTED:
        case EBADMSG:
                return set(ret, MODULED_ERROR_SIGNATURE_REJECTED, module, NOT_SIGNED, log);
        case EINVAL:
                return set(ret, MODULED_ERROR_KERNEL_REFUSED, module,
                           "was refused as invalid; its file may be damaged, so install it anew.", log);
        case ENOSYS:
                return set(ret, MODULED_ERROR_MODULES_DISABLED, module,
                           "cannot be loaded: this kernel was built without loadable modules; boot another one.",
                           log);
        case EOPNOTSUPP:
                return set(ret, MODULED_ERROR_COMPRESSION_UNSUPPORTED, module,
                           "is compressed in a way that this kernel cannot undo; install it uncompressed.",
                           log);
        case ETXTBSY:
                return set(ret, MODULED_ERROR_KERNEL_REFUSED, module,
                           "is open for writing; wait until its installation has ended.", log);
        case EPERM:
        case EACCES:
                return kernel_denial(error, module, log, ret);
        default:
                return set_errno(ret, MODULED_ERROR_KERNEL_REFUSED, module, "was refused by the kernel",
                                 error, log);
        }
}

/**
 * failure_from_kernel_load() - the error for what the kernel said of a load
 * @reply:      the loader's answer, of OUTCOME_KERNEL
 * @module:     the module's name
 * @ret:        the error
 *
 * Return: a negative errno, as sd_bus_error_set() does.
 */
int failure_from_kernel_load(const struct loader_reply *reply, const char *module, sd_bus_error *ret) {
        switch ((enum cause) reply->cause) {
        case CAUSE_VERSION:
                return set(ret, MODULED_ERROR_INCOMPATIBLE, module, NOT_FOR_THIS_KERNEL, reply->text);
        case CAUSE_SYMBOL:
                return set(ret, MODULED_ERROR_UNKNOWN_SYMBOL, module, MISSES_SYMBOLS, reply->text);
        case CAUSE_SIGNATURE:
                return set(ret, MODULED_ERROR_SIGNATURE_REJECTED, module, NOT_SIGNED, reply->text);
        case CAUSE_PARAMETER:
                return set(ret, MODULED_ERROR_BAD_PARAMETERS, module,
                           "does not take these parameters; correct the value that the kernel names.",
                           reply->text);
        case CAUSE_INIT:
                return set_errno(ret, MODULED_ERROR_INIT_FAILED, module,
                                 "did not initialize; its init returned", reply->error, reply->text);
        case CAUSE_KERNEL:
                break;
        }
        return kernel_refusal(reply->error, module, reply->text, ret);
}

/**
 * failure_from_kernel_unload() - the error for what the kernel said of an unload
 * @error:      positive errno
 * @module:     the module's name
 * @ret:        the error
 *
 * Return: a negative errno, as sd_bus_error_set() does.
 */
int failure_from_kernel_unload(int error, const char *module, sd_bus_error *ret) {
        switch (error) {
        case ENOENT:
                return set(ret, MODULED_ERROR_NOT_LOADED, module,
                           "is not loaded; there is nothing to unload.", "");
        case EWOULDBLOCK:
                return set(ret, MODULED_ERROR_IN_USE, module,
                           "is in use; end what uses it, or unload the modules that depend on it first.",
                           "");
        case EBUSY:
                return set(ret, MODULED_ERROR_IN_USE, module,
                           "cannot be unloaded: it is just coming or going, or is made to stay until the next boot; try again, and if it stays so, reboot to be without it.",
                           "");
        case EPERM:
                if (system_modules_state() == MODULES_DISABLED)
                        return set(ret, MODULED_ERROR_MODULES_DISABLED, module,
                                   "cannot be unloaded: that is switched off until the next boot "
                                   "(kernel.modules_disabled=1); reboot to be without it.",
                                   "");
                return set_errno(ret, MODULED_ERROR_KERNEL_REFUSED, module, UNLOAD_REFUSED, error, "");
        case ENOSYS:
                return set(ret, MODULED_ERROR_MODULES_DISABLED, module,
                           "cannot be unloaded: this kernel was built without loadable modules; there is nothing to unload.",
                           "");
        default:
                return set_errno(ret, MODULED_ERROR_KERNEL_REFUSED, module, UNLOAD_REFUSED, error, "");
        }
}
