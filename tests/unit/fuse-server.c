/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * A file server with one file, over the kernel's own protocol, so that a test sees what is asked of a filesystem that
 * belongs to the caller. It is mounted in a mount namespace of a thread's own: for everybody else the directory is what
 * it was, and the name of a descriptor from there is a lie.
 */

#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <linux/fuse.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "fuse-server.h"
#include "support.h"

#define FILE_ID 2
#define FILE_SIZE 6

struct fuse_server {
        char *directory;
        char *file;
        uid_t owner;
        int device;
        int fd;           /* the file, for whoever opens it */
        pthread_t holder; /* keeps the mount namespace */
        sem_t opened, ends;
        gint counts; /* whether what is asked is counted */
        gint count;
};

static void answer(const struct fuse_server *server, uint64_t unique, int error, const void *body,
                   size_t size) {
        char buffer[1024];
        struct fuse_out_header head = { .len = (uint32_t) (sizeof head + size),
                                        .error = error,
                                        .unique = unique };

        memcpy(buffer, &head, sizeof head);
        if (size > 0)
                memcpy(buffer + sizeof head, body, size);
        /* ENOENT: nobody waits for it any more. */
        if (write(server->device, buffer, head.len) < 0)
                g_assert_cmpint(errno, ==, ENOENT);
}

static struct fuse_attr attributes(uint64_t id) {
        return (struct fuse_attr){
                .ino = id,
                .size = id == FILE_ID ? FILE_SIZE : 0,
                .mode = id == FILE_ID ? S_IFREG | 0644 : S_IFDIR | 0755,
                .nlink = 1,
        };
}

/* Nothing is to be remembered: whoever wants to know has to ask. */
static void serve(struct fuse_server *server, const struct fuse_in_header *request) {
        uint64_t unique = request->unique;

        switch (request->opcode) {
        case FUSE_INIT:
                answer(server, unique, 0,
                       &(struct fuse_init_out){ .major = FUSE_KERNEL_VERSION,
                                                .minor = FUSE_KERNEL_MINOR_VERSION,
                                                .max_write = 4096 },
                       sizeof(struct fuse_init_out));
                break;
        case FUSE_LOOKUP:
                answer(server, unique, 0,
                       &(struct fuse_entry_out){ .nodeid = FILE_ID, .attr = attributes(FILE_ID) },
                       sizeof(struct fuse_entry_out));
                break;
        case FUSE_GETATTR:
                answer(server, unique, 0, &(struct fuse_attr_out){ .attr = attributes(request->nodeid) },
                       sizeof(struct fuse_attr_out));
                break;
        case FUSE_OPEN:
                answer(server, unique, 0, &(struct fuse_open_out){ 0 }, sizeof(struct fuse_open_out));
                break;
        case FUSE_FORGET:
        case FUSE_BATCH_FORGET:
        case FUSE_INTERRUPT:
                break;
        case FUSE_FLUSH:
        case FUSE_RELEASE:
                answer(server, unique, 0, NULL, 0);
                break;
        default:
                answer(server, unique, -ENOSYS, NULL, 0);
        }
}

static void *serve_main(void *userdata) {
        struct fuse_server *server = userdata;
        union {
                struct fuse_in_header head;
                char bytes[FUSE_MIN_READ_BUFFER + 4096];
        } buffer;

        while (read(server->device, &buffer, sizeof buffer) > 0) {
                if (g_atomic_int_get(&server->counts) && buffer.head.opcode != FUSE_FORGET &&
                    buffer.head.opcode != FUSE_BATCH_FORGET)
                        g_atomic_int_inc(&server->count);
                serve(server, &buffer.head);
        }
        return NULL;
}

/* The kernel lets nobody but the owner look; by system call, for the C library would change all threads. */
static void *open_main(void *userdata) {
        struct fuse_server *server = userdata;
        g_autofree char *path = g_strdup_printf("%s/%s", server->directory, server->file);

        g_assert_no_errno((int) syscall(SYS_setresuid, server->owner, server->owner, server->owner));
        server->fd = open(path, O_RDONLY | O_CLOEXEC);
        g_assert_no_errno(server->fd);
        return NULL;
}

/* A device that is not mounted yet cannot be read, so the serving begins after that. */
static void *hold_main(void *userdata) {
        struct fuse_server *server = userdata;
        g_autofree char *options = g_strdup_printf("fd=%d,rootmode=40000,user_id=%u,group_id=0",
                                                   server->device, server->owner);
        pthread_t serving, opening;

        g_assert_no_errno(unshare(CLONE_FS | CLONE_NEWNS));
        g_assert_no_errno(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL));
        g_assert_no_errno(mount("test", server->directory, "fuse", MS_NOSUID | MS_NODEV, options));
        g_assert_cmpint(pthread_create(&serving, NULL, serve_main, server), ==, 0);
        g_assert_cmpint(pthread_create(&opening, NULL, open_main, server), ==, 0);
        g_assert_cmpint(pthread_join(opening, NULL), ==, 0);
        g_atomic_int_set(&server->counts, 1);
        g_assert_no_errno(sem_post(&server->opened));

        g_assert_no_errno(sem_wait(&server->ends));
        g_assert_no_errno(umount2(server->directory, MNT_DETACH));
        g_assert_cmpint(pthread_join(serving, NULL), ==, 0);
        return NULL;
}

/**
 * fuse_server_new() - make a server and open its file
 * @directory:  where it is mounted, for nobody but itself
 * @file:       the name of its file
 * @owner:      the user whose server it is; nobody else may look at what is on it
 * @ret_fd:     the file; owned by the caller
 *
 * Return: the server, to be given to fuse_server_free().
 */
struct fuse_server *fuse_server_new(const char *directory, const char *file, uid_t owner, int *ret_fd) {
        struct fuse_server *server = g_new0(struct fuse_server, 1);

        server->directory = g_strdup(directory);
        server->file = g_strdup(file);
        server->owner = owner;
        server->device = open("/dev/fuse", O_RDWR | O_CLOEXEC);
        g_assert_no_errno(server->device);
        g_assert_no_errno(sem_init(&server->opened, 0, 0));
        g_assert_no_errno(sem_init(&server->ends, 0, 0));
        g_assert_cmpint(pthread_create(&server->holder, NULL, hold_main, server), ==, 0);
        g_assert_no_errno(sem_wait(&server->opened));
        *ret_fd = server->fd;
        return server;
}

/**
 * fuse_server_count() - how much was asked since the file was opened
 * @server:     the server
 *
 * Return: the number of requests.
 */
size_t fuse_server_count(const struct fuse_server *server) {
        return (size_t) g_atomic_int_get(&server->count);
}

/**
 * fuse_server_free() - end the server
 * @server:     the server; nobody has its file open any more
 */
void fuse_server_free(struct fuse_server *server) {
        g_assert_no_errno(sem_post(&server->ends));
        g_assert_cmpint(pthread_join(server->holder, NULL), ==, 0);
        (void) close(server->device);
        (void) sem_destroy(&server->opened);
        (void) sem_destroy(&server->ends);
        g_free(server->directory);
        g_free(server->file);
        g_free(server);
}
