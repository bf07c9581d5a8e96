/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Journal IDs
 *
 * What kinds of entries the service writes into the journal, described in systemd/moduled.catalog.
 */

#define JOURNAL_MODULE_LOADED "c27afa63badf458bb67ff05d8f192ef5"
#define JOURNAL_LOAD_REFUSED "a5296f9c60fb4d918dd11e3a0ce70312"
#define JOURNAL_LOAD_FAILED "d67f05f5243845368accfa4d55678a6f"
#define JOURNAL_MODULE_UNLOADED "4d7966bc4e074379b748adbb9f35cc4d"
#define JOURNAL_UNLOAD_FAILED "51df86eabf164baea95963787178c414"
#define JOURNAL_SUPPRESSED "6a1fc0b6531d47e29db7887e7752a0b0"

/* The result of what was loaded or unloaded. */
#define JOURNAL_DONE "done"
