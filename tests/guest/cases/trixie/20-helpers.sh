# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=sh
#
# What docs/helpers.md prints for busctl, which passes descriptors since systemd 257.

# shellcheck source=tests/guest/inside/lib.sh
. /guest/lib.sh

polkit_rule 20-helpers <<'END'
polkit.addRule(function(action, subject) {
        if (action.id == "org.moduled1.load" && action.lookup("module") == "dummy" && subject.user == "alice")
                return polkit.Result.YES;
});
END

check "busctl loads the module" as alice sh -e /guest/examples/helpers.md/busctl.sh
check_says "and prints its object" '^o "/org/moduled1/module/dummy"$'
check "it is loaded" loaded dummy
check_not "again it fails" as alice sh -e /guest/examples/helpers.md/busctl.sh
check_says "with a sentence" 'dummy is loaded already'
rmmod dummy
check_not "who is not allowed is refused" as bob sh -e /guest/examples/helpers.md/busctl.sh
check_says "with a sentence" 'needs authentication'

finish
