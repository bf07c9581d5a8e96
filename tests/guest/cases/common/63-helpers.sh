# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=sh disable=SC2016
# timeout: 600
#
# The programs that docs/helpers.md prints do what it says of them.

# shellcheck source=tests/guest/inside/lib.sh
. /guest/lib.sh

polkit_rule 63-helpers <<'END'
polkit.addRule(function(action, subject) {
        var free = ["dummy", "vxlan", "udp_tunnel", "ip6_udp_tunnel"];
        if ((action.id == "org.moduled1.load" || action.id == "org.moduled1.unload") && subject.user == "alice" &&
            free.indexOf(action.lookup("module")) >= 0)
                return polkit.Result.YES;
});
END

# allows_prompt: the last call of Load or LoadMany had the flag that allows somebody to be asked, 4.
allows_prompt() {
        awk '/Type=method_call/ { flags = $0 } /Member=Load/ { last = flags } END { exit last !~ /Flags=4( |$)/ }' \
                /run/case.bus
}
busctl monitor org.moduled1 >/run/case.bus 2>&1 &
monitor=$!
wait_for 30 grep -q Monitoring /run/case.bus

as alice /usr/bin/python3 -u /guest/examples/helpers.md/listen.py >/run/case.signals 2>&1 &
listener=$!
wait_for 30 grep -q listening /run/case.signals

# helper DESCRIPTION COMMAND…: what each of the programs for one module has in common.
helper() {
        name=$1
        shift
        check "$name: loads the module" as alice "$@" "$DUMMY"
        check "$name: it is loaded" loaded dummy
        check "$name: allows a prompt" wait_for 30 allows_prompt
        check "$name: that it is there already is no failure" as alice "$@" "$DUMMY"
        rmmod dummy
        check_exit 1 "$name: fails for another file" as alice "$@" /etc/hostname
        check_says "$name: says why" '^/etc/hostname is refused: it does not lie in the directory of any origin'
        check_exit 1 "$name: fails where nobody may be asked" as bob "$@" "$DUMMY"
        check_says "$name: says why" 'Module dummy needs authentication'
}
helper "sd-bus" /guest/examples/helpers.md/load-sdbus
helper "GDBus" /guest/examples/helpers.md/load-gdbus
helper "Python" /usr/bin/python3 /guest/examples/helpers.md/load-gio.py

check "shell: loads the module" as alice sh /guest/examples/helpers.md/load.sh
check "shell: it is loaded" loaded dummy
rmmod dummy
check_exit 1 "shell: fails where nobody may be asked" as bob sh /guest/examples/helpers.md/load.sh
check_says "shell: says that it takes a password" '^Not without a password'
mkdir -p /etc/moduled.conf.d
printf '[Policy]\nDenyModules=dummy\n' >/etc/moduled.conf.d/63-helpers.conf
systemctl try-reload-or-restart moduled.service moduled-loader.service
check_exit 1 "shell: fails where it is denied" as alice sh /guest/examples/helpers.md/load.sh
check_says "shell: says that it is" 'administrator does not let the module dummy be loaded'
rm /etc/moduled.conf.d/63-helpers.conf
systemctl try-reload-or-restart moduled.service moduled-loader.service

modprobe udp_tunnel
check "a chain is loaded" as alice /usr/bin/python3 /guest/examples/helpers.md/load-many.py vxlan
check_says "what was there is passed over" '^udp_tunnel\.ko(\.xz)? was there$'
check_says "the rest is loaded" '^vxlan\.ko(\.xz)? loaded$'
check "it is there" loaded vxlan
check "it allows a prompt" wait_for 30 allows_prompt
rmmod vxlan ip6_udp_tunnel udp_tunnel
check_exit 1 "somebody else's chain is refused" as bob /usr/bin/python3 /guest/examples/helpers.md/load-many.py vxlan
check_says "with a sentence" 'needs authentication'

check "Check accepts the module" as bob /usr/bin/python3 /guest/examples/helpers.md/check.py "$DUMMY"
check_says "tells what it needs" '^needs: nothing$'
check_says "and its parameters" '^takes: .*numdummies'
check "of another module" as bob /usr/bin/python3 /guest/examples/helpers.md/check.py "$(modinfo -n vxlan)"
check_says "what that needs" '^needs: .*udp_tunnel'
check_exit 1 "it refuses another file" as bob /usr/bin/python3 /guest/examples/helpers.md/check.py /etc/hostname
check_says "with a sentence" '^/etc/hostname is refused: '
check_not "and nothing was loaded" loaded dummy

check "the listener heard of the loads" grep -x 'ModuleLoaded dummy /org/moduled1/module/dummy' /run/case.signals
check "and of what somebody else unloaded" grep -x 'ModuleUnloaded dummy /org/moduled1/module/dummy' /run/case.signals
kill "$listener"
systemctl stop moduled.service
as alice /usr/bin/python3 -u /guest/examples/helpers.md/listen.py >/run/case.signals 2>&1 &
listener=$!
wait_for 30 grep -q listening /run/case.signals
check_not "to listen does not start the service" systemctl is-active moduled.service
kill "$listener" "$monitor"

# A system without moduled.
service=/usr/share/dbus-1/system-services/org.moduled1.service
mv "$service" /run/case.service
systemctl reload dbus.service
check_exit 2 "sd-bus: knows that there is no moduled" as alice /guest/examples/helpers.md/load-sdbus "$DUMMY"
check_exit 2 "GDBus: knows that there is no moduled" as alice /guest/examples/helpers.md/load-gdbus "$DUMMY"
check_exit 1 "Python: fails" as alice /usr/bin/python3 /guest/examples/helpers.md/load-gio.py "$DUMMY"
check_exit 1 "over the bus it has the name" as alice /guest/load-descriptor file "$DUMMY"
check_says "that the page tells" '^org.freedesktop.DBus.Error.ServiceUnknown$'
mv /run/case.service "$service"
systemctl reload dbus.service
systemctl mask moduled.service
check_exit 1 "with the service masked it is another" as alice /guest/load-descriptor file "$DUMMY"
check_says "that the page tells, too" '^org\.freedesktop\.(systemd1\.UnitMasked|DBus\.Error\.NameHasNoOwner)$'
systemctl unmask moduled.service
check "afterwards all is well" as alice /guest/examples/helpers.md/load-sdbus "$DUMMY"
rmmod dummy

finish
