/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Loader fixture
 *
 * The real loader with a kernel of ours. The test is the broker at the other end of each connection; the loader has its
 * turn while the test waits for an answer.
 */

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/un.h>

#include "kernel.h"
#include "loader.h"
#include "origin.h"
#include "protocol.h"
#include "support.h"
#include "system.h"

#define MODULE "tree/kernel/foo.ko"

/* What the kernel does with the calls to come. It is a child that makes them, and it keeps what it was forked with. */
struct kernel {
        int result;
        bool waits;       /* at the gate, if it is closed */
        bool kills;       /* the child, as an oops does */
        bool stops;       /* the service in the middle of the call: SIGTERM, SIGINT, SIGHUP */
        int module_state; /* of every module */
        const char *log;
        const char *fails; /* the C library's function of this name, the next time but @spared that it is called */
        unsigned spared;
        int error;
};

/* What the kernel was asked, in memory that the children share. */
struct seen {
        char parameters[PROTOCOL_PARAMETERS_MAX + 1];
        char name[64];
        int flags;
        ino_t inode;
        size_t descriptors; /* open in the child */
        int begun, ended;   /* calls */
};

struct fixture {
        char *top;
        int listening;
        struct sockaddr_un address;
        struct loader *loader;
        size_t descriptors, all_descriptors; /* open with an idle loader, and before there was one */
};

extern struct kernel kernel;
extern struct seen *seen;
extern struct loader_reply answer;

void fixture_set_up(struct fixture *f, gconstpointer data);
void fixture_tear_down(struct fixture *f, gconstpointer data);
void fixture_restart(struct fixture *f, uid_t peer_uid);
struct config *fixture_read_config(const struct fixture *f, const char *more);
void fixture_put(const struct fixture *f, const char *name);
ino_t fixture_inode(const struct fixture *f, const char *name);
char *fixture_path(const struct fixture *f, const char *name);

void kernel_close_gate(void);
void kernel_open_gate(void);
void kernel_wait_begun(int calls);
void kernel_wait_ended(int calls);

bool turn(const struct fixture *f, int timeout_ms);
void turn_until_quiet(const struct fixture *f);
void settle(const struct fixture *f);
int connect_loader(const struct fixture *f);
int send_load_with(const struct fixture *f, int connection, const char *name, const char *parameters,
                   uint32_t flags);
void send_load(const struct fixture *f, int connection, const char *name);
void send_unload(int connection, const char *name, uint32_t flags);
int receive(const struct fixture *f, int connection);
void expect(const struct fixture *f, int connection, enum outcome outcome);
void expect_end(const struct fixture *f, int connection);
void expect_silence(const struct fixture *f, int connection);
void load_and_expect(const struct fixture *f, const char *name, enum outcome outcome);
void unload_and_expect(const struct fixture *f, const char *name, enum outcome outcome);

int loader_test_main(int argc, char *argv[], void (*add_tests)(void));

#define ADD(name, function)                                                                                 \
        g_test_add("/loader/" name, struct fixture, NULL, fixture_set_up, function, fixture_tear_down)
