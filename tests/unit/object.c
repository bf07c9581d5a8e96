/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <string.h>

#include "object.h"

#define ALIGNMENT 8

static size_t append(GByteArray *object, const void *bytes, size_t n) {
        static const unsigned char padding[ALIGNMENT];
        size_t at;

        g_byte_array_append(object, padding, (guint) (-object->len % ALIGNMENT));
        at = object->len;
        if (n > 0)
                g_byte_array_append(object, bytes, (guint) n);
        return at;
}

/**
 * object_build() - make an object for this machine
 * @sections:   its sections, from number 1; all of them get into memory (SHF_ALLOC)
 * @n:          how many; .shstrtab comes after them
 *
 * Return: the file's bytes.
 */
GByteArray *object_build(const struct object_section *sections, size_t n) {
        elf_ehdr_t header = { .e_ident = ELFMAG, .e_type = ET_REL, .e_version = EV_CURRENT };
        g_autofree elf_shdr_t *table = g_new0(elf_shdr_t, n + 2);
        g_autoptr(GByteArray) names = g_byte_array_new();
        GByteArray *object = g_byte_array_new();
        g_autoptr(GByteArray) self = object_read("/proc/self/exe");

        memcpy(header.e_ident, self->data, EI_NIDENT);
        header.e_machine = object_header(self)->e_machine;
        header.e_ehsize = sizeof header;
        header.e_shentsize = sizeof *table;
        header.e_shnum = (elf_half_t) (n + 2);
        header.e_shstrndx = (elf_half_t) (n + 1);
        append(object, &header, sizeof header);
        g_byte_array_append(names, (const guint8 *) "", 1);
        for (size_t i = 0; i <= n; i++) {
                static const struct object_section last = { .name = ".shstrtab", .type = SHT_STRTAB };
                const struct object_section *section = i < n ? &sections[i] : &last;
                elf_shdr_t *entry = &table[i + 1];

                entry->sh_name = names->len;
                g_byte_array_append(names, (const guint8 *) section->name,
                                    (guint) strlen(section->name) + 1);
                entry->sh_type = section->type ? section->type : SHT_PROGBITS;
                entry->sh_flags = i < n ? SHF_ALLOC : 0;
                entry->sh_link = section->link;
                entry->sh_info = section->info;
                entry->sh_size = i < n ? section->size : names->len;
                entry->sh_offset = append(object, i < n ? section->bytes : names->data, entry->sh_size);
        }
        header.e_shoff = append(object, table, (n + 2) * sizeof *table);
        memcpy(object->data, &header, sizeof header);
        return object;
}

/**
 * object_build_modinfo() - make an object with nothing but .modinfo
 * @modinfo:    what is in there
 * @size:       how much of it
 *
 * Return: the file's bytes.
 */
GByteArray *object_build_modinfo(const void *modinfo, size_t size) {
        const struct object_section section = { .name = ".modinfo", .bytes = modinfo, .size = size };

        return object_build(&section, 1);
}

/**
 * object_read() - read an object from a file
 * @path:       the file
 *
 * Return: its bytes.
 */
GByteArray *object_read(const char *path) {
        g_autoptr(GError) error = NULL;
        gchar *bytes;
        gsize n;

        g_file_get_contents(path, &bytes, &n, &error);
        g_assert_no_error(error);
        return g_byte_array_new_take((guint8 *) bytes, n);
}

/**
 * object_header() - the ELF header
 * @object:     the file's bytes
 *
 * Return: the header, as long as the bytes stay where they are.
 */
elf_ehdr_t *object_header(GByteArray *object) {
        return (elf_ehdr_t *) (void *) object->data;
}

/**
 * object_section_at() - a section's header
 * @object:     the file's bytes
 * @index:      the section's number
 *
 * Return: the header, as long as the bytes stay where they are.
 */
elf_shdr_t *object_section_at(GByteArray *object, size_t index) {
        return (elf_shdr_t *) (void *) (object->data + object_header(object)->e_shoff) + index;
}

/**
 * object_names() - the header of the section with the sections' names
 * @object:     the file's bytes
 *
 * Return: the header, as long as the bytes stay where they are.
 */
elf_shdr_t *object_names(GByteArray *object) {
        return object_section_at(object, object_header(object)->e_shstrndx);
}

/**
 * object_find() - the header of a section that is there
 * @object:     the file's bytes
 * @name:       the section's name
 *
 * Return: the header, as long as the bytes stay where they are.
 */
elf_shdr_t *object_find(GByteArray *object, const char *name) {
        const elf_shdr_t *names = object_names(object);

        for (size_t i = 1; i < object_header(object)->e_shnum; i++) {
                elf_shdr_t *section = object_section_at(object, i);

                if (strcmp((const char *) object->data + names->sh_offset + section->sh_name, name) == 0)
                        return section;
        }
        g_error("no section %s", name);
}
