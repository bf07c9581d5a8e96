# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=sh
# timeout: 300
#
# What an origin requires of its filesystem: for each requirement one that meets it and several that nearly do.

# shellcheck source=tests/guest/inside/lib.sh
. /guest/lib.sh
# shellcheck source=tests/guest/inside/attack-lib.sh
. /guest/attack-lib.sh

PATH=$PATH:/usr/sbin
file=${DUMMY##*/}
work=/run/requirements
conf=/etc/moduled.conf.d/50-case.conf
mkdir -p $work/tree/modules /etc/moduled.conf.d
cp "$DUMMY" $work/tree/modules/
printf '[Limits]\nPromptsPerUser=8\n' >$conf
arguments=

# origin NAME [LINE…]: an origin /opt/NAME/modules with these lines, and an attempt with its file.
origin() {
        mkdir -p "/opt/$1"
        arguments="$arguments $1=/opt/$1/modules/$file"
        printf '[Origin %s]\nDirectory=/opt/%s/modules\n' "$1" "$1" >>$conf
        shift
        printf '%s\n' "$@" >>$conf
}

# verity NAME IMAGE: /dev/mapper/NAME, the image verified by a hash tree beside it.
verity() {
        check "veritysetup makes a hash tree for $1" veritysetup format "$2" "$2.hash"
        hash=$(sed -n 's/^Root hash:[[:space:]]*//p' "$OUTPUT")
        check "and a verified device of it" veritysetup open "$2" "$1" "$2.hash" "$hash"
}

# Images with the same tree: ext4, with and without verity for one file, squashfs, erofs.
truncate --size=16M $work/ext4
check "there is an ext4" mke2fs -q -t ext4 -b 4096 -O verity -d $work/tree $work/ext4
check "a squashfs" mksquashfs $work/tree $work/squashfs -all-root -quiet -no-progress
check "an erofs" mkfs.erofs --all-root $work/erofs $work/tree
# A backing file has one loop device, which a device above it keeps for itself: so each gets a copy.
cp $work/ext4 $work/writable
cp $work/ext4 $work/fs-verity

origin read-only Require=read-only
mount -o ro "$(losetup --find --show $work/ext4)" /opt/read-only
# A superblock that can be written, seen through a mount that cannot, and the other way round with the mount first.
origin writable Require=read-only
mount -o loop,rw $work/writable /opt/writable
origin bound-read-only Require=read-only
mount --bind /opt/writable /opt/bound-read-only
mount -o remount,bind,ro /opt/bound-read-only

origin verity-squashfs MountPoint=/opt/verity-squashfs FilesystemType=squashfs 'Require=dm-verity read-only'
verity vendor $work/squashfs
mount -o ro /dev/mapper/vendor /opt/verity-squashfs
origin verity-erofs MountPoint=/opt/verity-erofs FilesystemType=erofs 'Require=dm-verity read-only'
verity vendor2 $work/erofs
mount -o ro /dev/mapper/vendor2 /opt/verity-erofs
# The same image without being verified; devices that are called like verified ones; a filesystem above a verified one.
origin not-verified Require=dm-verity
cp $work/squashfs $work/not-verified
mount -o loop,ro $work/not-verified /opt/not-verified
origin linear Require=dm-verity
cp $work/squashfs $work/linear
device=$(losetup --find --show --read-only $work/linear)
check "there is a linear device with a name like verity's" dmsetup create --readonly CRYPT-VERITY-vendor \
        --table "0 $(blockdev --getsz "$device") linear $device 0"
mount -o ro /dev/mapper/CRYPT-VERITY-vendor /opt/linear
origin crypt Require=dm-verity
truncate --size=16M $work/crypt
check "and an encrypted one" sh -c "echo secret | cryptsetup open --type plain --cipher aes-xts-plain64 --key-size 256 \
        --hash sha256 $work/crypt CRYPT-VERITY-crypt"
check "with a filesystem" mke2fs -q -t ext4 -d $work/tree /dev/mapper/CRYPT-VERITY-crypt
mount -o ro /dev/mapper/CRYPT-VERITY-crypt /opt/crypt
origin over-verity Require=dm-verity
mount -t overlay -o "lowerdir=/opt/verity-squashfs:/opt/verity-erofs" overlay /opt/over-verity
origin bound-verity Require=dm-verity
mount --bind /opt/verity-squashfs /opt/bound-verity

# What the hash tree does not vouch for is not read at all.
origin corrupted Require=dm-verity
cp $work/erofs $work/corrupted
verity vendor3 $work/corrupted
python3 - $work/corrupted "$DUMMY" <<'END'
import sys
with open(sys.argv[1], "r+b") as image, open(sys.argv[2], "rb") as module:
    image.seek(image.read().index(module.read(64)))
    image.write(b"\0" * 64)
END
mount -o ro /dev/mapper/vendor3 /opt/corrupted

origin fs-verity Require=fs-verity
mount -o loop,rw $work/fs-verity /opt/fs-verity
mkdir /opt/fs-verity/modules/without
cp "$DUMMY" /opt/fs-verity/modules/without/
arguments="$arguments next-to-it=/opt/fs-verity/modules/without/$file"
check "one file has fs-verity" /guest/enable-verity "/opt/fs-verity/modules/$file"
origin no-fs-verity-at-all Require=fs-verity
mount -t tmpfs -o mode=0755 tmpfs /opt/no-fs-verity-at-all
cp -r $work/tree/modules /opt/no-fs-verity-at-all/

origin type-not-listed 'FilesystemType=squashfs erofs'
cp -r $work/tree/modules /opt/type-not-listed/
origin nothing-mounted MountPoint=/opt/nothing-mounted
cp -r $work/tree/modules /opt/nothing-mounted/
arguments="$arguments mounted-for-alice=/opt/nothing-mounted/modules/$file@/opt/nothing-mounted/modules"
origin something-else-mounted MountPoint=/opt/something-else-mounted FilesystemType=squashfs
mount -t tmpfs -o mode=0755 tmpfs /opt/something-else-mounted
cp -r $work/tree/modules /opt/something-else-mounted/
origin on-a-mount-below MountPoint=/opt/on-a-mount-below
mount -t tmpfs -o mode=0755 tmpfs /opt/on-a-mount-below
mkdir /opt/on-a-mount-below/modules
mount -t tmpfs -o mode=0755 tmpfs /opt/on-a-mount-below/modules
cp "$DUMMY" /opt/on-a-mount-below/modules/

systemctl try-reload-or-restart moduled.service
attack

# shellcheck disable=SC2086  # a list of words
check "alice passes files of each" as alice timeout 100 /guest/attack-files --unload $arguments
expect <<'END'
read-only               done
writable                OriginRefused  by origin writable: the origin has Require=read-only, and the superblock of its
bound-read-only         OriginRefused  by origin bound-read-only: the origin has Require=read-only, and the superblock of
verity-squashfs         done
verity-erofs            done
not-verified            OriginRefused  by origin not-verified: the origin has Require=dm-verity, and its filesystem is not on
linear                  OriginRefused  by origin linear: the origin has Require=dm-verity, and its filesystem is not on
crypt                   OriginRefused  with uuid CRYPT-PLAIN-CRYPT-VERITY-crypt
over-verity             OriginRefused  by origin over-verity: the origin has Require=dm-verity, and its filesystem is not on
bound-verity            done
corrupted               NotAModule|unavailable
fs-verity               done
next-to-it              OriginRefused  by origin fs-verity: the origin has Require=fs-verity, and the file does not have it
no-fs-verity-at-all     OriginRefused  by origin no-fs-verity-at-all: the origin has Require=fs-verity, and the file does not
type-not-listed         OriginRefused  is none of the origin's FilesystemType=
nothing-mounted         OriginRefused  the origin's MountPoint= is not mounted, or not what its Directory= is on
mounted-for-alice       OriginRefused  the origin's MountPoint= is not mounted, or not what its Directory= is on
something-else-mounted  OriginRefused  is none of the origin's FilesystemType=
on-a-mount-below        OriginRefused  the origin's MountPoint= is not mounted, or not what its Directory= is on
END

# A superblock is looked at for each request: the service sees nothing of a remount otherwise.
writable_again() {
        mount -o remount,rw /opt/read-only
}
check "the host makes the superblock writable" writable_again
check "alice passes the file" as alice /guest/attack-files "remounted=/opt/read-only/modules/$file"
expect <<'END'
remounted  OriginRefused  by origin read-only: the origin has Require=read-only, and the superblock of its
END
check "the host makes it read-only" mount -o remount,ro /opt/read-only
check "alice passes the file" as alice /guest/attack-files --unload "remounted=/opt/read-only/modules/$file"
expect <<'END'
remounted  done
END

# The same while a prompt is open, for somebody whom no rule allows to do without.
attacker_begins carol 100 /guest/attack-time "leaves=/opt/bound-verity/modules/$file" \
        "remounted=/opt/read-only/modules/$file" "mounted-over=/opt/verity-squashfs/modules/$file" \
        "unmounted=/opt/verity-erofs/modules/$file"
check "prompts open" attacker_says 60 '^prompted$'
writable_again
mount -o ro $work/not-verified /opt/verity-squashfs
umount --lazy /opt/verity-erofs
attacker_is_told leave
check "somebody gives the password" /guest/answer-prompts carol <"$ATTACKER"
attacker_is_told answer
attacker_ends "all are answered"
grep -v '^prompt' "$ATTACKER" >"$OUTPUT"
expect <<'END'
remounted     OriginRefused  by origin read-only: the origin has Require=read-only, and the superblock of its
mounted-over  OriginRefused  by origin verity-squashfs: the file at that path in the origin's tree is another one
unmounted     OriginRefused  it does not lie in the directory of any origin
leaves        cancelled
END
check "what is verified no more is refused" as alice /guest/attack-files \
        "not-verified-any-more=/opt/verity-squashfs/modules/$file" "not-mounted-any-more=/opt/verity-erofs/modules/$file"
expect <<'END'
not-verified-any-more  OriginRefused  by origin verity-squashfs: the origin has Require=dm-verity, and its filesystem is
not-mounted-any-more   unavailable
END

survived
rm $conf
systemctl reload moduled.service
umount /opt/verity-squashfs
for place in over-verity bound-verity verity-squashfs read-only bound-read-only writable not-verified linear crypt corrupted \
                fs-verity no-fs-verity-at-all something-else-mounted on-a-mount-below/modules on-a-mount-below; do
        umount /opt/$place
done
for name in CRYPT-VERITY-vendor CRYPT-VERITY-crypt vendor vendor2 vendor3; do
        dmsetup remove $name
done
losetup --detach-all
rm -r $work /opt/*
finish
