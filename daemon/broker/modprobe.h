/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stddef.h>

#include "modprobe-directories.h"
#include "zygote.h"

/* What is against a module. */
enum modprobe_outcome {
        MODPROBE_NOTHING = 0,
        MODPROBE_BLACKLISTED, /* a line `blacklist NAME`, or modprobe.blacklist=NAME on the kernel's command line */
        MODPROBE_INSTALL, /* a line `install PATTERN COMMAND`: modprobe(8) would run that in place of loading it */
        MODPROBE_UNREADABLE, /* what stands in a file cannot be known */
        MODPROBE_NO_LIBRARY, /* nor what any of them means: libkmod is not there */
};

struct modprobe_option {
        char *file; /* where it stands */
        char *text; /* as for insmod(8): one or more arguments */
};

/* Strings belong to the struct. */
struct modprobe_policy {
        char *file;                      /* where the outcome comes from, or NULL if from none of them */
        int error;                       /* why it is MODPROBE_UNREADABLE, a positive errno */
        struct modprobe_option *options; /* in the order in which modprobe(8) gives them to the kernel */
        size_t n_options;
};

struct modprobe;

int modprobe_new(const char *const *directories, const struct zygote_link *zygote, struct modprobe **ret);
struct modprobe *modprobe_free(struct modprobe *modprobe);
int modprobe_query(struct modprobe *modprobe, const char *name, struct modprobe_policy *ret);
void modprobe_policy_clear(struct modprobe_policy *policy);
void modprobe_options_free(struct modprobe_option *options, size_t n);
