# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=sh disable=SC2016
#
# What a request needs is missing: descriptors, memory, room for the state, journald, a configuration without errors, the
# right time. What its caller sees, and that the next load works.
#
# needs: test-modules
# timeout: 900

# shellcheck source=tests/guest/inside/lib.sh
. /guest/lib.sh
# shellcheck source=tests/guest/inside/fault-lib.sh
. /guest/fault-lib.sh

allow_alice 71-shortage
test_modules
next_works "the services are up"

# restrict PID MORE: it may have so many descriptors more than it has.
restrict() {
        last=$(for fd in "/proc/$1/fd"/*; do echo "${fd##*/}"; done | sort -n | tail -n 1)
        prlimit --nofile=$((last + 1 + $2)) --pid "$1"
}

broker=$(main_pid moduled)
restrict "$broker" 0
begin "$DUMMY"
ends "the broker has no descriptor left" org.freedesktop.DBus.Error.NoReply 'without replying'
next_works "after that"

# The connection, the file, its duplicate, a pipe.
for more in 0 1 2 3; do
        loader=$(main_pid moduled-loader)
        restrict "$loader" $more
        begin "$DUMMY"
        if [ $more -eq 0 ]; then
                ends "the loader has none for a connection" "" '^/org/moduled1/module/dummy$'
                check "the module is unloaded again" as alice modctl unload dummy
        else
                ends "the loader has $more" org.freedesktop.DBus.Error.Failed 'Too many open files; try again'
        fi
        wait_for 30 sh -c "! test -e /proc/$loader"
        next_works "after that"
done

systemctl set-property --runtime moduled.service MemoryMax=1M
begin "$DUMMY"
ends "the broker has no memory" org.freedesktop.DBus.Error.TimedOut 'Failed to activate'
systemctl revert moduled.service
systemctl set-property --runtime moduled.service MemoryMax=infinity
next_works "with memory"
systemctl revert moduled.service

# Without room for the state.
systemctl stop moduled.service
mount -t tmpfs -o size=16k,mode=0755,uid="$(id -u moduled)" tmpfs /run/moduled
check "a module loads before" as alice modctl load "$MODULES/mt_plain.ko"
dd if=/dev/zero of=/run/moduled/.filler bs=4k 2>/dev/null || true
begin "$DUMMY"
ends "there is no room for the state" "" '^/org/moduled1/module/dummy$'
check "the journal tells of it" wait_for 30 sh -c 'journalctl --quiet --since="@$1" --unit=moduled.service |
        grep -q "no room for what is known of module dummy"' sh "$CASE_SINCE"
check "what was known before is known" owner_is alice mt_5fplain
check "and what is new, too" owner_is alice dummy
rm /run/moduled/.filler
kill -TERM "$(main_pid moduled)"
check "with room again, it is known to the next broker" owner_is alice dummy
check "as is the other" owner_is alice mt_5fplain
check "the one unloads" as alice modctl unload dummy
check "the other unloads" as alice modctl unload mt_plain
systemctl stop moduled.service
umount /run/moduled
next_works "after that"

# journald does not read, and what leads there is full.
systemctl kill --signal=SIGSTOP systemd-journald.service
for unit in moduled moduled-loader; do
        check "the stream of $unit is full" /guest/fill-stream "$(main_pid $unit)"
done
echo Nonsense >/etc/moduled.conf.d/99-broken.conf
kill -HUP "$(main_pid moduled)" "$(main_pid moduled-loader)"
sleep 1
rm /etc/moduled.conf.d/99-broken.conf
begin "$DUMMY"
ends "journald is stopped, and both have something to say" "" '^/org/moduled1/module/dummy$'
check "it unloads" as alice modctl unload dummy
systemctl kill --signal=SIGCONT systemd-journald.service
next_works "when journald goes on"
sockets="systemd-journald.socket systemd-journald-dev-log.socket systemd-journald-audit.socket"
# shellcheck disable=SC2086  # a list of words
systemctl stop $sockets systemd-journald.service
kill -HUP "$(main_pid moduled)" "$(main_pid moduled-loader)"
begin "$DUMMY"
ends "journald is not there" "" '^/org/moduled1/module/dummy$'
check "it unloads" as alice modctl unload dummy
# shellcheck disable=SC2086
systemctl start $sockets systemd-journald.service
back=$(date +%s)
next_works "when journald is back"
check "what is loaded then is in the journal" wait_for 30 sh -c 'journalctl --quiet --since="@$1" |
        grep -q "Loaded module mt_plain for uid"' sh "$back"

# An error in the configuration, for a loader that starts, and then for both. The bus waits 25 s for a service.
echo Nonsense >/etc/moduled.conf.d/99-broken.conf
loader=$(main_pid moduled-loader)
kill -KILL "$loader"
sleep 1
begin "$DUMMY"
ends "the configuration has an error, for the loader" org.moduled1.Error.PolicyRefused 'have an administrator mend it'
kill -KILL "$(main_pid moduled)"
wait_for 30 sh -c 'systemctl is-failed --quiet moduled.service'
check "fifty calls of a broker that cannot start" as alice timeout "$HANGS" /guest/ask-many 50
check_says "are all answered by the bus" '^50 org.freedesktop.DBus.Error.TimedOut$'
rm /etc/moduled.conf.d/99-broken.conf
next_works "mended: at the next call"

# An hour back.
printf '[Limits]\nIdleSec=2\n' >/etc/moduled.conf.d/50-idle.conf
systemctl reload moduled.service
up=$(cut -d. -f1 /proc/uptime) now=$(date +%s)
check "a module loads" as alice modctl load "$MODULES/mt_plain.ko"
date --set="@$((now - 3600))" >/dev/null
begin "$DUMMY"
ends "the clock is set back" "" '^/org/moduled1/module/dummy$'
check "it was loaded when the clock says" test "$(busctl get-property org.moduled1 /org/moduled1/module/dummy \
        org.moduled1.Module LoadedAt | awk -v now=$((now - 3600)) \
        '{ s = $2 / 1e6 - now; print (s >= 0 && s < 100) ? "sane" : "insane" }')" = sane
check "the broker leaves when it is idle" wait_for 30 sh -c '! systemctl is-active --quiet moduled.service'
check "and knows both" owner_is alice dummy
check "the earlier, too" owner_is alice mt_5fplain
date --set="@$((now + $(cut -d. -f1 /proc/uptime) - up))" >/dev/null
check "set right, the one unloads" as alice modctl unload dummy
check "and the other" as alice modctl unload mt_plain
rm /etc/moduled.conf.d/50-idle.conf
systemctl reload moduled.service

finish
