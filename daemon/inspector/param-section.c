/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Param section
 *
 * The parameters that the kernel will know, from the table that it looks them up in: the section __param, an array of
 * struct kernel_param (include/linux/moduleparam.h of the kernel). .modinfo alone has not all of them: what
 * module_param_call() and module_param_cb() declare leaves no word of its type there, as lockd's nlm_udpport.
 *
 * A name in the table is a pointer, and so a relocation against a symbol near the string.
 */

#include <errno.h>
#include <string.h>

#include "param-section.h"

/* As in the kernel since Linux 3.17. */
struct kernel_param {
        const char *name;
        void *module;
        const void *operations;
        uint16_t permissions;
        int8_t level;
        uint8_t flags;
        void *argument;
};

#define NAME_SIZE ((size_t) MODINFO_PARAMETER_NAME_MAX + 1)

#if __SIZEOF_POINTER__ == 8
#define RELOCATION_SYMBOL ELF64_R_SYM
#else
#define RELOCATION_SYMBOL ELF32_R_SYM
#endif

struct table {
        const struct image *image;
        struct section params;
        struct section relocations;
        struct section symbols;
};

static int find_table(const struct image *image, const struct section *params, struct table *ret) {
        struct table table = { .image = image, .params = *params };
        int r;

        r = image_find_relocations(image, params, &table.relocations);
        if (r == 0)
                r = image_section(image, table.relocations.header.sh_link, &table.symbols);
        if (r == 0)
                *ret = table;
        return r;
}

static bool is_with_addend(const struct table *table) {
        return table->relocations.header.sh_type == SHT_RELA;
}

/* The relocation at @index, its addend from the place itself where it has none of its own. Return: false if it is none. */
static bool relocation_at(const struct table *table, size_t index, elf_rela_t *ret) {
        size_t size = is_with_addend(table) ? sizeof(elf_rela_t) : sizeof(elf_rel_t);

        *ret = (elf_rela_t){ 0 };
        memcpy(ret, table->relocations.bytes + index * size, size);
        if (ret->r_offset > table->params.size || table->params.size - ret->r_offset < sizeof(void *))
                return false;
        if (!is_with_addend(table))
                memcpy(&ret->r_addend, table->params.bytes + ret->r_offset, sizeof ret->r_addend);
        return true;
}

static bool symbol_at(const struct table *table, size_t index, elf_sym_t *ret) {
        if (index >= table->symbols.size / sizeof *ret)
                return false;
        memcpy(ret, table->symbols.bytes + index * sizeof *ret, sizeof *ret);
        return ret->st_shndx != SHN_UNDEF && ret->st_shndx < SHN_LORESERVE;
}

/* Return: the string that a relocation points to, or NULL. */
static const char *string_of(const struct table *table, const elf_rela_t *relocation) {
        struct section section;
        elf_sym_t symbol;
        size_t at, left;

        if (!symbol_at(table, RELOCATION_SYMBOL(relocation->r_info), &symbol) ||
            image_section(table->image, symbol.st_shndx, &section) != 0)
                return NULL;
        /* May wrap around, and is as good as any other number then. */
        at = (size_t) symbol.st_value + (size_t) relocation->r_addend;
        if (at >= section.size)
                return NULL;
        left = section.size - at;
        if (!memchr(section.bytes + at, '\0', left < NAME_SIZE ? left : NAME_SIZE))
                return NULL;
        return (const char *) section.bytes + at;
}

/* Return: as param_section_read(). */
static int read_table(const struct table *table, struct modinfo *info) {
        size_t n = table->relocations.size /
                   (is_with_addend(table) ? sizeof(elf_rela_t) : sizeof(elf_rel_t));
        size_t missing = table->params.size / sizeof(struct kernel_param);

        if (table->params.size % sizeof(struct kernel_param) != 0)
                return 1;
        for (size_t i = 0; i < n; i++) {
                struct modinfo_parameter *parameter;
                elf_rela_t relocation;
                const char *name;
                int r;

                if (!relocation_at(table, i, &relocation))
                        return 1;
                if (relocation.r_offset % sizeof(struct kernel_param) != offsetof(struct kernel_param, name))
                        continue;
                name = missing > 0 ? string_of(table, &relocation) : NULL;
                if (!name)
                        return 1;
                r = modinfo_add_parameter(info, name, &parameter);
                if (r != 0)
                        return r;
                parameter->is_known = true;
                missing--;
        }
        return missing == 0 ? 0 : 1;
}

/**
 * param_section_read() - mark the parameters that the kernel will know, and add those that .modinfo does not name
 * @image:      the module, open
 * @info:       what it says of itself
 *
 * Return: 0 if all are marked now, 1 if there may be more, or -ENOMEM.
 */
int param_section_read(const struct image *image, struct modinfo *info) {
        struct section params;
        struct table table;
        int r;

        r = image_find_section(image, "__param", &params);
        if (r == MODINFO_NO_MODINFO)
                return 0;
        if (r == 0 && params.size == 0)
                return 0;
        if (r == 0)
                r = find_table(image, &params, &table);
        return r == 0 ? read_table(&table, info) : 1;
}
