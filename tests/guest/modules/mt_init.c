/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * A module whose init says what it is told to say and returns the error that it is told to return.
 */

#include <linux/module.h>

static int error;
module_param(error, int, 0444);
MODULE_PARM_DESC(error, "the errno that init returns, positive; 0 to load");

static char *say;
module_param(say, charp, 0444);
MODULE_PARM_DESC(say, "what init prints after the module's name");

static int __init test_init(void) {
        if (say)
                pr_info("%s: %s\n", KBUILD_MODNAME, say);
        return -error;
}
module_init(test_init);

static void __exit test_exit(void) {
}
module_exit(test_exit);

MODULE_DESCRIPTION("Test module of moduled: init returns a chosen error");
MODULE_LICENSE("GPL");
