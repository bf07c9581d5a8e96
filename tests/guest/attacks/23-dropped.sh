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

attacker_begins alice 500 /guest/attack-fuse dropped 3200
check "alice passes thousands of descriptors with them" attacker_says 400 asked-by-moduled
check "an honest caller is served meanwhile" as bob modctl list
check "what the broker has in its table is bounded" is_below 2300
check "and so are the threads that wait" has_few_threads
attacker_is_told go
attacker_ends "alice lets go"
expect <<'END'
between           OriginRefused  does not lie in the directory of any origin
after-the-flood   OriginRefused  does not lie in the directory of any origin
asked-by-moduled  FLUSH
END

survived
rm -rf /home/alice/fuse
finish
