/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Quota
 *
 * Who uses how much. A user is known here as long as anything is counted against it.
 */

#include <errno.h>
#include <stdlib.h>

#include "quota.h"

/**
 * user_get() - the account of a user
 * @users:      all accounts
 * @uid:        the user; UID_UNKNOWN is an account as well
 * @ret:        the account, to be given back with user_unref()
 *
 * Return: 0 or -ENOMEM.
 */
int user_get(struct users *users, uid_t uid, struct user **ret) {
        struct user *user;

        LIST_FOREACH(user, &users->list, link)
                if (user->uid == uid)
                        break;
        if (!user) {
                user = calloc(1, sizeof *user);
                if (!user)
                        return -ENOMEM;
                user->uid = uid;
                user->users = users;
                TAILQ_INIT(&user->waiting);
                TAILQ_INIT(&user->backlog);
                LIST_INSERT_HEAD(&users->list, user, link);
        }
        user->references++;
        *ret = user;
        return 0;
}

/**
 * user_unref() - give back an account
 * @user:       the account, or NULL
 *
 * Return: NULL.
 */
struct user *user_unref(struct user *user) {
        if (user && --user->references == 0) {
                LIST_REMOVE(user, link);
                free(user);
        }
        return NULL;
}
