/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

int needs_read(const char *path, char **ret);
