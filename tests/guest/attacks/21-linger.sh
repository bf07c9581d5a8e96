# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=sh
#
# Sockets whose close waits for a peer that does not read.

# shellcheck source=tests/guest/inside/lib.sh
. /guest/lib.sh
# shellcheck source=tests/guest/inside/attack-lib.sh
. /guest/attack-lib.sh
attack

attacker_begins alice 60 /guest/attack-linger 30
check "alice passes one" attacker_says 30 held
# Whoever closes a socket last has to wait for its peer. A program that is quick enough sees to it that it is moduled; here
# that is not left to chance.
kill -STOP "$broker"
attacker_is_told go
check "alice passes more and leaves it to moduled to close them" attacker_says 30 sent
kill -CONT "$broker"
# A thread of the closer's is there for each that lingers; others come and go.
check "some linger" wait_for 30 grep -Eq '^Threads:.([4-9]|1[0-9])$' "/proc/$broker/status"
check "an honest caller is served meanwhile" as bob modctl list
attacker_is_told go
attacker_ends "the peers go"
expect <<'END'
held  BadDescriptor  opened for writing
sent  done
END

survived
finish
