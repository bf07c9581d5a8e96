# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=sh disable=SC2016
#
# A kernel that wants signatures, one that was told not to load a module, and one that loads none any more.
#
# cmdline: module.sig_enforce=1 module_blacklist=ifb
# needs: test-modules

# shellcheck source=tests/guest/inside/lib.sh
. /guest/lib.sh

polkit_rule 65-signature-enforced <<'END'
polkit.addRule(function(action, subject) {
        if (action.id.indexOf("org.moduled1.") == 0 && subject.user == "alice")
                return polkit.Result.YES;
});
END
test_modules

property() {
        check "$1 is $2" sh -c "busctl get-property org.moduled1 /org/moduled1 org.moduled1.Manager $1 | grep -x '$2'"
}

property SignatureEnforced 'b true'
check_exit 1 "an unsigned module is refused" as alice /guest/load-descriptor file "$MODULES/mt_plain.ko"
check_says "by name" '^org.moduled1.Error.SignatureRejected$'
check_says "with the kernel's words" 'The kernel said: Loading of unsigned module is rejected\.$'
check_exit 1 "and one that is signed by an unknown key" as alice /guest/load-descriptor file "$MODULES/mt_signed.ko"
check_says "by name" '^org.moduled1.Error.SignatureRejected$'
check_says "with the kernel's words" 'The kernel said: Loading of module with unavailable key is rejected\.$'
check "the distribution's own loads" as alice modctl load "$DUMMY"

other=$(find "/lib/modules/$(uname -r)/kernel/drivers/net" -name 'ifb.ko*')
check_exit 1 "module_blacklist= keeps a module out" as alice /guest/load-descriptor file "$other"
check_says "by name" '^org.moduled1.Error.KernelRefused$'
check_says "with the kernel's words" 'The kernel said: Module ifb is blacklisted\.$'
check_not "it is not loaded" loaded ifb

# It cannot be undone, so this is the end. From here on nobody is to be asked.
busctl monitor org.freedesktop.PolicyKit1 >/run/case.polkit 2>/run/case.polkit.err &
monitor=$!
wait_for 30 grep -q Monitoring /run/case.polkit /run/case.polkit.err
property ModulesDisabled 'b false'
echo 1 >/proc/sys/kernel/modules_disabled
property ModulesDisabled 'b true'
for user in alice bob; do
        check_exit 1 "with modules disabled $user loads nothing" as $user /guest/load-descriptor file "$DUMMY"
        check_says "by name" '^org.moduled1.Error.ModulesDisabled$'
        check_says "with the setting's name" 'kernel\.modules_disabled=1'
done
check_exit 1 "nor does root" modctl load "$other"
check_says "and reads why" 'kernel\.modules_disabled=1'
check_exit 1 "what is loaded stays" as alice modctl unload dummy
check_says "for the same reason" 'kernel\.modules_disabled=1'
check "dummy is still there" loaded dummy
kill "$monitor"
check_not "nobody was asked for any of these" grep CheckAuthorization /run/case.polkit

finish
