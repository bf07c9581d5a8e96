/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Needs
 *
 * What a module's file says that it needs. libkmod tells that, too, but reads all that a file says of itself with it, and
 * for who has signed it starts OpenSSL, which takes longer than all else that is done to look into a file.
 */

#include <errno.h>
#include <fcntl.h>
#include <gelf.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cleanup.h"
#include "library.h"
#include "needs.h"

/* clang-format off */
#define FUNCTIONS(function)          \
        function(elf_begin)          \
        function(elf_end)            \
        function(elf_getshdrnum)     \
        function(elf_getshdrstrndx)  \
        function(elf_kind)           \
        function(elf_nextscn)        \
        function(elf_rawdata)        \
        function(elf_strptr)         \
        function(elf_version)        \
        function(gelf_getshdr)
/* clang-format on */

LIBRARY(libelf, "libelf.so.1", "dependencies of files outside the kernel's tree, sooner", "suggested")

#define DEPENDS "depends="
#define SOFTDEP "softdep="

/* Return: the bytes of .modinfo, or NULL if there is none. */
static const Elf_Data *find_modinfo(Elf *elf) {
        Elf_Scn *section = NULL;
        size_t names;

        if (lib_elf_getshdrstrndx(elf, &names) < 0)
                return NULL;
        while ((section = lib_elf_nextscn(elf, section))) {
                GElf_Shdr header;
                const char *name;

                if (!lib_gelf_getshdr(section, &header))
                        return NULL;
                name = lib_elf_strptr(elf, names, header.sh_name);
                if (name && strcmp(name, ".modinfo") == 0)
                        return lib_elf_rawdata(section, NULL);
        }
        return NULL;
}

/* Return: what follows @key in the first text that begins so, @ret_length bytes, or NULL. */
static const char *find_text(const Elf_Data *modinfo, const char *key, size_t *ret_length) {
        const char *p = modinfo ? modinfo->d_buf : NULL, *end = p ? p + modinfo->d_size : NULL;

        while (p < end) {
                size_t length = strnlen(p, (size_t) (end - p));

                if (length >= strlen(key) && memcmp(p, key, strlen(key)) == 0) {
                        *ret_length = length - strlen(key);
                        return p + strlen(key);
                }
                p += length + 1;
        }
        return NULL;
}

/* Mapped, so that no byte of a module is copied; one that is cut meanwhile ends us by SIGBUS, as it ends insmod(8). */
static Elf *begin(int fd) {
        Elf *elf = lib_elf_version(EV_CURRENT) == EV_NONE ? NULL : lib_elf_begin(fd, ELF_C_READ_MMAP, NULL);

        if (elf && lib_elf_kind(elf) == ELF_K_ELF)
                return elf;
        (void) lib_elf_end(elf);
        return NULL;
}

/**
 * needs_read() - read what a module's file says that it needs
 * @path:       the file
 * @ret:        the names, with commas between them; NULL if it does not say; owned by the caller
 *
 * Return: 0, -ENOEXEC if it is not ELF, as when it is compressed, or another negative errno; -ELIBACC without libelf.
 */
int needs_read(const char *path, char **ret) {
        _cleanup_close_ int fd = -1;
        char *depends = NULL;
        const char *text;
        size_t length;
        Elf *elf;
        int r;

        r = library_load(&libelf);
        if (r < 0)
                return r;
        fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
        if (fd < 0)
                return -errno;
        elf = begin(fd);
        if (!elf)
                return -ENOEXEC;
        text = find_text(find_modinfo(elf), DEPENDS, &length);
        if (text)
                depends = strndup(text, length);
        (void) lib_elf_end(elf);
        if (text && !depends)
                return -ENOMEM;
        *ret = depends;
        return 0;
}

/**
 * needs_is_sound() - may libkmod look into a module's file
 * @path:       the file
 *
 * libkmod ends us by an assertion where the header does not say which section has the names, or one that there is not.
 *
 * Return: not if it is ELF that contradicts itself; of what is compressed, or without libelf, it is not known.
 */
bool needs_is_sound(const char *path) {
        _cleanup_close_ int fd = -1;
        size_t names, n;
        bool is_sound;
        char magic[SELFMAG];
        Elf *elf;

        fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
        if (fd < 0 || library_load(&libelf) < 0)
                return true;
        if (pread(fd, magic, sizeof magic, 0) != sizeof magic || memcmp(magic, ELFMAG, SELFMAG) != 0)
                return true;
        elf = begin(fd);
        is_sound = elf && lib_elf_getshdrnum(elf, &n) == 0 && lib_elf_getshdrstrndx(elf, &names) == 0 &&
                   names != SHN_UNDEF && names < n;
        (void) lib_elf_end(elf);
        return is_sound;
}

/**
 * needs_nothing() - does a module's file say that it needs no other module
 * @fd:         the file
 *
 * Return: whether it does; not if it cannot be told, or if it has a soft dependency.
 */
bool needs_nothing(int fd) {
        const Elf_Data *modinfo;
        size_t depends = 0, softdep;
        bool nothing;
        Elf *elf;

        elf = library_load(&libelf) < 0 ? NULL : begin(fd);
        if (!elf)
                return false;
        modinfo = find_modinfo(elf);
        (void) find_text(modinfo, DEPENDS, &depends);
        nothing = modinfo && depends == 0 && !find_text(modinfo, SOFTDEP, &softdep);
        (void) lib_elf_end(elf);
        return nothing;
}
