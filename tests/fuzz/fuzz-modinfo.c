/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * A module's file, compressed or not. What can be read of it must survive the way through an answer.
 */

#include <elf.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "answer.h"
#include "cleanup.h"
#include "fuzz.h"
#include "modinfo.h"

#define NAME "the_example"

DEFINE_CLEANUP(struct modinfo *, modinfo_free);

/* Only a file can be unpacked. */
static int read_file(const uint8_t *data, size_t size, struct modinfo **ret) {
        _cleanup_close_ int fd = memfd_create("fuzz", MFD_CLOEXEC);

        CHECK(fd >= 0 && write(fd, data, size) == (ssize_t) size);
        return modinfo_read(fd, NAME, ret);
}

static void check_answer(int result, struct modinfo *info) {
        _cleanup_close_ int fd = memfd_create("fuzz", MFD_CLOEXEC);
        _cleanup_(modinfo_freep) struct modinfo *received = NULL;
        static unsigned char bytes[ANSWER_MAX + 1];
        int received_result;
        ssize_t n;

        CHECK(fd >= 0 && answer_send(fd, result, info) == 0);
        n = pread(fd, bytes, sizeof bytes, 0);
        CHECK(n > 0 && answer_decode(bytes, (size_t) n, &received_result, &received) == 0);
        CHECK(received_result == result && received && received->size == info->size);
        CHECK(received->n_parameters == info->n_parameters && received->depends.n == info->depends.n);
        CHECK(received->parameters_complete == info->parameters_complete);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        _cleanup_(modinfo_freep) struct modinfo *info = NULL;
        int r;

        if (size > 0 && data[0] == ELFMAG0)
                r = modinfo_parse(data, size, NAME, &info);
        else
                r = read_file(data, size, &info);
        CHECK(r >= MODINFO_GOOD && r <= MODINFO_TOO_LARGE);
        CHECK(info && info->size <= MODINFO_SIZE_MAX);
        check_answer(r, info);
        return 0;
}
