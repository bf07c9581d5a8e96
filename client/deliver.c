/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Deliver
 *
 * Has the service load what is in a plan. At first all of it in as few calls as can be, because each call may ask for a
 * password. The service loads all of a call or nothing, while to a user the targets have nothing to do with each other,
 * and soft dependencies are no more than welcome; so when a call fails that holds more than one thing, what is left is
 * tried again one by one.
 */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bus.h"
#include "cleanup.h"
#include "deliver.h"
#include "failure.h"
#include "message.h"
#include "names.h"

/* Descriptors that the system bus relays in one message (max_message_unix_fds). */
#define CALL_MAX 16

static bool is_together(const struct plan_item *a, const struct plan_item *b) {
        return a->group == b->group && a->softdep == b->softdep;
}

static int append_item(const struct delivery *delivery, sd_bus_message *m, const struct plan_item *item) {
        return sd_bus_message_append(m, "hst", item->fd, item->is_target ? delivery->parameters : "",
                                     delivery->flags);
}

static int append_items(const struct delivery *delivery, sd_bus_message *m, const struct plan_item *items,
                        size_t n) {
        int r;

        r = sd_bus_message_open_container(m, 'a', "(hst)");
        for (size_t i = 0; r >= 0 && i < n; i++) {
                r = sd_bus_message_open_container(m, 'r', "hst");
                if (r >= 0)
                        r = append_item(delivery, m, &items[i]);
                if (r >= 0)
                        r = sd_bus_message_close_container(m);
        }
        if (r >= 0)
                r = sd_bus_message_close_container(m);
        return r < 0 ? r : sd_bus_message_append(m, "a{sv}", 0);
}

/* Returns as bus_call_authorized(), or -EILSEQ if the parameters are no text for the bus. */
static int call(const struct delivery *delivery, const struct plan_item *items, size_t n, bool ask,
                sd_bus_message **ret) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL;
        int r;

        r = sd_bus_message_new_method_call(delivery->bus, &m, MODULED_BUS_NAME, MODULED_OBJECT_PATH,
                                           MODULED_MANAGER_INTERFACE, n == 1 ? "Load" : "LoadMany");
        if (r >= 0)
                r = n == 1 ? append_item(delivery, m, items) : append_items(delivery, m, items, n);
        if (r == -EINVAL)
                return -EILSEQ;
        return r < 0 ? r : bus_call_authorized(delivery->bus, m, ask, ret);
}

static int say_loaded_already(const struct delivery *delivery, const char *name) {
        bool failed = delivery->options->set & OPTION_FIRST_TIME;

        if (failed || !(delivery->options->set & OPTION_QUIET))
                say("%s is loaded already.", name);
        return failed ? EXIT_FAILED : EXIT_DONE;
}

static int take_object(const struct delivery *delivery, struct plan_item *item, const char *path,
                       bool is_loaded) {
        _cleanup_free_ char *name = NULL;
        int r;

        r = sd_bus_path_decode(path, MODULED_MODULE_PREFIX, &name);
        if (r <= 0)
                return failure_report_answer(r < 0 ? r : -EBADMSG);
        item->is_loaded = is_loaded;
        if (is_loaded)
                announce(delivery->options->set, "Loaded", name);
        else if (item->is_target)
                return say_loaded_already(delivery, name);
        return EXIT_DONE;
}

static int take_answer(const struct delivery *delivery, struct plan_item *items, size_t n,
                       sd_bus_message *answer) {
        int code = EXIT_DONE, is_loaded = true, r = 0;
        const char *path;

        if (n > 1)
                r = sd_bus_message_enter_container(answer, 'a', "(ob)");
        for (size_t i = 0; r >= 0 && i < n; i++) {
                int item_code;

                if (n == 1)
                        r = sd_bus_message_read(answer, "o", &path);
                else
                        r = sd_bus_message_read(answer, "(ob)", &path, &is_loaded);
                if (r <= 0)
                        return failure_report_answer(r < 0 ? r : -EBADMSG);
                item_code = take_object(delivery, &items[i], path, is_loaded);
                if (code == EXIT_DONE)
                        code = item_code;
        }
        return r < 0 ? failure_report_answer(r) : code;
}

/* 0 if @ret_code is how it went; else as bus_call_authorized(), and nothing was loaded. */
static int attempt(const struct delivery *delivery, struct plan_item *items, size_t n, bool ask,
                   int *ret_code, sd_bus_message **ret_error) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *answer = NULL;
        int r;

        r = call(delivery, items, n, ask, &answer);
        if (r == 0) {
                *ret_code = take_answer(delivery, items, n, answer);
                return 0;
        }
        /* Of several the service passes over one that is loaded; of one it says so in its own words. */
        if (r > 0 && n == 1 && sd_bus_message_is_method_error(answer, MODULED_ERROR_ALREADY_LOADED) > 0) {
                bool failed = items->is_target && delivery->options->set & OPTION_FIRST_TIME;

                if (failed || (items->is_target && !(delivery->options->set & OPTION_QUIET)))
                        (void) failure_report(r, answer, delivery->options->set);
                *ret_code = failed ? EXIT_FAILED : EXIT_DONE;
                return 0;
        }
        *ret_error = take_pointer(&answer);
        return r;
}

static int report(const struct delivery *delivery, int result, sd_bus_message *error) {
        if (result == -EILSEQ) {
                say("The parameters are not UTF-8, and the bus carries no other text; write them in it.");
                return EXIT_USAGE;
        }
        return failure_report(result, error, delivery->options->set);
}

/* What calls before the one that failed have loaded for the same target. */
static void say_what_stays(const struct plan *plan, unsigned group) {
        _cleanup_free_ char *names = NULL;
        size_t size, n = 0;
        FILE *out;

        out = open_memstream(&names, &size);
        if (!out)
                return;
        for (size_t i = 0; i < plan->n; i++)
                if (plan->items[i].group == group && plan->items[i].is_loaded)
                        fprintf(out, "%s%s", n++ > 0 ? ", " : "", plan->items[i].name);
        if (fclose(out) == 0 && n > 0)
                say("Loaded before that, and left so: %s; use 'modctl unload' for what is not wanted.",
                    names);
}

static bool is_unauthorized(sd_bus_message *error) {
        return error &&
               (sd_bus_message_is_method_error(error, SD_BUS_ERROR_ACCESS_DENIED) > 0 ||
                sd_bus_message_is_method_error(error, SD_BUS_ERROR_INTERACTIVE_AUTHORIZATION_REQUIRED) > 0);
}

/* What is tried after all of it failed in one call. */
struct retry {
        const struct delivery *delivery;
        struct plan *plan;
        sd_bus_message *before; /* why it failed */
        bool is_told;           /* whether that was said */
};

/* Who said no is not asked again, and hears of that rather than that nobody was asked. */
static int report_retry(struct retry *retry, int result, sd_bus_message *error) {
        bool unasked = error && sd_bus_message_is_method_error(
                                                error, SD_BUS_ERROR_INTERACTIVE_AUTHORIZATION_REQUIRED) > 0;

        if (!unasked || !is_unauthorized(retry->before))
                return report(retry->delivery, result, error);
        if (!retry->is_told) {
                retry->is_told = true;
                return report(retry->delivery, 1, retry->before);
        }
        if (sd_bus_message_is_method_error(retry->before, SD_BUS_ERROR_ACCESS_DENIED) <= 0)
                return report(retry->delivery, result, error);
        say("This needs a password, too, and after that refusal nobody was asked again; run it again to be asked.");
        return EXIT_UNAUTHORIZED;
}

/* Loads the items of one target, or of one soft dependency of it, that stand together. */
static int load_run(struct retry *retry, struct plan_item *items, size_t n) {
        unsigned options = retry->delivery->options->set;
        bool ask = !(options & OPTION_NO_ASK_PASSWORD) && !is_unauthorized(retry->before);
        int code = EXIT_DONE;

        for (size_t done = 0; done < n && code == EXIT_DONE; done += CALL_MAX) {
                _cleanup_(sd_bus_message_unrefp) sd_bus_message *error = NULL;
                size_t part = n - done < CALL_MAX ? n - done : CALL_MAX;
                int r;

                r = attempt(retry->delivery, items + done, part, ask, &code, &error);
                if (r == 0)
                        continue;
                if (items->softdep > 0 && options & OPTION_QUIET)
                        return EXIT_FAILED;
                code = report_retry(retry, r, error);
                if (items->softdep > 0)
                        say("%s is only a soft dependency, so the rest is loaded without it.",
                            items[n - 1].name);
                else
                        say_what_stays(retry->plan, items->group);
        }
        return code;
}

static void say_not_loaded(const struct plan *plan, unsigned group) {
        for (size_t i = 0; i < plan->n; i++)
                if (plan->items[i].group == group && plan->items[i].is_target)
                        say("So %s was not loaded.", plan->items[i].name);
}

static int load_one_by_one(const struct delivery *delivery, struct plan *plan, size_t from,
                           sd_bus_message *before) {
        struct retry retry = { .delivery = delivery, .plan = plan, .before = before };
        unsigned failed_group = plan->n_groups;
        int code = EXIT_DONE;

        while (from < plan->n) {
                struct plan_item *items = &plan->items[from];
                size_t n = 1;
                int r;

                while (from + n < plan->n && is_together(items, &items[n]))
                        n++;
                from += n;
                if (items->group == failed_group)
                        continue;
                r = load_run(&retry, items, n);
                if (r == EXIT_DONE || items->softdep > 0)
                        continue;
                failed_group = items->group;
                say_not_loaded(plan, failed_group);
                if (code == EXIT_DONE)
                        code = r;
        }
        return code;
}

static bool is_one_thing(const struct plan *plan) {
        for (size_t i = 1; i < plan->n; i++)
                if (!is_together(&plan->items[0], &plan->items[i]))
                        return false;
        return true;
}

/**
 * deliver() - have the service load what is in a plan
 * @delivery:   how
 * @plan:       what; tells afterwards what was loaded
 *
 * Says what was loaded, and what went wrong.
 *
 * Return: an exit code.
 */
int deliver(const struct delivery *delivery, struct plan *plan) {
        bool ask = !(delivery->options->set & OPTION_NO_ASK_PASSWORD);
        int code = EXIT_DONE;

        for (size_t done = 0; done < plan->n; done += CALL_MAX) {
                _cleanup_(sd_bus_message_unrefp) sd_bus_message *error = NULL;
                size_t n = plan->n - done < CALL_MAX ? plan->n - done : CALL_MAX;
                int call_code, r;

                r = attempt(delivery, plan->items + done, n, ask, &call_code, &error);
                if (r > 0 && !is_one_thing(plan) && !failure_is_general(error)) {
                        call_code = load_one_by_one(delivery, plan, done, error);
                        return code == EXIT_DONE ? call_code : code;
                }
                if (r != 0) {
                        code = report(delivery, r, error);
                        say_what_stays(plan, plan->items[done].group);
                        return code;
                }
                if (code == EXIT_DONE)
                        code = call_code;
        }
        return code;
}
