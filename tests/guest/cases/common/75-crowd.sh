# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=sh disable=SC2016
#
# Five hundred callers of ten users at once, half of them hostile. The honest get the right answers, and nothing stays.
#
# needs: test-modules
# timeout: 900

# shellcheck source=tests/guest/inside/lib.sh
. /guest/lib.sh

EACH=50 # callers of a user's

test_modules
for i in 0 1 2 3 4; do
        useradd "honest$i"
        useradd "hostile$i"
done
polkit_rule 75-crowd <<'END'
polkit.addRule(function(action, subject) {
        if (action.id.indexOf("org.moduled1.") == 0 && subject.user.indexOf("honest") == 0)
                return polkit.Result.YES;
});
END
printf '[Limits]\nIdleSec=600\n' >/etc/moduled.conf.d/75-crowd.conf
systemctl reload-or-restart moduled.service
check "one module is loaded before" modctl load "$MODULES/mt_plain.ko"

lib=/lib/modules/$(uname -r)/kernel/lib
suffix=${DUMMY##*/dummy}
module() {
        case $1 in
        0) echo "$DUMMY" dummy ;;
        1) echo "${DUMMY%/*}/ifb$suffix" ifb ;;
        2) echo "$lib/ts_bm$suffix" ts_bm ;;
        3) echo "$lib/ts_kmp$suffix" ts_kmp ;;
        4) echo "$lib/ts_fsm$suffix" ts_fsm ;;
        esac
}

# run_as USER OUTPUT ARGUMENT…
run_as() {
        user=$1 output=$2
        shift 2
        setpriv --reuid="$user" --regid="$user" --clear-groups --reset-env timeout 400 /guest/crowd "$@" >"$output" 2>&1 &
}

all_ready() {
        [ "$(cat /run/case.crowd.* | grep -cx ready)" -eq "$1" ]
}

# crowd HOW_MANY_OF_EACH
crowd() {
        rm -f /run/case.go /run/case.over /run/case.crowd.*
        honest=
        hostile=
        for i in 0 1 2 3 4; do
                # shellcheck disable=SC2046  # two words
                run_as "honest$i" "/run/case.crowd.honest$i" honest "$1" "$MODULES/mt_plain.ko" $(module $i)
                honest="$honest $!"
                run_as "hostile$i" "/run/case.crowd.hostile$i" hostile "$1" $i
                hostile="$hostile $!"
        done
        check "$((10 * $1)) are connected" wait_for 300 all_ready 10
        began=$(cut -d. -f1 /proc/uptime)
        touch /run/case.go
        good=0
        for pid in $honest; do
                wait "$pid" && good=$((good + 1))
        done
        took=$(($(cut -d. -f1 /proc/uptime) - began))
        touch /run/case.over
        for pid in $hostile; do
                wait "$pid" || echo "hostile: $?"
        done
        cat /run/case.crowd.* | grep -v '^ready$' | sort | sed -e 's/^/# /' >&3
        check "every honest caller of $((5 * $1)) got the right answers" test "$good" -eq 5
        echo "# $((10 * $1)) callers, $took s" >&3
}

# What there is at rest: descriptors, threads and children of each, and PSS of them all, in KiB.
processes() {
        broker=$(systemctl show --property=MainPID --value moduled.service)
        loader=$(systemctl show --property=MainPID --value moduled-loader.service)
        echo "$broker" "$(pgrep --parent "$broker")" "$loader"
}

usage() {
        # shellcheck disable=SC2046
        for pid in $(processes); do
                set -- "/proc/$pid/fd"/*
                echo "$pid: $# descriptors, $(grep -h '^Threads' "/proc/$pid/status"), children: $(
                        cat "/proc/$pid/task/$pid/children")"
        done
}

pss() {
        total=0
        for pid in $(processes); do
                total=$((total + $(awk '/^Pss:/ { print $2 }' "/proc/$pid/smaps_rollup")))
        done
        echo $total
}

same_usage() {
        [ "$(usage)" = "$before" ]
}

# settled: the loader is kept from leaving, and counted while it has nothing to do.
settle() {
        as_root_loads
        sleep 3
}

as_root_loads() {
        modctl load "$DUMMY" && modctl unload dummy
}

crowd 10
check "a module loads and unloads" settle
before=$(usage)
pss_before=$(pss)
echo "$before"

crowd $EACH
check "a module loads and unloads" settle
check "no descriptor, thread or child is left, and the processes are the same" wait_for 30 same_usage
usage
pss_after=$(pss)
for pid in $(processes); do
        echo "# $(cat "/proc/$pid/comm"): $(awk '/^Pss:/ { print $2 }' "/proc/$pid/smaps_rollup") KiB" >&3
done
echo "# PSS of broker, inspector and loader: $pss_before KiB before, $pss_after KiB after" >&3
check "their memory is what it was, within a tenth" test $((pss_after * 10)) -le $((pss_before * 11))
check "the hostile loaded nothing" sh -c '! journalctl --quiet --since="@$1" --unit=moduled.service --output=json _COMM=moduled |
        grep c27afa63badf458bb67ff05d8f192ef5 | grep -E "MODULED_CALLER_UID\":\"($2)\""' sh "$CASE_SINCE" \
        "$(for i in 0 1 2 3 4; do id -u hostile$i; done | paste -sd'|')"

check "the module is unloaded" modctl unload mt_plain
for i in 0 1 2 3 4; do
        userdel "honest$i"
        userdel "hostile$i"
done
rm -f /etc/moduled.conf.d/75-crowd.conf /run/case.go /run/case.over
systemctl try-reload-or-restart moduled.service
finish
