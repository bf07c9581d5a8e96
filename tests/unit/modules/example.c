/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * An object file that is like a module in what an inspector looks at: .modinfo, and the table of parameters with its
 * relocations. The kernel would not take it.
 */

#include <stdint.h>

#define JOIN_(a, b) a##b
#define JOIN(a, b) JOIN_(a, b)

#define INFO(text)                                                                                          \
        static const char JOIN(info_, __COUNTER__)[]                                                        \
                        __attribute__((used, section(".modinfo"), aligned(1))) = text

struct kernel_param {
        const char *name;
        const void *module;
        const void *operations;
        uint16_t permissions;
        int8_t level;
        uint8_t flags;
        void *argument;
};

static int module, operations, argument;

#define PARAM(variable, text)                                                                               \
        static const char JOIN(name_, variable)[] = text;                                                   \
        static const struct kernel_param JOIN(param_, variable)                                             \
                        __attribute__((used, section("__param"), aligned(sizeof(void *)))) = {              \
                                JOIN(name_, variable), &module, &operations, 0644, -1, 0, &argument         \
                        }

INFO("version=1.2");
INFO("author=Nobody <nobody@localhost>");
INFO("license=GPL");
INFO("license=second");
INFO("no equals sign");
INFO("=no key");
INFO("parm=numdummies:Number of pseudo devices");
INFO("parmtype=numdummies:int");
INFO("parmtype=undescribed:array of charp");
INFO("parm=gone:Described, but not there");
INFO("parm=twice:first text");
INFO("parm=twice:a description: with a colon,\nand a line break");
INFO("parm=nothing to see here");
INFO("parm=:no name");
INFO("softdep=pre: first second post: third");
INFO("softdep=pre: fourth");
INFO("depends=alpha,beta-gamma,,delta");
INFO("srcversion=0123456789ABCDEF0123456");
#ifndef NAMELESS
INFO("name=the_example");
#endif
INFO("vermagic=6.1.0-test SMP preempt mod_unload ");
INFO("nam=not this");
INFO("names=not this either");

PARAM(numdummies, "numdummies");
PARAM(undescribed, "undescribed");
PARAM(twice, "twice");
/* As by module_param_call(): .modinfo has nothing of it. */
PARAM(untyped, "untyped");
PARAM(prefixed, "other.prefixed");
