/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

enum modules_state {
        MODULES_ENABLED = 0,
        MODULES_DISABLED,    /* kernel.modules_disabled=1, until the next boot */
        MODULES_UNSUPPORTED, /* the kernel was built without loadable modules */
};

enum module_state {
        MODULE_ABSENT = 0,
        MODULE_BUILTIN,
        MODULE_COMING,
        MODULE_LIVE,
        MODULE_GOING,
};

int system_modules_state(void);
int system_module_state(const char *name);
int system_kernel_release(char **ret);
int system_signature_enforced(void);
int system_lockdown(char **ret);
int system_decompression(char **ret);
int system_dm_uuid(unsigned device_major, unsigned device_minor, char **ret);
