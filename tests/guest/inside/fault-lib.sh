# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=sh
#
# What a case about faults is written with, beside lib.sh: a request under way, and how it ends.

# However slow the machine: a request that takes longer than this is taken for one that hangs. In s.
HANGS=100

# allow_alice CASE: whatever she asks for.
allow_alice() {
        polkit_rule "$1" <<'END'
polkit.addRule(function(action, subject) {
        if (action.id.indexOf("org.moduled1.") == 0 && subject.user == "alice")
                return polkit.Result.YES;
});
END
}

main_pid() {
        systemctl show --property=MainPID --value "$1.service"
}

inspector_pid() {
        pgrep --parent "$(main_pid moduled)"
}

initializing() {
        grep -q '^coming$' "/sys/module/$1/initstate"
}

is_live() {
        grep -q '^live$' "/sys/module/$1/initstate"
}

# begin_on_hold FILE: as begin, and comes back when polkit and the inspector have been asked: the broker connects to the
# loader just before.
begin_on_hold() {
        loader_rest=$(count_descriptors "$(main_pid moduled-loader)")
        begin "$1"
        wait_for 60 is_connected "$(main_pid moduled-loader)"
        sleep 1
}

is_traced() {
        ! grep -q '^TracerPid:.0$' "/proc/$1/status"
}

count_descriptors() {
        set -- "/proc/$1/fd"/*
        echo $#
}

# is_connected PID: has this loader more than $loader_rest, what it had without a connection?
is_connected() {
        [ "$(count_descriptors "$1")" -gt "$loader_rest" ]
}

# owner_is USER OBJECT: what the module's object says.
owner_is() {
        [ "$(busctl get-property org.moduled1 "/org/moduled1/module/$2" org.moduled1.Module LoadedBy)" = "u $(id -u "$1")" ]
}

# begin FILE [PARAMETERS]: alice asks for it, in the background.
begin() {
        began=$(date +%s)
        as alice timeout "$HANGS" /guest/load-descriptor file "$@" >/run/case.request 2>&1 &
        request=$!
}

# ends FAULT ERROR SENTENCE: what came of it. Without an error's name it is a success.
ends() {
        STATUS=0
        wait "$request" || STATUS=$?
        cp /run/case.request "$OUTPUT"
        echo "# $1, after $(($(date +%s) - began)) s: $(tr '\n' ' ' <"$OUTPUT")" >&3
        if [ -n "$2" ]; then
                check "$1: the caller gets $2" test "$STATUS $(grep -vx prompted /run/case.request | head -n 1)" = "1 $2"
        else
                check "$1: the caller's module is loaded" test "$STATUS" -eq 0
        fi
        cp /run/case.request "$OUTPUT"
        check_says "$1: and reads what to do" "$3"
        if [ -n "$2" ] && loaded dummy; then
                modctl unload dummy || true
        fi
}

# next_works WHEN
next_works() {
        check "$1 a module loads" as alice timeout "$HANGS" modctl load "$MODULES/mt_plain.ko"
        check "$1 a module unloads" as alice timeout "$HANGS" modctl unload mt_plain
}
