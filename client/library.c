/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Library
 *
 * A library that few commands need. To find, map and relocate one takes longer than much of what modctl does, so these
 * are loaded once a command is about to call them.
 */

#include <dlfcn.h>
#include <errno.h>
#include <stddef.h>
#include <string.h>

#include "library.h"
#include "message.h"

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
 * @library:    the library; its functions can be called afterwards, until the program ends
 *
 * Return: 0, or -ELIBACC if it is not there, or has not all of the functions; dlerror(3) has said which.
 */
int library_load(const struct library *library) {
        /* Never closed: some libraries cannot be unloaded, and the end of the program is near. */
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

/**
 * library_report() - say that a library is missing
 *
 * To be called right after what failed to load it.
 */
void library_report(void) {
        say("This needs a library that cannot be loaded (%s); install it, or have an administrator do so.",
            dlerror());
}

/**
 * library_require() - load a library that a command cannot do without
 * @library:    as for library_load()
 *
 * Return: as library_load(), after saying what is missing.
 */
int library_require(const struct library *library) {
        int r = library_load(library);

        if (r < 0)
                library_report();
        return r;
}
