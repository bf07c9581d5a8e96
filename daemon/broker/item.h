/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <systemd/sd-bus.h>

#include "config.h"
#include "finding.h"
#include "inspect.h"
#include "modprobe.h"

struct request;

enum item_state {
        ITEM_WANTED = 0,
        ITEM_PASSED, /* loaded already, or twice in the same call */
        ITEM_LOADED, /* by this call */
};

/* One module that a request is about. */
struct item {
        int fd;           /* belongs to the request's parcel; -1: none */
        char *parameters; /* the caller's; "" if none */
        char *joined;     /* what the kernel gets: the options of modprobe.d, then the caller's */
        uint32_t flags;
        enum item_state state;

        /* Copies: a reload may take the configuration away in the meantime. */
        char *path;   /* verified, or what a refusal is about */
        char *origin; /* the accepting one, or the nearest */
        char *name;   /* normalized; NULL until it is known */
        bool proven;  /* the file at path is the one that was opened, whether it is accepted or not */

        struct request *request; /* whose item it is */
        struct inspection *inspection;
        struct modinfo *info; /* what the file says of itself, once it was looked into */
};

int item_set(struct item *item, const struct config *config, int fd, const char *parameters, uint64_t flags,
             sd_bus_error *error);
int item_set_name(struct item *item, const char *name, sd_bus_error *error);
void item_clear(struct item *item);
int item_verify(struct item *item, const struct config *config, struct finding *ret, sd_bus_error *error);
int item_check(struct item *item, const struct config *config, struct modprobe *modprobe,
               sd_bus_error *error);
int item_inspected(struct item *item, int result, struct modinfo *info, sd_bus_error *error);
