/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Answer
 *
 * What the inspector writes into its pipe: a fixed head, and records KEY=VALUE each with its NUL. Who reads it takes it
 * for hostile: the file may have taken over the inspector. So nothing is in it but texts that would be shown anyway, and
 * whatever is not exactly as answer_send() writes it is no answer.
 */

#include <assert.h>
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "answer.h"
#include "cleanup.h"

/* As the kernel's MAX_ERRNO. */
#define ERRNO_MAX 4095

struct head {
        int32_t result;  /* of modinfo_read() */
        uint32_t length; /* of the records */
};

static void put(FILE *f, const char *key, const char *value) {
        if (value) {
                fprintf(f, "%s=%s", key, value);
                fputc('\0', f);
        }
}

static void put_all(FILE *f, struct modinfo *info) {
        const char *key;
        char **field;

        put(f, "compression", info->compression);
        put(f, "signed", info->is_signed ? "yes" : NULL);
        for (size_t i = 0; (field = modinfo_text(info, i, &key)); i++)
                put(f, key, *field);
        for (size_t i = 0; i < info->depends.n; i++)
                put(f, "depends", info->depends.items[i]);
        for (size_t i = 0; i < info->softdeps.n; i++)
                put(f, "softdep", info->softdeps.items[i]);
        for (size_t i = 0; i < info->n_parameters; i++) {
                put(f, "parameter", info->parameters[i].name);
                put(f, "type", info->parameters[i].type);
                put(f, "description", info->parameters[i].description);
                put(f, "known", info->parameters[i].is_known ? "yes" : NULL);
        }
        put(f, "complete", info->parameters_complete ? "yes" : NULL);
}

static int encode(struct modinfo *info, char **ret, size_t *ret_size) {
        _cleanup_free_ char *bytes = NULL;
        size_t size = 0;
        FILE *f;

        f = open_memstream(&bytes, &size);
        if (!f)
                return -ENOMEM;
        put_all(f, info);
        if (fclose(f) != 0)
                return -ENOMEM;
        assert(size <= ANSWER_MAX - sizeof(struct head));
        *ret = take_pointer(&bytes);
        *ret_size = size;
        return 0;
}

static int write_all(int fd, const void *bytes, size_t size) {
        const char *p = bytes;

        while (size > 0) {
                ssize_t n = write(fd, p, size);

                if (n < 0 && errno != EINTR)
                        return -errno;
                if (n > 0) {
                        p += n;
                        size -= (size_t) n;
                }
        }
        return 0;
}

/**
 * answer_send() - write an answer
 * @pipe:       where to; may block
 * @result:     what modinfo_read() returned
 * @info:       what it wrote; NULL if @result is negative
 *
 * If there is no memory for the answer, that is the answer.
 *
 * Return: 0 or a negative errno.
 */
int answer_send(int pipe, int result, struct modinfo *info) {
        _cleanup_free_ char *records = NULL;
        struct head head = { .result = result };
        size_t size = 0;
        int r = 0;

        if (info)
                r = encode(info, &records, &size);
        if (r < 0)
                head.result = r;
        head.length = (uint32_t) size;
        r = write_all(pipe, &head, sizeof head);
        return r < 0 ? r : write_all(pipe, records, size);
}

static int take_flag(bool *flag, const char *value) {
        if (*flag || strcmp(value, "yes") != 0)
                return 1;
        *flag = true;
        return 0;
}

/* @info's last parameter is the one that a type or description is about. */
static int take_parameter_record(struct modinfo *info, const char *key, const char *value) {
        size_t before = info->n_parameters;
        struct modinfo_parameter *last = before > 0 ? &info->parameters[before - 1] : NULL;

        if (strcmp(key, "parameter") == 0) {
                int r = modinfo_add_parameter(info, value, &last);

                return r == 0 && info->n_parameters == before ? 1 : r;
        }
        if (last && strcmp(key, "type") == 0)
                return modinfo_set_text(info, &last->type, value);
        if (last && strcmp(key, "description") == 0)
                return modinfo_set_text(info, &last->description, value);
        if (last && strcmp(key, "known") == 0)
                return take_flag(&last->is_known, value);
        return 1;
}

/* Return: 0, 1 if there is no such record, or -ENOMEM. */
static int take_record(struct modinfo *info, const char *key, const char *value) {
        const char *known;
        char **field;

        if (strlen(value) > MODINFO_TEXT_MAX)
                return 1;
        for (size_t i = 0; (field = modinfo_text(info, i, &known)); i++)
                if (strcmp(key, known) == 0)
                        return modinfo_set_text(info, field, value);
        if (strcmp(key, "compression") == 0)
                return modinfo_set_compression(info, value);
        if (strcmp(key, "signed") == 0)
                return take_flag(&info->is_signed, value);
        if (strcmp(key, "complete") == 0)
                return take_flag(&info->parameters_complete, value);
        if (strcmp(key, "depends") == 0)
                return modinfo_add(info, &info->depends, value);
        if (strcmp(key, "softdep") == 0)
                return modinfo_add(info, &info->softdeps, value);
        return take_parameter_record(info, key, value);
}

/* @records end with a NUL. */
static int decode(char *records, size_t size, struct modinfo *info) {
        char *end = records + size;

        for (char *p = records; p < end;) {
                size_t n = strlen(p);
                char *equals = strchr(p, '=');
                int r;

                if (!equals)
                        return -EBADMSG;
                *equals = '\0';
                r = take_record(info, p, equals + 1);
                if (r != 0)
                        return r < 0 ? r : -EBADMSG;
                p += n + 1;
        }
        return 0;
}

DEFINE_CLEANUP(struct modinfo *, modinfo_free);

/**
 * answer_decode() - understand an answer
 * @bytes:      all that came out of the pipe
 * @size:       how much of it
 * @ret_result: the result of modinfo_read(): 0, a MODINFO_ that it returns, or a negative errno
 * @ret:        what it wrote, or NULL if the result is negative; owned by the caller
 *
 * Return: 0, -EBADMSG if this is no answer, or -ENOMEM.
 */
int answer_decode(const void *bytes, size_t size, int *ret_result, struct modinfo **ret) {
        _cleanup_(modinfo_freep) struct modinfo *info = NULL;
        _cleanup_free_ char *records = NULL;
        struct head head;
        int r;

        if (size < sizeof head || size > ANSWER_MAX)
                return -EBADMSG;
        memcpy(&head, bytes, sizeof head);
        size -= sizeof head;
        if (head.length != size || head.result > MODINFO_TOO_LARGE || head.result < -ERRNO_MAX)
                return -EBADMSG;
        /* One that could not look has nothing to say, one that could says at least that it is not compressed. */
        if ((head.result < 0) != (size == 0))
                return -EBADMSG;

        if (size > 0) {
                records = malloc(size);
                info = modinfo_new();
                if (!records || !info)
                        return -ENOMEM;
                memcpy(records, (const char *) bytes + sizeof head, size);
                r = records[size - 1] == '\0' ? decode(records, size, info) : -EBADMSG;
                if (r < 0)
                        return r;
                if (head.result == MODINFO_GOOD && !info->name)
                        return -EBADMSG;
        }
        *ret_result = head.result;
        *ret = take_pointer(&info);
        return 0;
}
