/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <dlfcn.h>

#include "message.h"
#include "require.h"

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
