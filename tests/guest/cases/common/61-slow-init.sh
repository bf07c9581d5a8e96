# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=sh
#
# A module whose init takes its time keeps nobody waiting but its caller.
#
# needs: test-modules
# timeout: 240

# shellcheck source=tests/guest/inside/lib.sh
. /guest/lib.sh

polkit_rule 61-slow-init <<'END'
polkit.addRule(function(action, subject) {
        if (action.id.indexOf("org.moduled1.") == 0 && subject.user == "alice")
                return polkit.Result.YES;
});
END
test_modules

# begin PARAMETERS: loads mt_sleep in the background, and comes back when its init is under way.
begin() {
        as alice /guest/load-descriptor file "$MODULES/mt_sleep.ko" "$1" >/run/case.sleeper 2>&1 &
        sleeper=$!
        wait_for 30 initializing
}

initializing() {
        grep -q '^coming$' /sys/module/mt_sleep/initstate
}

# The sleeper's answer: STATUS DESCRIPTION.
ends() {
        STATUS=0
        wait "$sleeper" || STATUS=$?
        cp /run/case.sleeper "$OUTPUT"
        cat "$OUTPUT"
        check "$2" test "$STATUS" -eq "$1"
        cp /run/case.sleeper "$OUTPUT"
}

check "the services are up" as alice modctl load "$MODULES/mt_plain.ko"
check "and unload" as alice modctl unload mt_plain

begin seconds=25
check "meanwhile another module loads" as alice modctl load "$MODULES/mt_plain.ko"
check "and unloads" as alice modctl unload mt_plain
check_exit 1 "the same one is refused" as alice modctl load "$MODULES/mt_sleep.ko"
check_says "because its init is under way" 'just being initialized'
check "it still is" initializing
ends 0 "in the end its caller is answered"
check_says "with the module's object" '^/org/moduled1/module/mt_5fsleep$'
check "it is loaded" as alice modctl unload mt_sleep

# Longer than the unit's TimeoutStopSec=.
begin seconds=15
check "meanwhile the broker is restarted" systemctl restart moduled.service
ends 0 "a load that has begun is seen through"
check_says "and its caller is answered" '^/org/moduled1/module/mt_5fsleep$'
check "the one that was started knows it" as alice modctl unload mt_sleep

# Its child in the system call is killed: the caller hears of it, nothing else happens.
loader=$(systemctl show --property=MainPID --value moduled-loader.service)
begin "seconds=500 killable=1"
check "the loader's child is killed" pkill -KILL --parent "$loader"
ends 1 "its caller is answered"
check_says "that the loader crashed" '^org.moduled1.Error.LoaderCrashed$'
check "the loader did not" test "$loader" -eq "$(systemctl show --property=MainPID --value moduled-loader.service)"
check "the kernel has let go of the module" wait_for 30 sh -c '! test -e /sys/module/mt_sleep'
check "and loads it anew" as alice modctl load "$MODULES/mt_sleep.ko" seconds=0
rmmod mt_sleep

finish
