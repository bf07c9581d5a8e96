/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "entries.h"
#include "zygote.h"

int modprobe_ask(const struct zygote_link *zygote, int copy, struct entries *ret);
