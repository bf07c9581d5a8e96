/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Library
 *
 * A library that is not always needed. To find, map and relocate one takes time, and memory as long as the process lasts; so
 * it is loaded once something is about to call it.
 */

#include <dlfcn.h>
#include <errno.h>
#include <stddef.h>
#include <string.h>

#include "library.h"

/*
 * What a library calls is looked for in itself and what it needs first, which takes libcrypto half as long. Sanitizers stand
 * in for functions of the C library, and would be passed over.
 */
#ifdef __has_feature
#define HAS_FEATURE(feature) __has_feature(feature)
#else
#define HAS_FEATURE(feature) 0
#endif
#if defined(__SANITIZE_ADDRESS__) || HAS_FEATURE(address_sanitizer)
#define MODE (RTLD_NOW | RTLD_LOCAL)
#else
#define MODE (RTLD_NOW | RTLD_LOCAL | RTLD_DEEPBIND)
#endif

/**
 * library_load() - load a library
 * @library:    the library; its functions can be called afterwards, until the process ends
 *
 * Return: 0, or -ELIBACC if it is not there, or has not all of the functions; dlerror(3) has said which.
 */
int library_load(const struct library *library) {
        /* Never closed: some libraries cannot be unloaded, and the end of the process is near. */
        void *handle = dlopen(library->soname, MODE);

        if (!handle)
                return -ELIBACC;
        for (size_t i = 0; library->functions[i].name; i++) {
                void *address = dlsym(handle, library->functions[i].name);

                if (!address)
                        return -ELIBACC;
                /* C has no other way to make a function of what dlsym(3) returns; POSIX says that it is one. */
                memcpy(library->functions[i].pointer, &address, sizeof(address));
        }
        return 0;
}
