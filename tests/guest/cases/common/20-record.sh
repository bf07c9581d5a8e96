# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=sh
#
# What the journal has of a load, a refusal and a failure.

# shellcheck source=tests/guest/inside/lib.sh
. /guest/lib.sh

polkit_rule 20-record <<'END'
polkit.addRule(function(action, subject) {
        if (action.id.indexOf("org.moduled1.") == 0 && subject.user == "alice")
                return polkit.Result.YES;
});
END

# field NAME: of the newest entry about a request.
field() {
        journalctl --sync
        journalctl --quiet --since="@$CASE_SINCE" --unit=moduled.service --output=json _COMM=moduled | grep MODULED_RESULT |
                tail -n 1 | python3 -c 'import json, sys; print(json.load(sys.stdin).get(sys.argv[1], ""))' "$1"
}

# check_field NAME VALUE
check_field() {
        got=$(field "$1")
        check "$1 is $2" test "$got" = "$2"
}

uid=$(id -u alice)
canonical=$(readlink -f "$DUMMY")

check "a load" as alice modctl load "$DUMMY" numdummies=1
check_field MODULED_RESULT "done"
check_field MODULED_MODULE dummy
check_field MODULED_PATH "$canonical"
check_field MODULED_ORIGIN modules
check_field MODULED_PARAMETERS numdummies=1
check_field MODULED_CALLER_UID "$uid"
check_field MODULED_CALLER_UNIT moduled-guest.service
check_field MESSAGE_ID c27afa63badf458bb67ff05d8f192ef5
check_field PRIORITY 5
check "the caller's process is named" test "$(field MODULED_CALLER_PID)" -gt 1

check "an unload" as alice modctl unload dummy
check_field MODULED_RESULT "done"
check_field MESSAGE_ID 4d7966bc4e074379b748adbb9f35cc4d

# The path is the user's to choose: it must not be able to forge an entry.
evil=$(printf '/home/alice/a\nMODULED_RESULT=done\n\033[31m.ko')
cp "$DUMMY" "$evil"
chown alice: "$evil"
check_exit 3 "a refusal" as alice modctl load "$evil"
check_field MODULED_RESULT org.moduled1.Error.OriginRefused
check_field MODULED_PATH '/home/alice/a\x0aMODULED_RESULT=done\x0a\x1b[31m.ko'
check_field MESSAGE_ID a5296f9c60fb4d918dd11e3a0ce70312
check_field PRIORITY 4
rm "$evil"

check_exit 1 "a failure" as alice modctl unload dummy
check_field MODULED_RESULT org.moduled1.Error.NotLoaded
check_field MESSAGE_ID 51df86eabf164baea95963787178c414

check "the catalog explains it" journalctl --quiet --since="@$CASE_SINCE" --unit=moduled.service --catalog
check_says "in words" 'moduled loaded the kernel module dummy'

# A journald that does not read must not stop the broker.
systemctl kill --signal=SIGSTOP systemd-journald.service
refused=0
for _ in $(seq 40); do
        as alice modctl load --no-ask-password /etc/hostname >/dev/null 2>&1 || refused=$((refused + 1))
done
check "with journald stopped the daemon still answers" as alice modctl load "$DUMMY"
check "and unloads" as alice modctl unload dummy
systemctl kill --signal=SIGCONT systemd-journald.service
check "forty refusals were answered meanwhile" test "$refused" -eq 40

finish
