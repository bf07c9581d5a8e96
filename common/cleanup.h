/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Cleanup
 *
 * Variables that give back what they hold when they go out of scope, by the compiler's cleanup attribute.
 */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define _cleanup_(f) __attribute__((cleanup(f)))

/* Defines f##p(), for _cleanup_(f##p) on a variable of @type. @f must take NULL. */
#define DEFINE_CLEANUP(type, f)                                                                             \
        static inline void f##p(type *p) {                                                                  \
                f(*p);                                                                                      \
        }                                                                                                   \
        struct cleanup_needs_a_semicolon

static inline void cleanup_freep(void *p) {
        free(*(void **) p);
}

static inline void cleanup_closep(int *fd) {
        int saved = errno;

        if (*fd >= 0)
                (void) close(*fd);
        errno = saved;
}

static inline void cleanup_fclosep(FILE **f) {
        if (*f)
                (void) fclose(*f);
}

#define _cleanup_free_ _cleanup_(cleanup_freep)
#define _cleanup_close_ _cleanup_(cleanup_closep)
#define _cleanup_fclose_ _cleanup_(cleanup_fclosep)

/* Hands a descriptor or pointer on, so that the cleanup of the variable has nothing left to give back. */
static inline int take_fd(int *fd) {
        int taken = *fd;

        *fd = -1;
        return taken;
}

static inline void *take_pointer_(void *p) {
        void **variable = p, *taken = *variable;

        *variable = NULL;
        return taken;
}

#define take_pointer(p) ((__typeof__(*(p))) take_pointer_(p))
