# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=sh
#
# What anybody can say on the bus in the name of others: that a caller has left, what polkit answers, that modules come and
# go. Nobody believes it.
#
# needs: test-modules
# timeout: 600

# shellcheck source=tests/guest/inside/lib.sh
. /guest/lib.sh
# shellcheck source=tests/guest/inside/attack-lib.sh
. /guest/attack-lib.sh
test_modules
ALICE_MAY=org.moduled1.nothing
attack

connections() {
        busctl --no-pager --no-legend --unique list | awk '{ print $1 }'
}

as bob modctl monitor >/run/case.monitor 2>&1 &
monitor=$!
as bob timeout 100 /guest/load-descriptor file "$MODULES/mt_sleep.ko" seconds=20 >/run/case.slow 2>&1 &
slow=$!
check "bob loads a module that takes its time" wait_for 40 grep -q '^coming$' /sys/module/mt_sleep/initstate
# shellcheck disable=SC2046
check "alice says that everybody has left, and that there are modules" as alice timeout 60 /guest/attack-signals \
        $(connections)
expect <<'END'
signals  done
replies  done
the-end  refused
END
check "bob has his answer" wait "$slow"
cp /run/case.slow "$OUTPUT"
check_says "which is the right one" '^/org/moduled1/module/mt_5fsleep$'
check "it is his" test "$(busctl get-property org.moduled1 /org/moduled1/module/mt_5fsleep org.moduled1.Module LoadedBy)" = \
        "u $(id -u bob)"
check "his monitor tells of it" wait_for 30 grep -q mt_sleep /run/case.monitor
check_not "and of nothing that alice has made up" grep forged /run/case.monitor
kill "$monitor"
check "bob unloads it" as bob modctl unload mt_sleep

# While she asks for something herself that polkit does not let her.
# shellcheck disable=SC2016
as alice sh -c 'for _ in 1 2 3 4 5 6 7 8 9 10; do ! modctl load "$1" || exit; done' sh "$DUMMY" >/run/case.hers 2>&1 &
hers=$!
check "alice answers for polkit" as alice timeout 60 /guest/attack-signals
expect <<'END'
signals  done
replies  done
the-end  refused
END
check "each time" wait "$hers"
cp /run/case.hers "$OUTPUT"
check_says "because polkit does not let her" 'needs an administrator.s password'

survived
finish
