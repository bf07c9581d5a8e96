/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Plain
 *
 * A module's file that is loaded alone, as most of those are that people load by their file: it names no other module that
 * it needs, and neither does anybody else. To know that it takes no libkmod. modprobe.d is not understood here: where a file
 * may have a soft dependency of the module, or cannot be read, it is libkmod's to say.
 */

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "cleanup.h"
#include "modprobe-directories.h"
#include "needs.h"
#include "plain.h"

/* In bytes. Those of Debian have a few thousand, depmod's lists ten thousand. */
#define TEXT_MAX ((size_t) 256 * 1024)

static void unify(char *text, size_t size) {
        for (size_t i = 0; i < size; i++)
                if (text[i] == '-')
                        text[i] = '_';
}

static bool has_word(const char *text, size_t size, const char *word) {
        const char *end = text + size;

        for (const char *p = text; (p = memmem(p, (size_t) (end - p), word, strlen(word))); p++) {
                const char *behind = p + strlen(word);

                if ((p == text || (!isalnum((unsigned char) p[-1]) && p[-1] != '_')) &&
                    (behind == end || (!isalnum((unsigned char) *behind) && *behind != '_')))
                        return true;
        }
        return false;
}

/* modprobe.d(5) has the module of a softdep as a pattern; which lines belong together, only libkmod knows. */
static bool may_speak_of(char *text, size_t size, const char *name) {
        static const char keyword[] = "softdep", patterns[] = "*?[";

        if (!memmem(text, size, keyword, strlen(keyword)))
                return false;
        for (const char *p = patterns; *p; p++)
                if (memchr(text, *p, size))
                        return true;
        unify(text, size);
        return has_word(text, size, name);
}

/* Return: 1 if the file may have a soft dependency of the module, 0 if not or if there is no file, or a negative errno. */
static int look_into_file(int directory, const char *file, const char *name) {
        _cleanup_free_ char *text = malloc(TEXT_MAX);
        _cleanup_close_ int fd = -1;
        size_t size = 0;
        ssize_t n;

        if (!text)
                return -ENOMEM;
        fd = openat(directory, file, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
        if (fd < 0)
                return errno == ENOENT ? 0 : -errno;
        while ((n = read(fd, text + size, TEXT_MAX - size)) > 0)
                size += (size_t) n;
        if (n < 0)
                return -errno;
        return size == TEXT_MAX ? -EFBIG : may_speak_of(text, size, name);
}

static int look_into_directory(const char *path, const char *name) {
        struct dirent *entry;
        DIR *directory;
        int r = 0;

        directory = opendir(path);
        if (!directory)
                return errno == ENOENT ? 0 : -errno;
        while (r == 0 && (errno = 0, entry = readdir(directory)))
                if (entry->d_name[0] != '.')
                        r = look_into_file(dirfd(directory), entry->d_name, name);
        if (r == 0)
                r = -errno;
        (void) closedir(directory);
        return r;
}

/* In modprobe.d, or in depmod(8)'s list. Yes, if it cannot be known. */
static bool may_have_softdep(const char *name) {
        char list[PATH_MAX];
        struct utsname names;
        int r;

        if (uname(&names) < 0)
                return true;
        (void) snprintf(list, sizeof list, "/lib/modules/%s/modules.softdep", names.release);
        r = look_into_file(AT_FDCWD, list, name);
        for (const char *const *directory = modprobe_directories; r == 0 && *directory; directory++)
                r = look_into_directory(*directory, name);
        return r != 0;
}

/* As libkmod has it: up to the first dot, with _ for each -. */
static bool name_from_path(const char *path, char ret[NAME_MAX + 1]) {
        const char *base = strrchr(path, '/');
        size_t length;

        base = base ? base + 1 : path;
        length = strcspn(base, ".");
        if (length == 0 || length > NAME_MAX || strcmp(base + length, ".ko") != 0)
                return false;
        memcpy(ret, base, length);
        ret[length] = '\0';
        unify(ret, length);
        return true;
}

/**
 * plain_open() - open a module's file if it is to be loaded alone
 * @path:       the file
 * @ret_name:   the module's name, as its file's tells
 *
 * Return: a descriptor, owned by the caller, or -1 if it is not such a file, or not known to be one.
 */
int plain_open(const char *path, char ret_name[NAME_MAX + 1]) {
        _cleanup_close_ int fd = -1;
        struct stat st;

        if (!name_from_path(path, ret_name))
                return -1;
        fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
        if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
                return -1;
        return needs_nothing(fd) && !may_have_softdep(ret_name) ? take_fd(&fd) : -1;
}
