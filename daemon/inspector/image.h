/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gelf.h>
#include <link.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* ELF of this machine; <link.h> has the width. */
typedef ElfW(Ehdr) elf_ehdr_t;
typedef ElfW(Shdr) elf_shdr_t;
typedef ElfW(Sym) elf_sym_t;
typedef ElfW(Rel) elf_rel_t;
typedef ElfW(Rela) elf_rela_t;

/* What the kernel reads of a module's file at the most: kernel_read_file() stops at INT_MAX. */
#define IMAGE_FILE_MAX ((int64_t) INT32_MAX)

/* Begins as { 0 }, and ends by image_close() whatever came of opening it. */
struct image {
        const unsigned char *bytes; /* unpacked */
        size_t size;
        const char *compression; /* "", "gzip", "xz" or "zstd", or NULL if nobody has looked; static */

        void *map;
        size_t map_size;
        Elf *packed;
        Elf *elf;
        size_t n_sections;
        const char *names;
        size_t names_size;
};

/* A section whose bytes are known to be in the image. Nothing of it needs to be given back. */
struct section {
        size_t index;
        GElf_Shdr header;
        const unsigned char *bytes;
        size_t size;
};

int image_open(int fd, struct image *image);
int image_open_memory(const void *bytes, size_t size, struct image *image);
void image_close(struct image *image);
bool image_is_signed(const struct image *image);

int image_section(const struct image *image, size_t index, struct section *ret);
int image_find_section(const struct image *image, const char *name, struct section *ret);
int image_find_relocations(const struct image *image, const struct section *of, struct section *ret);
