/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Object
 *
 * ELF objects for the tests: made from sections, read from a file, and open to all that can be done to their headers.
 */

#include <glib.h>
#include <stddef.h>
#include <stdint.h>

#include "image.h"

typedef ElfW(Half) elf_half_t;
typedef ElfW(Off) elf_off_t;
typedef ElfW(Addr) elf_addr_t;
typedef ElfW(Xword) elf_xword_t;
typedef ElfW(Sxword) elf_sxword_t;

struct object_section {
        const char *name;
        const void *bytes;
        size_t size;
        uint32_t type; /* 0: SHT_PROGBITS */
        uint32_t link, info;
};

GByteArray *object_build(const struct object_section *sections, size_t n);
GByteArray *object_build_modinfo(const void *modinfo, size_t size);
GByteArray *object_read(const char *path);
elf_ehdr_t *object_header(GByteArray *object);
elf_shdr_t *object_section_at(GByteArray *object, size_t index);
elf_shdr_t *object_names(GByteArray *object);
elf_shdr_t *object_find(GByteArray *object, const char *name);
