/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Fuzz
 *
 * A target is a file fuzz-NAME.c with this one function. With -Dfuzz=true it becomes a program of libFuzzer's; in any
 * build seeds.c gives it the files in corpus/NAME, so that what they once found stays found.
 */

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Unlike assert() also where that is switched off. */
#define CHECK(condition)                                                                                    \
        do {                                                                                                \
                if (!(condition))                                                                           \
                        abort();                                                                            \
        } while (0)
