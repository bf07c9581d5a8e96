/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Failure
 *
 * From an error on the bus to a sentence and an exit code. The service says in its errors what is wrong and what to
 * do next, and that is passed on. The bus and the libraries speak to programmers, so what they report gets a sentence
 * of ours. Names of D-Bus errors and numbers are never shown.
 */

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "command.h"
#include "failure.h"
#include "message.h"
#include "names.h"

#define ERROR_PREFIX "org.moduled1.Error."

/* One of the bus's own names, which sd-bus.h has no macro for. */
#define ERROR_TIMED_OUT "org.freedesktop.DBus.Error.TimedOut"

#define SEE_LOG "see 'systemctl status moduled' and 'journalctl -u moduled'"

static bool is_one_of(const char *name, const char *const *names) {
        for (; *names; names++)
                if (strcmp(name, *names) == 0)
                        return true;
        return false;
}

/* Whether the bus, or our own end of the connection, made up the answer because the service gave none. */
static bool is_from_bus(sd_bus_message *answer) {
        static const char *const bus[] = { "org.freedesktop.DBus", "org.freedesktop.DBus.Local", NULL };
        const char *sender = sd_bus_message_get_sender(answer);

        return !sender || is_one_of(sender, bus);
}

/**
 * failure_is_general() - whether what failed would fail for other modules as well
 * @answer:     the error that a call was answered with; borrowed
 */
bool failure_is_general(sd_bus_message *answer) {
        static const char *const general[] = {
                MODULED_ERROR_MODULES_DISABLED,
                SD_BUS_ERROR_LIMITS_EXCEEDED,
                SD_BUS_ERROR_NO_MEMORY,
                NULL,
        };

        return is_from_bus(answer) || is_one_of(sd_bus_message_get_error(answer)->name, general);
}

static int exit_code(const char *name) {
        static const char *const refused[] = {
                MODULED_ERROR_BAD_DESCRIPTOR,
                MODULED_ERROR_ORIGIN_REFUSED,
                MODULED_ERROR_POLICY_REFUSED,
                NULL,
        };
        static const char *const unauthorized[] = {
                SD_BUS_ERROR_ACCESS_DENIED,
                SD_BUS_ERROR_INTERACTIVE_AUTHORIZATION_REQUIRED,
                NULL,
        };

        if (is_one_of(name, refused))
                return EXIT_REFUSED;
        return is_one_of(name, unauthorized) ? EXIT_UNAUTHORIZED : EXIT_FAILED;
}

static void say_for_bus(const char *name) {
        static const char *const late[] = { SD_BUS_ERROR_TIMEOUT, ERROR_TIMED_OUT, NULL };

        if (strcmp(name, SD_BUS_ERROR_ACCESS_DENIED) == 0)
                say("The system bus does not let you call moduled; if moduled was installed just now, an "
                    "administrator must tell the bus by 'systemctl reload dbus'.");
        else if (strcmp(name, SD_BUS_ERROR_NO_REPLY) == 0)
                say("moduled gave no answer, and /proc/modules must tell what was done; " SEE_LOG ".");
        else if (is_one_of(name, late))
                say("moduled did not answer in time; " SEE_LOG ".");
        else if (strcmp(name, SD_BUS_ERROR_LIMITS_EXCEEDED) == 0)
                say("The system bus has too many requests from you; try again when some are done.");
        else
                say("The moduled service is not installed or cannot be started; " SEE_LOG ".");
}

/* Whether the service wrote @text; a library in it ends no message with a full stop. */
static bool is_sentence(const char *name, const char *text) {
        return strncmp(name, ERROR_PREFIX, strlen(ERROR_PREFIX)) == 0 || text[strlen(text) - 1] == '.';
}

static void say_for_service(const char *name, const char *text, bool ask) {
        static const char *const unknown[] = {
                SD_BUS_ERROR_UNKNOWN_METHOD,
                SD_BUS_ERROR_UNKNOWN_INTERFACE,
                SD_BUS_ERROR_UNKNOWN_OBJECT,
                SD_BUS_ERROR_UNKNOWN_PROPERTY,
                NULL,
        };

        if (strcmp(name, SD_BUS_ERROR_INTERACTIVE_AUTHORIZATION_REQUIRED) == 0 && ask)
                say("This needs an administrator's password, and there is nobody to ask for it; run it in a "
                    "terminal, with pkttyagent installed.");
        else if (strcmp(name, SD_BUS_ERROR_INTERACTIVE_AUTHORIZATION_REQUIRED) == 0)
                say("This needs an administrator's password; run it again without --no-ask-password.");
        else if (is_one_of(name, unknown))
                say("The moduled that runs does not know this request; if it was updated, "
                    "'systemctl restart moduled' starts the new one.");
        else if (!text || !*text)
                say("moduled failed without a reason; " SEE_LOG ".");
        else if (is_sentence(name, text))
                say("%s", text);
        else
                say("moduled failed (%s); " SEE_LOG ".", text);
}

/**
 * failure_report() - say why a call failed
 * @result:     what bus_call() or bus_call_authorized() returned, not 0
 * @answer:     the error that they handed out, if @result is positive; borrowed
 * @options:    the command's
 *
 * Return: the exit code.
 */
int failure_report(int result, sd_bus_message *answer, unsigned options) {
        const sd_bus_error *error;

        if (result < 0) {
                say("The request could not be made on the system bus (%s); try again.", strerror(-result));
                return EXIT_FAILED;
        }

        error = sd_bus_message_get_error(answer);
        if (is_from_bus(answer))
                say_for_bus(error->name);
        else
                say_for_service(error->name, error->message, !(options & OPTION_NO_ASK_PASSWORD));
        return exit_code(error->name);
}

/**
 * failure_report_unreachable() - say that there is no bus
 * @error:      what bus_open() returned, negative
 *
 * Return: the exit code.
 */
int failure_report_unreachable(int error) {
        say("The system bus cannot be reached (%s); see 'systemctl status dbus'.", strerror(-error));
        return EXIT_FAILED;
}

/**
 * failure_report_answer() - say that an answer could not be read
 * @error:      negative errno of reading it
 *
 * Return: the exit code.
 */
int failure_report_answer(int error) {
        if (error == -ENOMEM)
                say("There is no memory left; end other programs and try again.");
        else
                say("moduled's answer cannot be understood; if moduled or modctl was updated, "
                    "'systemctl restart moduled' brings them together.");
        return EXIT_FAILED;
}
