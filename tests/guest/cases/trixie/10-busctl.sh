# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=sh disable=SC2016
#
# busctl passes descriptors since systemd 257.

# shellcheck source=tests/guest/inside/lib.sh
. /guest/lib.sh

polkit_rule 10-busctl <<'END'
polkit.addRule(function(action, subject) {
        if (action.id == "org.moduled1.load" && action.lookup("module") == "dummy" && subject.user == "alice")
                return polkit.Result.YES;
});
END

plain=/lib/modules/$(uname -r)/kernel/dummy.ko
xz -dc "$DUMMY" >"$plain"
check "busctl loads an uncompressed module" as alice sh -c \
        "busctl call org.moduled1 /org/moduled1 org.moduled1.Manager Load hst 3 '' 0 3<$plain"
check_says "and gets its object" '^o "/org/moduled1/module/dummy"$'
check "it is loaded" loaded dummy
rmmod dummy
check "and a compressed one" as alice sh -c \
        "busctl call org.moduled1 /org/moduled1 org.moduled1.Manager Load hst 3 '' 0 3<$DUMMY"
check "it is loaded" loaded dummy
rmmod dummy
rm "$plain"

finish
