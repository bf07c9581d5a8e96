/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Sequence
 *
 * In which order modules are loaded for one that is wanted: what each needs before it, and on both sides of it the soft
 * dependencies that modprobe.d or depmod(8) name. The order is modprobe(8)'s, and a test holds it to that; a module may
 * stand in it twice.
 */

#include <errno.h>
#include <stdlib.h>

#include "depends.h"
#include "sequence.h"

struct builder {
        struct resolver *resolver;
        struct kmod_module *target;
        struct module_array required;
        struct module_array visited;
        unsigned softdep; /* the one that is being looked at, or 0 */
        struct sequence sequence;
};

static int visit(struct builder *builder, struct kmod_module *module);

static int add_step(struct builder *builder, struct kmod_module *module, bool has_softdeps) {
        struct sequence *sequence = &builder->sequence;
        struct step *items = reallocarray(sequence->items, sequence->n + 1, sizeof *items);
        bool required = module_array_contains(&builder->required, module);

        if (!items)
                return -ENOMEM;
        sequence->items = items;
        items[sequence->n++] = (struct step){
                .module = kmod_module_ref(module),
                .softdep = required ? 0 : builder->softdep,
                .is_target = module == builder->target,
                .has_softdeps = has_softdeps,
        };
        return 0;
}

static int visit_softdeps(struct builder *builder, struct kmod_list *list) {
        unsigned outer = builder->softdep;
        struct kmod_list *entry;
        int r = 0;

        kmod_list_foreach(entry, list) {
                struct kmod_module *module = kmod_module_get_module(entry);

                if (outer == 0)
                        builder->softdep = ++builder->sequence.n_softdeps;
                r = visit(builder, module);
                kmod_module_unref(module);
                if (r < 0)
                        break;
        }
        builder->softdep = outer;
        return r;
}

/* A module among its soft dependencies. */
static int place(struct builder *builder, struct kmod_module *module) {
        struct kmod_list *before = NULL, *after = NULL;
        int r;

        r = kmod_module_get_softdeps(module, &before, &after);
        if (r >= 0)
                r = visit_softdeps(builder, before);
        if (r >= 0)
                r = add_step(builder, module, before || after);
        if (r >= 0)
                r = visit_softdeps(builder, after);
        kmod_module_unref_list(before);
        kmod_module_unref_list(after);
        return r;
}

static int require(struct builder *builder, const struct module_array *needed) {
        int r = 0;

        for (size_t i = 0; r >= 0 && i < needed->n; i++)
                r = module_array_add(&builder->required, needed->items[i]);
        return r;
}

static int visit(struct builder *builder, struct kmod_module *module) {
        struct module_array needed = { 0 };
        int r;

        if (module_array_contains(&builder->visited, module))
                return 0;
        r = module_array_add(&builder->visited, module);
        if (r >= 0)
                r = depends_collect(builder->resolver, module, &needed);
        /* Before any of them may turn up as the soft dependency of another. */
        if (r >= 0 && module == builder->target)
                r = require(builder, &needed);
        for (size_t i = 0; r >= 0 && i < needed.n; i++)
                r = place(builder, needed.items[i]);
        if (r >= 0)
                r = place(builder, module);
        module_array_clear(&needed);
        return r;
}

/**
 * sequence_new() - find out in which order to load
 * @resolver:   the resolver that found @target
 * @target:     the module that is wanted
 * @ret:        the sequence, to be given to sequence_clear() before @resolver is freed
 *
 * Whether any of them is loaded, or built in, does not matter here.
 *
 * Return: 0, -ENOENT after saying which dependency there is not, or another negative errno.
 */
int sequence_new(struct resolver *resolver, struct kmod_module *target, struct sequence *ret) {
        struct builder builder = { .resolver = resolver, .target = target };
        int r;

        r = module_array_add(&builder.required, target);
        if (r >= 0)
                r = visit(&builder, target);
        module_array_clear(&builder.required);
        module_array_clear(&builder.visited);
        if (r < 0) {
                sequence_clear(&builder.sequence);
                return r;
        }
        *ret = builder.sequence;
        return 0;
}

/**
 * sequence_clear() - give back what a sequence holds
 * @sequence:   the sequence; valid and empty afterwards
 */
void sequence_clear(struct sequence *sequence) {
        for (size_t i = 0; i < sequence->n; i++)
                kmod_module_unref(sequence->items[i].module);
        free(sequence->items);
        *sequence = (struct sequence){ 0 };
}
