/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <elf.h>

/* Its functions are called by pointers, which library_load() sets. */
struct library {
        const char *soname;
        struct {
                const char *name;
                void *pointer; /* to the pointer */
        } functions[];         /* up to one without a name */
};

/*
 * What a file that uses such a library begins with:
 *
 *     #define FUNCTIONS(function) function(udev_new) function(udev_unref)
 *     LIBRARY(libudev, "libudev.so.1", "what it is for", "recommended")
 *
 * After library_load(&libudev) they are lib_udev_new() and lib_udev_unref(), and have the types that the library's own
 * header gives them.
 */
#define LIBRARY(variable, soname, feature, priority)                                                        \
        FUNCTIONS(LIBRARY_FUNCTION)                                                                         \
        static const struct library variable = { soname, { FUNCTIONS(LIBRARY_ENTRY){ NULL, NULL } } };      \
        LIBRARY_NOTE("[{\"feature\":\"" feature "\",\"priority\":\"" priority "\",\"soname\":[\"" soname    \
                     "\"]}]")

#define LIBRARY_FUNCTION(name) static __typeof__(name) *lib_##name;
#define LIBRARY_ENTRY(name) { #name, &lib_##name },

/*
 * Tells packagers what no linker writes down; `readelf --string-dump=.note.dlopen` shows it. See
 * https://uapi-group.org/specifications/specs/elf_dlopen_metadata/.
 */
#define LIBRARY_NOTE_TYPE 0x407c0c0a
#define LIBRARY_NOTE(json)                                                                                  \
        static const struct {                                                                               \
                Elf32_Nhdr header;                                                                          \
                char owner[4];                                                                              \
                _Alignas(Elf32_Word) char text[sizeof(json)];                                               \
        } library_note __attribute__((used, section(".note.dlopen"), aligned(sizeof(Elf32_Word)))) = {      \
                { 4, sizeof(json), LIBRARY_NOTE_TYPE },                                                     \
                "FDO",                                                                                      \
                json,                                                                                       \
        };

int library_load(const struct library *library);
