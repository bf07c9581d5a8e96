/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Item
 *
 * One module that a request is about, and what can be known of it before anybody is asked: where its file lives, what it
 * is called, and whether one of that name may be loaded.
 */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <systemd/sd-daemon.h>

#include "arguments.h"
#include "cleanup.h"
#include "escape.h"
#include "failure.h"
#include "item.h"
#include "module-name.h"
#include "names.h"
#include "options.h"
#include "origin.h"
#include "policy.h"

#define SHOWN_MAX 256

/**
 * item_set() - take what a caller sent for a load
 * @item:       the item; empty
 * @config:     the configuration
 * @fd:         what the message has in the place of the file's descriptor, until request_begin()
 * @parameters: parameters for the module
 * @flags:      as in the interface's description
 * @error:      says what is wrong with them
 *
 * Return: 0, or a negative errno with @error set.
 */
int item_set(struct item *item, const struct config *config, int fd, const char *parameters, uint64_t flags,
             sd_bus_error *error) {
        int r;

        r = policy_check_flags(flags, error);
        if (r >= 0)
                r = policy_check_parameters(config, parameters, error);
        if (r < 0)
                return r;
        *item = (struct item){ .fd = fd, .flags = (uint32_t) flags, .parameters = strdup(parameters) };
        return item->parameters ? 0 : -ENOMEM;
}

/**
 * item_set_name() - take the name of a module that is loaded already
 * @item:       the item; empty
 * @name:       as the caller wrote it; - and _ are the same
 * @error:      says what is wrong with it
 *
 * Return: 0, or a negative errno with @error set.
 */
int item_set_name(struct item *item, const char *name, sd_bus_error *error) {
        if (!module_name_is_plain(name))
                return sd_bus_error_set(
                                error, SD_BUS_ERROR_INVALID_ARGS,
                                "This cannot be the name of a module; give one of letters, digits, - and _.");
        *item = (struct item){ .fd = -1, .name = strdup(name) };
        if (!item->name)
                return -ENOMEM;
        module_name_normalize(item->name);
        return 0;
}

/**
 * item_clear() - give back what an item holds
 * @item:       the item; valid and empty afterwards
 */
void item_clear(struct item *item) {
        inspection_free(item->inspection);
        modinfo_free(item->info);
        free(item->parameters);
        free(item->joined);
        free(item->path);
        free(item->origin);
        free(item->name);
        *item = (struct item){ .fd = -1 };
}

/* What was known before is replaced: a second look may find another path. */
static int take_finding(struct item *item, struct finding *finding) {
        _cleanup_free_ char *origin = finding->origin ? strdup(finding->origin->name) : NULL;
        char *path = strdup(finding->path);

        if (!path || (finding->origin && !origin)) {
                free(path);
                return -ENOMEM;
        }
        free(item->path);
        free(item->origin);
        item->path = path;
        item->origin = take_pointer(&origin);
        return 0;
}

/**
 * item_verify() - find out where the file lives and what the module is called
 * @item:       the item; gets path, origin and name as far as they are known
 * @config:     the configuration
 * @ret:        the finding, to be given to finding_clear(); also where it is a refusal
 * @error:      says why it is refused
 *
 * Return: 0, or a negative errno, with @error set if it is a refusal.
 */
int item_verify(struct item *item, const struct config *config, struct finding *ret, sd_bus_error *error) {
        int verdict, r;

        verdict = origin_verify(config, item->fd, ret);
        if (verdict < 0)
                return verdict;
        r = take_finding(item, ret);
        if (r < 0)
                return r;
        item->proven = verdict == VERDICT_ACCEPTED || verdict > VERDICT_OTHER_FILE;
        if (verdict > 0)
                return failure_from_finding(ret, error);

        free(item->name);
        item->name = NULL;
        r = module_name_from_path(item->path, &item->name);
        if (r == -EINVAL)
                return sd_bus_error_set(
                                error, MODULED_ERROR_NOT_A_MODULE,
                                "The file is not called like a module; open one that is called NAME.ko, or that with .gz, .xz or "
                                ".zst after it.");
        return r;
}

/* As long as nobody has looked into the file, the module may have any. */
static bool declares(const char *name, void *userdata) {
        const struct item *item = userdata;

        return !item->info || !item->info->parameters_complete || arguments_is_declared(item->info, name);
}

static void tell_dropped(const struct item *item, const struct options *options) {
        for (size_t i = 0; i < options->n_dropped; i++) {
                _cleanup_free_ char *text = escape(options->dropped[i].text, SHOWN_MAX),
                                    *file = escape(options->dropped[i].file, SHOWN_MAX);

                fprintf(stderr,
                        SD_WARNING
                        "Module %s has no parameter for the option '%s' of %s, so it was left out; remove it there.\n",
                        item->name, text ? text : "?", file ? file : "?");
        }
}

/* The options of modprobe.d are the administrator's: the caller may add to them, not take their place. */
static int join_parameters(struct item *item, const struct modprobe_policy *policy, sd_bus_error *error) {
        _cleanup_(options_clear) struct options options = { 0 };
        _cleanup_free_ char *name = NULL, *file = NULL;
        int outcome;

        outcome = options_join(policy, item->parameters, declares, item, &options);
        if (outcome < 0)
                return outcome;
        name = escape(options.name ? options.name : "", SHOWN_MAX);
        file = escape(options.file ? options.file : "", SHOWN_MAX);
        if (!name || !file)
                return -ENOMEM;
        switch ((enum options_outcome) outcome) {
        case OPTIONS_OVERRIDDEN:
                return sd_bus_error_setf(
                                error, MODULED_ERROR_BAD_PARAMETERS,
                                "Module %s gets its parameter '%s' from %s, and a caller may not set it "
                                "anew; leave it out.",
                                item->name, name, file);
        case OPTIONS_UNCLOSED:
                return sd_bus_error_setf(
                                error, MODULED_ERROR_POLICY_REFUSED,
                                "A double quote in the options of module %s in %s is not closed; have an "
                                "administrator close it.",
                                item->name, file);
        case OPTIONS_TOO_LONG:
                return sd_bus_error_setf(
                                error, MODULED_ERROR_BAD_PARAMETERS,
                                "The parameters of module %s are too long together with its options in "
                                "modprobe.d; shorten them.",
                                item->name);
        case OPTIONS_JOINED:
                break;
        }
        if (item->info)
                tell_dropped(item, &options);
        free(item->joined);
        item->joined = take_pointer(&options.text);
        return 0;
}

static int check_modprobe(struct item *item, struct modprobe *modprobe, sd_bus_error *error) {
        _cleanup_(modprobe_policy_clear) struct modprobe_policy policy = { 0 };
        int r;

        r = policy_check_modprobe(modprobe, item->name, &policy, error);
        return r < 0 ? r : join_parameters(item, &policy, error);
}

/**
 * item_check() - may this be loaded, as far as can be known without asking anybody
 * @item:       the item, verified
 * @config:     the configuration
 * @modprobe:   what reads modprobe.d
 * @error:      says what is wrong and what to do next
 *
 * To be called again before the kernel gets it: much may have changed while somebody looked for a password, and by then
 * it is known which parameters the module has.
 *
 * Return: 0, or a negative errno with @error set.
 */
int item_check(struct item *item, const struct config *config, struct modprobe *modprobe,
               sd_bus_error *error) {
        int r;

        r = policy_check_name(config, item->name, item->flags, error);
        if (r >= 0)
                r = check_modprobe(item, modprobe, error);
        if (r >= 0)
                r = policy_check_absent(item->name, error);
        if (r >= 0)
                r = policy_check_compression(item->name, item->path, error);
        return r;
}

/**
 * item_inspected() - take what was found in the file
 * @item:       the item
 * @result:     what came of the inspection: 0, a MODINFO_, or a negative errno
 * @info:       what the file says of itself, or NULL; taken over
 * @error:      says what is wrong and what to do next
 *
 * Return: 0 if the kernel may have it, or a negative errno with @error set.
 */
int item_inspected(struct item *item, int result, struct modinfo *info, sd_bus_error *error) {
        const char *by_name = module_compression_from_path(item->path);

        item->inspection = inspection_free(item->inspection);
        item->info = info;
        if (result != 0)
                return failure_from_inspection(result, item->name, error);
        /* The kernel is told by the name what to do with the bytes. */
        if (strcmp(info->compression, by_name ? by_name : "") != 0)
                return sd_bus_error_setf(error, MODULED_ERROR_NOT_A_MODULE,
                                         "The file of module %s is compressed otherwise than its name says "
                                         "(%s); give it the right ending.",
                                         item->name,
                                         info->compression[0] ? info->compression : "not at all");
        return failure_from_arguments(item->parameters, info, item->name, error);
}
