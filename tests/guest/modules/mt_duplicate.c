/* SPDX-License-Identifier: LGPL-2.1-or-later */

#define EXPORTED mt_exporteX
#include "mt_export.c"
