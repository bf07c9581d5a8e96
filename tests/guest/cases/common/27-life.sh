# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=sh disable=SC2016
#
# When the services come and go, and what they know afterwards.

# shellcheck source=tests/guest/inside/lib.sh
. /guest/lib.sh

polkit_rule 27-life <<'END'
polkit.addRule(function(action, subject) {
        if (action.id.indexOf("org.moduled1.") == 0 && subject.user == "alice")
                return polkit.Result.YES;
});
END

object_is_there() {
        busctl get-property org.moduled1 /org/moduled1/module/dummy org.moduled1.Module Name
}
object_is_gone() {
        ! object_is_there
}

check "loaded" as alice modctl load "$DUMMY"
check "it has an object" object_is_there
rmmod dummy
check "what somebody else unloads disappears" wait_for 30 object_is_gone
check "what somebody else loads" modprobe dummy
check_not "is not ours" object_is_there
check "unloading it is another matter" as alice modctl unload dummy

mkdir -p /etc/moduled.conf.d
printf '[Limits]\nIdleSec=1\n' >/etc/moduled.conf.d/27-life.conf
systemctl restart moduled.service
check "loaded" as alice modctl load "$DUMMY"
check "the broker leaves when nobody calls" wait_for 30 sh -c \
        'test "$(systemctl show --property=ActiveState --value moduled.service)" = inactive'
check "in peace" test "$(systemctl show --property=Result --value moduled.service)" = success
check "the next call starts it" object_is_there
check "and it knows who loaded what" busctl get-property org.moduled1 /org/moduled1/module/dummy \
        org.moduled1.Module LoadedBy
check_says "alice did" "^u $(id -u alice)\$"

# Calls that come at any moment of its leaving.
lost=0
for pause in 0.2 0.5 0.8 1.0 1.1 1.3 1.6 1.9 2.1; do
        sleep $pause
        object_is_there >/dev/null 2>&1 || lost=$((lost + 1))
done
check "no call is lost because it is just leaving" test $lost -eq 0
rm /etc/moduled.conf.d/27-life.conf
rmdir /etc/moduled.conf.d
systemctl restart moduled.service
check "unloaded" as alice modctl unload dummy

inspector=$(pgrep -P "$(systemctl show --property=MainPID --value moduled.service)")
kill -KILL "$inspector"
check "with the inspector killed, the next call is served" wait_for 30 as alice modctl load "$DUMMY"
check "and the one after it" as alice modctl unload dummy

finish
