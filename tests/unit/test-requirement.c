/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * What an origin can require of its mount, its filesystem and its files. The mounts and superblocks are real. A device
 * with dm-verity and a file with fs-verity are made believe, for no kernel makes them on demand; the guests have real
 * ones.
 */

#include <errno.h>
#include <linux/magic.h>
#include <sched.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "config-value.h"
#include "filesystem.h"
#include "mounts.h"
#include "origin-fixture.h"
#include "system.h"

/* --- the kernel --- */

static const char *dm_uuid;    /* of all devices; NULL: they are none of device-mapper's */
static int dm_error;           /* in its place */
static unsigned dm_asked[2];   /* which device it was about */
static ino_t verity_inode;     /* has fs-verity */
static bool knows_verity;      /* whether the filesystem could have it */
static int statx_error;        /* for STATX_TYPE alone: only the question for fs-verity is that */
static bool statx_mount_error; /* for STATX_MNT_ID alone: only the question for a mount's root is that */

int system_dm_uuid(unsigned device_major, unsigned device_minor, char **ret) {
        dm_asked[0] = device_major;
        dm_asked[1] = device_minor;
        if (dm_error != 0 || !dm_uuid)
                return dm_error != 0 ? dm_error : -ENOENT;
        *ret = strdup(dm_uuid);
        return 0;
}

int statx(int at, const char *path, int flags, unsigned mask, struct statx *ret) {
        if ((statx_error != 0 && mask == STATX_TYPE && (flags & AT_NO_AUTOMOUNT)) ||
            (statx_mount_error && mask == STATX_MNT_ID)) {
                errno = statx_error != 0 ? statx_error : EIO;
                return -1;
        }
        if (syscall(SYS_statx, at, path, flags, mask, ret) < 0)
                return -1;
        ret->stx_attributes_mask &= ~(uint64_t) STATX_ATTR_VERITY;
        if (knows_verity)
                ret->stx_attributes_mask |= STATX_ATTR_VERITY;
        if (verity_inode != 0 && ret->stx_ino == verity_inode)
                ret->stx_attributes |= STATX_ATTR_VERITY;
        return 0;
}

/* --- the fixture --- */

static void start(struct fixture *f, gconstpointer data) {
        dm_uuid = NULL;
        dm_error = statx_error = 0;
        verity_inode = 0;
        knows_verity = statx_mount_error = false;
        set_up(f, data);
        mount_empty(f, "tree");
        put(f, MODULE, "module");
}

static void end(struct fixture *f, gconstpointer data) {
        unmount(f, "tree");
        tear_down(f, data);
}

#undef ADD
#define ADD(name, function) g_test_add("/requirement/" name, struct fixture, NULL, start, function, end)

static struct origin *vendor(const struct fixture *f) {
        return TAILQ_FIRST(&f->config.origins);
}

static void require(const struct fixture *f, enum requirement requirement) {
        vendor(f)->requires[requirement] = true;
}

static void set_types(const struct fixture *f, const char *types) {
        struct config_place place = { .file = "test", .key = "FilesystemType" };
        struct config_error error = { 0 };

        g_assert_cmpint(config_set_filesystem_types(&place, types, &vendor(f)->filesystem_types, &error), ==,
                        0);
}

static void set_mount_point(const struct fixture *f, const char *name) {
        g_free(vendor(f)->mount_point);
        vendor(f)->mount_point = path_of(f, name);
}

/* The module is refused by its origin, and so is the origin itself if @tree_too. @found may be NULL for nothing. */
static void expect_refused(const struct fixture *f, enum verdict verdict, const char *culprit,
                           const char *found, bool tree_too) {
        g_autofree char *whole = culprit ? path_of(f, culprit) : NULL;
        struct finding finding = { 0 };
        int fd = open_at(f, MODULE, O_RDONLY);

        g_assert_cmpint(origin_verify(&f->config, fd, &finding), ==, verdict);
        g_assert_cmpstr(finding.culprit, ==, whole);
        g_assert_cmpstr(finding.found, ==, found);
        finding_clear(&finding);

        g_assert_cmpint(origin_examine(vendor(f), &finding), ==, tree_too ? verdict : VERDICT_ACCEPTED);
        g_assert_cmpint(finding.verdict, ==, tree_too ? verdict : VERDICT_ACCEPTED);
        g_assert_true(finding.origin == vendor(f));
        g_assert_cmpstr(finding.path, ==, vendor(f)->directory);
        if (tree_too) {
                g_assert_cmpstr(finding.culprit, ==, whole);
                g_assert_cmpstr(finding.found, ==, found);
        }
        finding_clear(&finding);
        (void) close(fd);
}

static void expect_held(const struct fixture *f) {
        struct finding finding = { 0 };

        expect_accepted(f, open_at(f, MODULE, O_RDONLY), "vendor", MODULE);
        g_assert_cmpint(origin_examine(vendor(f), &finding), ==, VERDICT_ACCEPTED);
        g_assert_null(finding.culprit);
        finding_clear(&finding);
}

static void remount(const struct fixture *f, const char *name, unsigned long flags) {
        g_autofree char *path = path_of(f, name);

        g_assert_no_errno(mount(NULL, path, NULL, MS_REMOUNT | flags, NULL));
}

/* --- the mount point --- */

static void test_mount_point(struct fixture *f, gconstpointer data) {
        (void) data;
        set_mount_point(f, "tree");
        expect_held(f);
        set_mount_point(f, "tree/");
        expect_held(f);
}

static void test_not_a_mount_point(struct fixture *f, gconstpointer data) {
        (void) data;
        set_mount_point(f, "tree/kernel");
        expect_refused(f, VERDICT_NOT_MOUNTED, "tree/kernel", "nothing is mounted there", true);
        set_mount_point(f, "outside");
        expect_refused(f, VERDICT_NOT_MOUNTED, "outside", "nothing is mounted there", true);
}

static void test_mount_point_missing(struct fixture *f, gconstpointer data) {
        (void) data;
        set_mount_point(f, "nowhere");
        expect_refused(f, VERDICT_NOT_MOUNTED, "nowhere", NULL, true);
        set_mount_point(f, MODULE);
        expect_refused(f, VERDICT_NOT_MOUNTED, MODULE, NULL, true);
}

static void test_mount_point_elsewhere(struct fixture *f, gconstpointer data) {
        (void) data;
        mount_empty(f, "outside");
        set_mount_point(f, "outside");
        expect_refused(f, VERDICT_NOT_MOUNTED, "outside", "the directory is on another mount", true);
        unmount(f, "outside");
}

/* Closed while it is not mounted, though the directory below it is there. */
static void test_mount_point_unmounted(struct fixture *f, gconstpointer data) {
        (void) data;
        set_mount_point(f, "tree");
        unmount(f, "tree");
        expect_refused(f, VERDICT_NOT_MOUNTED, "tree", "nothing is mounted there", true);
        mount_empty(f, "tree");
        put(f, MODULE, "module");
        expect_held(f);
}

/* Another mount over the right one: then that is what must be trusted. */
static void test_mount_point_covered(struct fixture *f, gconstpointer data) {
        int before = open_at(f, MODULE, O_RDONLY);

        (void) data;
        set_mount_point(f, "tree");
        mount_empty(f, "tree");
        expect(f, before, VERDICT_ABSENT, "vendor", "tree/kernel");
        unmount(f, "tree");
        expect_held(f);
}

static void test_mount_point_foreign(struct fixture *f, gconstpointer data) {
        g_autofree char *inner = path_of(f, "outside/inner");

        (void) data;
        support_make_directory(inner);
        own(f, "outside", SOMEBODY);
        set_mount_point(f, "outside/inner");
        expect_refused(f, VERDICT_DIRECTORY_FOREIGN, "outside", NULL, true);
}

static void test_mount_point_not_told(struct fixture *f, gconstpointer data) {
        (void) data;
        set_mount_point(f, "tree");
        statx_mount_error = true;
        expect_refused(f, VERDICT_NOT_MOUNTED, "tree", "cannot be told: Input/output error", true);
}

/* Whoever comes from elsewhere does not learn of it. */
static void test_mount_point_of_others(struct fixture *f, gconstpointer data) {
        (void) data;
        set_mount_point(f, "nowhere");
        expect_outside(f, open_at(f, "outside/foo.ko", O_RDONLY));
}

/* --- the type of the filesystem --- */

static void test_filesystem_type(struct fixture *f, gconstpointer data) {
        (void) data;
        set_types(f, "tmpfs");
        expect_held(f);
        set_types(f, "erofs tmpfs squashfs");
        expect_held(f);
        set_types(f, "erofs squashfs");
        expect_refused(f, VERDICT_FILESYSTEM_TYPE, NULL, "tmpfs", true);
        set_types(f, "");
        expect_held(f);
}

static void test_filesystem_unknown(struct fixture *f, gconstpointer data) {
        struct finding finding = { 0 };

        (void) data;
        clear_origins(f);
        add_origin(f, "proc", "/proc/sys/kernel");
        set_types(f, "tmpfs");
        g_assert_cmpint(origin_examine(vendor(f), &finding), ==, VERDICT_FILESYSTEM_TYPE);
        g_assert_cmpstr(finding.found, ==, "0x9fa0");
        finding_clear(&finding);
}

static void test_filesystem_names(void) {
        g_assert_true(filesystem_is_known("erofs"));
        g_assert_false(filesystem_is_known("tmpf"));
        g_assert_false(filesystem_is_known(""));
        g_assert_true(filesystem_matches("ext3", EXT4_SUPER_MAGIC));
        g_assert_true(filesystem_matches("squashfs", SQUASHFS_MAGIC));
        g_assert_false(filesystem_matches("squashfs", EROFS_SUPER_MAGIC_V1));
        g_assert_false(filesystem_matches("nothing", SQUASHFS_MAGIC));
        g_assert_cmpstr(filesystem_name(EXT4_SUPER_MAGIC), ==, "ext4");
        g_assert_cmpstr(filesystem_name(TMPFS_MAGIC), ==, "tmpfs");
        g_assert_null(filesystem_name(1));
}

/* --- read-only --- */

static void test_read_only(struct fixture *f, gconstpointer data) {
        (void) data;
        require(f, REQUIREMENT_READ_ONLY);
        expect_refused(f, VERDICT_WRITABLE, NULL, "read-write", true);
        remount(f, "tree", MS_RDONLY);
        expect_held(f);
        remount(f, "tree", 0);
        expect_refused(f, VERDICT_WRITABLE, NULL, "read-write", true);
}

/* A mount that is read-only says nothing of the filesystem. */
static void test_read_only_mount(struct fixture *f, gconstpointer data) {
        (void) data;
        require(f, REQUIREMENT_READ_ONLY);
        remount(f, "tree", MS_BIND | MS_RDONLY);
        expect_refused(f, VERDICT_WRITABLE, NULL, "read-write", true);
        bind_mount(f, "tree", "tree");
        remount(f, "tree", MS_BIND | MS_RDONLY);
        expect_refused(f, VERDICT_WRITABLE, NULL, "read-write", true);
        unmount(f, "tree");
        remount(f, "tree", MS_BIND);
}

/* Nor does a mount that is writable: of a filesystem that is not, there can be one. */
static void test_read_only_superblock(struct fixture *f, gconstpointer data) {
        (void) data;
        require(f, REQUIREMENT_READ_ONLY);
        remount(f, "tree", MS_RDONLY);
        bind_mount(f, "tree", "outside");
        remount(f, "tree", MS_BIND);
        expect_held(f);
        unmount(f, "outside");
        remount(f, "tree", 0);
}

static void test_unknown_mount(void) {
        g_assert_cmpint(mounts_superblock_is_read_only(UINT32_MAX), ==, -ENOENT);
        g_assert_cmpint(mounts_superblock_is_read_only(UINT64_MAX), ==, -ENOENT);
}

/* --- dm-verity --- */

static void test_dm_verity(struct fixture *f, gconstpointer data) {
        g_autofree char *path = path_of(f, MODULE), *without = NULL, *linear = NULL, *close_to = NULL;
        struct statx stx;

        (void) data;
        g_assert_no_errno(statx(AT_FDCWD, path, 0, STATX_BASIC_STATS, &stx));
        require(f, REQUIREMENT_DM_VERITY);
        without = g_strdup_printf("device %u:%u without a device-mapper target", stx.stx_dev_major,
                                  stx.stx_dev_minor);
        expect_refused(f, VERDICT_NO_DM_VERITY, NULL, without, true);
        g_assert_cmpuint(dm_asked[0], ==, stx.stx_dev_major);
        g_assert_cmpuint(dm_asked[1], ==, stx.stx_dev_minor);

        dm_uuid = "LVM-CRYPT-VERITY-0";
        linear = g_strdup_printf("device %u:%u with uuid %s", stx.stx_dev_major, stx.stx_dev_minor, dm_uuid);
        expect_refused(f, VERDICT_NO_DM_VERITY, NULL, linear, true);
        dm_uuid = "CRYPT-VERITY";
        close_to = g_strdup_printf("device %u:%u with uuid %s", stx.stx_dev_major, stx.stx_dev_minor,
                                   dm_uuid);
        expect_refused(f, VERDICT_NO_DM_VERITY, NULL, close_to, true);

        dm_uuid = "CRYPT-VERITY-0123-vendor";
        expect_held(f);
}

static void test_dm_verity_not_told(struct fixture *f, gconstpointer data) {
        struct finding finding = { .verdict = VERDICT_MAX_ };
        int fd = open_at(f, MODULE, O_RDONLY);

        (void) data;
        require(f, REQUIREMENT_DM_VERITY);
        dm_error = -EACCES;
        expect_refused(f, VERDICT_NO_DM_VERITY, NULL, "cannot be told: Permission denied", true);
        /* That one could be told at another time. */
        dm_error = -ENOMEM;
        g_assert_cmpint(origin_verify(&f->config, fd, &finding), ==, -ENOMEM);
        g_assert_cmpint(origin_examine(vendor(f), &finding), ==, -ENOMEM);
        g_assert_cmpint(finding.verdict, ==, VERDICT_MAX_);
        (void) close(fd);
}

/* --- fs-verity --- */

static void test_fs_verity(struct fixture *f, gconstpointer data) {
        g_autofree char *path = path_of(f, MODULE);
        struct stat st;

        (void) data;
        require(f, REQUIREMENT_FS_VERITY);
        g_assert_no_errno(stat(path, &st));
        verity_inode = st.st_ino;
        expect_refused(f, VERDICT_NO_FS_VERITY, NULL, "the filesystem does not have it", false);
        verity_inode = 0;
        knows_verity = true;
        expect_refused(f, VERDICT_NO_FS_VERITY, NULL, "not enabled", false);
        verity_inode = st.st_ino;
        expect_held(f);
        put(f, "tree/kernel/bar.ko", "module");
        expect(f, open_at(f, "tree/kernel/bar.ko", O_RDONLY), VERDICT_NO_FS_VERITY, "vendor", NULL);
        statx_error = EIO;
        expect_refused(f, VERDICT_NO_FS_VERITY, NULL, "cannot be told: Input/output error", false);
}

/* --- several --- */

static void test_all(struct fixture *f, gconstpointer data) {
        g_autofree char *path = path_of(f, MODULE);
        struct stat st;

        (void) data;
        g_assert_no_errno(stat(path, &st));
        for (unsigned i = 0; i < REQUIREMENT_MAX_; i++)
                require(f, (enum requirement) i);
        set_mount_point(f, "tree");
        set_types(f, "erofs");
        expect_refused(f, VERDICT_FILESYSTEM_TYPE, NULL, "tmpfs", true);
        set_types(f, "tmpfs");
        expect_refused(f, VERDICT_WRITABLE, NULL, "read-write", true);
        remount(f, "tree", MS_RDONLY);
        dm_uuid = "LVM-x";
        expect(f, open_at(f, MODULE, O_RDONLY), VERDICT_NO_DM_VERITY, "vendor", NULL);
        dm_uuid = "CRYPT-VERITY-x";
        knows_verity = true;
        expect_refused(f, VERDICT_NO_FS_VERITY, NULL, "not enabled", false);
        verity_inode = st.st_ino;
        expect_held(f);
}

/* The file is looked at before its filesystem. */
static void test_foreign_first(struct fixture *f, gconstpointer data) {
        (void) data;
        require(f, REQUIREMENT_READ_ONLY);
        own(f, MODULE, SOMEBODY);
        expect(f, open_at(f, MODULE, O_RDONLY), VERDICT_FOREIGN, "vendor", MODULE);
}

/* What one origin wants is not wanted of another; the nearest refusal is told with all of its own. */
static void test_several_origins(struct fixture *f, gconstpointer data) {
        struct finding finding = { 0 };
        int fd = open_at(f, MODULE, O_RDONLY);

        (void) data;
        require(f, REQUIREMENT_READ_ONLY);
        add_origin(f, "late", "tree/kernel");
        expect_accepted(f, dup(fd), "late", MODULE);

        TAILQ_LAST(&f->config.origins, origin_list)->mount_point = path_of(f, "nowhere");
        add_origin(f, "last", "outside");
        g_assert_cmpint(origin_verify(&f->config, fd, &finding), ==, VERDICT_WRITABLE);
        g_assert_cmpstr(finding.origin->name, ==, "vendor");
        g_assert_null(finding.culprit);
        g_assert_cmpstr(finding.found, ==, "read-write");
        finding_clear(&finding);
        (void) close(fd);
}

static void test_names(void) {
        g_assert_cmpstr(requirement_name(REQUIREMENT_READ_ONLY), ==, "read-only");
        g_assert_cmpstr(requirement_name(REQUIREMENT_DM_VERITY), ==, "dm-verity");
        g_assert_cmpstr(requirement_name(REQUIREMENT_FS_VERITY), ==, "fs-verity");
}

/* --- the origin's directory --- */

static void test_examine(struct fixture *f, gconstpointer data) {
        struct finding finding = { 0 };

        (void) data;
        expect_held(f);
        mode(f, "tree", 0775);
        expect_refused(f, VERDICT_DIRECTORY_FOREIGN, "tree", NULL, true);
        clear_origins(f);
        add_origin(f, "missing", "nowhere");
        g_assert_cmpint(origin_examine(vendor(f), &finding), ==, VERDICT_NO_DIRECTORY);
        finding_clear(&finding);
}

int main(int argc, char *argv[]) {
        g_test_init(&argc, &argv, NULL);
        PROGRAM_NEEDS_ROOT();
        g_assert_no_errno(unshare(CLONE_NEWNS));
        g_assert_no_errno(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL));
        ADD("mount-point", test_mount_point);
        ADD("not-a-mount-point", test_not_a_mount_point);
        ADD("mount-point-missing", test_mount_point_missing);
        ADD("mount-point-elsewhere", test_mount_point_elsewhere);
        ADD("mount-point-unmounted", test_mount_point_unmounted);
        ADD("mount-point-covered", test_mount_point_covered);
        ADD("mount-point-foreign", test_mount_point_foreign);
        ADD("mount-point-not-told", test_mount_point_not_told);
        ADD("mount-point-of-others", test_mount_point_of_others);
        ADD("filesystem-type", test_filesystem_type);
        ADD("filesystem-unknown", test_filesystem_unknown);
        ADD("read-only", test_read_only);
        ADD("read-only-mount", test_read_only_mount);
        ADD("read-only-superblock", test_read_only_superblock);
        ADD("dm-verity", test_dm_verity);
        ADD("dm-verity-not-told", test_dm_verity_not_told);
        ADD("fs-verity", test_fs_verity);
        ADD("all", test_all);
        ADD("foreign-first", test_foreign_first);
        ADD("several-origins", test_several_origins);
        ADD("examine", test_examine);
        g_test_add_func("/requirement/filesystem-names", test_filesystem_names);
        g_test_add_func("/requirement/unknown-mount", test_unknown_mount);
        g_test_add_func("/requirement/names", test_names);
        return g_test_run();
}
