# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=sh
#
# What modctl(1) prints works as printed.

# shellcheck source=tests/guest/inside/lib.sh
. /guest/lib.sh

check "a module is loaded with a parameter" sh -e /guest/examples/modctl.1.scd/load
check_says "and is in the list" '^dummy .*root'
check "there are as many as the parameter says" ip link show dummy1
check "unloaded" modctl unload dummy

check_exit 3 "a load is refused" modctl load /etc/hostname
check "what was refused" sh -e /guest/examples/modctl.1.scd/log
check_says "and why" 'is refused: '

check "the largest modules" sh -e /guest/examples/modctl.1.scd/largest
check_says "with their sizes" '^ *[0-9.]+[KM]? .*'
check "are ten" test "$(wc -l <"$OUTPUT")" -eq 10

finish
