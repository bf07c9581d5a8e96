/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Sandbox
 *
 * What is left to a process that looks into a file: that file, a pipe for the answer, memory and time that somebody
 * counts, and the few system calls that libelf, the decompressors and malloc() make. Whatever else it does ends it.
 *
 * Its user is the broker's, and the loader knows the broker by its user: so above all there is no socket, no connection
 * and no open file but the two.
 */

#include <errno.h>
#include <fcntl.h>
#include <linux/seccomp.h>
#include <seccomp.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cleanup.h"
#include "image.h"
#include "sandbox.h"

/*
 * SANDBOX_MEMORY_MAX is for what a file unpacks to. The largest module in Debian's kernels has 28 MiB, the largest
 * elsewhere about 100 MiB; liblzma takes up to 64 MiB on top. A file that is not compressed is mapped and takes none.
 */

/* What may be called whatever the arguments. */
static const int calls[] = {
        SCMP_SYS(brk),        SCMP_SYS(close),   SCMP_SYS(dup),       SCMP_SYS(exit),
        SCMP_SYS(exit_group), SCMP_SYS(fstat),   SCMP_SYS(fstat64),   SCMP_SYS(fstatat64),
        SCMP_SYS(futex),      SCMP_SYS(_llseek), SCMP_SYS(getrandom), SCMP_SYS(lseek),
        SCMP_SYS(madvise),    SCMP_SYS(mremap),  SCMP_SYS(munmap),    SCMP_SYS(newfstatat),
        SCMP_SYS(pread64),    SCMP_SYS(read),    SCMP_SYS(statx),     SCMP_SYS(restart_syscall),
        SCMP_SYS(write),
};

/* No memory that could be executed. */
static const int mapping_calls[] = { SCMP_SYS(mmap), SCMP_SYS(mmap2), SCMP_SYS(mprotect) };

/* To look at, not to change, how a descriptor is open: elf_begin(3). */
static const int fcntl_calls[] = { SCMP_SYS(fcntl), SCMP_SYS(fcntl64) };
static const int fcntl_commands[] = { F_GETFD, F_GETFL };

/* A call that this machine does not have is no error. */
static int allow(scmp_filter_ctx filter, int call, unsigned n, struct scmp_arg_cmp argument) {
        int r;

        r = seccomp_rule_add_array(filter, SCMP_ACT_ALLOW, call, n, &argument);
        return r == -EDOM ? 0 : r;
}

static int add_rules(scmp_filter_ctx filter) {
        int r = 0;

        for (size_t i = 0; r == 0 && i < sizeof calls / sizeof *calls; i++)
                r = allow(filter, calls[i], 0, (struct scmp_arg_cmp){ 0 });
        for (size_t i = 0; r == 0 && i < sizeof mapping_calls / sizeof *mapping_calls; i++)
                r = allow(filter, mapping_calls[i], 1, SCMP_A2_64(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0));
        for (size_t i = 0; i < sizeof fcntl_calls / sizeof *fcntl_calls; i++)
                for (size_t j = 0; r == 0 && j < sizeof fcntl_commands / sizeof *fcntl_commands; j++)
                        r = allow(filter, fcntl_calls[i], 1,
                                  SCMP_A1_64(SCMP_CMP_EQ, (scmp_datum_t) fcntl_commands[j], 0));
        return r;
}

/* Counted by what is there already, as libraries and a sanitizer's shadow count, too; see proc_pid_statm(5). */
static int read_occupied(rlim_t *ret) {
        _cleanup_fclose_ FILE *f = fopen("/proc/self/statm", "re");
        unsigned long pages;

        if (!f)
                return -errno;
        if (fscanf(f, "%lu", &pages) != 1)
                return -EIO;
        *ret = (rlim_t) pages * (rlim_t) sysconf(_SC_PAGESIZE);
        return 0;
}

DEFINE_CLEANUP(scmp_filter_ctx, seccomp_release);

/* libseccomp gives its program to a descriptor alone; see seccomp_export_bpf(3). */
static int export(scmp_filter_ctx filter, struct sock_fprog *ret) {
        _cleanup_close_ int fd = memfd_create("filter", MFD_CLOEXEC);
        _cleanup_free_ struct sock_filter *program = NULL;
        off_t size;
        int r;

        if (fd < 0)
                return -errno;
        r = seccomp_export_bpf(filter, fd);
        if (r < 0)
                return r;
        size = lseek(fd, 0, SEEK_CUR);
        if (size <= 0 || (size_t) size > BPF_MAXINSNS * sizeof *program)
                return -ENOTSUP;
        program = malloc((size_t) size);
        if (!program)
                return -ENOMEM;
        if (pread(fd, program, (size_t) size, 0) != size)
                return -EIO;
        ret->len = (unsigned short) ((size_t) size / sizeof *program);
        ret->filter = take_pointer(&program);
        return 0;
}

static int make_filter(struct sock_fprog *ret) {
        _cleanup_(seccomp_releasep) scmp_filter_ctx filter = seccomp_init(SCMP_ACT_KILL_PROCESS);
        int r;

        if (!filter)
                return -ENOTSUP;
        r = seccomp_attr_set(filter, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS);
        if (r == 0)
                r = add_rules(filter);
        return r == 0 ? export(filter, ret) : r;
}

/**
 * sandbox_prepare() - make ready what can be made ready before
 * @ret:        the sandbox, for sandbox_clear()
 *
 * Return: 0 or a negative errno.
 */
int sandbox_prepare(struct sandbox *ret) {
        struct sandbox sandbox = { 0 };
        int r;

        r = read_occupied(&sandbox.occupied);
        if (r == 0)
                r = make_filter(&sandbox.filter);
        if (r < 0)
                return r;
        *ret = sandbox;
        return 0;
}

/**
 * sandbox_clear() - give back what a sandbox holds
 * @sandbox:    the sandbox
 */
void sandbox_clear(struct sandbox *sandbox) {
        free(sandbox->filter.filter);
        *sandbox = (struct sandbox){ 0 };
}

static int close_others(int a, int b) {
        unsigned low = (unsigned) (a < b ? a : b), high = (unsigned) (a < b ? b : a);

        if (low > 0 && close_range(0, low - 1, 0) < 0)
                return -errno;
        if (high - low > 1 && close_range(low + 1, high - 1, 0) < 0)
                return -errno;
        return close_range(high + 1, ~0U, 0) < 0 ? -errno : 0;
}

/* Never above what is the limit already. */
static int limit(int resource, rlim_t soft, rlim_t hard) {
        struct rlimit value;

        if (getrlimit((__rlimit_resource_t) resource, &value) < 0)
                return -errno;
        value.rlim_max = hard < value.rlim_max ? hard : value.rlim_max;
        value.rlim_cur = soft < value.rlim_max ? soft : value.rlim_max;
        return setrlimit((__rlimit_resource_t) resource, &value) < 0 ? -errno : 0;
}

/* A mapping of the file takes no memory but address space. */
static int set_limits(const struct sandbox *sandbox, int file, rlim_t seconds) {
        rlim_t memory = sandbox->occupied + SANDBOX_MEMORY_MAX;
        struct stat st;
        int r;

        if (fstat(file, &st) < 0)
                return -errno;
        memory += (rlim_t) (st.st_size < IMAGE_FILE_MAX ? st.st_size : IMAGE_FILE_MAX);
        r = limit(RLIMIT_AS, memory, memory);
        if (r == 0)
                r = limit(RLIMIT_CPU, seconds, seconds + 1);
        if (r == 0)
                r = limit(RLIMIT_FSIZE, 0, 0);
        if (r == 0)
                r = limit(RLIMIT_NPROC, 0, 0);
        return r == 0 ? limit(RLIMIT_CORE, 0, 0) : r;
}

/**
 * sandbox_limit() - give up all descriptors but two, and what memory and time the work does not take
 * @sandbox:    as prepared
 * @file:       what is read
 * @pipe:       where the answer goes
 * @seconds:    how much processor time it may take, for when nobody is there to look at the clock; then comes SIGXCPU
 *
 * There is no way back, and after an error none ahead.
 *
 * Return: 0 or a negative errno.
 */
int sandbox_limit(const struct sandbox *sandbox, int file, int pipe, unsigned seconds) {
        int r;

        r = close_others(file, pipe);
        if (r < 0)
                return r;
        /* Not dumpable: where the kernel pipes core dumps to a program, RLIMIT_CORE does not stop it; see core(5). */
        if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 || prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0)
                return -errno;
        return set_limits(sandbox, file, seconds);
}

/**
 * sandbox_enter() - give up all but what it takes to look into a file
 * @sandbox:    as prepared
 * @file:       the file
 * @pipe:       where the answer goes
 * @seconds:    as for sandbox_limit(), which this begins with
 *
 * Return: 0 or a negative errno.
 */
int sandbox_enter(const struct sandbox *sandbox, int file, int pipe, unsigned seconds) {
        int r;

        r = sandbox_limit(sandbox, file, pipe, seconds);
        if (r < 0)
                return r;
        return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &sandbox->filter, 0, 0) < 0 ? -errno : 0;
}
