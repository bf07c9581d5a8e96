# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=sh
#
# For cases in which somebody is asked for a password. Sourced after lib.sh. Who is asked is root.

# shellcheck disable=SC2034  # MODULED is for the cases
polkit_rule 00-root <<'END'
polkit.addAdminRule(function(action, subject) {
        return ["unix-user:root"];
});
END

# Everything that polkit is asked, as the bus sees it.
busctl monitor org.freedesktop.PolicyKit1 >/run/case.polkit 2>&1 &
polkit_monitor=$!
wait_for 30 grep -q Monitoring /run/case.polkit

# asked METHOD: how often it was called.
asked() {
        grep -c "Member=$1\$" /run/case.polkit || true
}

# asked_since NUMBER METHOD: it was called once more, or more often.
asked_since() {
        test "$(asked "$2")" -gt "$1"
}

broker_pid() {
        systemctl show --property=MainPID --value moduled.service
}

broker_descriptors() {
        find "/proc/$(broker_pid)/fd" -mindepth 1 | wc -l
}

# check_terminal DESCRIPTION ENDING USER COMMAND… <<ORDERS: at a terminal (see at-terminal) the command does as it is told,
# ends like that ("exit 0", "signal 2"), and leaves a terminal that shows what is typed.
check_terminal() {
        description=$1 ending=$2 user=$3
        shift 3
        echo "+ $*"
        as "$user" /guest/at-terminal "$@" >"$OUTPUT" 2>&1 || true
        check_ending "$description" "$ending"
}

# check_ending DESCRIPTION ENDING: of the terminal whose output is in $OUTPUT.
check_ending() {
        cat "$OUTPUT"
        if grep -Fqx "[$2]" "$OUTPUT" && grep -Fqx '[echo on]' "$OUTPUT" && ! grep -Fq '[never' "$OUTPUT"; then
                result 0 "$1"
        else
                result 1 "$1"
                {
                        echo "# expected [$2] and [echo on], and all orders to be carried out; the terminal showed:"
                        sed -e 's/^/#   /' "$OUTPUT"
                } >&3
        fi
}

# open_prompt NAME USER COMMAND…: at a terminal in the background, until the prompt is there.
open_prompt() {
        name=$1 user=$2
        shift 2
        rm -f "/run/case.orders.$name"
        mkfifo "/run/case.orders.$name"
        # Open here before there is something in it, which is lost when nobody has it open.
        exec 4<>"/run/case.orders.$name"
        echo "expect Password:" >&4
        as "$user" /guest/at-terminal "$@" <&4 4<&- >"/run/case.terminal.$name" 2>&1 &
        echo $! >"/run/case.pid.$name"
        exec 4<&-
        wait_for 300 grep -q Password: "/run/case.terminal.$name" && return
        echo "no prompt, but:"
        cat "/run/case.terminal.$name"
        echo "the last that polkit heard:"
        tail -n 20 /run/case.polkit
        return 1
}

# order NAME ORDER: to a terminal in the background. Does not wait for one that has ended.
order() {
        echo "$2" 1<>"/run/case.orders.$1"
}

# check_prompt_ends NAME DESCRIPTION ENDING: waits for it; what its terminal showed is in $OUTPUT then.
check_prompt_ends() {
        wait "$(cat "/run/case.pid.$1")" || true
        cp "/run/case.terminal.$1" "$OUTPUT"
        check_ending "$2" "$3"
}

# The number of the broker's descriptors when it has nothing to do.
remember_rest() {
        modctl list >/dev/null
        wait_for 30 status_is 0
        rest=$(broker_descriptors)
}

status_is() {
        systemctl show --property=StatusText --value moduled.service | grep -q "^Requests in progress: $1\\."
}

at_rest() {
        status_is 0 && [ "$(broker_descriptors)" -eq "$rest" ] && ! pgrep -x pkttyagent && ! pgrep -f polkit-agent-helper
}

# check_rest: of what was asked nothing is left behind.
check_rest() {
        check "nothing is left behind" wait_for 30 at_rest
}
