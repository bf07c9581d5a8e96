/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * A module that exports the symbol which mt_symbol needs. Of mt_duplicate, which is made of the same source, build
 * changes the symbol's name so that it is the same, which modpost would not let pass.
 */

#include <linux/module.h>

#ifndef EXPORTED
#define EXPORTED mt_exported
#endif

int EXPORTED(void);

int EXPORTED(void) {
        return 0;
}
EXPORT_SYMBOL_GPL(EXPORTED);

MODULE_DESCRIPTION("Test module of moduled: exports a symbol");
MODULE_LICENSE("GPL");
