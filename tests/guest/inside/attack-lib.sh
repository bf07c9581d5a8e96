# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=sh
#
# What an attack is written with, beside lib.sh. An attack is a case that begins with
#
#     . /guest/lib.sh
#     . /guest/attack-lib.sh
#     attack
#
# and ends with `survived` and `finish`. Between the two an honest caller, bob, loads and unloads another module in
# turn. Everything is allowed by polkit to him and to alice, who attacks: what does not load, does not because of
# something else. A case where she is to be prompted sets ALICE_MAY to the beginning of what she may without.

ALICE_MAY=org.moduled1.
ATTACKER=/run/case.attacker
HONEST_NAME=ts_fsm
HONEST=/lib/modules/$(uname -r)/kernel/lib/$HONEST_NAME.ko
[ -e "$HONEST" ] || HONEST=$HONEST.xz

# attack: begins one.
attack() {
        polkit_rule attack <<END
polkit.addRule(function(action, subject) {
        if ((subject.user == "alice" && action.id.indexOf("$ALICE_MAY") == 0) ||
            (subject.user == "bob" && action.id.indexOf("org.moduled1.") == 0))
                return polkit.Result.YES;
});
END
        check "before the attack a module loads" as bob modctl load "$HONEST"
        check "and unloads" as bob modctl unload "$HONEST_NAME"
        note_processes
        honest_begins
}

# note_processes: what must be the same again when the attack is over. For whoever restarts the service on purpose, too.
note_processes() {
        broker=$(systemctl show --property=MainPID --value moduled.service)
        loader=$(systemctl show --property=MainPID --value moduled-loader.service)
        # An earlier attack on the same two left them as they were. At rest they have one thread each.
        rest=/run/case.rest.$broker.$loader
        if [ ! -e "$rest" ]; then
                wait_for 30 is_at_rest
                usage_of "$broker" "$loader" >"$rest"
        fi
        before=$(cat "$rest")
        echo "before: $before"
}

is_at_rest() {
        case $(usage_of "$broker" "$loader") in
        *" 1 threads"*" 1 threads"*) ;;
        *) return 1 ;;
        esac
}

# usage_of PID…: descriptors, threads and children of each.
usage_of() {
        for pid; do
                set -- "/proc/$pid/fd"/*
                read -r children <"/proc/$pid/task/$pid/children" || true
                while read -r key value; do
                        case $key in
                        Name:) comm=$value ;;
                        Threads:) threads=$value ;;
                        esac
                done <"/proc/$pid/status"
                echo "$comm: $# descriptors, $threads threads, children: ${children:-none}"
        done
}

honest_begins() {
        as bob /guest/honest "$HONEST" "$HONEST_NAME" >/run/case.honest 2>&1 &
        honest=$!
        wait_for 30 grep -q ready /run/case.honest
        read -r _ honest_pid </run/case.honest
}

# attacker_begins USER SECONDS COMMAND…: that user's, in the background, and no longer than that. What it prints is in
# $ATTACKER; what it is to do next, attacker_is_told.
attacker_begins() {
        user=$1 seconds=$2
        shift 2
        rm -f /run/case.orders
        mkfifo -m 0666 /run/case.orders
        exec 4<>/run/case.orders
        as "$user" timeout "$seconds" "$@" >"$ATTACKER" 2>&1 <&4 4<&- &
        attacker=$!
}

# attacker_says SECONDS TEXT: within that time.
attacker_says() {
        wait_for "$1" grep -q "$2" "$ATTACKER"
}

# attacker_is_told ORDER: a line on its standard input.
attacker_is_told() {
        echo "$1" >&4
}

# attacker_ends DESCRIPTION: with success. What it has printed is in $OUTPUT then, for `expect`.
attacker_ends() {
        check "$1" wait "$attacker"
        exec 4<&-
        cp "$ATTACKER" "$OUTPUT"
        rm /run/case.orders
}

# honest_ends: he was answered throughout, within a second; `honest` says what counts as late.
honest_ends() {
        kill -TERM "$honest_pid"
        STATUS=0
        wait "$honest" || STATUS=$?
        honest=
        tail -n 1 /run/case.honest | sed -e "s/^/# honest: /" >&3
        if [ "$STATUS" -eq 0 ]; then
                result 0 "an honest caller was answered without delay"
        else
                result 1 "an honest caller was answered without delay"
                sed -e 's/^/#   /' /run/case.honest >&3
        fi
}

is_as_before() {
        now=$(usage_of "$broker" "$loader")
        echo "$now"
        [ "$now" = "$before" ]
}

# survived: nothing was loaded, both services are the same processes with what they had, and serve.
survived() {
        [ -z "$honest" ] || honest_ends
        check_not "the attacker's module is not loaded" loaded dummy
        check "broker and loader are the processes that they were" test "$broker $loader" = \
                "$(systemctl show --property=MainPID --value moduled.service) $(
                        systemctl show --property=MainPID --value moduled-loader.service)"
        wait_for 30 is_as_before || true
        check "they have the descriptors, threads and children that they had" is_as_before
        [ "$STATUS" -eq 0 ] || echo "# before: $before" >&3
        check "after the attack a module loads" as bob modctl load "$DUMMY"
        check "and unloads" as bob modctl unload dummy
}

# is_below N: so many descriptors has the broker in its table.
is_below() {
        set -- "$1" "/proc/$broker/fd"/*
        echo "$(($# - 1)) descriptors"
        [ $# -le "$1" ]
}

# One for each descriptor that hangs, 8 at most; one for each table that was left, of which each has one that hangs; the
# main one; and what others' descriptors needed in the last seconds.
has_few_threads() {
        set -- "/proc/$broker/task"/*
        echo "$# threads"
        [ $# -gt 1 ] && [ $# -le 20 ]
}

# expect <<EOF: each line says how an attempt must have ended, of which the last command printed one a line:
#
#     KIND OUTCOME WORDS…
#
# OUTCOME is the last part of the error's name, `done`, or several of them with | between; WORDS must be in the message.
# Nothing else may have been tried.
expect() {
        expected=0
        while read -r kind outcome words; do
                [ -n "$kind" ] || continue
                expected=$((expected + 1))
                expect_one "$kind" "$outcome" "$words"
        done
        attempts=$(wc -l <"$OUTPUT")
        check "those were all attempts" test "$attempts" -eq "$expected"
}

expect_one() {
        verdict=1 got="nothing of the kind"
        while read -r key error message; do
                [ "$key" = "$1" ] || continue
                got="$error $message"
                case "|$2|" in
                *"|${error##*.}|"*)
                        case $message in
                        *"$3"*) verdict=0 ;;
                        esac
                        ;;
                esac
        done <"$OUTPUT"
        result $verdict "$1: $2${3:+, \"$3\"}"
        [ $verdict -eq 0 ] || echo "# got: $got" >&3
}
