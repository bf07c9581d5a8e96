/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * What the parts of the broker share. Belongs to main.c.
 */

#include <stdbool.h>
#include <sys/queue.h>
#include <systemd/sd-bus.h>
#include <systemd/sd-event.h>

#include "authority.h"
#include "backlog.h"
#include "caller.h"
#include "config.h"
#include "inspect.h"
#include "journal.h"
#include "modprobe.h"
#include "parcel.h"
#include "quota.h"
#include "registry.h"
#include "turn.h"

struct request;

LIST_HEAD(request_list, request);

struct context {
        sd_event *event;
        sd_bus *bus;
        struct config *config;
        struct callers *callers;
        struct backlog *backlog;
        struct parcels *parcels;
        struct users users;
        struct registry *registry;
        struct journal *journal;
        struct authority *authority;
        struct inspector *inspector;
        struct modprobe *modprobe;
        struct turns turns;
        const char *loader_socket;
        struct request_list requests;
        unsigned n_requests;
        bool is_crowded; /* there have been many at a time since there were none */
};
