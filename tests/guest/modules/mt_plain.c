/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * A module that loads and unloads. Several others are made of it: see build.
 */

#include <linux/module.h>

static int __init test_init(void) {
        return 0;
}
module_init(test_init);

static void __exit test_exit(void) {
}
module_exit(test_exit);

MODULE_DESCRIPTION("Test module of moduled: nothing the matter with it");
MODULE_LICENSE("GPL");
