# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=sh
#
# polkit and the bus stop, end and come back while requests are under way: what the callers see, and that the next load
# works.
#
# needs: test-modules
# timeout: 900

# shellcheck source=tests/guest/inside/lib.sh
. /guest/lib.sh
# shellcheck source=tests/guest/inside/fault-lib.sh
. /guest/fault-lib.sh

allow_alice 72-partners
test_modules
next_works "the services are up"

# Whoever asks polkit something at that moment has the bus start it again, which cancels the job that stops it.
end_polkit() {
        polkit=$(main_pid polkit)
        systemctl stop polkit.service || true
        check "polkit ends" wait_for 30 sh -c "! test -e /proc/$polkit"
}

polkit=$(main_pid polkit)
kill -STOP "$polkit"
begin_on_hold "$DUMMY"
kill -KILL "$polkit"
ends "polkit is killed with the question" org.freedesktop.DBus.Error.AccessDenied 'polkit does not answer'
next_works "after that"

polkit=$(main_pid polkit)
kill -STOP "$polkit"
begin "$DUMMY"
ends "polkit is stopped" org.freedesktop.DBus.Error.AccessDenied 'polkit does not answer'
kill -CONT "$polkit"
next_works "when it goes on"

kill -STOP "$polkit"
begin_on_hold "$DUMMY"
kill -CONT "$polkit"
ends "polkit goes on in time" "" '^/org/moduled1/module/dummy$'
check "it unloads" as alice modctl unload dummy

end_polkit
begin "$DUMMY"
ends "polkit is not running" "" '^/org/moduled1/module/dummy$'
check "it unloads" as alice modctl unload dummy

# While somebody is prompted, whom the rule does not answer for.
polkit_no_rule 72-partners
printf '[Limits]\nPromptSec=8\n' >/etc/moduled.conf.d/72-partners.conf
systemctl reload moduled.service
prompt() {
        as alice timeout "$HANGS" /guest/prompted "$DUMMY" >/run/case.request 2>&1 &
        request=$!
        began=$(date +%s)
        check "somebody is prompted" wait_for 30 grep -q '^prompted$' /run/case.request
}
prompt
kill -KILL "$(main_pid polkit)"
ends "polkit is killed during a prompt" org.freedesktop.DBus.Error.AccessDenied 'polkit does not answer'
prompt
polkit=$(main_pid polkit)
kill -STOP "$polkit"
ends "polkit is stopped during a prompt" org.freedesktop.DBus.Error.TimedOut 'Nobody answered the prompt'
kill -CONT "$polkit"
prompt
end_polkit
ends "polkit is ended during a prompt" org.freedesktop.DBus.Error.AccessDenied 'polkit does not answer'
rm /etc/moduled.conf.d/72-partners.conf
systemctl reload moduled.service
allow_alice 72-partners
next_works "after that"

# The bus.
check "a module is loaded before" as alice modctl load "$MODULES/mt_plain.ko"
begin "$MODULES/mt_sleep.ko" seconds=4
wait_for 30 initializing mt_sleep
broker=$(main_pid moduled)
systemctl restart dbus.service
ends "the bus is started anew" None 'closed'
check "the broker has left" wait_for 30 sh -c "! test -e /proc/$broker"
wait_for 30 is_live mt_sleep
check "the next call starts another" wait_for 30 owner_is alice mt_5fplain
check "what was loaded before is unloaded" as alice modctl unload mt_plain
check_not "what was under way is somebody else's" owner_is alice mt_5fsleep
check "and can be unloaded as such" as alice modctl unload mt_sleep
next_works "after that"

finish
