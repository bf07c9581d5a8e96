/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * A link of a chain of modules, each of which needs the one before it. Kbuild makes the sources that include this:
 *
 *     NUMBER   of the link, from 1
 *     VALUE    the function that this link exports
 *     BEFORE   the function that the link before exports, but for the first
 *     ERROR    what init returns unless told otherwise, positive
 */

#include <linux/module.h>
#include <linux/stringify.h>

static int error = ERROR;
module_param(error, int, 0444);
MODULE_PARM_DESC(error, "the errno that init returns, positive; 0 to load");

int VALUE(void);

#ifdef BEFORE
int BEFORE(void);

int VALUE(void) {
        return BEFORE() + 1;
}
#else
int VALUE(void) {
        return 1;
}
#endif
EXPORT_SYMBOL_GPL(VALUE);

static int __init test_init(void) {
        if (error)
                return -error;
        return VALUE() == NUMBER ? 0 : -EINVAL;
}
module_init(test_init);

static void __exit test_exit(void) {
}
module_exit(test_exit);

MODULE_DESCRIPTION("Test module of moduled: link " __stringify(NUMBER) " of a chain");
MODULE_LICENSE("GPL");
