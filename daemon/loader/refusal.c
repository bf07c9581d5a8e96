/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Refusal
 *
 * What moduled.conf forbids, whoever asks: the loader does not rely on the broker for that.
 */

#include <stddef.h>

#include "refusal.h"

/**
 * refusal_find() - look for what forbids a load
 * @config:     the configuration
 * @name:       the module's name, by its verified path
 * @flags:      KERNEL_ flags that the caller chose
 *
 * Return: a sentence that says what forbids it and what to do, or NULL if nothing does.
 */
const char *refusal_find(const struct config *config, const char *name, uint32_t flags) {
        const char *pattern = NULL;

        if (flags != 0 && !config->allow_forced)
                return "Ignoring symbol versions or vermagic is not allowed here: load the module without force, "
                       "or have an administrator set AllowForced=yes in moduled.conf.";
        if (!config_allows_name(config, name, &pattern))
                return pattern ? "DenyModules= in moduled.conf denies this module; an administrator can change that."
                               : "AllowModules= in moduled.conf does not name this module; an administrator can change that.";
        return NULL;
}
