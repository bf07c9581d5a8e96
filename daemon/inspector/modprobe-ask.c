/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Modprobe.d, asked for
 *
 * The broker's side of reading modprobe.d: a copy of the files is handed to the zygote, whose child writes into a pipe what
 * libkmod makes of them. It is waited for, as a library that was called here would be, but not for long. The zygote's
 * reports about others lie in its socket meanwhile.
 */

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <sys/stat.h>
#include <time.h>

#include "cleanup.h"
#include "modprobe-ask.h"

/* It takes some milliseconds; an emulated or busy machine is a hundred times slower. */
#define WAIT_MSEC 10000
/*
 * An entry is shorter than the line that it is from. Those of the kernel's command line, which has 4095 bytes at most, are
 * longer by the NULs, and by a letter.
 */
#define COMMAND_LINE_ENTRIES_MAX ((size_t) 16 * 1024)

static int64_t now_msec(void) {
        struct timespec now;

        (void) clock_gettime(CLOCK_MONOTONIC, &now);
        return (int64_t) now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* Return: how many bytes were written until the pipe's other end was closed, or there was no room; or a negative errno. */
static ssize_t read_all(int pipe, char *bytes, size_t room) {
        int64_t end = now_msec() + WAIT_MSEC;
        size_t size = 0;

        while (size < room) {
                struct pollfd fd = { .fd = pipe, .events = POLLIN };
                int64_t left = end - now_msec();
                ssize_t n;
                int r;

                r = poll(&fd, 1, left > 0 ? (int) left : 0);
                if (r == 0)
                        return -ETIMEDOUT;
                n = r < 0 ? -1 : read(pipe, bytes + size, room - size);
                if (n < 0 && errno != EINTR)
                        return -errno;
                if (n == 0)
                        break;
                size += n > 0 ? (size_t) n : 0;
        }
        return (ssize_t) size;
}

/* What is stopped ends by SIGKILL all the same, and the zygote's end is noticed by who waits for its reports. */
static void give_up(const struct zygote_link *zygote) {
        const struct zygote_order order = { .kind = ZYGOTE_KILL, .id = ZYGOTE_READER_ID };

        if (zygote_has_orders(zygote))
                (void) kill(zygote->pid, SIGKILL);
        else
                (void) zygote_send_order(zygote, &order, -1, -1);
}

static int send_order(const struct zygote_link *zygote, int copy, int *ret_pipe) {
        const struct zygote_order order = {
                .kind = ZYGOTE_READ,
                .id = ZYGOTE_READER_ID,
                .seconds = WAIT_MSEC / 1000,
        };
        int ends[2], r;

        if (pipe2(ends, O_CLOEXEC) < 0)
                return -errno;
        r = zygote_send_order(zygote, &order, copy, ends[1]);
        (void) close(ends[1]);
        if (r < 0) {
                (void) close(ends[0]);
                return r;
        }
        *ret_pipe = ends[0];
        return 0;
}

/**
 * modprobe_ask() - what does libkmod make of modprobe.d
 * @zygote:     who forks the process that has libkmod
 * @copy:       what stands in modprobe.d, one file; borrowed
 * @ret:        the entries, with those of the kernel's command line; to be given to entries_clear()
 *
 * Waits, ten seconds at most; then the child is killed, and a zygote that took no order.
 *
 * Return: 0; ENTRIES_NO_LIBRARY; -ECONNRESET if the zygote is gone, -ETIMEDOUT, -EBADMSG if the child died or wrote
 * something else; or another negative errno.
 */
int modprobe_ask(const struct zygote_link *zygote, int copy, struct entries *ret) {
        _cleanup_free_ char *bytes = NULL;
        _cleanup_close_ int pipe = -1;
        struct entries entries;
        struct stat st;
        ssize_t size;
        size_t room;
        int r;

        if (fstat(copy, &st) < 0)
                return -errno;
        room = (size_t) st.st_size + COMMAND_LINE_ENTRIES_MAX;
        bytes = malloc(room);
        if (!bytes)
                return -ENOMEM;
        r = send_order(zygote, copy, &pipe);
        if (r < 0)
                return r;
        size = read_all(pipe, bytes, room);
        if (size < 0)
                give_up(zygote);
        r = size < 0 ? (int) size : entries_decode(bytes, (size_t) size, &entries);
        if (r != 0)
                return r;
        (void) take_pointer(&bytes);
        /* They are kept, and are few. */
        bytes = realloc(entries.bytes, entries.size > 0 ? entries.size : 1);
        if (bytes)
                entries.bytes = take_pointer(&bytes);
        *ret = entries;
        return 0;
}
