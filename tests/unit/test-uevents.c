/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * In a network namespace of their own, where nothing but what the tests ask the kernel to send is in the way: the kernel
 * passes on to its listeners there what root sends it (uevent_net_rcv() in lib/kobject_uevent.c).
 */

#include <errno.h>
#include <glib.h>
#include <linux/netlink.h>
#include <sched.h>
#include <string.h>
#include <sys/socket.h>

#include "support.h"
#include "uevents.h"

struct fixture {
        int kernel;
        sd_event *event;
        struct uevents *uevents;
        GString *heard; /* a word for each call of the handler */
};

static void on_uevent(enum uevent uevent, const char *name, void *userdata) {
        static const char *const marks[] = {
                [UEVENT_ADDED] = "+", [UEVENT_REMOVED] = "-", [UEVENT_RESYNC] = "!"
        };
        struct fixture *f = userdata;

        g_assert_true((uevent == UEVENT_RESYNC) == (name == NULL));
        g_string_append_printf(f->heard, "%s%s ", marks[uevent], name ? name : "");
}

static void set_up(struct fixture *f, gconstpointer data) {
        (void) data;
        f->kernel = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_KOBJECT_UEVENT);
        g_assert_no_errno(f->kernel);
        f->heard = g_string_new(NULL);
        g_assert_cmpint(sd_event_new(&f->event), >=, 0);
        /* As the service does, which cannot have more than the default buffer for what it has not read yet. */
        g_assert_no_errno(seteuid(SOMEBODY));
        g_assert_cmpint(uevents_new(f->event, on_uevent, f, &f->uevents), ==, 0);
        g_assert_no_errno(seteuid(0));
}

static void tear_down(struct fixture *f, gconstpointer data) {
        (void) data;
        g_assert_null(uevents_free(f->uevents));
        sd_event_unref(f->event);
        g_string_free(f->heard, TRUE);
        (void) close(f->kernel);
}

static void emit(const struct fixture *f, const char *action, const char *subsystem, const char *name) {
        struct sockaddr_nl address = { .nl_family = AF_NETLINK };
        g_autofree char *padding = g_strnfill(1500, 'x');
        g_autofree char *text = g_strdup_printf(
                        "%s@/%s/%s|ACTION=%s|DEVPATH=/%s/%s|SUBSYSTEM=%s|PADDING=%s|", action, subsystem,
                        name, action, subsystem, name, subsystem, padding);
        size_t n = strlen(text);
        struct nlmsghdr header = { .nlmsg_len = (uint32_t) NLMSG_LENGTH(n),
                                   .nlmsg_type = NLMSG_MIN_TYPE,
                                   .nlmsg_flags = NLM_F_REQUEST };
        struct iovec iov[] = { { &header, NLMSG_HDRLEN }, { text, n } };
        struct msghdr message = { .msg_name = &address,
                                  .msg_namelen = sizeof address,
                                  .msg_iov = iov,
                                  .msg_iovlen = G_N_ELEMENTS(iov) };

        g_strdelimit(text, "|", '\0');
        g_assert_cmpint(sendmsg(f->kernel, &message, 0), ==, (gssize) (NLMSG_HDRLEN + n));
}

static void run(const struct fixture *f) {
        while (sd_event_run(f->event, 0) > 0)
                ;
}

static void test_coming_and_going(struct fixture *f, gconstpointer data) {
        (void) data;
        run(f);
        g_assert_cmpstr(f->heard->str, ==, "");
        emit(f, "add", "module", "dummy");
        emit(f, "add", "module", "snd_hda");
        emit(f, "remove", "module", "dummy");
        run(f);
        g_assert_cmpstr(f->heard->str, ==, "+dummy +snd_hda -dummy ");
}

static void test_others(struct fixture *f, gconstpointer data) {
        (void) data;
        emit(f, "change", "module", "dummy");
        emit(f, "add", "net", "lo");
        emit(f, "remove", "block", "vda");
        emit(f, "add", "module", "foo");
        run(f);
        g_assert_cmpstr(f->heard->str, ==, "+foo ");
}

/* What was missed is asked for once, after all that was not. */
static void test_overflow(struct fixture *f, gconstpointer data) {
        (void) data;
        for (unsigned i = 0; i < 20000; i++)
                emit(f, "add", "module", "foo");
        run(f);
        g_assert_true(g_str_has_prefix(f->heard->str, "+foo +foo "));
        g_assert_true(g_str_has_suffix(f->heard->str, "+foo ! "));
        g_assert_true(strchr(f->heard->str, '!') == strrchr(f->heard->str, '!'));

        g_string_truncate(f->heard, 0);
        emit(f, "remove", "module", "foo");
        run(f);
        g_assert_cmpstr(f->heard->str, ==, "-foo ");
}

int main(int argc, char *argv[]) {
        g_test_init(&argc, &argv, NULL);
        PROGRAM_NEEDS_ROOT();
        g_assert_no_errno(unshare(CLONE_NEWNET));
#define ADD(name, function) g_test_add("/uevents/" name, struct fixture, NULL, set_up, function, tear_down)
        ADD("coming-and-going", test_coming_and_going);
        ADD("others", test_others);
        ADD("overflow", test_overflow);
        return g_test_run();
}
