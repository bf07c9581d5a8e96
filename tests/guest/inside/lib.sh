# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=sh
#
# What a case is written with. A case is a POSIX shell script in tests/guest/cases/ that begins with
#
#     . /guest/lib.sh
#
# runs as root in the guest under `set -eu`, and ends with `finish`. It prints results to descriptor 3, through the
# functions below; its ordinary output is shown only if it fails. What it changes, it changes back: the next case runs
# in the same guest. ($CASE, its name, and $CASE_SINCE, when it began, come from main.)

OUTPUT=/run/case.output      # what the command of the last check printed
STATUS=0                     # and its exit status
DUMMY=/lib/modules/$(uname -r)/kernel/drivers/net/dummy.ko
[ -e "$DUMMY" ] || DUMMY=$DUMMY.xz

MODULES=/usr/lib/modules-test  # where the test modules are, after test_modules

results=0
failures=0
rules=
origin=

# Reports one result: STATUS DESCRIPTION
result() {
        results=$((results + 1))
        if [ "$1" -eq 0 ]; then
                echo "ok - $2" >&3
        else
                failures=$((failures + 1))
                echo "not ok - $2" >&3
        fi
}

# check DESCRIPTION COMMAND…: the command succeeds.
check() {
        check_exit 0 "$@"
}

# check_exit STATUS DESCRIPTION COMMAND…: the command exits with just this status.
check_exit() {
        want=$1 description=$2
        shift 2
        STATUS=0
        echo "+ $*"
        "$@" >"$OUTPUT" 2>&1 || STATUS=$?
        cat "$OUTPUT"
        if [ "$STATUS" -eq "$want" ]; then
                result 0 "$description"
        else
                result 1 "$description"
                {
                        echo "# command: $*"
                        echo "# expected exit status $want, got $STATUS; it printed:"
                        head -n 40 "$OUTPUT" | sed -e 's/^/#   /'
                } >&3
        fi
}

# check_not DESCRIPTION COMMAND…: the command fails, no matter how.
check_not() {
        description=$1
        shift
        STATUS=0
        echo "+ ! $*"
        "$@" >"$OUTPUT" 2>&1 || STATUS=$?
        cat "$OUTPUT"
        if [ "$STATUS" -ne 0 ]; then
                result 0 "$description"
        else
                result 1 "$description"
                echo "# expected to fail: $*" >&3
        fi
}

# check_says DESCRIPTION REGEX: what the last command printed has a line that matches (grep -E).
check_says() {
        if grep -Eq -e "$2" "$OUTPUT"; then
                result 0 "$1"
        else
                result 1 "$1"
                {
                        echo "# expected a line matching: $2"
                        head -n 40 "$OUTPUT" | sed -e 's/^/#   /'
                } >&3
        fi
}

# check_silent DESCRIPTION REGEX: what the last command printed has no such line.
check_silent() {
        if grep -E -e "$2" "$OUTPUT" | sed -e 's/^/# unexpected: /' | grep . >&3; then
                result 1 "$1"
        else
                result 0 "$1"
        fi
}

# skip DESCRIPTION REASON: counts as skipped, not as passed.
skip() {
        results=$((results + 1))
        echo "ok - $1 # SKIP $2" >&3
}

# as USER COMMAND…: runs it as that user, in the home directory, with nothing of root's.
as() {
        user=$1
        shift
        (cd "/home/$user" && exec setpriv --reuid="$user" --regid="$user" --init-groups --reset-env -- "$@")
}

# polkit_rule NAME <<EOF: a file in /etc/polkit-1/rules.d until the case ends.
polkit_rule() {
        rules="$rules /etc/polkit-1/rules.d/$1.rules"
        cat >"/etc/polkit-1/rules.d/$1.rules"
        chmod 0644 "/etc/polkit-1/rules.d/$1.rules"
        reload_polkit
}

# Removes the rule again, before the case ends.
polkit_no_rule() {
        rm "/etc/polkit-1/rules.d/$1.rules"
        reload_polkit
}

# polkitd notices a new file by itself, some time later. It reads all of them before it takes its name on the bus, and
# systemctl waits for that, so a restart is the moment when the rules are known to be in force. Short cases, one after the
# other, start it more often than systemd lets a service start; of a unit that it does not know it has counted nothing.
reload_polkit() {
        systemctl reset-failed polkit.service || true
        systemctl restart polkit.service
}

# test_modules: puts the modules of tests/guest/modules into a directory of their own, $MODULES, which is an origin until
# the case ends. The case has the line `# needs: test-modules`.
test_modules() {
        origin=yes
        mkdir -p /etc/moduled.conf.d
        cp -r /guest/modules "$MODULES"
        printf '[Origin test]\nDirectory=%s\n' "$MODULES" >/etc/moduled.conf.d/90-test-modules.conf
        systemctl try-reload-or-restart moduled.service moduled-loader.service
}

# journal [ARGUMENT…]: what moduled has logged since the case began.
journal() {
        journalctl --sync
        journalctl --no-pager --quiet --output=cat --since="@$CASE_SINCE" \
                --unit=moduled.service --unit=moduled-loader.service "$@"
}

# wait_for SECONDS COMMAND…: until it succeeds; fails if it never does.
wait_for() {
        # In tenths of a second. To look is most of what it takes, so what takes its time is looked at less often.
        wait_left=$(($1 * 10)) wait_pause=2
        shift
        until "$@" >/dev/null 2>&1; do
                [ "$wait_left" -gt 0 ] || return 1
                sleep "0.$wait_pause"
                wait_left=$((wait_left - wait_pause))
                [ "$wait_pause" -ge 8 ] || wait_pause=$((wait_pause + 1))
        done
}

loaded() {
        [ -d "/sys/module/$1" ]
}

# all_loaded NAME…, none_loaded NAME…
all_loaded() {
        for name; do
                loaded "$name" || return 1
        done
}

none_loaded() {
        for name; do
                ! loaded "$name" || return 1
        done
}

# transcript LINE…: for people (tools/demo prints it); no result.
transcript() {
        printf '%s\n' "$*" | sed -e 's/^/#| /' >&3
}

# demonstrate STATUS USER "SAYING" 'COMMAND LINE': runs it in USER's shell and shows it as a person would see it. A
# result, like check_exit, and OUTPUT is there for check_says.
demonstrate() {
        want=$1 user=$2 saying=$3 line=$4
        STATUS=0
        transcript ""
        transcript "# $saying"
        if [ "$user" = root ]; then
                transcript "root# $line"
                sh -c "$line" >"$OUTPUT" 2>&1 || STATUS=$?
        else
                transcript "$user\$ $line"
                as "$user" sh -c "$line" >"$OUTPUT" 2>&1 || STATUS=$?
        fi
        [ ! -s "$OUTPUT" ] || transcript "$(cat "$OUTPUT")"
        [ "$STATUS" -eq 0 ] || transcript "[exit status $STATUS]"
        if [ "$STATUS" -eq "$want" ]; then
                result 0 "$saying"
        else
                transcript "[this should have been exit status $want]"
                result 1 "$saying"
                echo "# expected exit status $want, got $STATUS from: $line" >&3
                head -n 40 "$OUTPUT" | sed -e 's/^/#   /' >&3
        fi
}

# The last line of a case: says how many results there must be, so that one that ended early is not taken for whole.
finish() {
        finished=yes
        echo "1..$results" >&3
        [ "$failures" -eq 0 ]
}

finished=
clean_up() {
        status=$?
        if [ -n "$rules" ]; then
                # shellcheck disable=SC2086  # a list of words
                rm -f $rules
                reload_polkit || true
        fi
        if [ -n "$origin" ]; then
                rm -rf "$MODULES" /etc/moduled.conf.d/90-test-modules.conf
                systemctl try-reload-or-restart moduled.service moduled-loader.service || true
        fi
        if [ -z "$finished" ]; then
                # Whatever it has configured, or has running, is not for the next one.
                rm -rf /etc/moduled.conf.d
                pkill -KILL -u alice,bob,carol || true
                systemctl stop moduled.service moduled-loader.service || true
                echo "# the case ended without 'finish'; its last command had exit status $status" >&3
                [ "$status" -ne 0 ] || status=1
        fi
        exit "$status"
}
trap clean_up EXIT
