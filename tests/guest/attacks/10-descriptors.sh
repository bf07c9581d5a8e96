# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=sh
#
# Every kind of descriptor that a process can make.

# shellcheck source=tests/guest/inside/lib.sh
. /guest/lib.sh
# shellcheck source=tests/guest/inside/attack-lib.sh
. /guest/attack-lib.sh
attack

check "alice passes what a user can make" as alice /guest/attack-descriptors
# secretmem is off on Linux 6.1; no kernel lets a descriptor of io_uring pass through a socket any more.
expect <<'END'
file-of-mine             OriginRefused  does not lie in the directory of any origin
read-write               BadDescriptor  opened for writing
write-only               BadDescriptor  opened for writing
ioctl-only               BadDescriptor  opened for writing
path-only                BadDescriptor  opened with O_PATH
path-of-link             BadDescriptor  opened with O_PATH
direct-of-mine           BadDescriptor  opened with O_DIRECT
direct                   BadDescriptor  opened with O_DIRECT
set-direct               BadDescriptor  opened with O_DIRECT
memfd                    BadDescriptor  opened for writing
memfd-read-only          OriginRefused  does not lie in the directory of any origin
memfd-sealed             BadDescriptor  opened for writing
memfd-sealed-read-only   OriginRefused  does not lie in the directory of any origin
memfd-huge               OriginRefused  does not lie in the directory of any origin
memfd-named-like-a-path  OriginRefused  does not lie in the directory of any origin
memfd-secret             BadDescriptor|unavailable
unnamed                  OriginRefused  does not lie in the directory of any origin
unnamed-in-memory        OriginRefused  does not lie in the directory of any origin
deleted                  OriginRefused  does not lie in the directory of any origin
directory                BadDescriptor  not a regular file
fifo                     BadDescriptor  not a regular file
pipe                     BadDescriptor  not a regular file
socket-unix              BadDescriptor  opened for writing
socket-tcp               BadDescriptor  opened for writing
socket-netlink           BadDescriptor  opened for writing
socket-in-itself         BadDescriptor  opened for writing
epoll                    BadDescriptor  opened for writing
eventfd                  BadDescriptor  opened for writing
timerfd                  BadDescriptor  opened for writing
signalfd                 BadDescriptor  opened for writing
inotify                  BadDescriptor  not a regular file
fanotify                 BadDescriptor  opened for writing
pidfd                    BadDescriptor  opened for writing
userfaultfd              BadDescriptor  not a regular file
io-uring                 unsendable
landlock                 BadDescriptor  opened for writing
message-queue            OriginRefused  does not lie in the directory of any origin
namespace                OriginRefused  has no path that the kernel could name
own-memory               OriginRefused  does not lie in the directory of any origin
own-memory-writable      BadDescriptor  opened for writing
proc-maps                OriginRefused  does not lie in the directory of any origin
proc-modules             OriginRefused  does not lie in the directory of any origin
proc-environment         OriginRefused  does not lie in the directory of any origin
proc-mounts              OriginRefused  does not lie in the directory of any origin
proc-sysctl              OriginRefused  does not lie in the directory of any origin
sysfs                    OriginRefused  does not lie in the directory of any origin
sysfs-module             OriginRefused  does not lie in the directory of any origin
cgroup                   OriginRefused  does not lie in the directory of any origin
zero                     BadDescriptor  not a regular file
full                     BadDescriptor  not a regular file
random                   BadDescriptor  not a regular file
fuse-device              BadDescriptor  opened for writing
terminal                 BadDescriptor  not a regular file
terminal-master          BadDescriptor  not a regular file
system-file              OriginRefused  does not lie in the directory of any origin
index-in-tree            NotAModule
END

check "root passes what only root can make" /guest/attack-descriptors
expect <<'END'
block-device             BadDescriptor  not a regular file
block-device-direct      BadDescriptor  not a regular file
kernel-log               BadDescriptor  not a regular file
kernel-memory            OriginRefused  does not lie in the directory of any origin
debugfs                  OriginRefused  does not lie in the directory of any origin
tracing                  OriginRefused  does not lie in the directory of any origin
performance              BadDescriptor  opened for writing
program                  BadDescriptor  opened for writing
filesystem-context       BadDescriptor  opened for writing
tree-cloned              BadDescriptor  opened with O_PATH
module-read-write        BadDescriptor  opened for writing
module-write-only        BadDescriptor  opened for writing
END

survived
rm -f /home/alice/*.ko
finish
