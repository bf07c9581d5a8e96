# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=sh
#
# A module whose init crashes in the kernel. Such a kernel is not fit for other cases, so this one has a guest of its own, the
# last.
#
# alone
# needs: test-modules

# shellcheck source=tests/guest/inside/lib.sh
. /guest/lib.sh

polkit_rule 95-oops <<'END'
polkit.addRule(function(action, subject) {
        if (action.id.indexOf("org.moduled1.") == 0 && subject.user == "alice")
                return polkit.Result.YES;
});
END
test_modules

pids() {
        systemctl show --property=MainPID --value moduled.service moduled-loader.service | tr '\n' ' '
}

check "the services are up" as alice modctl load "$MODULES/mt_plain.ko"
check "and unload" as alice modctl unload mt_plain
before=$(pids)

check_exit 1 "an init that oopses" as alice /guest/load-descriptor file "$MODULES/mt_oops.ko"
check_says "its caller is told so" '^org.moduled1.Error.LoaderCrashed$'
check_says "and what to do" 'reboot soon'
check "the kernel says so too" sh -c 'dmesg | grep -E "(BUG|Oops)"'
check "both services are the same as before" test "$before" = "$(pids)"
check "another module loads" as alice modctl load "$MODULES/mt_plain.ko"
check "and unloads" as alice modctl unload mt_plain

check_exit 1 "the same one is refused from then on" as alice /guest/load-descriptor file "$MODULES/mt_oops.ko"
check_says "because it never ended" 'only a reboot helps'
check_exit 1 "it cannot be unloaded either" as alice modctl unload mt_oops
systemctl kill --signal=SIGKILL moduled.service moduled-loader.service
check_exit 1 "also after both services were killed" as alice /guest/load-descriptor file "$MODULES/mt_oops.ko"
check_says "because it never ended" 'only a reboot helps'
check "and another module still loads" as alice modctl load "$MODULES/mt_plain.ko"
check "and unloads" as alice modctl unload mt_plain
check "both stop" systemctl stop moduled.service moduled-loader.service

finish
