# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=sh
#
# Messages that the bus relays and sd-bus drops, with descriptors that cannot be closed: nobody is told of them, the main
# thread least of all, and no other caller pays for them.
#
# timeout: 600

# shellcheck source=tests/guest/inside/lib.sh
. /guest/lib.sh
# shellcheck source=tests/guest/inside/attack-lib.sh
. /guest/attack-lib.sh
attack

mkfifo -m 0666 /run/case.go
exec 4<>/run/case.go
as alice timeout 500 /guest/attack-fuse dropped 3200 >/run/case.dropped 2>&1 <&4 4<&- &
attacker=$!
check "alice passes thousands of descriptors with them" wait_for 400 grep -q asked-by-moduled /run/case.dropped
check "an honest caller is served meanwhile" as bob modctl list
check "what the broker has in its table is bounded" is_below 2300
check "and so are the threads that wait" has_few_threads
echo >&4
exec 4<&-
check "alice lets go" wait "$attacker"
cp /run/case.dropped "$OUTPUT"
expect <<'END'
between           OriginRefused  does not lie in the directory of any origin
after-the-flood   OriginRefused  does not lie in the directory of any origin
asked-by-moduled  FLUSH
END

survived
rm -rf /run/case.go /home/alice/fuse
finish
