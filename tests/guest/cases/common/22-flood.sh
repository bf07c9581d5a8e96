# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=sh
#
# Refusals without end do not push what was loaded out of the journal.

# shellcheck source=tests/guest/inside/lib.sh
. /guest/lib.sh

polkit_rule 22-flood <<'END'
polkit.addRule(function(action, subject) {
        if (action.id.indexOf("org.moduled1.") == 0 && subject.user == "alice")
                return polkit.Result.YES;
});
END

cat >/home/alice/flood.py <<'END'
import sys

import dbus

manager = dbus.Interface(dbus.SystemBus().get_object("org.moduled1", "/org/moduled1"), "org.moduled1.Manager")
refused = 0
with open("/etc/hostname", "rb") as file:
    for _ in range(int(sys.argv[1])):
        try:
            manager.Load(dbus.types.UnixFd(file), "", dbus.UInt64(0))
        except dbus.DBusException as error:
            refused += error.get_dbus_name() == "org.moduled1.Error.OriginRefused"
print("refused:", refused)
END

# entries ID FIELD: that field of each entry of this kind.
entries() {
        journalctl --quiet --since="@$CASE_SINCE" --output=json "MESSAGE_ID=$1" _COMM=moduled |
                python3 -c 'import json, sys
for line in sys.stdin:
    print(json.loads(line).get(sys.argv[1], ""))' "$2"
}

# What other cases had refused is summed up now, and not counted here.
systemctl stop moduled.service
sleep 1
CASE_SINCE=$(date +%s)

check "a program asks two hundred times for what is refused" as alice python3 flood.py 200
check_says "and is answered each time" '^refused: 200$'
check "then a module is loaded" as alice modctl load "$DUMMY"
check "and unloaded" as alice modctl unload dummy
# What has only been counted is said when the service leaves, at the latest.
systemctl stop moduled.service
journalctl --sync

written=$(entries a5296f9c60fb4d918dd11e3a0ce70312 MODULED_RESULT | grep -c OriginRefused || true)
counted=$(entries 6a1fc0b6531d47e29db7887e7752a0b0 MODULED_SUPPRESSED | awk '{ n += $1 } END { print n + 0 }')
echo "written: $written, counted: $counted"
check "some refusals are in the journal one by one" test "$written" -ge 20
check "most are not" test "$written" -le 60
check "none is forgotten" test $((written + counted)) -eq 200
check "the sums name the user" test "$(entries 6a1fc0b6531d47e29db7887e7752a0b0 MODULED_CALLER_UID | sort -u)" = "$(id -u alice)"
check "the load is there" test "$(entries c27afa63badf458bb67ff05d8f192ef5 MODULED_MODULE)" = dummy
check "and the unload" test "$(entries 4d7966bc4e074379b748adbb9f35cc4d MODULED_MODULE)" = dummy
check "the catalog explains the sums" journalctl --quiet --since="@$CASE_SINCE" --catalog \
        MESSAGE_ID=6a1fc0b6531d47e29db7887e7752a0b0
check_says "in words" 'of these requests are not'

rm /home/alice/flood.py
finish
