/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * A module whose init takes its time.
 */

#include <linux/delay.h>
#include <linux/module.h>
#include <linux/sched/signal.h>

static unsigned int seconds = 1;
module_param(seconds, uint, 0444);
MODULE_PARM_DESC(seconds, "how long init sleeps");

static bool killable;
module_param(killable, bool, 0444);
MODULE_PARM_DESC(killable, "whether a deadly signal ends init, with EINTR");

static int __init test_init(void) {
        if (!killable) {
                msleep(seconds * 1000);
                return 0;
        }
        schedule_timeout_killable(seconds * HZ);
        return fatal_signal_pending(current) ? -EINTR : 0;
}
module_init(test_init);

static void __exit test_exit(void) {
}
module_exit(test_exit);

MODULE_DESCRIPTION("Test module of moduled: init sleeps");
MODULE_LICENSE("GPL");
