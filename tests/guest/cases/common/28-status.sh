# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=sh
#
# What `systemctl status moduled` says of the work at hand.
#
# needs: test-modules

# shellcheck source=tests/guest/inside/lib.sh
. /guest/lib.sh

polkit_rule 28-status <<'END'
polkit.addRule(function(action, subject) {
        if (action.id.indexOf("org.moduled1.") == 0 && subject.user == "alice")
                return polkit.Result.YES;
});
END
test_modules

# stands REQUESTS MODULES: the service manager knows.
stands() {
        test "$(systemctl show --property=StatusText --value moduled.service)" = \
                "Requests in progress: $1. Modules loaded: $2."
}

check "the daemon is started" as alice modctl list
check "it says that there is nothing to do" wait_for 30 stands 0 0
check "a module is loaded" as alice modctl load "$MODULES/mt_plain.ko"
check "that is told" wait_for 30 stands 0 1
check "systemctl status shows it" systemctl --no-pager status moduled.service
check_says "to whoever looks" 'Status: "Requests in progress: 0\. Modules loaded: 1\."'

as alice modctl load "$MODULES/mt_sleep.ko" seconds=500 killable=1 &
sleeper=$!
check "a request that lasts is told" wait_for 60 stands 1 1
check "until it ends" wait_for 60 pkill -KILL --parent "$(systemctl show --property=MainPID --value moduled-loader.service)"
check "which is told, too" wait_for 60 stands 0 1
wait "$sleeper" || true

# Requests begin and end faster than the service manager is told.
for _ in 1 2 3 4 5 6 7 8; do
        as alice modctl load --quiet "$MODULES/mt_plain.ko" &
        pids="${pids-} $!"
done
# shellcheck disable=SC2086  # a list of numbers
wait $pids
check "after many requests at a time what is told is true" wait_for 30 stands 0 1
systemctl kill --signal=SIGKILL moduled.service
check "a daemon that is started anew" as alice modctl list
check "knows what was loaded" wait_for 30 stands 0 1
check "it is unloaded" as alice modctl unload mt_plain
check "that is told" wait_for 30 stands 0 0

check "somebody else loads a module" modprobe dummy
check "and moduled one" as alice modctl load "$MODULES/mt_plain.ko"
check "only that is counted" wait_for 30 stands 0 1
rmmod mt_plain dummy
check "and so is that somebody else has unloaded it" wait_for 30 stands 0 0

finish
