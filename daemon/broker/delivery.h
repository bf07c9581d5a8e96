/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "request.h"

int delivery_prepare(struct request *request);
void delivery_begin(struct request *request);
