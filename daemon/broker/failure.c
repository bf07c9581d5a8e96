/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Failure
 *
 * The named errors of the interface, each with a sentence that says what to do next. Whatever of the text comes from
 * outside has been escaped before it gets here.
 */

#include <assert.h>
#include <errno.h>
#include <string.h>

#include "cleanup.h"
#include "escape.h"
#include "failure.h"
#include "names.h"
#include "system.h"

#define SHOWN_MAX 512

/**
 * failure_from_errno() - the error for something that broke and has no words of its own
 * @error:      negative errno
 * @ret:        the error
 *
 * Return: a negative errno, as sd_bus_error_set() does.
 */
int failure_from_errno(int error, sd_bus_error *ret) {
        return sd_bus_error_setf(ret, error == -ENOMEM ? SD_BUS_ERROR_NO_MEMORY : SD_BUS_ERROR_FAILED,
                                 "moduled could not do this: %s; try again.", strerror(-error));
}

/**
 * failure_from_finding() - the error for a descriptor that is refused
 * @finding:    the finding; its verdict is not VERDICT_ACCEPTED
 * @ret:        the error
 *
 * Return: a negative errno, as sd_bus_error_set() does.
 */
int failure_from_finding(const struct finding *finding, sd_bus_error *ret) {
        _cleanup_free_ char *sentence = finding_explain(finding);

        if (!sentence)
                return -ENOMEM;
        switch (finding->verdict) {
        case VERDICT_PATH_ONLY:
        case VERDICT_NOT_READ_ONLY:
        case VERDICT_NOT_REGULAR:
        case VERDICT_DIRECT:
                return sd_bus_error_set(ret, MODULED_ERROR_BAD_DESCRIPTOR, sentence);
        case VERDICT_HIDDEN:
        case VERDICT_NO_PATH:
        case VERDICT_OUTSIDE:
        case VERDICT_NO_DIRECTORY:
        case VERDICT_DIRECTORY_FOREIGN:
        case VERDICT_NOT_MOUNTED:
        case VERDICT_ABSENT:
        case VERDICT_SYMLINK:
        case VERDICT_OTHER_MOUNT:
        case VERDICT_FOREIGN:
        case VERDICT_OTHER_FILE:
        case VERDICT_FILESYSTEM_TYPE:
        case VERDICT_WRITABLE:
        case VERDICT_NO_DM_VERITY:
        case VERDICT_NO_FS_VERITY:
                return sd_bus_error_set(ret, MODULED_ERROR_ORIGIN_REFUSED, sentence);
        case VERDICT_ACCEPTED:
        case VERDICT_MAX_:
                break;
        }
        assert(false);
        return -EINVAL;
}

static int set(sd_bus_error *ret, const char *name, const char *module, const char *what) {
        return sd_bus_error_setf(ret, name, "Module %s %s", module, what);
}

/* What became of it without an answer, only the kernel knows. */
static int crashed(const char *module, bool loads, sd_bus_error *ret) {
        int state = system_module_state(module);

        if (!loads)
                return set(ret, MODULED_ERROR_LOADER_CRASHED, module,
                           state == MODULE_ABSENT
                                           ? "is unloaded, but the process that did it was killed; have an "
                                             "administrator look at the kernel's log."
                                           : "was not unloaded, because the process that was to do it was killed; "
                                             "try again.");
        switch (state) {
        case MODULE_COMING:
                return set(ret, MODULED_ERROR_LOADER_CRASHED, module,
                           "took the process that was loading it down, probably by an oops in its init; do not load it "
                           "again, reboot soon, and report the oops in the kernel's log.");
        case MODULE_LIVE:
                return set(ret, MODULED_ERROR_LOADER_CRASHED, module,
                           "is loaded, but the process that was loading it was killed, so it may be that somebody "
                           "else did it; to be sure of its parameters, unload it and load it again.");
        default:
                return set(ret, MODULED_ERROR_LOADER_CRASHED, module,
                           "is not loaded, because the process that was loading it was killed; try again.");
        }
}

/**
 * failure_from_loader() - the error for a loader that did not answer
 * @r:          negative errno: -ECONNRESET if it is gone, -ETIMEDOUT if it has not taken the request, or another
 * @module:     the module's name
 * @loads:      whether a load was asked for, or an unload
 * @ret:        the error
 *
 * Return: a negative errno, as sd_bus_error_set() does.
 */
int failure_from_loader(int r, const char *module, bool loads, sd_bus_error *ret) {
        if (r == -ECONNRESET)
                return crashed(module, loads, ret);
        if (r == -ETIMEDOUT)
                return set(ret, MODULED_ERROR_TIMED_OUT, module,
                           "was left as it is, because the loader does not take requests; try again, and if it stays "
                           "so have an administrator look at 'systemctl status moduled-loader'.");
        return sd_bus_error_setf(ret, SD_BUS_ERROR_FAILED,
                                 "The loader's answer about module %s could not be read: %s; try again.",
                                 module, strerror(-r));
}

/**
 * failure_from_reply() - the error for what the loader answered
 * @reply:      the answer; its outcome is not OUTCOME_DONE
 * @module:     the module's name
 * @loads:      whether a load was asked for, or an unload
 * @ret:        the error
 *
 * Return: a negative errno, as sd_bus_error_set() does.
 */
int failure_from_reply(const struct loader_reply *reply, const char *module, bool loads, sd_bus_error *ret) {
        switch ((enum outcome) reply->outcome) {
        case OUTCOME_REFUSED:
                return sd_bus_error_set(ret, MODULED_ERROR_ORIGIN_REFUSED, reply->text);
        case OUTCOME_POLICY:
                return sd_bus_error_setf(ret, MODULED_ERROR_POLICY_REFUSED,
                                         "Module %s is refused by the loader. %s", module, reply->text);
        case OUTCOME_BUSY:
                return failure_from_module_state(MODULE_COMING, module, ret);
        case OUTCOME_KERNEL:
                return loads ? failure_from_kernel_load(reply, module, ret)
                             : failure_from_kernel_unload(reply->error, module, ret);
        case OUTCOME_CRASHED:
                return crashed(module, loads, ret);
        case OUTCOME_FAILED:
                return sd_bus_error_setf(ret, SD_BUS_ERROR_FAILED,
                                         "The loader could not do its work: %s; try again.",
                                         strerror(reply->error));
        case OUTCOME_DONE:
                break;
        }
        assert(false);
        return -EINVAL;
}

static int refused(enum authority_answer answer, const struct question *question, const char *module,
                   sd_bus_error *ret) {
        /* Rules are about each module of a chain. */
        const char *action = question->details.modules ? MODULED_ACTION_LOAD : question->action;

        switch (answer) {
        case AUTHORITY_NO:
                return sd_bus_error_setf(
                                ret, SD_BUS_ERROR_ACCESS_DENIED,
                                "Not authorized for module %s; an administrator can allow it by a polkit rule "
                                "for the action %s.",
                                module, action);
        case AUTHORITY_KEPT:
                return sd_bus_error_setf(
                                ret, SD_BUS_ERROR_ACCESS_DENIED,
                                "Not authorized for module %s: polkit is told to keep the authorization, and would "
                                "then allow any module; an administrator must write the rule for the action %s "
                                "without _KEEP.",
                                module, action);
        case AUTHORITY_CHALLENGE:
                return sd_bus_error_setf(
                                ret, SD_BUS_ERROR_INTERACTIVE_AUTHORIZATION_REQUIRED,
                                "Module %s needs authentication (action %s), and there was nobody to ask; call "
                                "from a session with an authentication agent and allow the prompt, or have an "
                                "administrator write a polkit rule.",
                                module, action);
        case AUTHORITY_DISMISSED:
                return sd_bus_error_setf(
                                ret, SD_BUS_ERROR_ACCESS_DENIED,
                                "The authentication for module %s was cancelled, so nothing was done; "
                                "call again to be asked again.",
                                module);
        case AUTHORITY_TIMED_OUT:
                return sd_bus_error_setf(
                                ret, MODULED_ERROR_TIMED_OUT,
                                "Nobody answered the prompt for module %s in time; nothing was done. Try again.",
                                module);
        case AUTHORITY_ABSENT:
                return sd_bus_error_setf(
                                ret, SD_BUS_ERROR_ACCESS_DENIED,
                                "polkit does not answer, and without it only root may do this to module %s; "
                                "check polkit.service.",
                                module);
        case AUTHORITY_YES:
                break;
        }
        assert(false);
        return -EINVAL;
}

/**
 * failure_from_authorization() - the error for a caller who is not authorized
 * @outcome:    not AUTHORIZATION_GIVEN
 * @answer:     polkit's answer; not AUTHORITY_YES
 * @question:   what it is the answer to
 * @ret:        the error
 *
 * Return: a negative errno, as sd_bus_error_set() does.
 */
int failure_from_authorization(enum authorization_outcome outcome, enum authority_answer answer,
                               const struct question *question, sd_bus_error *ret) {
        const struct authority_details *details = &question->details;
        _cleanup_free_ char *module =
                        escape(details->modules ? details->modules : details->module, SHOWN_MAX);

        if (!module)
                return -ENOMEM;
        if (outcome == AUTHORIZATION_LIMITED)
                return sd_bus_error_setf(
                                ret, SD_BUS_ERROR_LIMITS_EXCEEDED,
                                "Module %s needs authentication, and too many prompts are open already; answer "
                                "or close one of them first.",
                                module);
        return refused(answer, question, module, ret);
}

/**
 * failure_from_module_state() - the error for a module that cannot be loaded because of what it is already
 * @state:      a MODULE_ state other than MODULE_ABSENT
 * @module:     the module's name
 * @ret:        the error
 *
 * Return: a negative errno, as sd_bus_error_set() does.
 */
int failure_from_module_state(int state, const char *module, sd_bus_error *ret) {
        switch (state) {
        case MODULE_BUILTIN:
                return set(ret, MODULED_ERROR_ALREADY_LOADED, module,
                           "is built into this kernel; there is nothing to load.");
        case MODULE_LIVE:
                return set(ret, MODULED_ERROR_ALREADY_LOADED, module,
                           "is loaded already; to load it anew, unload it first.");
        case MODULE_COMING:
                return set(ret, MODULED_ERROR_IN_USE, module,
                           "is just being initialized; wait. If it stays so, its init hangs or has crashed, and only a "
                           "reboot helps.");
        default:
                return set(ret, MODULED_ERROR_IN_USE, module, "is just being unloaded; try again.");
        }
}
