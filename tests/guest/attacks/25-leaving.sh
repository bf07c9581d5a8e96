# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=sh
#
# The broker leaves by itself when sd-bus has lost memory over messages that it drops. Alice, who sends them, has a prompt open
# that she never answers: that must not keep the broker half way out, where nobody else is served.
#
# timeout: 600

# shellcheck source=tests/guest/inside/lib.sh
. /guest/lib.sh
# shellcheck source=tests/guest/inside/attack-lib.sh
. /guest/attack-lib.sh

# shellcheck disable=SC2034  # for attack
ALICE_MAY=org.moduled1.unload
attack
# With an honest caller at work it has no time to leave.
mkdir -p /etc/moduled.conf.d
printf '[Limits]\nIdleSec=2\n' >/etc/moduled.conf.d/25-leaving.conf
systemctl reload moduled.service

as alice timeout 500 /guest/prompted "$DUMMY" >/run/case.prompted 2>&1 &
prompted=$!
check "alice is prompted" wait_for 60 grep -q '^prompted$' /run/case.prompted
check "alice sends what is dropped" as alice timeout 300 /guest/attack-strays 11000
# Long enough for the broker to look several times whether to leave.
sleep 10
check "others are served meanwhile" as bob timeout 20 modctl list
check "by the same broker" test "$broker" = "$(systemctl show --property=MainPID --value moduled.service)"
check "alice is still prompted" kill -0 "$prompted"
honest_ends

kill "$prompted"
is_another() {
        as bob modctl list >/dev/null
        test "$broker" != "$(systemctl show --property=MainPID --value moduled.service)"
}
check "once nothing is under way the broker leaves, though it is called" wait_for 60 is_another
check "the next one serves" as bob modctl load "$DUMMY"
check "and unloads" as bob modctl unload dummy
rm -f /etc/moduled.conf.d/25-leaving.conf
systemctl restart moduled.service
finish
