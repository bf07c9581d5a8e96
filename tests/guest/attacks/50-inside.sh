# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=sh
#
# Files in an origin's tree, where something on the way to them is not root's alone or not in the tree.

# shellcheck source=tests/guest/inside/lib.sh
. /guest/lib.sh
# shellcheck source=tests/guest/inside/attack-lib.sh
. /guest/attack-lib.sh

tree=/opt/inside/modules
file=${DUMMY##*/}
mkdir -p $tree /opt/elsewhere /etc/moduled.conf.d
cp "$DUMMY" /opt/elsewhere/
arguments=

# put KIND [OWNER [MODE [OWNER-OF-DIRECTORY [MODE-OF-DIRECTORY]]]]: a file, in a directory of its own, and an attempt.
put() {
        mkdir $tree/"$1"
        cp "$DUMMY" $tree/"$1"/
        chown "${2-root:root}" $tree/"$1/$file"
        chmod "${3-0644}" $tree/"$1/$file"
        chown "${4-root:root}" $tree/"$1"
        chmod "${5-0755}" $tree/"$1"
        arguments="$arguments $1=$tree/$1/$file"
}

# acl PERMISSIONS MASK PATH: what setfacl would do, for alice; see acl(5) and the kernel's posix_acl_xattr.h.
acl() {
        python3 -c '
import os, pwd, struct, sys
alice = pwd.getpwnam("alice").pw_uid
entries = (1, 6, -1), (2, int(sys.argv[1]), alice), (4, 4, -1), (16, int(sys.argv[2]), -1), (32, 4, -1)
os.setxattr(sys.argv[3], "system.posix_acl_access",
            struct.pack("<I", 2) + b"".join(struct.pack("<HHi", *entry) for entry in entries))' "$@"
}

put roots
put alices-group root:alice 0640
put hers alice:alice
put hers-and-read-only alice:alice 0444
put group-writable root:root 0664
put world-writable root:root 0646
put in-hers root:root 0644 alice:alice
put in-group-writable root:root 0644 root:alice 0775
put in-world-writable root:root 0644 root:root 0757
put in-sticky root:root 0644 root:root 1777
put writable-by-acl
acl 6 6 "$tree/writable-by-acl/$file"
put acl-is-masked
acl 6 4 "$tree/acl-is-masked/$file"
put in-writable-by-acl
acl 7 7 $tree/in-writable-by-acl
# Higher up than the file's own directory.
put below-hers
chown -R alice: $tree/below-hers
mkdir -m 0755 $tree/below-hers/roots
cp "$DUMMY" $tree/below-hers/roots/
arguments="$arguments below-hers/roots=$tree/below-hers/roots/$file"
# Links: to another tree, within the tree, and a way past one by a mount of the caller's.
ln -s /opt/elsewhere $tree/link-out
ln -s roots $tree/link-within
ln -s "../roots/$file" "$tree/in-hers/link.ko"
arguments="$arguments link-out=$tree/link-out/$file link-within=$tree/link-within/$file"
arguments="$arguments link-in-hers=$tree/in-hers/link.ko link-is-mounted-over=$tree/roots/$file@$tree/link-within"
# Other mounts in the tree: another filesystem, and another mount of the same one.
put on-another-filesystem
mount -t tmpfs -o mode=0755 tmpfs $tree/on-another-filesystem
cp "$DUMMY" $tree/on-another-filesystem/
put on-another-mount
mount --bind $tree/roots $tree/on-another-mount

printf '[Origin inside]\nDirectory=%s\n' $tree >/etc/moduled.conf.d/50-case.conf
systemctl try-reload-or-restart moduled.service
attack

# shellcheck disable=SC2086  # a list of words
check "alice passes files in the tree" as alice timeout 60 /guest/attack-files --unload $arguments
# What belongs to root alone is accepted; that group or an entry of an ACL may read it changes nothing.
expect <<END
roots                  done
alices-group           done
hers                   OriginRefused  by origin inside: it does not belong to root alone
hers-and-read-only     OriginRefused  by origin inside: it does not belong to root alone
group-writable         OriginRefused  by origin inside: it does not belong to root alone
world-writable         OriginRefused  by origin inside: it does not belong to root alone
in-hers                OriginRefused  by origin inside because of $tree/in-hers: it does not belong to root alone
in-group-writable      OriginRefused  by origin inside because of $tree/in-group-writable: it does not belong
in-world-writable      OriginRefused  by origin inside because of $tree/in-world-writable: it does not belong
in-sticky              OriginRefused  by origin inside because of $tree/in-sticky: it does not belong
writable-by-acl        OriginRefused  by origin inside: it does not belong to root alone
acl-is-masked          done
in-writable-by-acl     OriginRefused  by origin inside because of $tree/in-writable-by-acl: it does not belong
below-hers             OriginRefused  by origin inside because of $tree/below-hers: it does not belong
below-hers/roots       OriginRefused  by origin inside because of $tree/below-hers: it does not belong
link-out               OriginRefused  /opt/elsewhere/$file is refused: it does not lie in the directory of any origin
link-within            done
link-in-hers           done
link-is-mounted-over   OriginRefused  by origin inside because of $tree/link-within: it is a symbolic link
on-another-filesystem  OriginRefused  by origin inside because of $tree/on-another-filesystem: it is on another mount
on-another-mount       OriginRefused  by origin inside because of $tree/on-another-mount: it is on another mount
END

survived
umount $tree/on-another-filesystem $tree/on-another-mount
rm -r /etc/moduled.conf.d/50-case.conf /opt/inside /opt/elsewhere
systemctl reload moduled.service
finish
