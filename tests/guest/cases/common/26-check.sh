# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=sh disable=SC2016
# timeout: 600
#
# What Check says of files, and that it does nothing.

# shellcheck source=tests/guest/inside/lib.sh
. /guest/lib.sh

cat >/run/case.check.py <<'END'
import os, sys
sys.path.insert(0, "/guest")
from attacker import Caller, GLib
caller = Caller()
fd = os.open(sys.argv[1], os.O_RDONLY)
outcome, answer = caller.call(caller.message("Check", GLib.Variant("(h)", (0,)), [fd]))
print(outcome)
for key, value in (sorted(answer[0].items()) if outcome == "done" else []):
    print(f"{key}={value}")
END
chmod 0644 /run/case.check.py

busctl monitor org.freedesktop.PolicyKit1 >/run/case.polkit 2>&1 &
monitor=$!
wait_for 30 grep -q Monitoring /run/case.polkit
check "a module" as bob python3 /run/case.check.py "$DUMMY"
check_says "is accepted" '^Accepted=True$'
check_says "by its origin" '^Origin=modules$'
check_says "its path is told" "^Path=$(readlink -f "$DUMMY" | sed -e 's/[.+]/\\&/g')\$"
check_says "and its filesystem" '^FilesystemType=ext4$'
check_says "what could be required is told" "'read-only', False, False, 'read-write'"
check_says "what it says of itself, too" '^License=GPL$'
check_says "its parameters" "'numdummies', 'int'"
check_says "the kernel's signature" '^Signed=True$'
check_not "nothing was loaded" loaded dummy

cp "$DUMMY" /home/bob/
chown bob: /home/bob/dummy.ko*
check "a file of one's own" as bob python3 /run/case.check.py "/home/bob/${DUMMY##*/}"
check_says "is not accepted" '^Accepted=False$'
check_says "by name" '^Error=org.moduled1.Error.OriginRefused$'
check_silent "and not looked into" '^(License|Name|Parameters)='
rm /home/bob/dummy.ko*

modprobe dummy
check "a module that is loaded" as bob python3 /run/case.check.py "$DUMMY"
check_says "is told so" '^Error=org.moduled1.Error.AlreadyLoaded$'
check_says "with what the file says" '^License=GPL$'
rmmod dummy

check "of every module it says what modinfo says" as bob /guest/check-all
check_silent "without a difference" ' (is|: org)'
# shellcheck disable=SC2154
echo "# $(tail -n 1 "$OUTPUT")" >&3
kill "$monitor"
check_not "polkit was not asked" grep -q Member=CheckAuthorization /run/case.polkit

broker=$(systemctl show --property=MainPID --value moduled.service)
inspector=$(pgrep -P "$broker")
check "no inspector's child is left" wait_for 30 sh -c "! pgrep -P $inspector"

finish
