/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Request
 *
 * One call of Load or Unload, from the message to the reply. Nothing here waits: each step begins something and returns,
 * and the answer to it begins the next. A request belongs to the list in the context and is freed in one place, when it
 * has been answered or its caller has left.
 */

#include <assert.h>
#include <string.h>
#include <syslog.h>
#include <systemd/sd-login.h>
#include <time.h>

#include "authority.h"
#include "caller.h"
#include "cleanup.h"
#include "failure.h"
#include "loader-client.h"
#include "module-name.h"
#include "module.h"
#include "names.h"
#include "origin.h"
#include "policy.h"
#include "protocol.h"
#include "request.h"

/*
 * Requests under way for one user and in all; a request is held for minutes while somebody looks for a password. Each
 * has a match rule of its own, of which the system bus allows 512 (max_match_rules_per_connection).
 */
#define REQUESTS_PER_USER 32
#define REQUESTS_IN_ALL 256
/* Descriptors of a user that cannot be closed because something of the user's does not let go of them. */
#define PARKED_PER_USER 64

#define ACTIONS_MAX 3

enum stage {
        STAGE_CALLER,    /* the bus is asked who calls */
        STAGE_AUTHORITY, /* polkit is asked */
        STAGE_WAITING,   /* another request is loading a module of this name */
        STAGE_LOADER,    /* the loader is at work: from here on the caller's leaving stops nothing */
};

struct action {
        const char *name;
        bool settled; /* polkit has said yes */
};

struct request {
        struct context *context;
        sd_bus_message *message;
        enum stage stage;
        bool loads;

        struct parcel *parcel;
        int fd; /* belongs to the parcel */
        char *parameters;
        uint32_t flags;

        struct user *user;
        pid_t pid;
        char *unit;
        bool left; /* nobody is there to be answered */

        /* Copies: a reload may take the configuration away in the meantime. */
        char *path;   /* verified, or what a refusal is about */
        char *origin; /* the accepting one, or the nearest */
        char *name;

        struct action actions[ACTIONS_MAX];
        size_t n_actions, next_action;
        bool prompts; /* this round of questions may prompt */
        bool challenged;

        sd_bus_slot *departure;
        struct caller_query *caller;
        struct authority_query *authority;
        struct loader_call *loader;
        LIST_ENTRY(request) link;
};

static void ask_next(struct request *request);
static void send_to_loader(struct request *request);

static void request_free(struct request *request) {
        struct user *user = request->user;

        LIST_REMOVE(request, link);
        request->context->n_requests--;
        caller_query_free(request->caller);
        authority_query_free(request->authority);
        loader_call_free(request->loader);
        sd_bus_slot_unref(request->departure);

        if (user)
                user->requests--;
        else
                (void) user_get(&request->context->users, UID_UNKNOWN, &user);
        /* Without memory for an account the parcel stays with the claimed ones until the service ends. */
        if (user)
                parcel_release(request->parcel, user);
        user_unref(user);

        sd_bus_message_unref(request->message);
        free(request->path);
        free(request->origin);
        free(request->parameters);
        free(request->name);
        free(request->unit);
        free(request);
}

static uint64_t now_realtime(void) {
        struct timespec ts;

        (void) clock_gettime(CLOCK_REALTIME, &ts);
        return (uint64_t) ts.tv_sec * UINT64_C(1000000) + (uint64_t) ts.tv_nsec / 1000;
}

static bool is_refusal(const char *name) {
        static const char *const refusals[] = {
                MODULED_ERROR_BAD_DESCRIPTOR,   MODULED_ERROR_ORIGIN_REFUSED,
                MODULED_ERROR_POLICY_REFUSED,   SD_BUS_ERROR_ACCESS_DENIED,
                SD_BUS_ERROR_LIMITS_EXCEEDED,   SD_BUS_ERROR_INTERACTIVE_AUTHORIZATION_REQUIRED,
                MODULED_ERROR_MODULES_DISABLED, MODULED_ERROR_BAD_PARAMETERS,
        };

        for (size_t i = 0; i < sizeof refusals / sizeof *refusals; i++)
                if (strcmp(name, refusals[i]) == 0)
                        return true;
        return false;
}

static void record(const struct request *request, const sd_bus_error *error) {
        struct journal_entry entry = {
                .uid = request->user ? request->user->uid : UID_UNKNOWN,
                .pid = request->pid,
                .unit = request->unit,
                .module = request->name,
                .path = request->path,
                .origin = request->origin,
                .parameters = request->parameters,
                .result = error ? error->name : "done",
                .priority = error ? LOG_WARNING : LOG_NOTICE,
                .message = error ? error->message : NULL,
        };
        _cleanup_free_ char *sentence = NULL;

        if (!error) {
                if (asprintf(&sentence, "%s module %s for uid %ju.", request->loads ? "Loaded" : "Unloaded",
                             request->name, (uintmax_t) entry.uid) < 0)
                        return;
                entry.message = sentence;
        }
        if (!request->loads)
                entry.message_id = error ? JOURNAL_UNLOAD_FAILED : JOURNAL_MODULE_UNLOADED;
        else if (!error)
                entry.message_id = JOURNAL_MODULE_LOADED;
        else
                entry.message_id = is_refusal(error->name) ? JOURNAL_LOAD_REFUSED : JOURNAL_LOAD_FAILED;
        journal_write(request->context->journal, &entry);
}

/* Ends the request with an error that has been set, or with @r if there was no memory to set one. */
static void fail(struct request *request, int r, sd_bus_error *error) {
        _cleanup_(sd_bus_error_free) sd_bus_error fallback = SD_BUS_ERROR_NULL;

        if (!sd_bus_error_is_set(error)) {
                (void) sd_bus_error_setf(&fallback,
                                         r == -ENOMEM ? SD_BUS_ERROR_NO_MEMORY : SD_BUS_ERROR_FAILED,
                                         "moduled could not do this: %s; try again.", strerror(-r));
                error = &fallback;
        }
        record(request, error);
        if (!request->left)
                (void) sd_bus_reply_method_error(request->message, error);
        request_free(request);
}

static void fail_errno(struct request *request, int r, const char *what) {
        _cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;

        (void) sd_bus_error_setf(
                        &error, SD_BUS_ERROR_FAILED,
                        "%s: %s; try again, and if it stays so ask an administrator to look at 'systemctl "
                        "status moduled moduled-loader.socket'.",
                        what, strerror(-r));
        fail(request, r, &error);
}

/* One load of a name at a time; see the loader for the reason. */
static void wake_waiting(struct context *context, const char *name) {
        struct request *request;

        LIST_FOREACH(request, &context->requests, link)
                if (request->stage == STAGE_WAITING && strcmp(request->name, name) == 0) {
                        send_to_loader(request);
                        return;
                }
}

static void loaded(struct request *request) {
        struct module module = {
                .name = request->name,
                .path = request->path,
                .origin = request->origin,
                .parameters = request->parameters,
                .loaded_by = request->user->uid,
                .loaded_at = now_realtime(),
        };
        _cleanup_free_ char *path = NULL;
        struct module *added;

        if (registry_add(request->context->registry, &module, &added) >= 0)
                module_object_added(request->context, added);
        if (!request->left && module_object_path(request->name, &path) >= 0)
                (void) sd_bus_reply_method_return(request->message, "o", path);
}

static void unloaded(struct request *request) {
        struct module *module = registry_find(request->context->registry, request->name);

        if (module) {
                module_object_removed(request->context, module->name);
                registry_remove(request->context->registry, module);
        }
        if (!request->left)
                (void) sd_bus_reply_method_return(request->message, NULL);
}

static void on_loader(int r, const struct loader_reply *reply, void *userdata) {
        static const struct loader_reply crashed = { .outcome = OUTCOME_CRASHED };
        _cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
        _cleanup_free_ char *name = NULL;
        struct request *request = userdata;
        struct context *context = request->context;

        name = strdup(request->name);
        if (r == -ECONNRESET)
                reply = &crashed;
        if (!reply)
                fail_errno(request, r, "The loader's answer could not be read");
        else if (reply->outcome != OUTCOME_DONE) {
                r = failure_from_reply(reply, request->name, request->loads, &error);
                fail(request, r, &error);
        } else {
                if (request->loads)
                        loaded(request);
                else
                        unloaded(request);
                record(request, NULL);
                request_free(request);
        }
        if (name)
                wake_waiting(context, name);
}

static bool is_loading(const struct request *mine) {
        const struct request *other;

        LIST_FOREACH(other, &mine->context->requests, link)
                if (other != mine && other->stage == STAGE_LOADER && strcmp(other->name, mine->name) == 0)
                        return true;
        return false;
}

static void send_to_loader(struct request *request) {
        _cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
        struct loader_request message = {
                .kind = request->loads ? REQUEST_LOAD : REQUEST_UNLOAD,
                .flags = request->flags,
        };
        int r;

        if (is_loading(request)) {
                request->stage = STAGE_WAITING;
                return;
        }
        r = request->loads ? policy_check_absent(request->name, &error)
                           : policy_check_loaded(request->name, &error);
        if (r < 0) {
                struct context *context = request->context;
                _cleanup_free_ char *name = request->stage == STAGE_WAITING ? strdup(request->name) : NULL;

                fail(request, r, &error);
                if (name)
                        wake_waiting(context, name);
                return;
        }

        (void) snprintf(message.text, sizeof message.text, "%s",
                        request->loads ? request->parameters : request->name);
        r = loader_call_send(request->loader, &message, request->fd);
        if (r < 0)
                fail_errno(request, r, "The loader cannot be reached");
        else
                request->stage = STAGE_LOADER;
}

static void on_authority(enum authority_answer answer, void *userdata) {
        struct request *request = userdata;
        struct action *action = &request->actions[request->next_action];
        _cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
        bool may_prompt = sd_bus_message_get_allow_interactive_authorization(request->message) > 0;
        int r;

        request->authority = authority_query_free(request->authority);
        if (answer == AUTHORITY_YES || (answer == AUTHORITY_ABSENT && request->user->uid == 0))
                action->settled = true;
        else if (answer == AUTHORITY_CHALLENGE && may_prompt && !request->prompts)
                request->challenged = true;
        else {
                r = failure_from_authority(answer, action->name, request->name, &error);
                fail(request, r, &error);
                return;
        }
        request->next_action++;
        ask_next(request);
}

/*
 * Each action must be allowed. Where there are several, the first round asks without a prompt, so that nobody types a
 * password for what a rule forbids anyway; the second prompts for what the first left open.
 */
static void ask_next(struct request *request) {
        struct authority_details details = {
                .module = request->name,
                .path = request->path,
                .origin = request->origin,
                .parameters = request->parameters,
        };
        int r;

        while (request->next_action < request->n_actions && request->actions[request->next_action].settled)
                request->next_action++;
        if (request->next_action == request->n_actions && request->challenged && !request->prompts) {
                request->prompts = true;
                request->next_action = 0;
                ask_next(request);
                return;
        }
        if (request->next_action == request->n_actions) {
                send_to_loader(request);
                return;
        }

        r = authority_query_new(request->context->bus, sd_bus_message_get_sender(request->message),
                                request->actions[request->next_action].name, &details, request->prompts,
                                on_authority, request, &request->authority);
        if (r < 0)
                fail_errno(request, r, "polkit cannot be asked");
}

static void add_action(struct request *request, const char *name) {
        assert(request->n_actions < ACTIONS_MAX);
        request->actions[request->n_actions++].name = name;
}

static void authorize(struct request *request) {
        int r;

        if (request->loads) {
                add_action(request, MODULED_ACTION_LOAD);
                if (request->parameters[0])
                        add_action(request, MODULED_ACTION_LOAD_WITH_PARAMETERS);
                if (request->flags != 0)
                        add_action(request, MODULED_ACTION_LOAD_FORCED);
        } else
                add_action(request, registry_find(request->context->registry, request->name)
                                                    ? MODULED_ACTION_UNLOAD
                                                    : MODULED_ACTION_UNLOAD_FOREIGN);
        request->prompts = request->n_actions == 1 &&
                           sd_bus_message_get_allow_interactive_authorization(request->message) > 0;
        request->stage = STAGE_AUTHORITY;

        r = loader_call_new(request->context->event, request->context->loader_socket, on_loader, request,
                            &request->loader);
        if (r < 0)
                fail_errno(request, r, "The loader cannot be reached");
        else
                ask_next(request);
}

/* Everything that can be known before anybody is asked. */
static int check_load(struct request *request, sd_bus_error *error) {
        _cleanup_(finding_clear) struct finding finding = { 0 };
        int r;

        r = origin_verify(request->context->config, request->fd, &finding);
        if (r < 0)
                return r;
        request->origin = finding.origin ? strdup(finding.origin->name) : NULL;
        if (finding.origin && !request->origin)
                return -ENOMEM;
        if (r > 0)
                r = failure_from_finding(&finding, error);
        request->path = take_pointer(&finding.path);
        if (r < 0)
                return r;

        r = module_name_from_path(request->path, &request->name);
        if (r == -EINVAL)
                return sd_bus_error_set(
                                error, MODULED_ERROR_NOT_A_MODULE,
                                "The file's name is not that of a module: NAME.ko, or that with .gz, .xz or "
                                ".zst after it.");
        if (r >= 0)
                r = policy_check_name(request->context->config, request->name, request->flags, error);
        if (r >= 0)
                r = policy_check_absent(request->name, error);
        if (r >= 0)
                r = policy_check_compression(request->name, request->path, error);
        return r;
}

static int check_limits(const struct request *request, sd_bus_error *error) {
        if (request->user->requests > REQUESTS_PER_USER)
                return sd_bus_error_setf(
                                error, SD_BUS_ERROR_LIMITS_EXCEEDED,
                                "You have %d requests under way already; wait for one of them to end.",
                                REQUESTS_PER_USER);
        if (request->user->parked > PARKED_PER_USER)
                return sd_bus_error_set(
                                error, SD_BUS_ERROR_LIMITS_EXCEEDED,
                                "Too many of the descriptors that you have sent cannot be closed; end the file "
                                "servers that do not let go of them.");
        return 0;
}

static void on_caller(int r, uid_t uid, pid_t pid, void *userdata) {
        _cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
        struct request *request = userdata;

        request->caller = caller_query_free(request->caller);
        if (r >= 0)
                r = user_get(&request->context->users, uid, &request->user);
        if (r < 0) {
                request->left = r == -ESRCH;
                if (request->left)
                        request_free(request);
                else
                        fail_errno(request, r, "The bus did not say who you are");
                return;
        }
        request->user->requests++;
        request->pid = pid;
        if (pid > 0)
                (void) sd_pid_get_unit(pid, &request->unit);

        r = check_limits(request, &error);
        if (r >= 0)
                r = policy_check_modules_enabled(&error);
        if (r >= 0)
                r = request->loads ? check_load(request, &error)
                                   : policy_check_loaded(request->name, &error);
        if (r < 0)
                fail(request, r, &error);
        else
                authorize(request);
}

/* The caller has left the bus: what has not begun does not begin any more. */
static int on_departure(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        struct request *request = userdata;

        (void) message;
        (void) error;
        request->left = true;
        if (request->stage != STAGE_LOADER)
                request_free(request);
        return 0;
}

static int watch_departure(struct request *request, const char *sender) {
        _cleanup_free_ char *match = NULL;

        if (asprintf(&match,
                     "type='signal',sender='org.freedesktop.DBus',path='/org/freedesktop/DBus',"
                     "interface='org.freedesktop.DBus',member='NameOwnerChanged',arg0='%s',arg2=''",
                     sender) < 0)
                return -ENOMEM;
        return sd_bus_add_match_async(request->context->bus, &request->departure, match, on_departure, NULL,
                                      request);
}

/* Takes the message on. The match stands before the question, so that a departure cannot fall between the two. */
static int begin(struct context *context, sd_bus_message *message, struct request *request) {
        const char *sender = sd_bus_message_get_sender(message);
        int r;

        request->context = context;
        request->message = sd_bus_message_ref(message);
        request->parcel = parcel_claim(context->parcels, message);
        LIST_INSERT_HEAD(&context->requests, request, link);
        context->n_requests++;

        r = sender ? watch_departure(request, sender) : -ENODATA;
        if (r >= 0)
                r = caller_query_new(context->bus, sender, on_caller, request, &request->caller);
        if (r < 0) {
                request_free(request);
                return r;
        }
        return 1;
}

static int check_room(const struct context *context, sd_bus_error *error) {
        if (context->n_requests < REQUESTS_IN_ALL)
                return 0;
        return sd_bus_error_set(error, SD_BUS_ERROR_LIMITS_EXCEEDED,
                                "moduled has too many requests under way; try again in a moment.");
}

/**
 * request_load() - begin a load
 * @context:    the broker's context
 * @message:    the call; answered when the request ends
 * @fd:         the module's descriptor; belongs to @message
 * @parameters: parameters for the module
 * @flags:      as in the interface's description
 * @error:      set on failure
 *
 * To be called from the message's handler.
 *
 * Return: 1 if the request is under way, or a negative errno if it was not begun.
 */
int request_load(struct context *context, sd_bus_message *message, int fd, const char *parameters,
                 uint64_t flags, sd_bus_error *error) {
        struct request *request;
        int r;

        r = check_room(context, error);
        if (r >= 0)
                r = policy_check_flags(flags, error);
        if (r >= 0)
                r = policy_check_parameters(parameters, error);
        if (r < 0)
                return r;

        request = calloc(1, sizeof *request);
        if (!request)
                return -ENOMEM;
        request->loads = true;
        request->fd = fd;
        request->flags = (uint32_t) flags;
        request->parameters = strdup(parameters);
        if (!request->parameters) {
                free(request);
                return -ENOMEM;
        }
        return begin(context, message, request);
}

/**
 * request_unload() - begin an unload
 * @context:    the broker's context
 * @message:    the call; answered when the request ends
 * @name:       the module's name; - and _ are the same
 * @flags:      must be 0
 * @error:      set on failure
 *
 * To be called from the message's handler.
 *
 * Return: 1 if the request is under way, or a negative errno if it was not begun.
 */
int request_unload(struct context *context, sd_bus_message *message, const char *name, uint64_t flags,
                   sd_bus_error *error) {
        struct request *request;
        int r;

        r = check_room(context, error);
        if (r < 0)
                return r;
        if (flags != 0)
                return sd_bus_error_set(error, SD_BUS_ERROR_INVALID_ARGS,
                                        "The flags of Unload are for the future; they must be 0.");
        if (!module_name_is_plain(name))
                return sd_bus_error_set(
                                error, SD_BUS_ERROR_INVALID_ARGS,
                                "This cannot be the name of a module; names are of letters, digits, - and _.");

        request = calloc(1, sizeof *request);
        if (!request)
                return -ENOMEM;
        request->fd = -1;
        request->name = strdup(name);
        if (!request->name) {
                free(request);
                return -ENOMEM;
        }
        module_name_normalize(request->name);
        return begin(context, message, request);
}

/**
 * requests_drop() - give back all requests, unanswered
 * @context:    the broker's context
 *
 * What the loader has begun it ends all the same.
 */
void requests_drop(struct context *context) {
        struct request *request;

        while ((request = LIST_FIRST(&context->requests)))
                request_free(request);
}
