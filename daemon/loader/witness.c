/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Witness
 *
 * Tells whether the errno of a load is the kernel's own or the module's. They are the same numbers: ENOENT can be a symbol
 * that is missing, or a file that the module's init did not find. The kernel says which only in its log, and of a refused
 * signature, say, not even there.
 *
 * But load_module() in kernel/module/main.c copies the parameters from the caller only when it is done with its own checks:
 * signature, ELF, vermagic, name, symbols, relocations (the order since Linux 2.6, and so in 6.1 and 6.12; tests in guests
 * hold them to it). What fails before has not read the parameters. What comes after are the parameters themselves, a symbol
 * that is exported twice (both leave a line in the log), and init.
 *
 * So the text ends exactly at the end of a page. Its NUL is the first byte of a page that nobody has touched and that
 * therefore does not exist, until somebody reads it.
 */

#include <assert.h>
#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "witness.h"

/**
 * witness_place() - put a text where it shows whether it has been read
 * @ret:        the witness; its text is the one to hand out
 * @text:       the text; shorter than a page
 *
 * Does not allocate from the heap, so it can be called in a child of a process with threads. The memory is given back with
 * the process.
 *
 * Return: 0 or a negative errno.
 */
int witness_place(struct witness *ret, const char *text) {
        size_t page = (size_t) sysconf(_SC_PAGESIZE), n = strlen(text);
        char *memory;

        assert(n <= page);
        memory = mmap(NULL, 2 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (memory == MAP_FAILED)
                return -errno;
        /* One fault must not bring both pages. */
        if (madvise(memory, 2 * page, MADV_NOHUGEPAGE) < 0 && errno != EINVAL)
                return -errno;
        memcpy(memory + page - n, text, n);

        *ret = (struct witness){ .text = memory + page - n, .last = memory + page, .page = page };
        return 0;
}

/**
 * witness_was_read() - has somebody read the text
 * @witness:    the witness
 *
 * See mincore(2): of memory that belongs to no file it says whether the page is there.
 *
 * Return: 1 if it was read to its end, 0 if not, or a negative errno.
 */
int witness_was_read(const struct witness *witness) {
        unsigned char resident;

        if (mincore(witness->last, witness->page, &resident) < 0)
                return -errno;
        return resident & 1;
}
