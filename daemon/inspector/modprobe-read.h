/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

int modprobe_read(int copy, int pipe);
