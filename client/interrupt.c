/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Interrupt
 *
 * Who ends us while we wait finds the terminal as it was and is told what was done. So the signals that would end us
 * are held back meanwhile. They make a descriptor readable, stay pending, and act when they are released.
 */

#include <poll.h>
#include <sys/signalfd.h>

#include "cleanup.h"
#include "interrupt.h"

/**
 * interrupt_hold() - hold back the signals that would end us
 * @interrupt:  to be given to interrupt_release()
 *
 * Where that cannot be done nothing is held back.
 */
void interrupt_hold(struct interrupt *interrupt) {
        static const int ending[] = { SIGHUP, SIGINT, SIGQUIT, SIGTERM };
        sigset_t held;

        interrupt->fd = -1;
        sigemptyset(&held);
        for (size_t i = 0; i < sizeof(ending) / sizeof(ending[0]); i++) {
                struct sigaction action;

                /* One that is ignored, as under nohup(1), would become pending once it is blocked. */
                if (sigaction(ending[i], NULL, &action) == 0 && action.sa_handler != SIG_IGN)
                        sigaddset(&held, ending[i]);
        }
        if (sigprocmask(SIG_BLOCK, &held, &interrupt->outer_mask) < 0)
                return;
        interrupt->fd = signalfd(-1, &held, SFD_CLOEXEC | SFD_NONBLOCK);
        if (interrupt->fd < 0)
                (void) sigprocmask(SIG_SETMASK, &interrupt->outer_mask, NULL);
}

/**
 * interrupt_is_pending() - whether a signal is held back that will end us
 * @interrupt:  what interrupt_hold() filled
 */
bool interrupt_is_pending(const struct interrupt *interrupt) {
        struct pollfd signal = { .fd = interrupt->fd, .events = POLLIN };

        return poll(&signal, 1, 0) > 0;
}

/**
 * interrupt_release() - let the signals act again
 * @interrupt:  what interrupt_hold() filled
 *
 * A signal that was held back acts now, so this may not return.
 */
void interrupt_release(struct interrupt *interrupt) {
        if (interrupt->fd < 0)
                return;
        cleanup_closep(&interrupt->fd);
        interrupt->fd = -1;
        (void) sigprocmask(SIG_SETMASK, &interrupt->outer_mask, NULL);
}
