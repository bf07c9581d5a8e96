/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * A module without an exit function, which the kernel never unloads.
 */

#include <linux/module.h>

static int __init test_init(void) {
        return 0;
}
module_init(test_init);

MODULE_DESCRIPTION("Test module of moduled: cannot be unloaded");
MODULE_LICENSE("GPL");
