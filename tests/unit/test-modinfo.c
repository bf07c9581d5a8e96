/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Tests of daemon/inspector/modinfo.c and what it stands on: what a file says of itself, and what can be wrong with it.
 * All of it in this process, so that whatever the sandbox would catch is seen here.
 */

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "cleanup.h"
#include "modinfo.h"
#include "object.h"
#include "support.h"

#define NAME "the_example"

DEFINE_CLEANUP(struct modinfo *, modinfo_free);

static GByteArray *example(const char *name) {
        g_autofree char *path = g_build_filename(g_getenv("TEST_MODULES"), name, NULL);

        return object_read(path);
}

/* Through memory of just its size, so that the sanitizer sees a byte too far. Return: the outcome. */
static int parse(const GByteArray *object, struct modinfo **ret) {
        g_autofree void *copy = g_memdup2(object->data, object->len);

        return modinfo_parse(copy, object->len, NAME, ret);
}

static int outcome_of(const GByteArray *object) {
        _cleanup_(modinfo_freep) struct modinfo *info = NULL;
        int r = parse(object, &info);

        g_assert_cmpint(r, >=, 0);
        g_assert_nonnull(info);
        return r;
}

static struct modinfo *good(const GByteArray *object) {
        struct modinfo *info = NULL;

        g_assert_cmpint(parse(object, &info), ==, MODINFO_GOOD);
        return info;
}

static void expect_parameter(const struct modinfo *info, size_t i, const char *name, const char *type,
                             const char *description, bool is_known) {
        g_assert_cmpuint(i, <, info->n_parameters);
        g_assert_cmpstr(info->parameters[i].name, ==, name);
        g_assert_cmpstr(info->parameters[i].type, ==, type);
        g_assert_cmpstr(info->parameters[i].description, ==, description);
        g_assert_cmpint(info->parameters[i].is_known, ==, is_known);
}

static void test_good(void) {
        g_autoptr(GByteArray) object = example("example.ko");
        _cleanup_(modinfo_freep) struct modinfo *info = good(object);

        g_assert_cmpstr(info->compression, ==, "");
        g_assert_false(info->is_signed);
        g_assert_cmpstr(info->name, ==, "the_example");
        g_assert_cmpstr(info->version, ==, "1.2");
        g_assert_cmpstr(info->license, ==, "GPL");
        g_assert_cmpstr(info->vermagic, ==, "6.1.0-test SMP preempt mod_unload ");
        g_assert_cmpstr(info->srcversion, ==, "0123456789ABCDEF0123456");
        g_assert_cmpuint(info->depends.n, ==, 3);
        g_assert_cmpstr(info->depends.items[0], ==, "alpha");
        g_assert_cmpstr(info->depends.items[1], ==, "beta-gamma");
        g_assert_cmpstr(info->depends.items[2], ==, "delta");
        g_assert_cmpuint(info->softdeps.n, ==, 2);
        g_assert_cmpstr(info->softdeps.items[0], ==, "pre: first second post: third");
        g_assert_cmpstr(info->softdeps.items[1], ==, "pre: fourth");
        g_assert_cmpuint(info->n_parameters, ==, 6);
        expect_parameter(info, 0, "numdummies", "int", "Number of pseudo devices", true);
        expect_parameter(info, 1, "undescribed", "array of charp", NULL, true);
        expect_parameter(info, 2, "gone", NULL, "Described, but not there", false);
        expect_parameter(info, 3, "twice", NULL, "a description: with a colon,\nand a line break", true);
        expect_parameter(info, 4, "untyped", NULL, NULL, true);
        expect_parameter(info, 5, "other.prefixed", NULL, NULL, true);
        g_assert_true(info->parameters_complete);
}

/* What moduled says of a field that is not there is nothing, not an empty text. */
static void test_absent(void) {
        static const char modinfo[] = "name=the-example";
        g_autoptr(GByteArray) object = object_build_modinfo(modinfo, sizeof modinfo);
        _cleanup_(modinfo_freep) struct modinfo *info = good(object);

        g_assert_cmpstr(info->name, ==, "the-example");
        g_assert_null(info->version);
        g_assert_null(info->license);
        g_assert_null(info->vermagic);
        g_assert_null(info->srcversion);
        g_assert_cmpuint(info->depends.n, ==, 0);
        g_assert_cmpuint(info->softdeps.n, ==, 0);
        g_assert_cmpuint(info->n_parameters, ==, 0);
        g_assert_true(info->parameters_complete);
}

static void test_names(void) {
        static const struct {
                const char *name, *expected;
                int outcome;
        } vectors[] = {
                { "a_b", "a_b", MODINFO_GOOD },         { "a-b", "a_b", MODINFO_GOOD },
                { "a_b", "a-b", MODINFO_GOOD },         { "a_b", "a_c", MODINFO_OTHER_NAME },
                { "a_b", "a_", MODINFO_OTHER_NAME },    { "a_", "a_b", MODINFO_OTHER_NAME },
                { "", "", MODINFO_OTHER_NAME },         { "A_b", "a_b", MODINFO_OTHER_NAME },
                { "a\nb", "a\nb", MODINFO_OTHER_NAME },
        };

        for (size_t i = 0; i < G_N_ELEMENTS(vectors); i++) {
                g_autofree char *modinfo = g_strdup_printf("name=%s", vectors[i].name);
                g_autoptr(GByteArray) object = object_build_modinfo(modinfo, strlen(modinfo) + 1);
                _cleanup_(modinfo_freep) struct modinfo *info = NULL;

                g_assert_cmpint(modinfo_parse(object->data, object->len, vectors[i].expected, &info), ==,
                                vectors[i].outcome);
                g_assert_cmpstr(info->name, ==, vectors[i].name);
        }
}

static void test_nameless(void) {
        g_autoptr(GByteArray) object = example("nameless.ko");
        _cleanup_(modinfo_freep) struct modinfo *info = NULL;

        g_assert_cmpint(parse(object, &info), ==, MODINFO_NO_NAME);
        g_assert_null(info->name);
        g_assert_cmpstr(info->license, ==, "GPL");
        g_assert_cmpuint(info->n_parameters, ==, 6);
}

static void test_no_modinfo(void) {
        g_autoptr(GByteArray) object = example("example.ko");

        /* The kernel does not look at what stays out of memory. */
        object_find(object, ".modinfo")->sh_flags = 0;
        g_assert_cmpint(outcome_of(object), ==, MODINFO_NO_MODINFO);
        object_find(object, ".modinfo")->sh_flags = SHF_ALLOC;
        object_find(object, ".modinfo")->sh_name++;
        g_assert_cmpint(outcome_of(object), ==, MODINFO_NO_MODINFO);
}

static void test_not_elf(void) {
        static const char *const texts[] = { "", "\x7f", "\x7f\x45L", "#!/bin/sh\n",
                                             "\x7f\x45LG and so on" };
        g_autoptr(GByteArray) object = g_byte_array_new();

        for (size_t i = 0; i < G_N_ELEMENTS(texts); i++) {
                g_byte_array_set_size(object, 0);
                g_byte_array_append(object, (const guint8 *) texts[i], (guint) strlen(texts[i]));
                g_assert_cmpint(outcome_of(object), ==, MODINFO_NOT_ELF);
        }
        g_byte_array_set_size(object, 65536);
        memset(object->data, 0, object->len);
        g_assert_cmpint(outcome_of(object), ==, MODINFO_NOT_ELF);
}

static void test_another_machine(void) {
        g_autoptr(GByteArray) object = example("example.ko");
        guint8 *identity = object->data;

        identity[EI_CLASS] ^= 3;
        g_assert_cmpint(outcome_of(object), ==, MODINFO_WRONG_MACHINE);
        identity[EI_CLASS] ^= 3;
        identity[EI_DATA] ^= 3;
        g_assert_cmpint(outcome_of(object), ==, MODINFO_WRONG_MACHINE);
        identity[EI_DATA] ^= 3;
        object_header(object)->e_machine ^= 1;
        g_assert_cmpint(outcome_of(object), ==, MODINFO_WRONG_MACHINE);
}

static void test_not_relocatable(void) {
        g_autoptr(GByteArray) program = object_read("/proc/self/exe"), object = example("example.ko");

        g_assert_cmpint(outcome_of(program), ==, MODINFO_NOT_RELOCATABLE);
        object_header(object)->e_type = ET_CORE;
        g_assert_cmpint(outcome_of(object), ==, MODINFO_NOT_RELOCATABLE);
}

/* Cut anywhere, it is never taken for whole: the table of sections stands at the end. */
static void test_truncated(void) {
        g_autoptr(GByteArray) object = example("example.ko");
        guint whole = object->len;

        for (guint n = 0; n < whole; n++) {
                g_autoptr(GByteArray) part = g_byte_array_new();

                g_byte_array_append(part, object->data, n);
                g_assert_cmpint(outcome_of(part), ==, n < SELFMAG ? MODINFO_NOT_ELF : MODINFO_MALFORMED);
        }
}

/* Any byte may be another: nothing breaks, whatever comes of it. */
static void test_every_byte(void) {
        g_autoptr(GByteArray) object = example("example.ko");
        size_t outcomes[MODINFO_TIMED_OUT + 1] = { 0 };

        for (guint i = 0; i < object->len; i++) {
                static const guint8 values[] = { 0x00, 0x01, 0x7f, 0x80, 0xff };
                guint8 saved = object->data[i];

                for (size_t j = 0; j < G_N_ELEMENTS(values); j++) {
                        object->data[i] = values[j];
                        outcomes[outcome_of(object)]++;
                }
                object->data[i] = saved;
        }
        for (int i = MODINFO_GOOD; i <= MODINFO_OTHER_NAME; i++)
                g_assert_cmpuint(outcomes[i], >, 0);
}

static void test_bad_headers(void) {
        g_autoptr(GByteArray) object = example("example.ko");
        elf_ehdr_t *header = object_header(object), saved = *header;

#define EXPECT_MALFORMED(change)                                                                            \
        do {                                                                                                \
                change;                                                                                     \
                g_assert_cmpint(outcome_of(object), ==, MODINFO_MALFORMED);                                 \
                *header = saved;                                                                            \
        } while (0)

        EXPECT_MALFORMED(header->e_version = 2);
        EXPECT_MALFORMED(header->e_ident[EI_VERSION] = 0);
        EXPECT_MALFORMED(header->e_shentsize++);
        EXPECT_MALFORMED(header->e_shentsize = 0);
        EXPECT_MALFORMED(header->e_shoff = object->len + 1);
        EXPECT_MALFORMED(header->e_shoff = object->len);
        EXPECT_MALFORMED(header->e_shoff = (elf_off_t) -1);
        EXPECT_MALFORMED(header->e_shoff++);
        EXPECT_MALFORMED(header->e_shnum = UINT16_MAX);
        EXPECT_MALFORMED(header->e_shstrndx = 0);
        EXPECT_MALFORMED(header->e_shstrndx = header->e_shnum);
        EXPECT_MALFORMED(header->e_shstrndx = UINT16_MAX);
        g_assert_cmpint(outcome_of(object), ==, MODINFO_GOOD);
#undef EXPECT_MALFORMED
}

/* The true number of very many sections stands in the size of the first one; see elf(5). */
static void test_very_many_sections(void) {
        static const uint64_t numbers[] = { 0,         1, 13, 65536, UINT32_MAX, (uint64_t) UINT32_MAX + 1,
                                            UINT64_MAX };
        g_autoptr(GByteArray) object = example("example.ko");

        object_header(object)->e_shnum = 0;
        for (size_t i = 0; i < G_N_ELEMENTS(numbers); i++) {
                object_section_at(object, 0)->sh_size = (elf_xword_t) numbers[i];
                g_assert_cmpint(outcome_of(object), ==, MODINFO_MALFORMED);
                /* With a name table that only such a number reaches. */
                object_section_at(object, 0)->sh_link = 3;
                object_header(object)->e_shstrndx = SHN_XINDEX;
                g_assert_cmpint(outcome_of(object), ==, MODINFO_MALFORMED);
        }
}

/* Only what the inspector has to follow must be sound. */
static void test_sections_past_the_end(void) {
        g_autoptr(GByteArray) object = example("example.ko");
        elf_shdr_t *const needed[] = { object_find(object, ".modinfo"), object_names(object) };
        const elf_off_t offsets[] = { object->len, object->len - 1, (elf_off_t) -1, INT32_MAX, UINT32_MAX };

        for (size_t i = 0; i < G_N_ELEMENTS(needed); i++)
                for (size_t j = 0; j < G_N_ELEMENTS(offsets); j++) {
                        elf_shdr_t *section = needed[i], saved = *section;

                        section->sh_offset = offsets[j];
                        g_assert_cmpint(outcome_of(object), ==, MODINFO_MALFORMED);
                        *section = saved;
                        section->sh_size = offsets[j];
                        g_assert_cmpint(outcome_of(object), ==, MODINFO_MALFORMED);
                        *section = saved;
                }
        g_assert_cmpint(outcome_of(object), ==, MODINFO_GOOD);
}

static void test_overlapping_sections(void) {
        g_autoptr(GByteArray) object = example("example.ko");
        const elf_shdr_t *modinfo = object_find(object, ".modinfo");

        /* Everything is where .modinfo is, and that is still to be read. */
        for (size_t i = 1; i < object_header(object)->e_shnum; i++)
                if (i != object_header(object)->e_shstrndx) {
                        object_section_at(object, i)->sh_offset = modinfo->sh_offset;
                        object_section_at(object, i)->sh_size = modinfo->sh_size;
                }
        g_assert_cmpint(outcome_of(object), ==, MODINFO_GOOD);
        /* The names of the sections, too: then none has its own. */
        *object_names(object) = *modinfo;
        g_assert_cmpint(outcome_of(object), ==, MODINFO_NO_MODINFO);
        /* The table of sections is the ELF header. */
        object_header(object)->e_shoff = 0;
        g_assert_cmpint(outcome_of(object), ==, MODINFO_MALFORMED);
}

static void test_strings_without_end(void) {
        g_autoptr(GByteArray) object = example("example.ko");
        elf_shdr_t *const tables[] = { object_find(object, ".modinfo"), object_names(object) };

        for (size_t i = 0; i < G_N_ELEMENTS(tables); i++) {
                elf_shdr_t *section = tables[i], saved = *section;

                section->sh_size--;
                g_assert_cmpint(outcome_of(object), ==, MODINFO_MALFORMED);
                section->sh_size = 0;
                g_assert_cmpint(outcome_of(object), ==, MODINFO_MALFORMED);
                section->sh_type = SHT_NOBITS;
                g_assert_cmpint(outcome_of(object), ==, MODINFO_MALFORMED);
                *section = saved;
        }
        object_find(object, ".modinfo")->sh_name = UINT32_MAX;
        g_assert_cmpint(outcome_of(object), ==, MODINFO_MALFORMED);
}

static bool is_complete(const GByteArray *object) {
        _cleanup_(modinfo_freep) struct modinfo *info = good(object);

        g_assert_cmpstr(info->license, ==, "GPL");
        return info->parameters_complete;
}

/* Then the module is still one, but nobody may say that it lacks a parameter. */
static void test_table_of_parameters(void) {
        g_autoptr(GByteArray) object = example("example.ko");
        elf_shdr_t *params = object_find(object, "__param"),
                   *relocations = object_find(object, ".rela__param"),
                   *symbols = object_find(object, ".symtab");
        elf_rela_t *first = (elf_rela_t *) (void *) (object->data + relocations->sh_offset);
        elf_sym_t *table = (elf_sym_t *) (void *) (object->data + symbols->sh_offset), *symbol;

        g_assert_cmpuint(first->r_offset, ==, 0);
        symbol = &table[first->r_info >> (sizeof(void *) == 8 ? 32 : 8)];
        g_assert_true(is_complete(object));

#define EXPECT_INCOMPLETE(variable, value)                                                                  \
        do {                                                                                                \
                __typeof__(variable) saved = (variable);                                                    \
                variable = (value);                                                                         \
                g_assert_false(is_complete(object));                                                        \
                variable = saved;                                                                           \
        } while (0)

        EXPECT_INCOMPLETE(params->sh_size, params->sh_size - 1);
        EXPECT_INCOMPLETE(params->sh_size, params->sh_size + 40);
        EXPECT_INCOMPLETE(params->sh_size, params->sh_size - 40);
        EXPECT_INCOMPLETE(params->sh_offset, object->len);
        EXPECT_INCOMPLETE(relocations->sh_type, SHT_PROGBITS);
        EXPECT_INCOMPLETE(relocations->sh_info, 1);
        EXPECT_INCOMPLETE(relocations->sh_size, relocations->sh_size / 2);
        EXPECT_INCOMPLETE(relocations->sh_size, 0);
        EXPECT_INCOMPLETE(relocations->sh_offset, object->len);
        EXPECT_INCOMPLETE(relocations->sh_link, UINT32_MAX);
        EXPECT_INCOMPLETE(symbols->sh_size, 0);
        EXPECT_INCOMPLETE(symbols->sh_offset, (elf_off_t) -1);
        EXPECT_INCOMPLETE(first->r_offset, params->sh_size);
        EXPECT_INCOMPLETE(first->r_offset, params->sh_size - 7);
        EXPECT_INCOMPLETE(first->r_offset, (elf_addr_t) -8);
        EXPECT_INCOMPLETE(first->r_offset, 1);
        EXPECT_INCOMPLETE(first->r_info, (elf_xword_t) -1);
        EXPECT_INCOMPLETE(first->r_addend, -1);
        EXPECT_INCOMPLETE(first->r_addend, (elf_sxword_t) object->len);
        EXPECT_INCOMPLETE(symbol->st_value, (elf_addr_t) -1);
        EXPECT_INCOMPLETE(symbol->st_shndx, SHN_UNDEF);
        EXPECT_INCOMPLETE(symbol->st_shndx, SHN_ABS);
        EXPECT_INCOMPLETE(symbol->st_shndx, SHN_LORESERVE - 1);
#undef EXPECT_INCOMPLETE
        g_assert_true(is_complete(object));

        /* Without relocations the same bytes are no table; without a table there are no parameters to know. */
        params->sh_name++;
        g_assert_true(is_complete(object));
        params->sh_name--;
        params->sh_size = 0;
        g_assert_true(is_complete(object));
}

/* A name that nothing ends, and one that is longer than any. */
static void test_names_in_the_table(void) {
        static const char modinfo[] = "license=GPL\0name=the_example";
        static char names[400], params[5 * sizeof(void *)];
        const elf_sym_t symbols[] = { { 0 }, { .st_shndx = 3 } };
        const elf_rela_t relocation = { .r_info = (elf_xword_t) 1 << (sizeof(void *) == 8 ? 32 : 8) };
        const struct object_section sections[] = {
                { ".modinfo", modinfo, sizeof modinfo, 0, 0, 0 },
                { "__param", params, sizeof(void *) == 8 ? 40 : 20, 0, 0, 0 },
                { ".rodata", names, sizeof names, 0, 0, 0 },
                { ".rela__param", &relocation, sizeof relocation, SHT_RELA, 5, 2 },
                { ".symtab", symbols, sizeof symbols, SHT_SYMTAB, 0, 0 },
        };
        static const struct {
                size_t length;
                bool has_end, is_complete;
        } vectors[] = { { 1, true, true },
                        { 0, true, false },
                        { MODINFO_PARAMETER_NAME_MAX, true, true },
                        { MODINFO_PARAMETER_NAME_MAX + 1, true, false },
                        { sizeof names, false, false } };

        for (size_t i = 0; i < G_N_ELEMENTS(vectors); i++) {
                g_autoptr(GByteArray) object = NULL;

                memset(names, 'x', sizeof names);
                if (vectors[i].has_end)
                        names[vectors[i].length] = '\0';
                object = object_build(sections, G_N_ELEMENTS(sections));
                g_assert_cmpint(is_complete(object), ==, vectors[i].is_complete);
        }
}

/* On some machines the addend is in the place itself. */
static void test_addend_in_place(void) {
        static const char modinfo[] = "license=GPL\0name=the_example", names[] = "one\0two\0three";
        const elf_sym_t symbols[] = { { 0 }, { .st_value = 4, .st_shndx = 3 } };
        elf_rel_t relocations[2] = { 0 };
        elf_addr_t params[10] = { 0 };
        const size_t entry = sizeof(void *) == 8 ? 40 : 20;
        const struct object_section sections[] = {
                { ".modinfo", modinfo, sizeof modinfo, 0, 0, 0 },
                { "__param", params, 2 * entry, 0, 0, 0 },
                { ".rodata", names, sizeof names, 0, 0, 0 },
                { ".rel__param", relocations, sizeof relocations, SHT_REL, 5, 2 },
                { ".symtab", symbols, sizeof symbols, SHT_SYMTAB, 0, 0 },
        };
        _cleanup_(modinfo_freep) struct modinfo *info = NULL;
        g_autoptr(GByteArray) object = NULL;

        for (size_t i = 0; i < 2; i++) {
                relocations[i].r_offset = i * entry;
                relocations[i].r_info = (elf_xword_t) 1 << (sizeof(void *) == 8 ? 32 : 8);
        }
        params[5] = 4;
        object = object_build(sections, G_N_ELEMENTS(sections));
        info = good(object);
        g_assert_true(info->parameters_complete);
        g_assert_cmpuint(info->n_parameters, ==, 2);
        expect_parameter(info, 0, "two", NULL, NULL, true);
        expect_parameter(info, 1, "three", NULL, NULL, true);
}

static void append_text(GByteArray *modinfo, const char *format, ...) G_GNUC_PRINTF(2, 3);

static void append_text(GByteArray *modinfo, const char *format, ...) {
        g_autofree char *text = NULL;
        va_list ap;

        va_start(ap, format);
        text = g_strdup_vprintf(format, ap);
        va_end(ap);
        g_byte_array_append(modinfo, (const guint8 *) text, (guint) strlen(text) + 1);
}

static struct modinfo *good_modinfo(const GByteArray *modinfo) {
        g_autoptr(GByteArray) object = object_build_modinfo(modinfo->data, modinfo->len);

        return good(object);
}

static void test_long_texts(void) {
        g_autofree char *text = g_strnfill(MODINFO_TEXT_MAX + 1, 'x'), *name = g_strnfill(256, 'n');
        g_autoptr(GByteArray) modinfo = g_byte_array_new();
        _cleanup_(modinfo_freep) struct modinfo *info = NULL;

        append_text(modinfo, "name=" NAME);
        append_text(modinfo, "license=%s", text);
        append_text(modinfo, "parm=a:%s", text);
        append_text(modinfo, "parm=%s:too long a name", name);
        append_text(modinfo, "parmtype=%s:longest name", name + 1);
        append_text(modinfo, "depends=%s,b", text);
        info = good_modinfo(modinfo);
        g_assert_cmpuint(strlen(info->license), ==, MODINFO_TEXT_MAX);
        g_assert_cmpuint(info->n_parameters, ==, 2);
        g_assert_cmpuint(strlen(info->parameters[0].description), ==, MODINFO_TEXT_MAX);
        expect_parameter(info, 1, name + 1, "longest name", NULL, false);
        g_assert_cmpuint(info->depends.n, ==, 1);
}

static void test_too_many_parameters(void) {
        g_autoptr(GByteArray) modinfo = g_byte_array_new();
        _cleanup_(modinfo_freep) struct modinfo *info = NULL;

        for (int i = 0; i < MODINFO_PARAMETERS_MAX + 10; i++)
                append_text(modinfo, "parmtype=p%d:int", i);
        append_text(modinfo, "name=" NAME);
        info = good_modinfo(modinfo);
        g_assert_cmpuint(info->n_parameters, ==, MODINFO_PARAMETERS_MAX);
        g_assert_cmpstr(info->parameters[MODINFO_PARAMETERS_MAX - 1].name, ==, "p1023");
}

/* The table's own come after those, and do not fit: it is told that there are more. */
static void test_no_room_for_the_table(void) {
        g_autoptr(GByteArray) modinfo = g_byte_array_new(), object = example("example.ko");
        elf_shdr_t *section = object_find(object, ".modinfo");

        append_text(modinfo, "name=" NAME);
        append_text(modinfo, "license=GPL");
        g_assert_true(is_complete(object));
        for (int i = 0; i < MODINFO_PARAMETERS_MAX; i++)
                append_text(modinfo, "parmtype=p%d:int", i);
        section->sh_offset = object->len;
        section->sh_size = modinfo->len;
        g_byte_array_append(object, modinfo->data, modinfo->len);
        g_assert_false(is_complete(object));
}

static void test_too_much_in_all(void) {
        g_autofree char *text = g_strnfill(1000, 'x');
        g_autoptr(GByteArray) modinfo = g_byte_array_new();
        _cleanup_(modinfo_freep) struct modinfo *info = NULL;

        append_text(modinfo, "name=" NAME);
        for (int i = 0; i < 1000; i++) {
                append_text(modinfo, "parm=p%d:%s", i, text);
                append_text(modinfo, "softdep=%s", text);
                append_text(modinfo, "depends=%s", text);
        }
        append_text(modinfo, "license=late");
        info = good_modinfo(modinfo);
        g_assert_cmpuint(info->size, <=, MODINFO_SIZE_MAX);
        g_assert_cmpuint(info->size, >, MODINFO_SIZE_MAX - 100);
        g_assert_cmpuint(info->softdeps.n, <, 100);
        g_assert_null(info->license);
}

static void test_signed(void) {
        g_autoptr(GByteArray) object = example("example.ko");
        static const char magic[] = "~Module signature appended~\n";
        _cleanup_(modinfo_freep) struct modinfo *info = NULL;

        g_byte_array_append(object, (const guint8 *) magic, sizeof magic - 1);
        info = good(object);
        g_assert_true(info->is_signed);
        modinfo_free(info);
        g_byte_array_append(object, (const guint8 *) "\n", 1);
        info = good(object);
        g_assert_false(info->is_signed);
}

int main(int argc, char *argv[]) {
        g_test_init(&argc, &argv, NULL);
#define ADD(name, function) g_test_add_func("/modinfo/" name, function)
        ADD("good", test_good);
        ADD("absent", test_absent);
        ADD("names", test_names);
        ADD("nameless", test_nameless);
        ADD("no-modinfo", test_no_modinfo);
        ADD("not-elf", test_not_elf);
        ADD("another-machine", test_another_machine);
        ADD("not-relocatable", test_not_relocatable);
        ADD("truncated", test_truncated);
        ADD("every-byte", test_every_byte);
        ADD("bad-headers", test_bad_headers);
        ADD("very-many-sections", test_very_many_sections);
        ADD("sections-past-the-end", test_sections_past_the_end);
        ADD("overlapping-sections", test_overlapping_sections);
        ADD("strings-without-end", test_strings_without_end);
        ADD("table-of-parameters", test_table_of_parameters);
        ADD("names-in-the-table", test_names_in_the_table);
        ADD("addend-in-place", test_addend_in_place);
        ADD("long-texts", test_long_texts);
        ADD("too-many-parameters", test_too_many_parameters);
        ADD("no-room-for-the-table", test_no_room_for_the_table);
        ADD("too-much-in-all", test_too_much_in_all);
        ADD("signed", test_signed);
        return g_test_run();
}
