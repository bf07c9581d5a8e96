/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Subject
 *
 * The modules that a call is about, and what the kernel shows of them: whether what was asked for is under way or done.
 * The service says that only when all is over, and whoever interrupts the call does not wait for it.
 */

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cleanup.h"
#include "message.h"
#include "subject.h"

/* What the kernel calls the states; see show_initstate() in kernel/module/main.c. */
enum state { STATE_NONE, STATE_COMING, STATE_LIVE, STATE_GOING };

struct name {
        char text[NAME_MAX + 1];
        enum state before;
};

struct subject {
        struct name *names;
        size_t n;
        bool is_unload;
};

static enum state state_of(const char *name) {
        _cleanup_free_ char *path = NULL;
        _cleanup_fclose_ FILE *file = NULL;
        char word[16] = "";

        if (asprintf(&path, "/sys/module/%s/initstate", name) < 0)
                return STATE_NONE;
        file = fopen(path, "re");
        if (!file || fscanf(file, "%15s", word) != 1)
                return STATE_NONE;
        if (strcmp(word, "coming") == 0)
                return STATE_COMING;
        return strcmp(word, "going") == 0 ? STATE_GOING : STATE_LIVE;
}

/**
 * subject_is_coming() - whether a module's init is running
 * @name:       as the kernel has it
 */
bool subject_is_coming(const char *name) {
        return state_of(name) == STATE_COMING;
}

/* As the kernel has the name, which it derives from the file's. */
static int append(struct subject *subject, const char *file) {
        const char *slash = strrchr(file, '/');
        struct name *name, *grown;

        grown = reallocarray(subject->names, subject->n + 1, sizeof(*grown));
        if (!grown)
                return -1;
        subject->names = grown;
        name = &grown[subject->n++];
        snprintf(name->text, sizeof(name->text), "%s", slash ? slash + 1 : file);
        name->text[strcspn(name->text, ".")] = '\0';
        for (char *p = name->text; (p = strchr(p, '-'));)
                *p = '_';
        name->before = state_of(name->text);
        return 0;
}

static int append_file(struct subject *subject, int fd) {
        char path[PATH_MAX], link[32];
        ssize_t length;

        snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
        length = readlink(link, path, sizeof(path) - 1);
        if (length < 0)
                return -1;
        path[length] = '\0';
        return append(subject, path);
}

static int read_unload(struct subject *subject, sd_bus_message *call) {
        const char *name;

        subject->is_unload = true;
        return sd_bus_message_read(call, "s", &name) < 0 ? -1 : append(subject, name);
}

static int read_load(struct subject *subject, sd_bus_message *call) {
        int fd;

        return sd_bus_message_read(call, "h", &fd) < 0 ? -1 : append_file(subject, fd);
}

static int read_load_many(struct subject *subject, sd_bus_message *call) {
        int fd, r;

        r = sd_bus_message_enter_container(call, 'a', "(hst)");
        while (r >= 0 && (r = sd_bus_message_read(call, "(hst)", &fd, NULL, NULL)) > 0)
                r = append_file(subject, fd);
        return r;
}

/**
 * subject_new() - find out what a call is about
 * @call:       the call, which has been sent; borrowed
 *
 * Return: the modules, and how they were before, to be given to subject_free(); NULL if it is about none.
 */
struct subject *subject_new(sd_bus_message *call) {
        _cleanup_(subject_freep) struct subject *subject = calloc(1, sizeof(*subject));
        const char *member = sd_bus_message_get_member(call);
        int r = -1;

        if (!subject || !member || sd_bus_message_rewind(call, true) < 0)
                return NULL;
        if (strcmp(member, "Load") == 0)
                r = read_load(subject, call);
        else if (strcmp(member, "LoadMany") == 0)
                r = read_load_many(subject, call);
        else if (strcmp(member, "Unload") == 0)
                r = read_unload(subject, call);
        return r < 0 ? NULL : take_pointer(&subject);
}

/**
 * subject_free() - give back what subject_new() found
 * @subject:    or NULL
 *
 * Return: NULL.
 */
struct subject *subject_free(struct subject *subject) {
        if (subject)
                free(subject->names);
        free(subject);
        return NULL;
}

/**
 * subject_under_way() - which module the kernel works at
 * @subject:    the modules, or NULL
 * @ret_is_unload: whether it is being unloaded; else it is initializing
 *
 * Return: its name, borrowed from @subject, or NULL if there is none.
 */
const char *subject_under_way(const struct subject *subject, bool *ret_is_unload) {
        enum state wanted;

        if (!subject)
                return NULL;
        wanted = subject->is_unload ? STATE_GOING : STATE_COMING;
        for (size_t i = 0; i < subject->n; i++)
                if (state_of(subject->names[i].text) == wanted) {
                        *ret_is_unload = subject->is_unload;
                        return subject->names[i].text;
                }
        return NULL;
}

/**
 * subject_tell_interrupted() - say what was done before a call was interrupted
 * @subject:    the modules, or NULL
 *
 * The kernel shows a module only after it has read all of it, so of one that is not there yet no more can be said than
 * that.
 */
void subject_tell_interrupted(const struct subject *subject) {
        bool any = false;

        for (size_t i = 0; subject && i < subject->n; i++) {
                const struct name *name = &subject->names[i];
                enum state now = state_of(name->text);

                any |= now != name->before;
                if (now == name->before)
                        continue;
                if (now == STATE_COMING)
                        say("%s has begun to initialize, which nobody can stop; 'modctl list' shows it when it is done.",
                            name->text);
                else if (now == STATE_GOING)
                        say("%s is being unloaded already, which nobody can stop; 'modctl list' shows when it is gone.",
                            name->text);
                else if (now == STATE_LIVE)
                        say("%s was loaded already; use 'modctl unload %s' if it is not wanted.", name->text,
                            name->text);
                else
                        say("%s was unloaded already.", name->text);
        }
        if (subject && !any)
                say("Interrupted, and nothing was %s so far as the kernel shows; moduled drops a request that it has "
                    "not begun.",
                    subject->is_unload ? "unloaded" : "loaded");
}
