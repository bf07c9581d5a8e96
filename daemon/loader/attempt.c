/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Attempt
 *
 * One call of the kernel, and what came of it. Why a load failed neither the errno says nor the kernel's log; both
 * together do, with the question how far the kernel had come.
 */

#include "attempt.h"
#include "kernel.h"
#include "witness.h"

/**
 * attempt_load() - have the kernel load a module
 * @fd:         the module's file; borrowed
 * @parameters: parameters for the module
 * @flags:      KERNEL_ flags
 * @ret:        what became of it
 *
 * Allocates nothing from the heap: this is for a child of a process with threads.
 */
void attempt_load(int fd, const char *parameters, int flags, struct attempt *ret) {
        struct witness witness;
        int r;

        *ret = (struct attempt){ .result = 0 };
        r = witness_place(&witness, parameters);
        if (r < 0) {
                ret->result = r;
                return;
        }
        ret->result = kernel_load(fd, witness.text, flags);
        ret->arguments = witness_was_read(&witness);
}

/* Before the parameters are read only the kernel can refuse; after that a parameter can, or the module's init. */
static enum cause find_cause(int arguments, unsigned said) {
        if (arguments != 1 && (said & KERNEL_LOG_VERSION))
                return CAUSE_VERSION;
        if (arguments != 1 && (said & KERNEL_LOG_SYMBOL))
                return CAUSE_SYMBOL;
        if (arguments != 1 && (said & KERNEL_LOG_SIGNATURE))
                return CAUSE_SIGNATURE;
        if (arguments != 0 && (said & KERNEL_LOG_PARAMETER))
                return CAUSE_PARAMETER;
        return arguments == 1 && !(said & KERNEL_LOG_LATE) ? CAUSE_INIT : CAUSE_KERNEL;
}

/**
 * attempt_report() - what to tell the broker
 * @attempt:    the attempt
 * @mark:       where the kernel's log ended before it; NULL for an unload, of which the log has nothing
 * @module:     the module's name
 * @ret:        the answer
 */
void attempt_report(const struct attempt *attempt, const struct kernel_log_mark *mark, const char *module,
                    struct loader_reply *ret) {
        struct kernel_log_subject subject = {
                .module = module,
                .error = attempt->arguments == 1 ? 0 : -attempt->result,
        };
        unsigned said = 0;

        *ret = (struct loader_reply){ .outcome = OUTCOME_DONE };
        if (attempt->result == 0)
                return;
        ret->outcome = OUTCOME_KERNEL;
        ret->error = -attempt->result;
        if (mark)
                said = kernel_log_since(mark, &subject, ret->text, sizeof ret->text);
        ret->cause = find_cause(attempt->arguments, said);
}
