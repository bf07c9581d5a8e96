/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Sentences
 *
 * Provokes each error that the broker makes of an outcome: what the check of a descriptor, the kernel, the loader,
 * polkit and the inspector can answer, all of it. Prints a line for each, NAME<tab>SENTENCE, for test-errors to judge.
 */

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "failure.h"
#include "names.h"
#include "system.h"

#define MODULE "foo"
/* The C library knows 133; the kernel has a few from 512 on that should not get out, and do. */
#define ERRNO_MAX 133
#define ERRNO_OF_KERNEL 517

/* The kernel's state, in place of core/system.c. */
static int modules_state = MODULES_ENABLED;
static int module_state = MODULE_ABSENT;
static const char *lockdown = "none";

int system_modules_state(void) {
        return modules_state;
}

int system_module_state(const char *name) {
        (void) name;
        return module_state;
}

/* Asked for by what nothing here calls. */
int system_decompression(char **ret) {
        (void) ret;
        return -ENOSYS;
}

int system_lockdown(char **ret) {
        *ret = strdup(lockdown);
        return *ret ? 0 : -ENOMEM;
}

static void show(int r, sd_bus_error *error) {
        if (r >= 0 || !sd_bus_error_is_set(error)) {
                fprintf(stderr, "an outcome has no error\n");
                exit(EXIT_FAILURE);
        }
        printf("%s\t%s\n", error->name, error->message);
        sd_bus_error_free(error);
}

static void show_errnos(void) {
        sd_bus_error error = SD_BUS_ERROR_NULL;

        show(failure_from_errno(-ENOMEM, &error), &error);
        show(failure_from_errno(-EIO, &error), &error);
}

static void show_findings(void) {
        char name[] = "modules", path[] = "/usr/lib/modules/6.1/kernel/foo.ko", found[] = "ext4";
        char culprit[] = "/usr/lib/modules/6.1";
        struct origin origin = { .name = name };

        for (int verdict = VERDICT_ACCEPTED + 1; verdict < VERDICT_MAX_; verdict++)
                for (int detail = 0; detail < 3; detail++) {
                        const struct finding finding = {
                                .verdict = (enum verdict) verdict,
                                .path = detail > 0 ? path : NULL,
                                .origin = detail > 0 ? &origin : NULL,
                                .culprit = detail > 1 ? culprit : NULL,
                                .found = detail > 1 ? found : NULL,
                        };
                        sd_bus_error error = SD_BUS_ERROR_NULL;

                        show(failure_from_finding(&finding, &error), &error);
                }
}

static void show_reply(enum outcome outcome, enum cause cause, int error, bool loads, const char *text) {
        struct loader_reply reply = { .outcome = outcome, .cause = cause, .error = error };
        sd_bus_error shown = SD_BUS_ERROR_NULL;

        (void) snprintf(reply.text, sizeof reply.text, "%s", text);
        show(failure_from_reply(&reply, MODULE, loads, &shown), &shown);
}

static void show_errno(int error) {
        static const char *const lines[] = { "", "foo: Unknown symbol bar (err -2)" };

        for (int cause = CAUSE_KERNEL; cause <= CAUSE_INIT; cause++)
                for (size_t i = 0; i < 2; i++)
                        show_reply(OUTCOME_KERNEL, (enum cause) cause, error, true, lines[i]);
        show_reply(OUTCOME_KERNEL, CAUSE_KERNEL, error, false, "");
}

static void show_kernel(void) {
        for (int error = 1; error <= ERRNO_MAX; error++)
                show_errno(error);
        show_errno(ERRNO_OF_KERNEL);
        modules_state = MODULES_DISABLED;
        show_errno(EPERM);
        modules_state = MODULES_ENABLED;
        lockdown = "integrity";
        show_errno(EPERM);
        lockdown = "none";
}

static void show_silence(int error, bool loads) {
        sd_bus_error shown = SD_BUS_ERROR_NULL;

        show(failure_from_loader(error, MODULE, loads, &shown), &shown);
}

/* The loader's own sentences are in its source; here it matters what is put around them. */
static void show_outcomes(void) {
        for (int loads = 0; loads < 2; loads++) {
                show_reply(OUTCOME_REFUSED, 0, 0, loads,
                           "/tmp/foo.ko is refused: it does not lie in the directory of any origin; install it there.");
                show_reply(OUTCOME_POLICY, 0, 0, loads,
                           "AllowModules= in moduled.conf does not name it; an administrator can change that.");
                show_reply(OUTCOME_BUSY, 0, 0, loads, "");
                for (module_state = MODULE_ABSENT; module_state <= MODULE_GOING; module_state++)
                        show_reply(OUTCOME_CRASHED, 0, 0, loads, "");
                module_state = MODULE_ABSENT;
                show_silence(-ECONNRESET, loads);
                show_silence(-ETIMEDOUT, loads);
                show_silence(-EBADMSG, loads);
                show_reply(OUTCOME_FAILED, 0, ENOMEM, loads, "");
        }
}

static void show_states(void) {
        for (int state = MODULE_ABSENT + 1; state <= MODULE_GOING; state++) {
                sd_bus_error error = SD_BUS_ERROR_NULL;

                show(failure_from_module_state(state, MODULE, &error), &error);
        }
}

static void show_authorizations(void) {
        static const struct question questions[] = {
                { .action = MODULED_ACTION_LOAD, .details = { .module = MODULE } },
                { .action = MODULED_ACTION_LOAD_MANY, .details = { .modules = "foo bar" } },
        };

        for (size_t i = 0; i < 2; i++) {
                sd_bus_error error = SD_BUS_ERROR_NULL;

                for (int answer = AUTHORITY_YES + 1; answer <= AUTHORITY_ABSENT; answer++)
                        show(failure_from_authorization(AUTHORIZATION_REFUSED,
                                                        (enum authority_answer) answer, &questions[i],
                                                        &error),
                             &error);
                show(failure_from_authorization(AUTHORIZATION_LIMITED, AUTHORITY_CHALLENGE, &questions[i],
                                                &error),
                     &error);
        }
}

static void show_inspections(void) {
        char debug[] = "debug", length[] = "length";
        struct modinfo_parameter parameters[] = { { .name = debug, .is_known = true },
                                                  { .name = length, .is_known = true } };
        struct modinfo info = { .parameters_complete = true };
        sd_bus_error error = SD_BUS_ERROR_NULL;

        show(failure_from_inspection(-EMFILE, MODULE, &error), &error);
        for (int result = MODINFO_GOOD + 1; result <= MODINFO_TIMED_OUT; result++)
                show(failure_from_inspection(result, MODULE, &error), &error);

        show(failure_from_arguments("speed=1", &info, MODULE, &error), &error);
        info.parameters = parameters;
        info.n_parameters = 2;
        show(failure_from_arguments("speed=1", &info, MODULE, &error), &error);
}

int main(void) {
        show_errnos();
        show_findings();
        show_kernel();
        show_outcomes();
        show_states();
        show_authorizations();
        show_inspections();
        return fflush(stdout) == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
