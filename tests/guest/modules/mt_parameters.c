/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * A module with parameters of every kind, each of them to be read in /sys/module/mt_parameters/parameters.
 */

#include <linux/kstrtox.h>
#include <linux/module.h>

static bool a_bool;
module_param(a_bool, bool, 0444);
MODULE_PARM_DESC(a_bool, "y or n; alone it is y");

static bool an_invbool = true;
module_param(an_invbool, invbool, 0444);

static int a_bint;
module_param(a_bint, bint, 0444);

static unsigned char a_byte;
module_param(a_byte, byte, 0444);

static short a_short;
module_param(a_short, short, 0444);

static unsigned short a_ushort;
module_param(a_ushort, ushort, 0444);

static int an_int;
module_param(an_int, int, 0444);
MODULE_PARM_DESC(an_int, "any number,\nin a description of two lines");

static unsigned int a_uint;
module_param(a_uint, uint, 0444);

static long a_long;
module_param(a_long, long, 0444);

static unsigned long a_ulong;
module_param(a_ulong, ulong, 0444);

static unsigned long long a_ullong;
module_param(a_ullong, ullong, 0444);

static unsigned int a_hexint;
module_param(a_hexint, hexint, 0444);

static char *a_charp = "nothing";
module_param(a_charp, charp, 0444);

static char a_string[8];
module_param_string(a_string, a_string, sizeof a_string, 0444);
MODULE_PARM_DESC(a_string, "at most seven characters");

static int an_array[4];
static unsigned int n_array;
module_param_array(an_array, int, &n_array, 0444);
MODULE_PARM_DESC(an_array, "at most four numbers, separated by commas");

static char *a_charp_array[2];
module_param_array(a_charp_array, charp, NULL, 0444);

/* What the parameter is called and what the variable is called are two things. */
static int inner;
module_param_named(outer, inner, int, 0444);

static int hidden;
module_param(hidden, int, 0);
MODULE_PARM_DESC(hidden, "not in /sys");

static int unsafe;
module_param_unsafe(unsafe, int, 0444);

static int refuse(const char *value, const struct kernel_param *parameter) {
        int error, r;

        r = kstrtoint(value, 10, &error);
        return r < 0 ? r : -error;
}

static const struct kernel_param_ops refuse_ops = { .set = refuse };
module_param_cb(refusing, &refuse_ops, NULL, 0200);
MODULE_PARM_DESC(refusing, "refuses its value, which is the errno to refuse it with");

static bool flag;

static int set_flag(const char *value, const struct kernel_param *parameter) {
        flag = !value;
        return value ? -EINVAL : 0;
}

static const struct kernel_param_ops flag_ops = { .flags = KERNEL_PARAM_OPS_FL_NOARG,
                                                  .set = set_flag,
                                                  .get = param_get_bool };
module_param_cb(flag, &flag_ops, &flag, 0444);
MODULE_PARM_DESC(flag, "takes no value");

static int __init test_init(void) {
        return 0;
}
module_init(test_init);

static void __exit test_exit(void) {
}
module_exit(test_exit);

MODULE_DESCRIPTION("Test module of moduled: parameters of every kind");
MODULE_LICENSE("GPL");
