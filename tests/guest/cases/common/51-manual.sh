# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=sh disable=SC2016
#
# What moduled(8) prints works as printed.

# shellcheck source=tests/guest/inside/lib.sh
. /guest/lib.sh

polkit_rule 51-manual <<'END'
polkit.addRule(function(action, subject) {
        if (action.id.indexOf("org.moduled1.") == 0 && subject.user == "alice")
                return polkit.Result.YES;
});
END

check "a module is loaded" as alice modctl load "$DUMMY"
check "unloaded" as alice modctl unload dummy
check "what was loaded, where from and for whom" sh -e /guest/examples/moduled.8.scd/loads
check_says "the module" '^ *MODULED_MODULE=dummy$'
check_says "its file" '^ *MODULED_PATH=/.*/dummy\.ko'
check_says "the user" "^ *MODULED_CALLER_UID=$(id -u alice)\$"
check_silent "nothing but loads" 'MODULED_RESULT=org'

check_exit 3 "a load is refused" as alice modctl load /etc/hostname
check "what was refused" sh -e /guest/examples/moduled.8.scd/refusals
check_says "the sentence" '/etc/hostname is refused: '
check_says "and what the catalog says of it" 'It was refused before the kernel was asked'

check "the configuration is changed" sh -e /guest/examples/moduled.8.scd/deny
cp "$DUMMY" "/lib/modules/$(uname -r)/kernel/usb-storage.${DUMMY##*/dummy.}"
check_exit 3 "the module is refused now" as alice modctl load \
        "/lib/modules/$(uname -r)/kernel/usb-storage.${DUMMY##*/dummy.}"
check_says "for that reason" 'DenyModules='
check "others are not" as alice modctl load "$DUMMY"
check "unloaded" as alice modctl unload dummy
rm "/lib/modules/$(uname -r)/kernel/usb-storage.${DUMMY##*/dummy.}" /etc/moduled.conf.d/50-no-removable.conf
rmdir /etc/moduled.conf.d
systemctl try-reload-or-restart moduled.service moduled-loader.service

check "what polkit answers without a rule" sh -e /guest/examples/moduled.8.scd/defaults
check_says "a password each time" '^ *implicit any: *auth_admin$'
check "the state of things" sh -e /guest/examples/moduled.8.scd/status
check_says "has the origins" 'modules'

check "moduled is taken out of service" sh -e /guest/examples/moduled.8.scd/mask
check_exit 1 "nobody can load" as alice modctl load "$DUMMY"
check_says "and reads what to do" 'systemctl status moduled'
check_not "root cannot either" modctl load "$DUMMY"
check "it is put into service" sh -e /guest/examples/moduled.8.scd/unmask
check "and serves again" as alice modctl load "$DUMMY"
check "unloaded" as alice modctl unload dummy

# What it says of signals.
for unit in moduled moduled-loader; do
        before=$(systemctl show --property=MainPID --value $unit.service)
        kill -HUP "$before"
        # It may be said to be reloading for a moment.
        check "after SIGHUP $unit is there" wait_for 30 systemctl is-active $unit.service
        check "and the same" test "$(systemctl show --property=MainPID --value $unit.service)" = "$before"
done
wait_for 30 sh -c '! systemctl list-jobs --no-legend | grep -E "moduled(-loader)?[.]service"'
check "SIGTERM ends them in peace" systemctl stop moduled.service moduled-loader.service
check "the broker" test "$(systemctl show --property=Result --value moduled.service)" = success
check "the loader" test "$(systemctl show --property=Result --value moduled-loader.service)" = success

finish
