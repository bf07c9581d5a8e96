# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=sh disable=SC2016
#
# Each process that a request passes through is killed, or stopped, while it has one: what its caller sees, and that the
# next load works.
#
# needs: test-modules
# timeout: 900

# shellcheck source=tests/guest/inside/lib.sh
. /guest/lib.sh
# shellcheck source=tests/guest/inside/fault-lib.sh
. /guest/fault-lib.sh

allow_alice 70-killed
mkdir -p /etc/moduled.conf.d
printf '[Limits]\nInspectionSec=60\n' >/etc/moduled.conf.d/70-killed.conf
test_modules
next_works "the services are up"

# The loader, with a request that it has not read: polkit is held up until the connection stands.
polkit=$(main_pid polkit)
loader=$(main_pid moduled-loader)
kill -STOP "$polkit"
begin_on_hold "$DUMMY"
kill -STOP "$loader"
kill -CONT "$polkit"
check "the request lies in its socket" wait_for 60 /guest/queued "$loader"
kill -KILL "$loader"
ends "the loader is killed before it reads the request" org.moduled1.Error.LoaderCrashed 'not loaded, .*; try again'
next_works "after that"

# While its child is in an init that no signal ends.
begin "$MODULES/mt_sleep.ko" seconds=12
wait_for 30 initializing mt_sleep
kill -KILL "$(main_pid moduled-loader)"
next_works "meanwhile"
check "the init goes on" initializing mt_sleep
ends "the loader is killed while its child loads" "" '^/org/moduled1/module/mt_5fsleep$'
check "the module is the caller's" owner_is alice mt_5fsleep
check "and is unloaded" as alice modctl unload mt_sleep

begin "$MODULES/mt_sleep.ko" seconds=8
wait_for 30 initializing mt_sleep
kill -KILL "$(main_pid moduled)"
ends "the broker is killed while the loader loads" org.freedesktop.DBus.Error.NoReply '(without replying|Remote peer disconnected)'
next_works "meanwhile"
wait_for 30 is_live mt_sleep
check_not "what it did not live to hear of is somebody else's" owner_is alice mt_5fsleep
check "and can be unloaded as such" as alice modctl unload mt_sleep

begin "$MODULES/mt_sleep.ko" seconds=6
wait_for 30 initializing mt_sleep
pkill -KILL --parent "$(main_pid moduled-loader)"
next_works "meanwhile"
ends "the loader's child is killed" org.moduled1.Error.LoaderCrashed 'is loaded, but the process .* was killed'
check "it is, when init has returned" is_live mt_sleep
check "and can be unloaded" as alice modctl unload mt_sleep

# The inspector, before it takes the order, and its child.
inspector=$(inspector_pid)
kill -STOP "$inspector"
begin_on_hold "$DUMMY"
kill -KILL "$inspector"
ends "the inspector is killed" org.freedesktop.DBus.Error.Failed 'could not be looked into: .*; try again'
next_works "after that"
inspector=$(inspector_pid)
kill -STOP "$inspector"
begin_on_hold "$DUMMY"
# The child closes what it does not need, first of all.
strace -f -q -o /run/case.strace -p "$inspector" -e trace=close_range -e inject=close_range:signal=SIGKILL &
tracer=$!
check "the inspector is traced" wait_for 30 is_traced "$inspector"
kill -CONT "$inspector"
ends "the inspector's child is killed" org.moduled1.Error.NotAModule 'cannot be looked into'
kill "$tracer"
wait "$tracer" || true
check "as soon as it is there" grep -q 'killed by SIGKILL' /run/case.strace
next_works "after that"

# The one that reads modprobe.d, which it does when that has changed.
inspector=$(inspector_pid)
touch /etc/modprobe.d/70-killed.conf
strace -f -q -o /run/case.strace -p "$inspector" -e trace=close_range -e inject=close_range:signal=SIGKILL &
tracer=$!
check "the inspector is traced" wait_for 30 is_traced "$inspector"
begin "$DUMMY"
ends "the child that reads modprobe.d is killed" org.freedesktop.DBus.Error.Failed \
        'could not be found out: .*; try again'
kill "$tracer"
wait "$tracer" || true
check "as soon as it is there" grep -q 'killed by SIGKILL' /run/case.strace
next_works "after that"
check "by the same broker" test "$(inspector_pid)" = "$inspector"
# For some seconds after a change it is read with each request.
sleep 5
next_works "and keeps what it has read"

# Stopped, each is given up, in a bounded time. The inspector is the broker's to end.
rm /etc/moduled.conf.d/70-killed.conf
systemctl reload moduled.service
inspector=$(inspector_pid)
kill -STOP "$inspector"
begin "$DUMMY"
ends "the inspector is stopped" org.freedesktop.DBus.Error.Failed 'could not be looked into: .*; try again'
check "it is ended, and the broker with it" wait_for 30 sh -c "! test -e /proc/$inspector"
next_works "after that"

inspector=$(inspector_pid)
touch /etc/modprobe.d/70-killed.conf
kill -STOP "$inspector"
begin "$DUMMY"
ends "the inspector is stopped, and modprobe.d has changed" org.freedesktop.DBus.Error.Failed \
        'could not be found out: .*; try again'
check "it is ended, and the broker with it" wait_for 30 sh -c "! test -e /proc/$inspector"
rm /etc/modprobe.d/70-killed.conf
next_works "after that"

loader=$(main_pid moduled-loader)
kill -STOP "$loader"
begin "$DUMMY"
ends "the loader is stopped" org.freedesktop.DBus.Error.TimedOut 'does not take requests; try again'
kill -CONT "$loader"
next_works "when it goes on"
check_not "it does not do what was given up" loaded dummy

rm -f /run/case.strace
finish
