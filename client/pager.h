/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

void pager_show(const char *text, unsigned options);
