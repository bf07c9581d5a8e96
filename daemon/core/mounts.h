/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stdint.h>

int mounts_superblock_is_read_only(uint64_t mount_id);
