/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * A module that is in use from its init on, until its parameter is set to 0.
 */

#include <linux/kstrtox.h>
#include <linux/module.h>

static bool held;

static int set_held(const char *value, const struct kernel_param *parameter) {
        bool wanted;
        int r;

        r = kstrtobool(value, &wanted);
        if (r < 0)
                return r;
        if (wanted && !held)
                __module_get(THIS_MODULE);
        if (!wanted && held)
                module_put(THIS_MODULE);
        held = wanted;
        return 0;
}

static const struct kernel_param_ops held_ops = { .set = set_held, .get = param_get_bool };
module_param_cb(held, &held_ops, &held, 0644);
MODULE_PARM_DESC(held, "whether the module is in use");

static int __init test_init(void) {
        __module_get(THIS_MODULE);
        held = true;
        return 0;
}
module_init(test_init);

static void __exit test_exit(void) {
}
module_exit(test_exit);

MODULE_DESCRIPTION("Test module of moduled: holds a reference on itself");
MODULE_LICENSE("GPL");
