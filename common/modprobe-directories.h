/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

extern const char *const modprobe_directories[];
