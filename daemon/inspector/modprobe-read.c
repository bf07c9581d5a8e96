/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Modprobe.d, read
 *
 * Has libkmod read modprobe.d, and the kernel's command line, in a process that does nothing else and ends. libkmod
 * brings libcrypto, which takes half a MiB for its relocated data alone, and nobody here checks a signature. So no program
 * is linked with it, which would map it into each process, those that look into strangers' files too: it is loaded here.
 */

#include <dlfcn.h>
#include <elf.h>
#include <errno.h>
#include <libkmod.h>
#include <limits.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "cleanup.h"
#include "entries.h"
#include "modprobe-read.h"

#define LIBRARY "libkmod.so.2"

/* What libkmod takes: for each byte that there is to read, up to seven; and what else there is, in bytes. */
#define MEMORY_PER_BYTE ((size_t) 8)
#define MEMORY_MORE ((size_t) 512 * 1024)

/* Tells who makes packages what the program's dynamic section does not; see https://systemd.io/ELF_DLOPEN_METADATA/. */
#define NOTE_OWNER "FDO"
#define NOTE_TYPE 0x407c0c0a
#define NOTE_TEXT                                                                                           \
        "[{\"soname\":[\"" LIBRARY "\"],\"feature\":\"modprobe.d\",\"description\":\"Reads modprobe.d\","   \
        "\"priority\":\"required\"}]"
static const struct {
        Elf64_Nhdr head; /* the same as Elf32_Nhdr */
        char owner[sizeof NOTE_OWNER];
        char text[sizeof NOTE_TEXT];
} note __attribute__((used, aligned(4), section(".note.dlopen"))) = {
        .head = { .n_namesz = sizeof NOTE_OWNER, .n_descsz = sizeof NOTE_TEXT, .n_type = NOTE_TYPE },
        .owner = NOTE_OWNER,
        .text = NOTE_TEXT,
};

typedef struct kmod_config_iter *(*get_entries_t)(const struct kmod_ctx *context);

/* What is used of libkmod, as it is declared there. */
struct library {
        __typeof__(kmod_new) *new_context;
        get_entries_t get_blacklists, get_installs, get_options;
        __typeof__(kmod_config_iter_next) *next;
        __typeof__(kmod_config_iter_get_key) *get_key;
        __typeof__(kmod_config_iter_get_value) *get_value;
};

#define FIND(handle, pointer, name) ((pointer = (__typeof__(pointer)) dlsym(handle, name)) != NULL)

/* It stays loaded until the process ends. Return: 0 or ENTRIES_NO_LIBRARY. */
static int load(struct library *ret) {
        void *handle = dlopen(LIBRARY, RTLD_NOW | RTLD_LOCAL);

        if (handle && FIND(handle, ret->new_context, "kmod_new") &&
            FIND(handle, ret->get_blacklists, "kmod_config_get_blacklists") &&
            FIND(handle, ret->get_installs, "kmod_config_get_install_commands") &&
            FIND(handle, ret->get_options, "kmod_config_get_options") &&
            FIND(handle, ret->next, "kmod_config_iter_next") &&
            FIND(handle, ret->get_key, "kmod_config_iter_get_key") &&
            FIND(handle, ret->get_value, "kmod_config_iter_get_value"))
                return ENTRIES_READ;
        return ENTRIES_NO_LIBRARY;
}

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

static int put_entries(FILE *f, const struct library *library, const struct kmod_ctx *context,
                       get_entries_t get, enum entry_kind kind) {
        struct kmod_config_iter *iter = get(context);

        if (!iter)
                return -ENOMEM;
        while (library->next(iter))
                entries_put(f, kind, library->get_key(iter),
                            kind == ENTRY_OPTIONS ? library->get_value(iter) : NULL);
        return 0;
}

static int put_all(FILE *f, const struct library *library, int copy) {
        char path[sizeof "/proc/self/fd/" + 3 * sizeof copy];
        const char *const paths[] = { path, NULL };
        const struct kmod_ctx *context;
        int r;

        (void) snprintf(path, sizeof path, "/proc/self/fd/%d", copy);
        /* A directory of modules is not needed, nor the modules.softdep in it. */
        context = library->new_context("/dev/null", paths);
        if (!context)
                return -ENOMEM;
        r = put_entries(f, library, context, library->get_blacklists, ENTRY_BLACKLIST);
        if (r == 0)
                r = put_entries(f, library, context, library->get_installs, ENTRY_INSTALL);
        if (r == 0)
                r = put_entries(f, library, context, library->get_options, ENTRY_OPTIONS);
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
        struct library library;
        int outcome, r = 0;

        if (!f)
                return -errno;
        outcome = load(&library);
        if (outcome == ENTRIES_READ)
                r = reserve_memory(copy);
        if (outcome == ENTRIES_READ && r == 0)
                r = put_all(f, &library, copy);
        /* What one write has lost the next would not tell. */
        if (r < 0 || ferror(f))
                return r < 0 ? r : -EIO;
        entries_end(f, (enum entries_outcome) outcome);
        return fflush(f) == 0 ? 0 : -EIO;
}
