/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <errno.h>
#include <glib.h>
#include <stdbool.h>
#include <string.h>
#include <sys/resource.h>

#include "attempt.h"
#include "kernel.h"

/* The kernel: how far it comes, what it returns and what it prints. */
static struct {
        bool reads;
        int result;
        const char *log;
        char parameters[64];
        int flags, fd;
} fake;

int kernel_load(int fd, const char *parameters, int flags) {
        fake.fd = fd;
        fake.flags = flags;
        if (fake.reads)
                (void) g_strlcpy(fake.parameters, parameters, sizeof fake.parameters);
        return fake.result;
}

int kernel_log_read(char *buffer, size_t size) {
        return (int) g_strlcpy(buffer, fake.log, size);
}

int kernel_log_size(void) {
        return 4096;
}

static const struct kernel_log_mark beginning = { .n = 0 };

#define VERMAGIC "foo: version magic 'a' should be 'b'"
#define DISAGREES "foo: disagrees about version of symbol x"
#define SYMBOL "foo: Unknown symbol bar (err -2)"
#define PARAMETER "foo: `x' invalid for parameter `n'"
#define DUPLICATE "foo: exports duplicate symbol bar (owned by baz)"
#define TAINT "foo: loading out-of-tree module taints kernel"
#define UNSIGNED "Loading of unsigned module is rejected"
#define LOCKDOWN "Lockdown: moduled-loader: unsigned module loading is restricted; see man kernel_lockdown.7"
#define ELF "Invalid ELF header magic: != \x7f"

struct expectation {
        int error; /* positive */
        const char *log;
        bool reads;
        enum cause cause;
        const char *text; /* NULL: the log */
};

static const struct expectation expectations[] = {
        /* Whatever errno an init returns, it is the init's. */
        { EEXIST, "", true, CAUSE_INIT, NULL },
        { ENOENT, "", true, CAUSE_INIT, NULL },
        { ENOEXEC, "", true, CAUSE_INIT, NULL },
        { EKEYREJECTED, "", true, CAUSE_INIT, NULL },
        { EPERM, "", true, CAUSE_INIT, NULL },
        { EINVAL, "", true, CAUSE_INIT, NULL },
        { ENODEV, "", true, CAUSE_INIT, NULL },
        { ENODEV, TAINT, true, CAUSE_INIT, NULL },
        /* Also if it prints what the kernel would, and the lines of others are not its. */
        { ENOENT, SYMBOL, true, CAUSE_INIT, NULL },
        { ENOEXEC, VERMAGIC, true, CAUSE_INIT, NULL },
        { EKEYREJECTED, UNSIGNED, true, CAUSE_INIT, "" },
        { EPERM, LOCKDOWN, true, CAUSE_INIT, "" },
        { ENOEXEC, ELF, true, CAUSE_INIT, "" },

        { EEXIST, "", false, CAUSE_KERNEL, NULL },
        { EKEYREJECTED, "", false, CAUSE_KERNEL, NULL },
        { EPERM, "", false, CAUSE_KERNEL, NULL },
        { ENOENT, "", false, CAUSE_KERNEL, NULL },
        { ENOENT, SYMBOL, false, CAUSE_SYMBOL, NULL },
        { EBUSY, "foo: gave up waiting for init of module bar", false, CAUSE_SYMBOL, NULL },
        { ENOEXEC, VERMAGIC, false, CAUSE_VERSION, NULL },
        { EINVAL, DISAGREES "\n" SYMBOL, false, CAUSE_VERSION, DISAGREES "; " SYMBOL },
        { EKEYREJECTED, UNSIGNED, false, CAUSE_SIGNATURE, NULL },
        { EPERM, LOCKDOWN, false, CAUSE_SIGNATURE, NULL },
        { EPERM, UNSIGNED, false, CAUSE_KERNEL, "" },
        { ENOEXEC, ELF, false, CAUSE_KERNEL, "Invalid ELF header magic: != \\x7f" },
        { EPERM, "Module foo is blacklisted", false, CAUSE_KERNEL, NULL },

        { EINVAL, PARAMETER, true, CAUSE_PARAMETER, NULL },
        { ENOENT, "foo: Unknown parameter `n'", true, CAUSE_PARAMETER, NULL },
        { ENOSPC, "foo: `x' too large for parameter `n'", true, CAUSE_PARAMETER, NULL },
        { EEXIST, PARAMETER, true, CAUSE_PARAMETER, NULL },
        { EINVAL, PARAMETER, false, CAUSE_KERNEL, NULL },
        { ENODEV, "foo: unknown parameter 'x' ignored", true, CAUSE_INIT, NULL },

        { ENOEXEC, DUPLICATE, true, CAUSE_KERNEL, NULL },
};

static void test_causes(void) {
        for (size_t i = 0; i < G_N_ELEMENTS(expectations); i++) {
                const struct expectation *e = &expectations[i];
                struct loader_reply reply;
                struct attempt attempt;

                g_test_message("%zu: %s, %s, '%s'", i, g_strerror(e->error), e->reads ? "read" : "unread",
                               e->log);
                fake.reads = e->reads;
                fake.result = -e->error;
                fake.log = e->log;
                attempt_load(7, "n=x", 2, &attempt);
                g_assert_cmpint(attempt.result, ==, -e->error);
                g_assert_cmpint(attempt.arguments, ==, e->reads);

                attempt_report(&attempt, &beginning, "foo", &reply);
                g_assert_cmpuint(reply.outcome, ==, OUTCOME_KERNEL);
                g_assert_cmpint(reply.error, ==, e->error);
                g_assert_cmpuint(reply.cause, ==, e->cause);
                g_assert_cmpstr(reply.text, ==, e->text ? e->text : e->log);
        }
}

/* Where it cannot be told whether the parameters were read, only the log counts. */
static void test_unknown(void) {
        static const struct expectation by_log[] = {
                { EEXIST, "", false, CAUSE_KERNEL, NULL },
                { ENODEV, "", false, CAUSE_KERNEL, NULL },
                { ENOENT, SYMBOL, false, CAUSE_SYMBOL, NULL },
                { ENOEXEC, VERMAGIC, false, CAUSE_VERSION, NULL },
                { EINVAL, PARAMETER, false, CAUSE_PARAMETER, NULL },
                { EKEYREJECTED, UNSIGNED, false, CAUSE_SIGNATURE, NULL },
                { ENOEXEC, DUPLICATE, false, CAUSE_KERNEL, NULL },
        };
        for (size_t i = 0; i < G_N_ELEMENTS(by_log); i++) {
                const struct attempt attempt = { .result = -by_log[i].error, .arguments = -EPERM };
                struct loader_reply reply;

                fake.log = by_log[i].log;
                attempt_report(&attempt, &beginning, "foo", &reply);
                g_assert_cmpuint(reply.cause, ==, by_log[i].cause);
                g_assert_cmpstr(reply.text, ==, by_log[i].log);
        }
}

static void test_unload(void) {
        const struct attempt attempt = { .result = -EBUSY };
        struct loader_reply reply;

        fake.log = SYMBOL;
        attempt_report(&attempt, NULL, "foo", &reply);
        g_assert_cmpuint(reply.outcome, ==, OUTCOME_KERNEL);
        g_assert_cmpint(reply.error, ==, EBUSY);
        g_assert_cmpuint(reply.cause, ==, CAUSE_KERNEL);
        g_assert_cmpstr(reply.text, ==, "");
}

static void test_success(void) {
        struct loader_reply reply;
        struct attempt attempt;

        fake.reads = true;
        fake.result = 0;
        attempt_load(7, "numdummies=2", 4, &attempt);
        g_assert_cmpint(attempt.result, ==, 0);
        g_assert_cmpint(attempt.arguments, ==, 1);
        g_assert_cmpint(fake.fd, ==, 7);
        g_assert_cmpint(fake.flags, ==, 4);
        g_assert_cmpstr(fake.parameters, ==, "numdummies=2");

        /* What the kernel says of a module that it has loaded is nobody's concern. */
        fake.log = TAINT;
        attempt_report(&attempt, &beginning, "foo", &reply);
        g_assert_cmpuint(reply.outcome, ==, OUTCOME_DONE);
        g_assert_cmpint(reply.error, ==, 0);
        g_assert_cmpuint(reply.cause, ==, CAUSE_KERNEL);
        g_assert_cmpstr(reply.text, ==, "");
}

/* Without memory the kernel is not asked at all. */
static void test_no_memory(void) {
        struct rlimit before, none = { 0 };
        struct attempt attempt;

        fake.flags = -1;
        fake.result = 0;
        g_assert_cmpint(getrlimit(RLIMIT_AS, &before), ==, 0);
        none.rlim_max = before.rlim_max;
        g_assert_cmpint(setrlimit(RLIMIT_AS, &none), ==, 0);
        attempt_load(7, "", 1, &attempt);
        g_assert_cmpint(setrlimit(RLIMIT_AS, &before), ==, 0);
        g_assert_cmpint(attempt.result, ==, -ENOMEM);
        g_assert_cmpint(fake.flags, ==, -1);
}

int main(int argc, char *argv[]) {
        g_test_init(&argc, &argv, NULL);
        g_test_add_func("/attempt/causes", test_causes);
        g_test_add_func("/attempt/unknown", test_unknown);
        g_test_add_func("/attempt/unload", test_unload);
        g_test_add_func("/attempt/success", test_success);
        g_test_add_func("/attempt/no-memory", test_no_memory);
        return g_test_run();
}
