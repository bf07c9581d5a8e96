/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "config.h"

struct loader;

int loader_new(int listen_fd, uid_t peer_uid, struct config *config, struct loader **ret);
struct loader *loader_free(struct loader *loader);
void loader_set_config(struct loader *loader, struct config *config);
int loader_run_once(struct loader *loader, const int *extra_fds, size_t n_extra, int timeout_ms);
bool loader_is_busy(const struct loader *loader);
bool loader_is_idle(const struct loader *loader);
bool loader_is_exhausted(const struct loader *loader);
bool loader_is_met_by_another(struct loader *loader);
