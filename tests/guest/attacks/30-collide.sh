# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=sh
#
# Numbers that do not tell two files apart, and directories above the origin's that are not root's.

# shellcheck source=tests/guest/inside/lib.sh
. /guest/lib.sh
# shellcheck source=tests/guest/inside/attack-lib.sh
. /guest/attack-lib.sh

# An overlay over two subvolumes of one btrfs: it has one device number, and each subvolume counts inodes for itself. The
# trusted tree is in the one that is never written, with so many files that its numbers are ahead.
name=${DUMMY##*/}
mkdir -p /mnt/pool /opt/vendor
truncate --size=256M /run/pool.img
check "there is a btrfs" mkfs.btrfs -q /run/pool.img
check "and it is mounted" mount -o loop /run/pool.img /mnt/pool
for subvolume in lower upper; do
        check "with a subvolume $subvolume" btrfs subvolume create /mnt/pool/$subvolume
done
mkdir /mnt/pool/lower/modules /mnt/pool/lower/drop /mnt/pool/upper/data /mnt/pool/upper/work
chmod 1777 /mnt/pool/lower/drop
i=0
while [ $i -lt 100 ]; do
        : >/mnt/pool/lower/modules/$i
        i=$((i + 1))
done
cp "$DUMMY" /mnt/pool/lower/modules/
check "and an overlay over both" mount -t overlay overlay /opt/vendor -o \
        lowerdir=/mnt/pool/lower,upperdir=/mnt/pool/upper/data,workdir=/mnt/pool/upper/work

# Root's, but below directories that are alice's, everybody's, or reached by a link of hers.
for parent in hers everybodys linked; do
        mkdir -p /opt/$parent/modules
        cp "$DUMMY" /opt/$parent/modules/
done
chown alice: /opt/hers
chmod 1777 /opt/everybodys
ln -s /opt/linked /opt/link
chown -h alice: /opt/link

mkdir -p /etc/moduled.conf.d
cat >/etc/moduled.conf.d/50-case.conf <<'END'
[Origin vendor]
Directory=/opt/vendor/modules
[Origin hers]
Directory=/opt/hers/modules
[Origin everybodys]
Directory=/opt/everybodys/modules
[Origin link]
Directory=/opt/link/modules
END
systemctl try-reload-or-restart moduled.service
attack

check "alice makes files until the numbers collide" as alice timeout 60 /guest/attack-collide \
        "/opt/vendor/modules/$name" /opt/vendor/drop
expect <<'END'
collision              done
with-its-own-path      OriginRefused  does not lie in the directory of any origin
with-the-trusted-path  OriginRefused  by origin vendor: the file at that path in the origin's tree is another one
END
check "the trusted file itself is accepted" as alice modctl load "/opt/vendor/modules/$name"
check "unloaded" as alice modctl unload dummy

check "alice passes files below directories that are not root's" as alice /guest/attack-files \
        "below-hers=/opt/hers/modules/$name" "below-everybodys=/opt/everybodys/modules/$name" \
        "below-her-link=/opt/link/modules/$name" "past-her-link=/opt/linked/modules/$name"
expect <<'END'
below-hers        OriginRefused  by origin hers because of /opt/hers: on the way to the origin's directory
below-everybodys  OriginRefused  by origin everybodys because of /opt/everybodys: on the way to the origin's directory
below-her-link    OriginRefused  does not lie in the directory of any origin
past-her-link     OriginRefused  does not lie in the directory of any origin
END

survived
rm -r /etc/moduled.conf.d/50-case.conf /opt/hers /opt/everybodys /opt/linked /opt/link
systemctl reload moduled.service
umount /opt/vendor /mnt/pool
rm -r /run/pool.img /mnt/pool /opt/vendor
finish
