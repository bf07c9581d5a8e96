# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=sh
# timeout: 300
#
# What modprobe.d says holds for moduled, too.

# shellcheck source=tests/guest/inside/lib.sh
. /guest/lib.sh

blocks=/lib/modules/$(uname -r)/kernel/drivers/block
brd=$(echo "$blocks"/brd.ko*)
null_blk=$(echo "$blocks"/null_blk/null_blk.ko*)
conf=/etc/modprobe.d/moduled-test.conf
dropin=/run/systemd/system/moduled.service.d

# Parameters of her own would need more than this allows alice.
polkit_rule 55-modprobe <<'END'
polkit.addRule(function(action, subject) {
        if (subject.user == "alice" && (action.id == "org.moduled1.load" || action.id == "org.moduled1.unload"))
                return polkit.Result.YES;
        if (subject.user == "bob" && action.id.indexOf("org.moduled1.") == 0)
                return polkit.Result.YES;
});
END

load() {
        as alice modctl load --no-ask-password "$@"
}

# loads FILE NAME: and unloads again.
loads() {
        check "$2 loads" load "$1"
        check "and is unloaded" as alice modctl unload "$2"
}

echo 'blacklist null-blk' >"$conf"
check_exit 3 "a blacklisted module is refused" load "$null_blk"
check_says "by the name of the file that says so" "$conf"
loads "$DUMMY" dummy

echo 'install dummy /bin/false' >"$conf"
check_exit 3 "one with an install command is refused" load "$DUMMY"
check_says "by the name of the file" "$conf"
check_exit 3 "root is refused, too" modctl load "$DUMMY"
echo 'install du*y /sbin/modprobe --ignore-install dummy' >"$conf"
check_exit 3 "whatever the command is, and by a pattern" load "$DUMMY"

mkdir -p /usr/local/lib/modprobe.d
echo 'blacklist dummy' >/usr/local/lib/modprobe.d/moduled-test.conf
echo '# nothing' >"$conf"
loads "$DUMMY" dummy
rm "$conf"
check_exit 3 "what the administrator's file hid holds again without it" load "$DUMMY"
check_says "by the name of the other file" /usr/local/lib/modprobe.d/moduled-test.conf
rm /usr/local/lib/modprobe.d/moduled-test.conf

echo '# nothing' >"$conf"
chmod 0600 "$conf"
check_exit 3 "a file that only root can read refuses everything" load "$DUMMY"
check_says "by its name" "$conf"
chmod 0644 "$conf"
loads "$DUMMY" dummy

echo 'options brd rd_nr=1 no_such=1' >"$conf"
check "options need no authorization of hers" load "$brd"
check "they are given to the module" test "$(cat /sys/module/brd/parameters/rd_nr)" = 1
check_not "the kernel does not hear of what the module does not have" \
        sh -c "dmesg | grep 'brd: unknown parameter'"
journalctl --sync
check "the journal does" sh -c "journalctl --quiet --since=@$CASE_SINCE --unit=moduled.service | grep no_such"
# udev opens a new block device for a moment.
udevadm settle --timeout=60
check "unloaded" as alice modctl unload brd
check_not "a caller cannot give what an option gives" as bob modctl load "$brd" rd_nr=2
check_says "the file is named" "$conf"
check_not "whether with - or _" as bob modctl load "$brd" rd-nr=2
check_not "and it is not loaded" test -e /sys/module/brd/initstate
check "others he can give" as bob modctl load "$brd" rd_size=1024
check "they go with the options" \
        test "$(cat /sys/module/brd/parameters/rd_nr /sys/module/brd/parameters/rd_size)" = "1
1024"
udevadm settle --timeout=60
check "unloaded" as bob modctl unload brd
rm "$conf"

# As on a kernel that was booted with it, for moduled alone.
echo 'quiet modprobe.blacklist=null-blk,dummy brd.rd_nr=1' >/run/case.cmdline
mkdir -p "$dropin"
printf '[Service]\nBindReadOnlyPaths=/run/case.cmdline:/proc/cmdline\n' >"$dropin/55-modprobe.conf"
systemctl daemon-reload
systemctl restart moduled.service
check_exit 3 "modprobe.blacklist= on the kernel's command line counts" load "$DUMMY"
check_says "and is named" /proc/cmdline
check_exit 3 "for each name in it" load "$null_blk"
check "an option there is given to its module" load "$brd"
check "with its value" test "$(cat /sys/module/brd/parameters/rd_nr)" = 1
udevadm settle --timeout=60
check "unloaded" as alice modctl unload brd
rm "$dropin/55-modprobe.conf"

# As if it was not installed, for moduled alone; modprobe and udev have it still.
library=$(ldconfig -p | sed -n 's/^.*libkmod\.so\.2 .* => //p' | head -n 1)
printf '[Service]\nInaccessiblePaths=%s\n' "$(realpath "$library")" >"$dropin/55-modprobe.conf"
systemctl daemon-reload
systemctl restart moduled.service
check_exit 3 "without libkmod nothing is loaded" load "$DUMMY"
check_says "it is named" 'cannot load libkmod.*install it'
rm -r "$dropin"
systemctl daemon-reload
systemctl restart moduled.service
loads "$DUMMY" dummy

finish
