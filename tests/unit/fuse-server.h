/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stddef.h>
#include <sys/types.h>

struct fuse_server;

struct fuse_server *fuse_server_new(const char *directory, const char *file, uid_t owner, int *ret_fd);
size_t fuse_server_count(const struct fuse_server *server);
void fuse_server_free(struct fuse_server *server);
