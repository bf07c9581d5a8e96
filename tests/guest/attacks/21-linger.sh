# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=sh
#
# Sockets whose close waits for a peer that does not read.

# shellcheck source=tests/guest/inside/lib.sh
. /guest/lib.sh
# shellcheck source=tests/guest/inside/attack-lib.sh
. /guest/attack-lib.sh
attack

mkfifo -m 0666 /run/case.go
exec 4<>/run/case.go
as alice timeout 60 /guest/attack-linger 30 >/run/case.linger 2>&1 <&4 4<&- &
attacker=$!
check "alice passes one" wait_for 30 grep -q held /run/case.linger
# Whoever closes a socket last has to wait for its peer. A program that is quick enough sees to it that it is moduled; here
# that is not left to chance.
kill -STOP "$broker"
echo >&4
check "alice passes more and leaves it to moduled to close them" wait_for 30 grep -q sent /run/case.linger
kill -CONT "$broker"
# A thread of the closer's is there for each that lingers; others come and go.
check "some linger" wait_for 5 grep -Eq '^Threads:.([4-9]|1[0-9])$' "/proc/$broker/status"
check "an honest caller is served meanwhile" as bob modctl list
echo >&4
exec 4<&-
check "the peers go" wait "$attacker"
cp /run/case.linger "$OUTPUT"
expect <<'END'
held  BadDescriptor  opened for writing
sent  done
END

survived
rm /run/case.go
finish
