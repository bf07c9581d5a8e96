/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Modprobe.d, read
 *
 * Has libkmod read modprobe.d, and the kernel's command line, in a process that does nothing else and ends. libkmod
 * brings libcrypto, which takes half a MiB for its relocated data alone, and nobody here checks a signature. So no program
 * is linked with it, which would map it into each process, those that look into strangers' files too: it is loaded here.
 */

#include <errno.h>
#include <libkmod.h>
#include <limits.h>
#include <malloc.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "cleanup.h"
#include "entries.h"
#include "library.h"
#include "modprobe-read.h"

/* clang-format off */
#define FUNCTIONS(function)                         \
        function(kmod_config_get_blacklists)        \
        function(kmod_config_get_install_commands)  \
        function(kmod_config_get_options)           \
        function(kmod_config_iter_get_key)          \
        function(kmod_config_iter_get_value)        \
        function(kmod_config_iter_next)             \
        function(kmod_new)
/* clang-format on */

LIBRARY(libkmod, "libkmod.so.2", "modprobe.d", "required")

/* What libkmod takes: for each byte that there is to read, up to seven; and what else there is, in bytes. */
#define MEMORY_PER_BYTE ((size_t) 8)
#define MEMORY_MORE ((size_t) 512 * 1024)

/*
 * libkmod passes over what it has no memory for, a line or all of the kernel's command line, without a word, and others may take
 * it all just then. So there is enough before it begins: what is freed here stays the process's own, and is what malloc() gives.
 */
static int reserve_memory(int copy) {
        void *volatile memory; /* or a compiler may find that nothing needs it */
        struct stat st;

        if (fstat(copy, &st) < 0)
                return -errno;
        (void) mallopt(M_MMAP_MAX, 0);
        (void) mallopt(M_TRIM_THRESHOLD, INT_MAX);
        memory = malloc((size_t) st.st_size * MEMORY_PER_BYTE + MEMORY_MORE);
        if (!memory)
                return -ENOMEM;
        free(memory);
        return 0;
}

static int put_entries(FILE *f, struct kmod_config_iter *iter, enum entry_kind kind) {
        if (!iter)
                return -ENOMEM;
        while (lib_kmod_config_iter_next(iter))
                entries_put(f, kind, lib_kmod_config_iter_get_key(iter),
                            kind == ENTRY_OPTIONS ? lib_kmod_config_iter_get_value(iter) : NULL);
        return 0;
}

static int put_all(FILE *f, int copy) {
        char path[sizeof "/proc/self/fd/" + 3 * sizeof copy];
        const char *const paths[] = { path, NULL };
        const struct kmod_ctx *context;
        int r;

        (void) snprintf(path, sizeof path, "/proc/self/fd/%d", copy);
        /* A directory of modules is not needed, nor the modules.softdep in it. */
        context = lib_kmod_new("/dev/null", paths);
        if (!context)
                return -ENOMEM;
        r = put_entries(f, lib_kmod_config_get_blacklists(context), ENTRY_BLACKLIST);
        if (r == 0)
                r = put_entries(f, lib_kmod_config_get_install_commands(context), ENTRY_INSTALL);
        if (r == 0)
                r = put_entries(f, lib_kmod_config_get_options(context), ENTRY_OPTIONS);
        return r;
}

/**
 * modprobe_read() - have libkmod read, and write what it made of that
 * @copy:       what is to be read, one file
 * @pipe:       where the entries go, see entries.h; may block; closed afterwards
 *
 * What libkmod takes the process ends with.
 *
 * Return: 0, or a negative errno after which the entries have no end.
 */
int modprobe_read(int copy, int pipe) {
        _cleanup_fclose_ FILE *f = fdopen(pipe, "w");
        enum entries_outcome outcome;
        int r = 0;

        if (!f)
                return -errno;
        outcome = library_load(&libkmod) < 0 ? ENTRIES_NO_LIBRARY : ENTRIES_READ;
        if (outcome == ENTRIES_READ)
                r = reserve_memory(copy);
        if (outcome == ENTRIES_READ && r == 0)
                r = put_all(f, copy);
        /* What one write has lost the next would not tell. */
        if (r < 0 || ferror(f))
                return r < 0 ? r : -EIO;
        entries_end(f, outcome);
        return fflush(f) == 0 ? 0 : -EIO;
}
