/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * What comes out of the inspector's pipe. What is taken for an answer must be one.
 */

#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "answer.h"
#include "cleanup.h"
#include "fuzz.h"

DEFINE_CLEANUP(struct modinfo *, modinfo_free);

/* It is sent again, and understood the same. */
static void check_again(int result, struct modinfo *info) {
        _cleanup_close_ int fd = memfd_create("fuzz", MFD_CLOEXEC);
        _cleanup_(modinfo_freep) struct modinfo *again = NULL;
        static unsigned char bytes[ANSWER_MAX + 1];
        int again_result;
        ssize_t n;

        CHECK(fd >= 0 && answer_send(fd, result, info) == 0);
        n = pread(fd, bytes, sizeof bytes, 0);
        CHECK(n > 0 && answer_decode(bytes, (size_t) n, &again_result, &again) == 0);
        CHECK(again_result == result && !again == !info);
        CHECK(!info || (again->size == info->size && again->n_parameters == info->n_parameters));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        _cleanup_(modinfo_freep) struct modinfo *info = NULL;
        int result, r;

        r = answer_decode(data, size, &result, &info);
        CHECK(r == 0 || r == -EBADMSG);
        if (r < 0) {
                CHECK(!info);
                return 0;
        }
        CHECK(result <= MODINFO_TOO_LARGE && (result < 0) == !info);
        CHECK(!info || info->size <= MODINFO_SIZE_MAX);
        check_again(result, info);
        return 0;
}
