/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

int libkmod_load(void);
