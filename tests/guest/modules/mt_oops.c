/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * A module whose init writes to where nothing is. The kernel kills the process in the call and keeps the module for good,
 * as one that is just being initialized.
 */

#include <linux/module.h>

/* Not known to the compiler, which would make something else of a write to NULL. */
static int *volatile nowhere;

static int __init test_init(void) {
        *nowhere = 1;
        return 0;
}
module_init(test_init);

static void __exit test_exit(void) {
}
module_exit(test_exit);

MODULE_DESCRIPTION("Test module of moduled: init oopses");
MODULE_LICENSE("GPL");
