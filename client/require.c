/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Require
 *
 * A library that is loaded late and that a command cannot do without: whoever calls the command is told when it is missing.
 */

#include <dlfcn.h>

#include "message.h"
#include "require.h"

/**
 * require_report() - say that a library is missing
 *
 * To be called right after what failed to load it.
 */
void require_report(void) {
        say("This needs a library that cannot be loaded (%s); install it, or have an administrator do so.",
            dlerror());
}

/**
 * require_library() - load a library that a command cannot do without
 * @library:    as for library_load()
 *
 * Return: as library_load(), after saying what is missing.
 */
int require_library(const struct library *library) {
        int r = library_load(library);

        if (r < 0)
                require_report();
        return r;
}
