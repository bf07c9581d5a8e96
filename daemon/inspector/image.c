/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Image
 *
 * A module's file in memory, unpacked if it was compressed, and its sections. What the header says is checked before
 * libelf sees it, in the order in which the kernel checks it (elf_validity_check() in kernel/module/main.c); what a
 * section's header says, before anybody follows it.
 */

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <elfutils/libdwelf.h>

#include "image.h"
#include "modinfo.h"

#define SIGNATURE_MAGIC "~Module signature appended~\n"

/* The kernel's machine is the one that this program was built for. */
#if defined(__x86_64__)
#define MACHINE EM_X86_64
#elif defined(__i386__)
#define MACHINE EM_386
#elif defined(__aarch64__)
#define MACHINE EM_AARCH64
#elif defined(__arm__)
#define MACHINE EM_ARM
#elif defined(__riscv)
#define MACHINE EM_RISCV
#elif defined(__powerpc64__)
#define MACHINE EM_PPC64
#elif defined(__powerpc__)
#define MACHINE EM_PPC
#elif defined(__s390__)
#define MACHINE EM_S390
#elif defined(__mips__)
#define MACHINE EM_MIPS
#elif defined(__loongarch__)
#define MACHINE 258 /* EM_LOONGARCH, younger than some libelf */
#else
#define MACHINE EM_NONE /* then that of the file is not looked at */
#endif

#define CLASS (sizeof(void *) == 8 ? ELFCLASS64 : ELFCLASS32)
#define DATA (__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ ? ELFDATA2LSB : ELFDATA2MSB)

struct format {
        const char *name;
        const char *magic;
        size_t size;
};

static const struct format formats[] = {
        { "gzip", "\x1f\x8b", 2 },
        { "xz", "\xfd\x37zXZ", 6 }, /* with the NUL */
        { "zstd", "\x28\xb5\x2f\xfd", 4 },
};

/* Return: the format's name, "" if it is none. */
static const char *compression_of(const void *bytes, size_t size) {
        for (size_t i = 0; i < sizeof formats / sizeof *formats; i++)
                if (size >= formats[i].size && memcmp(bytes, formats[i].magic, formats[i].size) == 0)
                        return formats[i].name;
        return "";
}

static int check_identity(const unsigned char *bytes, size_t size) {
        const elf_ehdr_t *layout = NULL;
        uint16_t machine, type;

        if (size < SELFMAG || memcmp(bytes, ELFMAG, SELFMAG) != 0)
                return MODINFO_NOT_ELF;
        if (size < sizeof *layout)
                return MODINFO_MALFORMED;
        if (bytes[EI_CLASS] != CLASS || bytes[EI_DATA] != DATA)
                return MODINFO_WRONG_MACHINE;
        memcpy(&machine, bytes + offsetof(elf_ehdr_t, e_machine), sizeof machine);
        if (MACHINE != EM_NONE && machine != MACHINE)
                return MODINFO_WRONG_MACHINE;
        memcpy(&type, bytes + offsetof(elf_ehdr_t, e_type), sizeof type);
        return type == ET_REL ? MODINFO_GOOD : MODINFO_NOT_RELOCATABLE;
}

/* More sections than fit into e_shnum are ELF, but no kernel's module. */
static int check_section_table(const unsigned char *bytes, size_t size) {
        elf_ehdr_t header;

        memcpy(&header, bytes, sizeof header);
        if (header.e_ident[EI_VERSION] != EV_CURRENT || header.e_version != EV_CURRENT)
                return MODINFO_MALFORMED;
        if (header.e_shentsize != sizeof(elf_shdr_t) || header.e_shoff > size ||
            header.e_shnum > (size - header.e_shoff) / sizeof(elf_shdr_t))
                return MODINFO_MALFORMED;
        if (header.e_shstrndx == SHN_UNDEF || header.e_shstrndx >= header.e_shnum)
                return MODINFO_MALFORMED;
        return MODINFO_GOOD;
}

/* The last string must have an end, so that all of them have one. */
static int find_names(struct image *image, size_t index) {
        struct section section;
        int r;

        r = image_section(image, index, &section);
        if (r != 0)
                return r;
        if (section.size == 0 || section.bytes[section.size - 1] != '\0')
                return MODINFO_MALFORMED;
        image->names = (const char *) section.bytes;
        image->names_size = section.size;
        return 0;
}

static int open_elf(struct image *image) {
        size_t names;
        int r;

        r = check_identity(image->bytes, image->size);
        if (r == 0)
                r = check_section_table(image->bytes, image->size);
        if (r != 0)
                return r;

        if (elf_version(EV_CURRENT) == EV_NONE)
                return -ENOTSUP;
        image->elf = elf_memory((char *) image->bytes, image->size);
        if (!image->elf || elf_getshdrnum(image->elf, &image->n_sections) < 0 ||
            elf_getshdrstrndx(image->elf, &names) < 0)
                return MODINFO_MALFORMED;
        return find_names(image, names);
}

/*
 * libdw hands out as it is what it cannot unpack, and also what unpacks to nothing, as the beginning of a gzip or zstd file
 * does. It can always unpack gzip, and xz and zstd if it was built so.
 */
static int judge_packed(const struct image *image) {
        return strcmp(image->compression, "gzip") == 0 ? MODINFO_MALFORMED : MODINFO_UNSUPPORTED_COMPRESSION;
}

static int unpack_whole(int fd, size_t size, struct image *image) {
        size_t unpacked_size;
        char *unpacked;

        /* zlib reads from where the descriptor stands, and that is the caller's. */
        if (lseek(fd, 0, SEEK_SET) < 0)
                return -errno;
        if (elf_version(EV_CURRENT) == EV_NONE)
                return -ENOTSUP;
        image->packed = dwelf_elf_begin(fd);
        if (!image->packed)
                return MODINFO_MALFORMED;
        unpacked = elf_rawfile(image->packed, &unpacked_size);
        if (!unpacked)
                return MODINFO_MALFORMED;
        if (elf_kind(image->packed) == ELF_K_NONE && unpacked_size == size &&
            strcmp(compression_of(unpacked, unpacked_size), image->compression) == 0)
                return judge_packed(image);
        image->bytes = (const unsigned char *) unpacked;
        image->size = unpacked_size;
        return 0;
}

/* libdw does not tell when memory was short, and of gzip it hands out what there was room for. */
static int unpack(int fd, size_t size, struct image *image) {
        bool was_short;
        int r;

        errno = 0;
        r = unpack_whole(fd, size, image);
        was_short = errno == ENOMEM;
        if (r == 0)
                r = open_elf(image);
        return r > 0 && was_short ? MODINFO_TOO_LARGE : r;
}

/**
 * image_open() - map or unpack a file and find its sections
 * @fd:         the file, borrowed; where it stands may change
 * @image:      the image; to be closed whatever the outcome, and with its compression known if the file could be read
 *
 * The mapping is private, but a file that is cut while it is mapped still ends this process by SIGBUS; see mmap(2). How
 * much memory it may take to unpack is for the caller to limit.
 *
 * Return: 0, a MODINFO_, or a negative errno.
 */
int image_open(int fd, struct image *image) {
        struct stat st;

        if (fstat(fd, &st) < 0)
                return -errno;
        if (!S_ISREG(st.st_mode))
                return -EINVAL;
        if (st.st_size == 0)
                return MODINFO_NOT_ELF;
        if (st.st_size > IMAGE_FILE_MAX)
                return MODINFO_TOO_LARGE;

        image->map_size = (size_t) st.st_size;
        image->map = mmap(NULL, image->map_size, PROT_READ, MAP_PRIVATE, fd, 0);
        if (image->map == MAP_FAILED) {
                image->map = NULL;
                return -errno;
        }
        image->bytes = image->map;
        image->size = image->map_size;
        image->compression = compression_of(image->bytes, image->size);
        return image->compression[0] ? unpack(fd, image->map_size, image) : open_elf(image);
}

/**
 * image_open_memory() - find the sections of what is in memory
 * @bytes:      the file's content, not compressed; borrowed until the image is closed
 * @size:       how much of it
 * @image:      as for image_open()
 *
 * Return: 0, a MODINFO_, or a negative errno.
 */
int image_open_memory(const void *bytes, size_t size, struct image *image) {
        image->bytes = bytes;
        image->size = size;
        image->compression = "";
        return open_elf(image);
}

/**
 * image_close() - give back an image
 * @image:      the image
 */
void image_close(struct image *image) {
        elf_end(image->elf);
        elf_end(image->packed);
        if (image->map)
                (void) munmap(image->map, image->map_size);
        *image = (struct image){ 0 };
}

/**
 * image_is_signed() - does a signature follow the module
 * @image:      the image, open or not; see Documentation/admin-guide/module-signing.rst of the kernel
 *
 * Return: true if it looks so; only the kernel can tell whether the signature is good.
 */
bool image_is_signed(const struct image *image) {
        size_t n = strlen(SIGNATURE_MAGIC);

        return image->size >= n && memcmp(image->bytes + image->size - n, SIGNATURE_MAGIC, n) == 0;
}

/**
 * image_section() - look at a section
 * @image:      the image
 * @index:      its number
 * @ret:        the section; no bytes if it has none in the file (SHT_NOBITS)
 *
 * Return: 0, or MODINFO_MALFORMED if there is none or it is not within the file.
 */
int image_section(const struct image *image, size_t index, struct section *ret) {
        struct section section = { .index = index };
        Elf_Scn *scn = elf_getscn(image->elf, index);

        if (!scn || !gelf_getshdr(scn, &section.header))
                return MODINFO_MALFORMED;
        if (section.header.sh_type != SHT_NOBITS) {
                if (section.header.sh_offset > image->size ||
                    section.header.sh_size > image->size - section.header.sh_offset)
                        return MODINFO_MALFORMED;
                section.bytes = image->bytes + section.header.sh_offset;
                section.size = section.header.sh_size;
        }
        *ret = section;
        return 0;
}

/**
 * image_find_section() - look for a section that the kernel would find
 * @image:      the image
 * @name:       its name
 * @ret:        the first one of that name that gets into memory (SHF_ALLOC), as in find_sec() of the kernel
 *
 * Return: 0, MODINFO_NO_MODINFO if there is none, or MODINFO_MALFORMED.
 */
int image_find_section(const struct image *image, const char *name, struct section *ret) {
        size_t n = strlen(name) + 1;

        for (size_t i = 1; i < image->n_sections; i++) {
                Elf_Scn *scn = elf_getscn(image->elf, i);
                GElf_Shdr header;

                if (!scn || !gelf_getshdr(scn, &header) || header.sh_name >= image->names_size)
                        return MODINFO_MALFORMED;
                if ((header.sh_flags & SHF_ALLOC) && n <= image->names_size - header.sh_name &&
                    memcmp(image->names + header.sh_name, name, n) == 0)
                        return image_section(image, i, ret);
        }
        return MODINFO_NO_MODINFO;
}

/**
 * image_find_relocations() - look for what is filled in where a section is loaded
 * @image:      the image
 * @of:         the section
 * @ret:        the first section of its relocations
 *
 * Return: 0, MODINFO_NO_MODINFO if there is none, or MODINFO_MALFORMED.
 */
int image_find_relocations(const struct image *image, const struct section *of, struct section *ret) {
        for (size_t i = 1; i < image->n_sections; i++) {
                Elf_Scn *scn = elf_getscn(image->elf, i);
                GElf_Shdr header;

                if (!scn || !gelf_getshdr(scn, &header))
                        return MODINFO_MALFORMED;
                if ((header.sh_type == SHT_RELA || header.sh_type == SHT_REL) && header.sh_info == of->index)
                        return image_section(image, i, ret);
        }
        return MODINFO_NO_MODINFO;
}
