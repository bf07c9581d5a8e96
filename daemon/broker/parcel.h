/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stdbool.h>
#include <systemd/sd-bus.h>
#include <systemd/sd-event.h>

#include "caller.h"
#include "quota.h"

struct parcels;
struct parcel;

int parcels_new(sd_event *event, sd_bus *bus, struct callers *callers, struct users *users,
                struct parcels **ret);
struct parcels *parcels_free(struct parcels *parcels);
int parcel_get(const struct parcel *parcel, int shown);
struct parcel *parcel_claim(struct parcels *parcels, sd_bus_message *message);
bool parcels_are_closing(const struct parcels *parcels);
unsigned parcels_count_strays(const struct parcels *parcels);
void parcel_release(struct parcel *parcel, struct user *user);
