/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Needs
 *
 * The line `depends=` in a module's file. libkmod tells it, too, but reads all that a file says of itself with it, and
 * for who has signed it starts OpenSSL, which takes longer than all else that is done to look into a file.
 */

#include <errno.h>
#include <fcntl.h>
#include <gelf.h>
#include <stdlib.h>
#include <string.h>

#include "cleanup.h"
#include "library.h"
#include "needs.h"

/* clang-format off */
#define FUNCTIONS(function)          \
        function(elf_begin)          \
        function(elf_end)            \
        function(elf_getshdrstrndx)  \
        function(elf_kind)           \
        function(elf_nextscn)        \
        function(elf_rawdata)        \
        function(elf_strptr)         \
        function(elf_version)        \
        function(gelf_getshdr)
/* clang-format on */

LIBRARY(libelf, "libelf.so.1", "dependencies of files outside the kernel's tree, sooner", "suggested")

#define KEY "depends="

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

/* Return: 0, or -ENOMEM. */
static int find_depends(const Elf_Data *modinfo, char **ret) {
        const char *p = modinfo ? modinfo->d_buf : NULL, *end = p ? p + modinfo->d_size : NULL;
        char *depends = NULL;

        while (p < end && !depends) {
                size_t length = strnlen(p, (size_t) (end - p));

                if (length >= strlen(KEY) && memcmp(p, KEY, strlen(KEY)) == 0) {
                        depends = strndup(p + strlen(KEY), length - strlen(KEY));
                        if (!depends)
                                return -ENOMEM;
                }
                p += length + 1;
        }
        *ret = depends;
        return 0;
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
        Elf *elf;
        int r;

        r = library_load(&libelf);
        if (r < 0)
                return r;
        fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
        if (fd < 0)
                return -errno;
        /* Not mapped: one that is cut meanwhile would end us by SIGBUS. */
        elf = lib_elf_version(EV_CURRENT) == EV_NONE ? NULL : lib_elf_begin(fd, ELF_C_READ, NULL);
        r = elf && lib_elf_kind(elf) == ELF_K_ELF ? find_depends(find_modinfo(elf), ret) : -ENOEXEC;
        (void) lib_elf_end(elf);
        return r;
}
