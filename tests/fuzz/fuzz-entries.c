/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * What comes out of the pipe of the process that reads modprobe.d. What is understood is written again as it was.
 */

#include <stdio.h>
#include <string.h>

#include "cleanup.h"
#include "entries.h"
#include "fuzz.h"

static void check_again(const struct entries *entries, const uint8_t *data, size_t size) {
        _cleanup_free_ char *again = NULL;
        size_t position = 0, length = 0;
        struct entry entry;
        FILE *f = open_memstream(&again, &length);

        CHECK(f);
        while (entries_next(entries, &position, &entry)) {
                CHECK(entry.kind == ENTRY_OPTIONS || entry.value[0] == '\0');
                entries_put(f, entry.kind, entry.key, entry.value);
        }
        CHECK(position == entries->size);
        entries_end(f, ENTRIES_READ);
        CHECK(fclose(f) == 0);
        CHECK(length == size && memcmp(again, data, size) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        _cleanup_free_ char *bytes = malloc(size > 0 ? size : 1);
        struct entries entries = { 0 };
        int r;

        CHECK(bytes);
        if (size > 0)
                memcpy(bytes, data, size);
        r = entries_decode(bytes, size, &entries);
        CHECK(r == ENTRIES_READ || r == ENTRIES_NO_LIBRARY || r == -EBADMSG);
        if (r != ENTRIES_READ) {
                CHECK(!entries.bytes);
                return 0;
        }
        CHECK(entries.bytes == bytes);
        check_again(&entries, data, size);
        (void) take_pointer(&bytes);
        entries_clear(&entries);
        return 0;
}
