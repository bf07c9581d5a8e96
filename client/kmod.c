/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * libkmod
 *
 * Half of what it takes to start a program that is linked with libkmod is libcrypto, which that brings for signatures. So
 * it is loaded once a command needs it, and its functions are the ones here: whoever calls them need not know.
 */

#include <libkmod.h>
#include <stddef.h>

#include "kmod.h"
#include "library.h"

/* clang-format off */
#define FUNCTIONS(function)                     \
        function(kmod_config_get_blacklists)    \
        function(kmod_config_iter_free_iter)    \
        function(kmod_config_iter_get_key)      \
        function(kmod_config_iter_next)         \
        function(kmod_get_dirname)              \
        function(kmod_list_next)                \
        function(kmod_load_resources)           \
        function(kmod_module_get_dependencies)  \
        function(kmod_module_get_holders)       \
        function(kmod_module_get_info)          \
        function(kmod_module_get_initstate)     \
        function(kmod_module_get_install_commands) \
        function(kmod_module_get_module)        \
        function(kmod_module_get_name)          \
        function(kmod_module_get_options)       \
        function(kmod_module_get_path)          \
        function(kmod_module_get_refcnt)        \
        function(kmod_module_get_size)          \
        function(kmod_module_get_softdeps)      \
        function(kmod_module_info_free_list)    \
        function(kmod_module_info_get_key)      \
        function(kmod_module_info_get_value)    \
        function(kmod_module_initstate_str)     \
        function(kmod_module_new_from_loaded)   \
        function(kmod_module_new_from_lookup)   \
        function(kmod_module_new_from_name)     \
        function(kmod_module_new_from_path)     \
        function(kmod_module_ref)               \
        function(kmod_module_unref)             \
        function(kmod_module_unref_list)        \
        function(kmod_new)                      \
        function(kmod_set_log_fn)               \
        function(kmod_set_log_priority)         \
        function(kmod_unref)
/* clang-format on */

LIBRARY(libkmod, "libkmod.so.2", "names, aliases and dependencies of modules", "required")

/**
 * libkmod_load() - have libkmod
 *
 * To be called before any function of it, as often as one likes.
 *
 * Return: 0, or -ELIBACC if it is not there; require_report() says so.
 */
int libkmod_load(void) {
        return library_load(&libkmod);
}

#define FORWARD(type, name, parameters, arguments)                                                          \
        type name parameters {                                                                              \
                return lib_##name arguments;                                                                \
        }
#define FORWARD_VOID(name, parameters, arguments)                                                           \
        void name parameters {                                                                              \
                lib_##name arguments;                                                                       \
        }

FORWARD(struct kmod_config_iter *, kmod_config_get_blacklists, (const struct kmod_ctx *ctx), (ctx))
FORWARD_VOID(kmod_config_iter_free_iter, (struct kmod_config_iter * iter), (iter))
FORWARD(const char *, kmod_config_iter_get_key, (const struct kmod_config_iter *iter), (iter))
FORWARD(bool, kmod_config_iter_next, (struct kmod_config_iter * iter), (iter))
FORWARD(const char *, kmod_get_dirname, (const struct kmod_ctx *ctx), (ctx))
FORWARD(struct kmod_list *, kmod_list_next, (const struct kmod_list *list, const struct kmod_list *curr),
        (list, curr))
FORWARD(int, kmod_load_resources, (struct kmod_ctx * ctx), (ctx))
FORWARD(struct kmod_list *, kmod_module_get_dependencies, (const struct kmod_module *mod), (mod))
FORWARD(struct kmod_list *, kmod_module_get_holders, (const struct kmod_module *mod), (mod))
FORWARD(int, kmod_module_get_info, (const struct kmod_module *mod, struct kmod_list **list), (mod, list))
FORWARD(int, kmod_module_get_initstate, (const struct kmod_module *mod), (mod))
FORWARD(const char *, kmod_module_get_install_commands, (const struct kmod_module *mod), (mod))
FORWARD(struct kmod_module *, kmod_module_get_module, (const struct kmod_list *entry), (entry))
FORWARD(const char *, kmod_module_get_name, (const struct kmod_module *mod), (mod))
FORWARD(const char *, kmod_module_get_options, (const struct kmod_module *mod), (mod))
FORWARD(const char *, kmod_module_get_path, (const struct kmod_module *mod), (mod))
FORWARD(int, kmod_module_get_refcnt, (const struct kmod_module *mod), (mod))
FORWARD(long, kmod_module_get_size, (const struct kmod_module *mod), (mod))
FORWARD(int, kmod_module_get_softdeps,
        (const struct kmod_module *mod, struct kmod_list **pre, struct kmod_list **post), (mod, pre, post))
FORWARD_VOID(kmod_module_info_free_list, (struct kmod_list * list), (list))
FORWARD(const char *, kmod_module_info_get_key, (const struct kmod_list *entry), (entry))
FORWARD(const char *, kmod_module_info_get_value, (const struct kmod_list *entry), (entry))
FORWARD(const char *, kmod_module_initstate_str, (enum kmod_module_initstate state), (state))
FORWARD(int, kmod_module_new_from_loaded, (struct kmod_ctx * ctx, struct kmod_list **list), (ctx, list))
FORWARD(int, kmod_module_new_from_lookup,
        (struct kmod_ctx * ctx, const char *given_alias, struct kmod_list **list), (ctx, given_alias, list))
FORWARD(int, kmod_module_new_from_name, (struct kmod_ctx * ctx, const char *name, struct kmod_module **mod),
        (ctx, name, mod))
FORWARD(int, kmod_module_new_from_path, (struct kmod_ctx * ctx, const char *path, struct kmod_module **mod),
        (ctx, path, mod))
FORWARD(struct kmod_module *, kmod_module_ref, (struct kmod_module * mod), (mod))
FORWARD(struct kmod_ctx *, kmod_new, (const char *dirname, const char *const *config_paths),
        (dirname, config_paths))
FORWARD_VOID(kmod_set_log_priority, (struct kmod_ctx * ctx, int priority), (ctx, priority))

void kmod_set_log_fn(struct kmod_ctx *ctx,
                     void (*log_fn)(void *log_data, int priority, const char *file, int line, const char *fn,
                                    const char *format, va_list args),
                     const void *data) {
        lib_kmod_set_log_fn(ctx, log_fn, data);
}

/* What there is none of can be given back without the library. */
#define GIVE_BACK(type, name, object)                                                                       \
        type name(object what) {                                                                            \
                return what ? lib_##name(what) : 0;                                                         \
        }

GIVE_BACK(struct kmod_ctx *, kmod_unref, struct kmod_ctx *)
GIVE_BACK(struct kmod_module *, kmod_module_unref, struct kmod_module *)
GIVE_BACK(int, kmod_module_unref_list, struct kmod_list *)
