# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=sh
#
# The guest itself: if this fails, what fails after it says nothing about moduled.

# shellcheck source=tests/guest/inside/lib.sh
. /guest/lib.sh

check "the kernel is the suite's" test -d "/usr/lib/modules/$(uname -r)"
check "modules can be loaded" modprobe dummy
check "a loaded module shows" loaded dummy
check "modules can be unloaded" rmmod dummy
check_not "an unloaded module is gone" loaded dummy
echo "# Linux $(uname -r), $(systemctl --version | head -n 1), $(pkcheck --version), $(kmod --version | head -n 1)" >&3

# Debian has both; dbus-broker is what Fedora, Arch and others run.
bus=dbus
grep -q '^VERSION_CODENAME=forky' /etc/os-release && bus=dbus-broker
check "the bus is the suite's" test "$(systemctl show --property=Id --value dbus.service)" = "$bus.service"
check "the bus answers" busctl call org.freedesktop.DBus /org/freedesktop/DBus org.freedesktop.DBus GetId
check "polkit answers" pkcheck --action-id org.freedesktop.policykit.exec --process $$

# shellcheck disable=SC2016  # alice's shell expands it
check "a command runs as alice" as alice sh -c 'test "$(id -un)" = alice && test "$PWD" = /home/alice'
check_exit 7 "exit statuses come through" as bob sh -c 'exit 7'
check_not "alice is not root" as alice modprobe dummy

polkit_rule harness <<'END'
polkit.addRule(function(action, subject) {
        if (action.id == "org.freedesktop.policykit.exec" && subject.user == "alice")
                return polkit.Result.YES;
});
END
# shellcheck disable=SC2016
check "a polkit rule is in force" as alice sh -c 'pkcheck --action-id org.freedesktop.policykit.exec --process $$'
# shellcheck disable=SC2016
check_not "for alice alone" as bob sh -c 'pkcheck --action-id org.freedesktop.policykit.exec --process $$'
polkit_no_rule harness
# shellcheck disable=SC2016
check_not "and not any more" as alice sh -c 'pkcheck --action-id org.freedesktop.policykit.exec --process $$'

finish
