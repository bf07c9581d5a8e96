/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * A module that needs a symbol of mt_export.
 */

#include <linux/module.h>

int mt_exported(void);

static int __init test_init(void) {
        return mt_exported();
}
module_init(test_init);

static void __exit test_exit(void) {
}
module_exit(test_exit);

MODULE_DESCRIPTION("Test module of moduled: needs mt_export");
MODULE_LICENSE("GPL");
