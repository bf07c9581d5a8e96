/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <errno.h>
#include <glib.h>
#include <stdlib.h>
#include <string.h>

#include "failure.h"
#include "names.h"
#include "system.h"

/* The kernel's state, in place of core/system.c. */
static int modules_state, module_state;
static const char *lockdown;

int system_modules_state(void) {
        return modules_state;
}

int system_lockdown(char **ret) {
        if (!lockdown)
                return -EACCES;
        *ret = strdup(lockdown);
        return 0;
}

int system_module_state(const char *name) {
        g_assert_cmpstr(name, ==, "foo");
        return module_state;
}

static void set_up(void) {
        module_state = MODULE_COMING;
        modules_state = MODULES_ENABLED;
        lockdown = "none";
}

/* Every error is a sentence about the module that says what to do next. */
static void check(sd_bus_error *error, const char *name, const char *part) {
        g_assert_cmpstr(error->name, ==, name);
        g_test_message("%s", error->message);
        g_assert_true(strstr(error->message, part) != NULL);
        g_assert_true(g_str_has_suffix(error->message, "."));
        g_assert_false(g_str_has_suffix(error->message, ".."));
        sd_bus_error_free(error);
}

static void check_reply(const struct loader_reply *reply, bool loads, const char *name, const char *part) {
        sd_bus_error error = SD_BUS_ERROR_NULL;

        g_assert_cmpint(failure_from_reply(reply, "foo", loads, &error), <, 0);
        check(&error, name, part);
}

static void check_load(enum cause cause, int error, const char *log, const char *name, const char *part) {
        struct loader_reply reply = { .outcome = OUTCOME_KERNEL, .cause = cause, .error = error };

        (void) g_strlcpy(reply.text, log, sizeof reply.text);
        check_reply(&reply, true, name, part);
}

static void test_init(void) {
        static const struct {
                int error;
                const char *symbol;
        } errors[] = {
                { EEXIST, "EEXIST" },   { ENOENT, "ENOENT" },
                { ENOEXEC, "ENOEXEC" }, { EKEYREJECTED, "EKEYREJECTED" },
                { EPERM, "EPERM" },     { EACCES, "EACCES" },
                { EINVAL, "EINVAL" },   { ENOKEY, "ENOKEY" },
                { EBUSY, "EBUSY" },     { ENODEV, "ENODEV" },
                { ENOSYS, "ENOSYS" },   { EOPNOTSUPP, "EOPNOTSUPP" },
                { ENOMEM, "ENOMEM" },   { ETXTBSY, "ETXTBSY" },
                { ESRCH, "ESRCH" },     { EBADMSG, "EBADMSG" },
        };

        set_up();
        modules_state = MODULES_DISABLED;
        lockdown = "integrity";
        for (size_t i = 0; i < G_N_ELEMENTS(errors); i++) {
                g_autofree char *part = g_strdup_printf(
                                "Module foo did not initialize; its init returned: %s, ", errors[i].symbol);

                check_load(CAUSE_INIT, errors[i].error, "", MODULED_ERROR_INIT_FAILED, part);
        }
        /* The kernel has numbers of its own that the C library does not know. */
        check_load(CAUSE_INIT, 517, "", MODULED_ERROR_INIT_FAILED,
                   "returned: 517, an error without a name; ");
        check_load(CAUSE_INIT, EIO, "foo: a; foo: b", MODULED_ERROR_INIT_FAILED,
                   "EIO, Input/output error; an administrator finds more in the kernel's log. The kernel said: foo: a; "
                   "foo: b.");
}

static void test_causes(void) {
        set_up();
        check_load(CAUSE_SYMBOL, ENOENT, "foo: Unknown symbol bar (err -2)", MODULED_ERROR_UNKNOWN_SYMBOL,
                   "needs symbols that the kernel does not have; load the modules that it depends on first. The kernel "
                   "said: foo: Unknown symbol bar (err -2).");
        check_load(CAUSE_SYMBOL, EBUSY, "foo: gave up waiting for init of module bar",
                   MODULED_ERROR_UNKNOWN_SYMBOL,
                   " The kernel said: foo: gave up waiting for init of module bar.");
        check_load(CAUSE_VERSION, ENOEXEC, "foo: version magic 'a' should be 'b'",
                   MODULED_ERROR_INCOMPATIBLE, "The kernel said: foo: version magic 'a' should be 'b'.");
        check_load(CAUSE_VERSION, EINVAL, "x", MODULED_ERROR_INCOMPATIBLE,
                   "not a module for the running kernel");
        check_load(CAUSE_SIGNATURE, EKEYREJECTED, "Loading of unsigned module is rejected",
                   MODULED_ERROR_SIGNATURE_REJECTED,
                   "The kernel said: Loading of unsigned module is rejected.");
        check_load(CAUSE_SIGNATURE, EPERM, "x", MODULED_ERROR_SIGNATURE_REJECTED, "no signature");
        check_load(CAUSE_PARAMETER, EINVAL, "foo: `x' invalid for parameter `n'",
                   MODULED_ERROR_BAD_PARAMETERS, "The kernel said: foo: `x' invalid for parameter `n'.");
        check_load(CAUSE_PARAMETER, EEXIST, "x", MODULED_ERROR_BAD_PARAMETERS, "parameters");
}

static void test_kernel(void) {
        static const struct {
                int error;
                const char *name, *part;
        } errors[] = {
                { EEXIST, MODULED_ERROR_ALREADY_LOADED, "is loaded already" },
                { EBUSY, MODULED_ERROR_IN_USE, "try again" },
                { ENOEXEC, MODULED_ERROR_INCOMPATIBLE, "is not a module for the running kernel" },
                { ESRCH, MODULED_ERROR_INCOMPATIBLE, "is not a module for the running kernel" },
                { ENOENT, MODULED_ERROR_UNKNOWN_SYMBOL, "needs symbols" },
                { ENOKEY, MODULED_ERROR_SIGNATURE_REJECTED, "has no signature that this kernel accepts" },
                { EKEYREJECTED, MODULED_ERROR_SIGNATURE_REJECTED,
                  "has no signature that this kernel accepts" },
                { EBADMSG, MODULED_ERROR_SIGNATURE_REJECTED, "has no signature that this kernel accepts" },
                { EINVAL, MODULED_ERROR_KERNEL_REFUSED, "may be damaged" },
                { ENOSYS, MODULED_ERROR_MODULES_DISABLED, "built without loadable modules" },
                { EOPNOTSUPP, MODULED_ERROR_COMPRESSION_UNSUPPORTED, "install it uncompressed" },
                { ETXTBSY, MODULED_ERROR_KERNEL_REFUSED, "is open for writing" },
                { EPERM, MODULED_ERROR_KERNEL_REFUSED, "security policy" },
                { EACCES, MODULED_ERROR_KERNEL_REFUSED, "security policy" },
                { ENOMEM, MODULED_ERROR_KERNEL_REFUSED, "was refused by the kernel: ENOMEM, " },
                { EIO, MODULED_ERROR_KERNEL_REFUSED, "was refused by the kernel: EIO, " },
        };

        set_up();
        for (size_t i = 0; i < G_N_ELEMENTS(errors); i++) {
                g_autofree char *with_log = g_strdup_printf(" The kernel said: foo: x.");

                check_load(CAUSE_KERNEL, errors[i].error, "", errors[i].name, errors[i].part);
                check_load(CAUSE_KERNEL, errors[i].error, "foo: x", errors[i].name, errors[i].part);
                check_load(CAUSE_KERNEL, errors[i].error, "foo: x", errors[i].name, with_log);
        }
}

/* By EPERM the kernel says four things. */
static void test_denied(void) {
        set_up();
        modules_state = MODULES_DISABLED;
        check_load(CAUSE_KERNEL, EPERM, "", MODULED_ERROR_MODULES_DISABLED, "kernel.modules_disabled=1");
        check_load(CAUSE_KERNEL, EACCES, "", MODULED_ERROR_KERNEL_REFUSED, "security policy");
        modules_state = -EACCES;
        check_load(CAUSE_KERNEL, EPERM, "", MODULED_ERROR_KERNEL_REFUSED, "security policy");

        set_up();
        lockdown = "integrity";
        check_load(CAUSE_KERNEL, EPERM, "", MODULED_ERROR_SIGNATURE_REJECTED, "no signature");
        check_load(CAUSE_KERNEL, EACCES, "", MODULED_ERROR_KERNEL_REFUSED, "security policy");
        check_load(CAUSE_KERNEL, EPERM, "Module foo is blacklisted", MODULED_ERROR_KERNEL_REFUSED,
                   "Module foo is blacklisted");
        lockdown = "confidentiality";
        check_load(CAUSE_KERNEL, EPERM, "", MODULED_ERROR_SIGNATURE_REJECTED, "no signature");
        lockdown = "";
        check_load(CAUSE_KERNEL, EPERM, "", MODULED_ERROR_KERNEL_REFUSED, "security policy");
        lockdown = NULL;
        check_load(CAUSE_KERNEL, EPERM, "", MODULED_ERROR_KERNEL_REFUSED, "security policy");
}

static void test_unload(void) {
        static const struct {
                int error;
                const char *name, *part;
        } errors[] = {
                { ENOENT, MODULED_ERROR_NOT_LOADED, "is not loaded" },
                { EWOULDBLOCK, MODULED_ERROR_IN_USE, "is in use" },
                { EBUSY, MODULED_ERROR_IN_USE, "made to stay" },
                { ENOSYS, MODULED_ERROR_MODULES_DISABLED, "built without loadable modules" },
                { EPERM, MODULED_ERROR_KERNEL_REFUSED, "cannot be unloaded; the kernel refused: EPERM, " },
                { EFAULT, MODULED_ERROR_KERNEL_REFUSED, "cannot be unloaded; the kernel refused: EFAULT, " },
        };

        set_up();
        for (size_t i = 0; i < G_N_ELEMENTS(errors); i++) {
                const struct loader_reply reply = { .outcome = OUTCOME_KERNEL, .error = errors[i].error };

                check_reply(&reply, false, errors[i].name, errors[i].part);
        }
        modules_state = MODULES_DISABLED;
        check_reply(&(struct loader_reply){ .outcome = OUTCOME_KERNEL, .error = EPERM }, false,
                    MODULED_ERROR_MODULES_DISABLED, "kernel.modules_disabled=1");
}

static void test_outcomes(void) {
        static const struct {
                enum outcome outcome;
                int error;
                const char *text, *name, *part;
        } outcomes[] = {
                { OUTCOME_REFUSED, 0, "It lies elsewhere.", MODULED_ERROR_ORIGIN_REFUSED,
                  "It lies elsewhere." },
                { OUTCOME_POLICY, 0, "DenyModules= denies it.", MODULED_ERROR_POLICY_REFUSED,
                  "Module foo is refused by the loader. DenyModules= denies it." },
                { OUTCOME_BUSY, 0, "", MODULED_ERROR_IN_USE, "just being initialized" },
                { OUTCOME_CRASHED, 0, "", MODULED_ERROR_LOADER_CRASHED, "killed; try again" },
                { OUTCOME_FAILED, ENOMEM, "", SD_BUS_ERROR_FAILED, "Cannot allocate memory; try again" },
        };

        set_up();
        module_state = MODULE_GOING;
        for (size_t i = 0; i < G_N_ELEMENTS(outcomes); i++)
                for (int loads = 0; loads < 2; loads++) {
                        struct loader_reply reply = { .outcome = outcomes[i].outcome,
                                                      .error = outcomes[i].error };

                        (void) g_strlcpy(reply.text, outcomes[i].text, sizeof reply.text);
                        check_reply(&reply, loads, outcomes[i].name, outcomes[i].part);
                }
}

static void check_loader(int r, bool loads, const char *name, const char *part) {
        sd_bus_error error = SD_BUS_ERROR_NULL;

        g_assert_cmpint(failure_from_loader(r, "foo", loads, &error), <, 0);
        check(&error, name, part);
}

/* What the kernel has says what became of a request that was not answered. */
static void test_loader(void) {
        static const struct {
                int state;
                const char *load, *unload;
        } states[] = {
                { MODULE_ABSENT, "is not loaded, because", "is unloaded, but" },
                { MODULE_COMING, "reboot soon", "was not unloaded" },
                { MODULE_LIVE, "is loaded, but", "was not unloaded" },
                { MODULE_GOING, "is not loaded, because", "was not unloaded" },
        };

        set_up();
        for (size_t i = 0; i < G_N_ELEMENTS(states); i++) {
                const struct loader_reply reply = { .outcome = OUTCOME_CRASHED };

                module_state = states[i].state;
                check_reply(&reply, true, MODULED_ERROR_LOADER_CRASHED, states[i].load);
                check_reply(&reply, false, MODULED_ERROR_LOADER_CRASHED, states[i].unload);
                check_loader(-ECONNRESET, true, MODULED_ERROR_LOADER_CRASHED, states[i].load);
                check_loader(-ECONNRESET, false, MODULED_ERROR_LOADER_CRASHED, states[i].unload);
        }
        for (int loads = 0; loads < 2; loads++) {
                check_loader(-ETIMEDOUT, loads, MODULED_ERROR_TIMED_OUT, "was left as it is");
                check_loader(-EBADMSG, loads, SD_BUS_ERROR_FAILED, "could not be read");
        }
}

static void test_module_states(void) {
        static const struct {
                int state;
                const char *name, *part;
        } states[] = {
                { MODULE_BUILTIN, MODULED_ERROR_ALREADY_LOADED, "is built into this kernel" },
                { MODULE_LIVE, MODULED_ERROR_ALREADY_LOADED, "is loaded already" },
                { MODULE_COMING, MODULED_ERROR_IN_USE, "only a reboot helps" },
                { MODULE_GOING, MODULED_ERROR_IN_USE, "is just being unloaded" },
        };

        for (size_t i = 0; i < G_N_ELEMENTS(states); i++) {
                sd_bus_error error = SD_BUS_ERROR_NULL;

                g_assert_cmpint(failure_from_module_state(states[i].state, "foo", &error), <, 0);
                check(&error, states[i].name, states[i].part);
        }
}

static void test_authority(void) {
        static const struct {
                enum authority_answer answer;
                const char *name, *part;
        } answers[] = {
                { AUTHORITY_NO, SD_BUS_ERROR_ACCESS_DENIED, "polkit rule for the action org.moduled1.load" },
                { AUTHORITY_KEPT, SD_BUS_ERROR_ACCESS_DENIED,
                  "for the action org.moduled1.load without _KEEP" },
                { AUTHORITY_CHALLENGE, SD_BUS_ERROR_INTERACTIVE_AUTHORIZATION_REQUIRED,
                  "needs authentication (action org.moduled1.load)" },
                { AUTHORITY_DISMISSED, SD_BUS_ERROR_ACCESS_DENIED, "was cancelled" },
                { AUTHORITY_TIMED_OUT, MODULED_ERROR_TIMED_OUT, "Nobody answered" },
                { AUTHORITY_ABSENT, SD_BUS_ERROR_ACCESS_DENIED, "only root" },
        };

        const struct question load = { .action = "org.moduled1.load", .details = { .module = "foo" } };
        const struct question many = { .action = "org.moduled1.load-many",
                                       .details = { .modules = "foo b\033r" } };
        sd_bus_error limited = SD_BUS_ERROR_NULL;

        for (size_t i = 0; i < G_N_ELEMENTS(answers); i++) {
                sd_bus_error error = SD_BUS_ERROR_NULL;

                g_assert_cmpint(failure_from_authorization(AUTHORIZATION_REFUSED, answers[i].answer, &load,
                                                           &error),
                                <, 0);
                check(&error, answers[i].name, answers[i].part);
        }

        g_assert_cmpint(failure_from_authorization(AUTHORIZATION_REFUSED, AUTHORITY_NO, &many, &limited), <,
                        0);
        check(&limited, SD_BUS_ERROR_ACCESS_DENIED, "foo b\\x1br; an administrator can allow it");
        g_assert_cmpint(failure_from_authorization(AUTHORIZATION_LIMITED, AUTHORITY_CHALLENGE, &load,
                                                   &limited),
                        <, 0);
        check(&limited, SD_BUS_ERROR_LIMITS_EXCEEDED, "too many prompts are open already");
}

static void test_findings(void) {
        for (int verdict = VERDICT_ACCEPTED + 1; verdict < VERDICT_MAX_; verdict++) {
                struct finding finding = { .verdict = (enum verdict) verdict };
                sd_bus_error error = SD_BUS_ERROR_NULL;
                const char *name = MODULED_ERROR_ORIGIN_REFUSED;

                if (verdict == VERDICT_PATH_ONLY || verdict == VERDICT_NOT_READ_ONLY ||
                    verdict == VERDICT_NOT_REGULAR || verdict == VERDICT_DIRECT)
                        name = MODULED_ERROR_BAD_DESCRIPTOR;
                g_assert_cmpint(failure_from_finding(&finding, &error), <, 0);
                check(&error, name, "");
        }
}

int main(int argc, char *argv[]) {
        g_test_init(&argc, &argv, NULL);
        g_test_add_func("/failure/init", test_init);
        g_test_add_func("/failure/causes", test_causes);
        g_test_add_func("/failure/kernel", test_kernel);
        g_test_add_func("/failure/denied", test_denied);
        g_test_add_func("/failure/unload", test_unload);
        g_test_add_func("/failure/outcomes", test_outcomes);
        g_test_add_func("/failure/loader", test_loader);
        g_test_add_func("/failure/module-states", test_module_states);
        g_test_add_func("/failure/authority", test_authority);
        g_test_add_func("/failure/findings", test_findings);
        return g_test_run();
}
