/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stdbool.h>
#include <systemd/sd-bus.h>

bool failure_is_general(sd_bus_message *answer);
int failure_report(int result, sd_bus_message *answer, unsigned options);
int failure_report_unreachable(int error);
int failure_report_answer(int error);
