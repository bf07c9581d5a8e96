# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=sh
#
# Thousands of descriptors that cannot be closed; and the service restarted, and killed, while they cannot.
#
# timeout: 1200

# shellcheck source=tests/guest/inside/lib.sh
. /guest/lib.sh
# shellcheck source=tests/guest/inside/attack-lib.sh
. /guest/attack-lib.sh

MANY=4000

# sends N: alice passes so many, and holds on to them until she lets_go.
sends() {
        attacker_begins alice 900 /guest/attack-fuse flood "$1"
        attacker_says 600 asked-by-moduled
}

lets_go() {
        attacker_is_told go
        attacker_ends "alice lets go"
}

# One thread that hangs has a table of its own by now, without a connection to the bus.
hanging_are_apart() {
        for task in "/proc/$broker/task"/*; do
                set -- "$task/fd"/*
                [ "${task##*/}" = "$broker" ] || [ $# -lt 60 ] || return 1
        done
        has_few_threads
}

# serves: an honest caller, and with that the loader, which leaves when it has nothing to do, runs for note_processes.
serves() {
        as bob modctl load "$HONEST" && as bob modctl unload "$HONEST_NAME"
}

is_another_broker() {
        [ "$(systemctl show --property=MainPID --value moduled.service)" != "$broker" ]
}

attack
check "alice passes thousands of descriptors" sends $MANY
cp "$ATTACKER" "$OUTPUT"
expect <<'END'
after-the-flood   LimitsExceeded  Too many of the descriptors that you have sent
asked-by-moduled  FLUSH
END
# 1024 in the first table, and no more than 2048 in the second; the third has what is left.
check "what the broker has in its table is bounded" is_below 2300
check "and so are the threads that wait" has_few_threads
check "an honest caller is served meanwhile" as bob modctl list
lets_go
survived

# A thread that hangs cannot be ended.
check "alice passes a few" sends 32
wait_for 30 has_few_threads
check "the service is restarted" timeout 90 systemctl restart moduled.service
check "it is another process" is_another_broker
check "the next call is served" serves
lets_go

note_processes
check "alice passes a few" sends 32
wait_for 60 hanging_are_apart
kill -KILL "$broker"
check "killed, it is started anew" wait_for 90 as bob modctl list
check "it is another process" is_another_broker
lets_go

check "the next call is served" serves
note_processes
survived
rm -rf /home/alice/fuse
finish
