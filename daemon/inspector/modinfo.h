/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/* What came of looking into a file. */
enum modinfo_outcome {
        MODINFO_GOOD = 0,
        MODINFO_NOT_ELF,
        MODINFO_WRONG_MACHINE,           /* ELF, but not of the machine that this program runs on */
        MODINFO_NOT_RELOCATABLE,         /* a program, a library or a core dump */
        MODINFO_MALFORMED,               /* truncated, corrupt, or it contradicts itself */
        MODINFO_NO_MODINFO,              /* an object file without a section .modinfo */
        MODINFO_NO_NAME,                 /* it does not say its name */
        MODINFO_OTHER_NAME,              /* it calls itself otherwise than its file */
        MODINFO_UNSUPPORTED_COMPRESSION, /* this libdw cannot unpack it */
        MODINFO_TOO_LARGE,               /* itself, or once it is unpacked */
        MODINFO_KILLED,                  /* from an inspection alone: it cost the inspector its life */
        MODINFO_TIMED_OUT,               /* from an inspection alone: it took too long */
};

/* Longer texts are cut; no field but a description comes near. */
#define MODINFO_TEXT_MAX 4096
/* What is longer is no parameter's name: the whole list of parameters has to fit into a page. */
#define MODINFO_PARAMETER_NAME_MAX 255
/* The most in Debian's kernels are 93. */
#define MODINFO_PARAMETERS_MAX 1024
/* All texts together, each with this much on top. The most in Debian's kernels are 13 KiB. */
#define MODINFO_SIZE_MAX ((size_t) 192 * 1024)
#define MODINFO_TEXT_OVERHEAD ((size_t) 16)

/* Texts are as in the file: any bytes, not even UTF-8. */
struct modinfo_parameter {
        char *name;
        char *type;        /* NULL: not stated */
        char *description; /* NULL: not stated */
        bool is_known;     /* the kernel will know it; mmc_block's perdev_minors is only described */
};

struct modinfo_list {
        char **items;
        size_t n;
};

/* What a module's file says of itself. A text is NULL if the file does not state it. */
struct modinfo {
        const char *compression; /* "", "gzip", "xz" or "zstd"; static */
        bool is_signed;          /* a signature follows; nobody has looked whose */
        char *name;
        char *version;
        char *license;
        char *vermagic;
        char *srcversion;
        struct modinfo_list depends;
        struct modinfo_list softdeps; /* each as modprobe.d(5) has it after the module's name */
        struct modinfo_parameter *parameters;
        size_t n_parameters;
        bool parameters_complete; /* the kernel will know no other parameters than those marked here */
        size_t size;              /* see MODINFO_SIZE_MAX */
};

int modinfo_read(int fd, const char *expected, struct modinfo **ret);
int modinfo_parse(const void *bytes, size_t size, const char *expected, struct modinfo **ret);

struct modinfo *modinfo_new(void);
struct modinfo *modinfo_free(struct modinfo *info);
int modinfo_set_compression(struct modinfo *info, const char *compression);
char **modinfo_text(struct modinfo *info, size_t index, const char **ret_key);
int modinfo_set_text(struct modinfo *info, char **field, const char *text);
void modinfo_clear_text(struct modinfo *info, char **field);
int modinfo_add(struct modinfo *info, struct modinfo_list *list, const char *text);
int modinfo_add_parameter(struct modinfo *info, const char *name, struct modinfo_parameter **ret);
