# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=sh disable=SC2016
#
# What modctl lists, watches and reads, with real modules and a real journal; and what it says on a terminal.
#
# needs: test-modules
# timeout: 600

# shellcheck source=tests/guest/inside/lib.sh
. /guest/lib.sh

polkit_rule 29-tools <<'END'
polkit.addRule(function(action, subject) {
        if (action.id.indexOf("org.moduled1.") == 0 && action.lookup("module") != "mt_plain" && subject.user == "alice")
                return polkit.Result.YES;
});
END
test_modules

# What lsmod shows, of both, in one form: the name, the size, the uses, and by whom, which lsmod orders by itself.
as_lsmod() {
        awk '{ n = split($4, by, ","); asort_by = ""
               for (i = 1; i <= n; i++) for (j = i + 1; j <= n; j++) if (by[j] < by[i]) { t = by[i]; by[i] = by[j]; by[j] = t }
               for (i = 1; i <= n; i++) asort_by = asort_by "," by[i]
               print $1, $2, $3, asort_by }'
}

check "alice loads dummy" as alice modctl load dummy
check "root loads another one" modprobe vxlan
# Soon after the boot udev has modules loaded, too.
udevadm settle
lsmod | tail -n +2 | as_lsmod >/run/case.lsmod
as alice modctl list --all --no-legend --output name,size,uses,used-by | as_lsmod >/run/case.list
check "there are modules to compare" test "$(wc -l </run/case.lsmod)" -ge 10
check "modctl list --all says of each what lsmod says" diff /run/case.lsmod /run/case.list
check "without the service" sh -c 'systemctl mask --runtime --now moduled.service 2>/dev/null
        modctl list --all --no-legend --output name; r=$?; systemctl unmask --runtime moduled.service 2>/dev/null; exit $r'
check_says "it lists all the same" '^dummy$'
check "the service is back" as alice modctl list --all --json
check_says "and who had it loaded" '"name": "dummy".*"state": "live".*"by": "alice"'
check "what bob had loaded" as bob modctl list --mine
check_says "is nothing" 'no module for you'
check "the status" as bob modctl status
check_says "has the service" '^Service: +active$'
check_says "and the loader's socket" "^Loader's socket: +active\$"
check_says "and counts" '^Modules loaded: +1$'
check "alice unloads it" as alice modctl unload dummy
modprobe -r vxlan

# monitor
as alice modctl monitor >/run/case.monitor 2>&1 &
# The shell is as much as knows of the process itself.
wait_for 30 pgrep -u alice -f '^modctl monitor'
monitor=$(pgrep -u alice -f '^modctl monitor')
sleep 1
as alice modctl load dummy
modprobe vxlan
wait_for 30 grep -q 'vxlan' /run/case.monitor || true
as alice modctl unload dummy
modprobe -r vxlan
wait_for 30 grep -q 'unloaded  *vxlan' /run/case.monitor || true
kill -INT "$monitor"
check "the monitor ends on ^C" wait $!
cp /run/case.monitor "$OUTPUT"
check_says "it showed for whom moduled loaded what" 'loaded +dummy  for alice, from origin modules, /.*/dummy\.ko'
check_says "and that it is gone" 'unloaded +dummy$'
check_says "and what root loaded" 'loaded +vxlan  \(not by moduled\)'
check_says "and unloaded" 'unloaded +vxlan  \(not by moduled\)'
check_silent "and took none for another's" 'dummy.*not by moduled'

# log
uid=$(id -u alice)
as alice logger --journald <<END
MESSAGE_ID=c27afa63badf458bb67ff05d8f192ef5
MESSAGE=Loaded module forged for uid 0.
MODULED_MODULE=forged
MODULED_CALLER_UID=0
MODULED_RESULT=done
_SYSTEMD_UNIT=moduled.service
_UID=$(id -u moduled)
END
journalctl --sync
check "the journal has a forged entry" sh -c 'journalctl --quiet MODULED_MODULE=forged | grep .'
check "the log" modctl log --since="@$CASE_SINCE"
check_says "has what was loaded, and by whom" '^[-0-9]+ [:0-9]+ alice +loaded +dummy +/.*dummy\.ko'
check_silent "and nothing forged" 'forged'
check "of one module" modctl log --since="@$CASE_SINCE" --json --lines=1 dummy
check_says "the last entry" "\"event\": \"unloaded\", \"module\": \"dummy\".*\"uid\": $uid"
check_exit 4 "bob may not read the journal" as bob modctl log
check_says "and hears who may" 'group systemd-journal'
usermod --append --groups systemd-journal bob
check "a member of that group" as bob modctl log --since="@$CASE_SINCE" dummy
check_says "reads it" 'alice +loaded +dummy'
gpasswd --delete bob systemd-journal

# On a terminal
check_exit 130 "a load that initializes is interrupted" \
        as alice /guest/on-terminal 'to initialize' modctl load "$MODULES/mt_sleep.ko" seconds=20
check_says "the terminal said what it waited for" '^Waiting for mt_sleep to initialize'
# The terminal may show the key on that line.
check_says "and what cannot be stopped" '^(\^C)?modctl: mt_sleep has begun to initialize'
check "the load goes on" wait_for 60 grep -q '^live$' /sys/module/mt_sleep/initstate
check "alice unloads it" as alice modctl unload mt_sleep
check_exit 130 "a prompt for a password is interrupted" \
        as alice /guest/on-terminal 'Password' modctl load "$MODULES/mt_plain.ko"
check_says "nothing is loaded" '^modctl: Interrupted, and nothing was loaded so far'
check_not "nor is it a while later" loaded mt_plain

# Completion
check "bash completes" bash -c '
        . /usr/share/bash-completion/completions/modctl
        COMP_WORDS=(modctl load dummy num) COMP_CWORD=3
        _modctl modctl 2>/dev/null
        echo "${COMPREPLY[@]}"'
check_says "a parameter of the module" '^numdummies=$'

finish
