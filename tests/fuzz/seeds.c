/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Gives a fuzz target each file of a directory, and reports each as a test.
 */

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cleanup.h"
#include "fuzz.h"

static int is_file(const struct dirent *entry) {
        return entry->d_name[0] != '.';
}

/* Memory of just the file's size, as libFuzzer gives it. */
static int run_file(int directory, const char *name) {
        _cleanup_close_ int fd = openat(directory, name, O_RDONLY | O_CLOEXEC);
        _cleanup_free_ void *bytes = NULL;
        struct stat st;

        if (fd < 0 || fstat(fd, &st) < 0)
                return -errno;
        bytes = malloc((size_t) st.st_size);
        if (!bytes && st.st_size > 0)
                return -ENOMEM;
        if (read(fd, bytes, (size_t) st.st_size) != st.st_size)
                return -EIO;
        (void) LLVMFuzzerTestOneInput(bytes, (size_t) st.st_size);
        return 0;
}

int main(int argc, char *argv[]) {
        _cleanup_close_ int directory = argc == 2 ? open(argv[1], O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
        struct dirent **entries;
        int n, failed = 0;

        n = directory < 0 ? -1 : scandir(argv[1], &entries, is_file, alphasort);
        if (n <= 0) {
                fprintf(stderr, "usage: seeds DIRECTORY, one with files in it\n");
                return EXIT_FAILURE;
        }
        printf("1..%d\n", n);
        for (int i = 0; i < n; i++) {
                int r = run_file(directory, entries[i]->d_name);

                printf("%s %d - %s\n", r < 0 ? "not ok" : "ok", i + 1, entries[i]->d_name);
                (void) fflush(stdout);
                failed += r < 0;
                free(entries[i]);
        }
        free(entries);
        return failed > 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
