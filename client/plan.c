/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Plan
 *
 * What is left of the sequences of all targets: without what is loaded or built in, each module once, and its file open.
 */

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "message.h"
#include "plan.h"
#include "sequence.h"

/* The file's name stands for a module that it has none of. */
static int add_item(struct plan *plan, struct plan_item item, const char *name) {
        struct plan_item *items = reallocarray(plan->items, plan->n + 1, sizeof *items);

        if (items)
                plan->items = items;
        item.name = items ? strdup(name) : NULL;
        if (!item.name) {
                cleanup_closep(&item.fd);
                return -ENOMEM;
        }
        plan->items[plan->n++] = item;
        return 0;
}

static struct plan_item *find_item(const struct plan *plan, const char *name) {
        for (size_t i = 0; i < plan->n; i++)
                if (strcmp(plan->items[i].name, name) == 0)
                        return &plan->items[i];
        return NULL;
}

/* What libkmod's own probing passes over; one that is on its way the service will wait for. */
static bool is_there(struct kmod_module *module) {
        int state = kmod_module_get_initstate(module);

        return state == KMOD_MODULE_LIVE || state == KMOD_MODULE_BUILTIN;
}

static int open_step(const struct step *step, struct match *match) {
        const char *path = kmod_module_get_path(step->module);
        int fd;

        if (step->is_target && match->file)
                return take_fd(&match->fd);
        if (!path)
                return -ENOENT;
        fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
        if (fd >= 0)
                return fd;
        fd = -errno;
        if (step->softdep == 0)
                say("Cannot open %s: %s; it is the file of the module %s, so have an administrator install that anew.",
                    path, strerror(errno), kmod_module_get_name(step->module));
        return fd;
}

static int add_step(struct plan *plan, const struct step *step, struct match *match) {
        const char *name = kmod_module_get_name(step->module);
        struct plan_item *known = find_item(plan, name);
        int fd;

        if (known) {
                if (step->softdep == 0)
                        known->softdep = 0;
                known->is_target = known->is_target || step->is_target;
                return 0;
        }
        /* Whether a file may be loaded is for the service to say even if its module is there. */
        if (!(step->is_target && match->file) && is_there(step->module))
                return 0;
        fd = open_step(step, match);
        if (fd < 0)
                return step->softdep > 0 ? 0 : fd;
        return add_item(plan,
                        (struct plan_item){
                                        .fd = fd,
                                        .group = plan->n_groups,
                                        .softdep = step->softdep,
                                        .is_target = step->is_target,
                        },
                        name);
}

static void drop_items(struct plan *plan, size_t n) {
        while (plan->n > n) {
                struct plan_item *item = &plan->items[--plan->n];

                cleanup_closep(&item->fd);
                free(item->name);
        }
}

/**
 * plan_add() - add what one module needs, and the module
 * @plan:       the plan
 * @resolver:   the resolver
 * @match:      the module; its descriptor goes into the plan
 *
 * Return: 0, -ENOENT or another errno of opening a file after saying which, or -ENOMEM.
 */
int plan_add(struct plan *plan, struct resolver *resolver, struct match *match) {
        struct sequence sequence = { 0 };
        size_t n = plan->n;
        int r = 0;

        if (!match->module) {
                r = add_item(plan,
                             (struct plan_item){
                                             .fd = take_fd(&match->fd),
                                             .group = plan->n_groups,
                                             .is_target = true,
                             },
                             match->file);
                plan->n_groups++;
                return r;
        }
        r = sequence_new(resolver, match->module, &sequence);
        for (size_t i = 0; r >= 0 && i < sequence.n; i++)
                r = add_step(plan, &sequence.items[i], match);
        plan->n_groups++;
        sequence_clear(&sequence);
        /* What is needed makes no sense without what needs it. */
        if (r < 0)
                drop_items(plan, n);
        return r;
}

/**
 * plan_add_plain() - add a module that needs nothing
 * @plan:       the plan
 * @name:       the module's
 * @fd:         its file; goes into the plan
 *
 * Return: 0 or -ENOMEM.
 */
int plan_add_plain(struct plan *plan, const char *name, int fd) {
        struct plan_item *known = find_item(plan, name);
        unsigned group = plan->n_groups++;

        if (known) {
                known->softdep = 0;
                known->is_target = true;
                cleanup_closep(&fd);
                return 0;
        }
        return add_item(plan, (struct plan_item){ .fd = fd, .group = group, .is_target = true }, name);
}

/**
 * plan_clear() - give back what a plan holds
 * @plan:       the plan; valid and empty afterwards
 */
void plan_clear(struct plan *plan) {
        drop_items(plan, 0);
        free(plan->items);
        *plan = (struct plan){ 0 };
}
