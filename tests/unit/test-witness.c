/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <glib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "witness.h"

static char *make_text(size_t n) {
        return g_strnfill(n, 'x');
}

static void check_unread(const char *text) {
        struct witness witness;

        g_assert_cmpint(witness_place(&witness, text), ==, 0);
        g_assert_cmpint(witness_was_read(&witness), ==, 0);
        g_assert_cmpint(witness_was_read(&witness), ==, 0);
        /* All of it but the end. */
        for (size_t i = 0; i < strlen(text); i++)
                g_assert_cmpint(witness.text[i], ==, text[i]);
        g_assert_cmpint(witness_was_read(&witness), ==, 0);

        g_assert_cmpstr(witness.text, ==, text);
        g_assert_cmpint(witness_was_read(&witness), ==, 1);
}

static void test_lengths(void) {
        const size_t page = (size_t) sysconf(_SC_PAGESIZE),
                     lengths[] = { 0, 1, 7, 8, 9, 4095, page - 1, page };

        for (size_t i = 0; i < G_N_ELEMENTS(lengths); i++) {
                g_autofree char *text = make_text(lengths[i]);

                check_unread(text);
        }
}

/* As a system call reads: in the kernel. */
static void test_read_by_kernel(void) {
        struct witness witness;
        char copy[4];

        g_assert_cmpint(witness_place(&witness, "a=1"), ==, 0);
        g_assert_cmpint(access(witness.text, F_OK), ==, -1);
        g_assert_cmpint(witness_was_read(&witness), ==, 1);

        g_assert_cmpint(witness_place(&witness, "a=1"), ==, 0);
        g_assert_cmpint(process_vm_readv(getpid(), &(struct iovec){ .iov_base = copy, .iov_len = 4 }, 1,
                                         &(struct iovec){ .iov_base = (void *) witness.text, .iov_len = 4 },
                                         1, 0),
                        ==, 4);
        g_assert_cmpstr(copy, ==, "a=1");
        g_assert_cmpint(witness_was_read(&witness), ==, 1);
}

/* What one says is not changed by another that lies beside it. */
static void test_neighbours(void) {
        struct witness witnesses[64];

        for (size_t i = 0; i < G_N_ELEMENTS(witnesses); i++)
                g_assert_cmpint(witness_place(&witnesses[i], i % 2 ? "" : "numdummies=2"), ==, 0);
        for (size_t i = 0; i < G_N_ELEMENTS(witnesses); i += 3)
                g_assert_cmpuint(strlen(witnesses[i].text), ==, i % 2 ? 0 : 12);
        for (size_t i = 0; i < G_N_ELEMENTS(witnesses); i++)
                g_assert_cmpint(witness_was_read(&witnesses[i]), ==, i % 3 == 0);
}

static void test_in_child(void) {
        int status;
        pid_t pid = fork();

        g_assert_cmpint(pid, >=, 0);
        if (pid == 0) {
                struct witness witness;
                int before, after;

                if (witness_place(&witness, "a=1") < 0)
                        _exit(1);
                before = witness_was_read(&witness);
                (void) access(witness.text, F_OK);
                after = witness_was_read(&witness);
                _exit(before == 0 && after == 1 ? 0 : 2);
        }
        g_assert_cmpint(waitpid(pid, &status, 0), ==, pid);
        g_assert_cmpint(status, ==, 0);
}

static void test_gone(void) {
        struct witness witness;

        g_assert_cmpint(witness_place(&witness, "a=1"), ==, 0);
        g_assert_cmpint(munmap(witness.last, witness.page), ==, 0);
        g_assert_cmpint(witness_was_read(&witness), ==, -ENOMEM);
}

int main(int argc, char *argv[]) {
        g_test_init(&argc, &argv, NULL);
        g_test_add_func("/witness/lengths", test_lengths);
        g_test_add_func("/witness/read-by-kernel", test_read_by_kernel);
        g_test_add_func("/witness/neighbours", test_neighbours);
        g_test_add_func("/witness/in-child", test_in_child);
        g_test_add_func("/witness/gone", test_gone);
        return g_test_run();
}
