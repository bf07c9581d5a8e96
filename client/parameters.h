/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

int parameters_join(char **arguments, char **ret, const char **ret_bad);
