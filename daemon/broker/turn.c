/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Turn
 *
 * Whose turn it is with a module's name. Only one request may be with the loader for one name: since Linux 6.5 concurrent
 * calls for one file all report success though only the first one's parameters count, and an unload must not meet a load.
 * Others wait, in the order in which they came.
 */

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "cleanup.h"
#include "turn.h"

struct turn {
        struct turns *turns;
        char *name;
        bool goes;
        turn_go_t go;
        void *userdata;
        TAILQ_ENTRY(turn) link;
};

static struct turn *first_of(const struct turns *turns, const char *name) {
        struct turn *turn;

        TAILQ_FOREACH(turn, turns, link)
                if (strcmp(turn->name, name) == 0)
                        return turn;
        return NULL;
}

/**
 * turn_new() - queue for a name
 * @turns:      all turns; the one that goes is the first of its name
 * @name:       the module's name, normalized
 * @go:         called when it is this one's turn, maybe before this function returns, at most once; may call turn_free()
 * @userdata:   handed to @go
 * @ret:        the turn; owned by the caller; set before @go is called
 *
 * Return: 0 or -ENOMEM.
 */
int turn_new(struct turns *turns, const char *name, turn_go_t go, void *userdata, struct turn **ret) {
        struct turn *turn = calloc(1, sizeof *turn);

        if (!turn)
                return -ENOMEM;
        turn->name = strdup(name);
        if (!turn->name) {
                free(turn);
                return -ENOMEM;
        }
        turn->turns = turns;
        turn->go = go;
        turn->userdata = userdata;
        turn->goes = !first_of(turns, name);
        TAILQ_INSERT_TAIL(turns, turn, link);
        *ret = turn;
        if (turn->goes)
                go(userdata);
        return 0;
}

/**
 * turn_free() - give back a turn; if it was going, the next one of its name goes
 * @turn:       the turn, or NULL
 *
 * Return: NULL.
 */
struct turn *turn_free(struct turn *turn) {
        _cleanup_free_ char *name = NULL;
        struct turns *turns;
        struct turn *next;
        bool went;

        if (!turn)
                return NULL;
        turns = turn->turns;
        went = turn->goes;
        name = turn->name;
        TAILQ_REMOVE(turns, turn, link);
        free(turn);

        next = went ? first_of(turns, name) : NULL;
        if (next) {
                next->goes = true;
                next->go(next->userdata);
        }
        return NULL;
}
