# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=sh
#
# Files that are dressed up as the trusted one: by their name, by namespaces, by mounts, by an image.

# shellcheck source=tests/guest/inside/lib.sh
. /guest/lib.sh
# shellcheck source=tests/guest/inside/attack-lib.sh
. /guest/attack-lib.sh
# Refusals are written one by one at first, then only counted: what other attacks had refused is summed up now.
systemctl stop moduled.service
attack

# Only root can make this link (fs.protected_hardlinks); it is the trusted inode, under a name that is not in its tree.
ln "$DUMMY" /home/alice/link.ko
# What udisks does for whoever asks it.
check "alice makes an image" as alice /guest/attack-forge
mkdir -p /media/alice
check "it is mounted for her" mount -o loop,ro,nosuid,nodev /home/alice/image /media/alice
all='%i %f %u %g %s %Y %y %Z %z'
check "its file has all that can be seen of the trusted one but the device" test \
        "$(stat -c "$all" "/media/alice/${DUMMY##*/}")" = "$(stat -c "$all" "$DUMMY")"

check "alice passes files that look like others" as alice timeout 60 /guest/attack-dressed
# The first four are the trusted file indeed.
expect <<'END'
link-to-trusted                done
dots-to-trusted                done
trusted-bound-onto-itself      done
hard-link-bound-over-trusted   done
hard-link                      OriginRefused  /home/alice/link.ko is refused: it does not lie in the directory of any origin
link-to-mine                   OriginRefused  /home/alice/mine.ko is refused: it does not lie in the directory of any
dots                           OriginRefused  /home/alice/mine.ko is refused: it does not lie in the directory of any
slashes                        OriginRefused  /home/alice/mine.ko is refused: it does not lie in the directory of any
newline                        OriginRefused  /home/alice/a\x0a<2>moduled: Loaded module a for uid 0.ko is refused: it does
escape                         OriginRefused  /home/alice/\x1b[2J\x1b]0;title\x07\x1b[31m.ko is refused: it does not lie
invalid-utf8                   OriginRefused  /home/alice/\xff\xfe\xc3(\x80.ko is refused: it does not lie
right-to-left                  OriginRefused  /home/alice/\xe2\x80\xaeok.\xe2\x81\xa6\xc3\xa4.ko is refused: it does not lie
format                         OriginRefused  /home/alice/%s%n%n%n$(reboot)`reboot`'";.ko is refused: it does not lie
backslash                      OriginRefused  /home/alice/\\x0a\\.ko is refused: it does not lie
spaces                         OriginRefused  /home/alice/  \x09 .ko is refused: it does not lie
long                           OriginRefused  dddd... is refused: it does not lie in the directory of any origin
too-long                       OriginRefused  it has no path that the kernel could name
another-file-bound-over-it     OriginRefused  by origin modules: the file at that path in the origin's tree is another one
another-trusted-bound-over-it  OriginRefused  by origin modules: the file at that path in the origin's tree is another one
trusted-bound-elsewhere        OriginRefused  it does not lie in the directory of any origin
on-tmpfs                       OriginRefused  by origin modules: the file at that path in the origin's tree is another one
named-deleted                  OriginRefused  by origin modules: it is not, or no longer, in the origin's tree
in-chroot                      OriginRefused  it does not lie in the directory of any origin
in-pivoted-root                OriginRefused  by origin modules: the file at that path in the origin's tree is another one
on-detached-mount              OriginRefused  by origin modules: the file at that path in the origin's tree is another one
on-detached-clone              OriginRefused  it does not lie in the directory of any origin
on-unmounted                   OriginRefused  by origin modules: the file at that path in the origin's tree is another one
overlaid                       OriginRefused  by origin modules: the file at that path in the origin's tree is another one
overlaid-and-replaced          OriginRefused  by origin modules: the file at that path in the origin's tree is another one
image                          OriginRefused  it does not lie in the directory of any origin
image-bound-over-it            OriginRefused  by origin modules: the file at that path in the origin's tree is another one
END

case $(uname -r) in
[1-6].*) new=unavailable ;;
*) new=OriginRefused ;;
esac
check "alice passes files of namespaces that have one tree" as alice timeout 60 /guest/attack-dressed \
        in-namespace-of-tree in-namespace-of-trusted-tree in-namespace-of-mount
expect <<END
in-namespace-of-tree          $new
in-namespace-of-trusted-tree  $new
in-namespace-of-mount         $new
END

check "root passes what root can dress up for her" timeout 60 /guest/attack-dressed
expect <<'END'
overlaid-by-root                OriginRefused  by origin modules: the file at that path in the origin's tree is another one
overlaid-by-root-and-copied-up  OriginRefused  by origin modules: the file at that path in the origin's tree is another one
hers-mapped-to-root             OriginRefused  it does not lie in the directory of any origin
hers-mapped-to-root-over-it     OriginRefused  by origin modules: the file at that path in the origin's tree is another one
trusted-mapped-to-hers          OriginRefused  by origin modules: the file at that path in the origin's tree is another one
END

journal --output=cat >/run/case.journal
check "the journal has it" grep -Fq '/a\x0a<2>moduled' /run/case.journal
check "in nothing but printable ASCII" sh -c "! LC_ALL=C grep -n '[^ -~]' /run/case.journal"
cp /run/case.journal "$OUTPUT"
check_silent "and nobody has forged an entry" '^moduled: Loaded module a'

survived
umount /media/alice
rm -rf /home/alice/*.ko* /home/alice/forge /home/alice/image /home/alice/commands /home/alice/overlay /home/alice/root
finish
