/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Verdict
 *
 * What the service's method Check says of a file.
 */

#include <errno.h>
#include <string.h>

#include "bus.h"
#include "names.h"
#include "properties.h"
#include "verdict.h"

static const struct property wanted[] = {
        { "Accepted", "b", offsetof(struct verdict, accepted) },
        { "Error", "s", offsetof(struct verdict, error) },
        { "Reason", "s", offsetof(struct verdict, reason) },
        { "Path", "s", offsetof(struct verdict, path) },
        { "Origin", "s", offsetof(struct verdict, origin) },
        { NULL, NULL, 0 },
};

/**
 * verdict_ask() - ask the service what it would do with a file
 * @bus:        the connection
 * @fd:         the file, open for reading; borrowed
 * @ret:        the verdict, to be given to verdict_clear(); also on a positive return, when its answer is the error
 *
 * Return: 0, or as bus_call(); -EBADMSG if the answer is none.
 */
int verdict_ask(sd_bus *bus, int fd, struct verdict *ret) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL;
        struct verdict verdict = { .error = "", .reason = "", .path = "", .origin = "" };
        int r;

        r = sd_bus_message_new_method_call(bus, &m, MODULED_BUS_NAME, MODULED_OBJECT_PATH,
                                           MODULED_MANAGER_INTERFACE, "Check");
        if (r >= 0)
                r = sd_bus_message_append(m, "h", fd);
        if (r >= 0)
                r = bus_call(bus, m, &verdict.answer);
        if (r == 0 && (properties_read(verdict.answer, wanted, &verdict) < 0 ||
                       sd_bus_message_rewind(verdict.answer, true) < 0))
                r = -EBADMSG;
        if (r < 0) {
                sd_bus_message_unref(verdict.answer);
                return r;
        }
        *ret = verdict;
        return r;
}

/**
 * verdict_is_loaded() - whether nothing but that the module is loaded already is against the file
 * @verdict:    the verdict
 */
bool verdict_is_loaded(const struct verdict *verdict) {
        return strcmp(verdict->error, MODULED_ERROR_ALREADY_LOADED) == 0;
}

/**
 * verdict_is_refusal() - whether the file would not be loaded
 * @verdict:    the verdict
 */
bool verdict_is_refusal(const struct verdict *verdict) {
        return !verdict->accepted && !verdict_is_loaded(verdict);
}

/**
 * verdict_clear() - give back what a verdict holds
 * @verdict:    the verdict; not valid afterwards
 */
void verdict_clear(struct verdict *verdict) {
        sd_bus_message_unref(verdict->answer);
        *verdict = (struct verdict){ 0 };
}
