# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=sh disable=SC2016
#
# An ordinary user loads a real module; another one may not.

# shellcheck source=tests/guest/inside/lib.sh
. /guest/lib.sh

polkit_rule 10-load <<'END'
polkit.addRule(function(action, subject) {
        if (action.id.indexOf("org.moduled1.") == 0 && action.lookup("module") == "dummy" && subject.user == "alice")
                return polkit.Result.YES;
});
END

# Everything that polkit is asked, as the bus sees it.
busctl monitor org.freedesktop.PolicyKit1 >/run/case.polkit 2>/run/case.polkit.err &
monitor=$!
wait_for 30 grep -q Monitoring /run/case.polkit /run/case.polkit.err
asked() {
        grep -c Member=CheckAuthorization /run/case.polkit || true
}

broker_pid() {
        systemctl show --property=MainPID --value moduled.service
}

check "the daemon is not running" sh -c '! systemctl is-active --quiet moduled.service'
check "a user whom a rule allows loads a module" as alice modctl load "$DUMMY"
check "the kernel has it" grep -q '^dummy ' /proc/modules
check "the bus started the daemon" systemctl is-active moduled.service
check "the loader was started by its socket" systemctl is-active moduled-loader.service
# The socket's address has a user, so no other user may ask the loader.
check_exit 1 "nobody but moduled reaches the loader" as alice python3 -c '
import socket
socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET).connect("/run/moduled-loader.socket")'
check_says "and is told so" 'PermissionError'
check_exit 0 "root reaches it" python3 -c '
import socket
s = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
s.connect("/run/moduled-loader.socket")
s.settimeout(5)
assert s.recv(1) == b""'

check "what is loaded already is no failure" as alice modctl load --verbose "$DUMMY"
check_says "but is said" 'loaded already'
check_exit 1 "with --first-time it is one" as alice modctl load --first-time "$DUMMY"
check_exit 1 "over the bus it is an error" as alice /guest/load-descriptor file "$DUMMY"
check_says "with a name" '^org.moduled1.Error.AlreadyLoaded$'

check "the object says who loaded it" busctl get-property org.moduled1 /org/moduled1/module/dummy \
        org.moduled1.Module LoadedBy
check_says "alice did" "^u $(id -u alice)\$"

check_exit 4 "who may not load may not unload either" as bob modctl unload dummy
check "she unloads it" as alice modctl unload dummy
check "it is gone" sh -c '! grep -q "^dummy " /proc/modules'
check_exit 1 "what is not loaded cannot be unloaded" as alice modctl unload dummy

check "she loads it with a parameter" as alice modctl load "$DUMMY" numdummies=3
check "there are three interfaces" ip link show dummy2
check_not "and not four" ip link show dummy3
object="/org/moduled1/module/dummy org.moduled1.Module"
# shellcheck disable=SC2086  # two words
{
check "she may read its parameters" as alice busctl get-property org.moduled1 $object Parameters
check_says "as she gave them" '^s "numdummies=3"$'
check "root may, too" busctl get-property org.moduled1 $object Parameters
check_says "the same" '^s "numdummies=3"$'
check_not "bob may not" as bob busctl get-property org.moduled1 $object Parameters
check_says "it is a matter of permission" '[Dd]enied'
check "he may read the rest" as bob busctl get-property org.moduled1 $object Path
check "and all that is for everybody" as bob busctl introspect org.moduled1 $object
check_silent "which does not have them" 'numdummies'
}
check_not "nor does he find them in a file" as bob sh -c 'cat /run/moduled/*/dummy /run/moduled/dummy'
check "she unloads it again" as alice modctl unload dummy

check_exit 4 "a user whom no rule allows may not" as bob modctl load --no-ask-password "$DUMMY"
check_says "and reads why" 'password'
check_exit 4 "nor if there is no agent to ask" as bob modctl load "$DUMMY"
check_exit 4 "nor with parameters" as bob modctl load --no-ask-password "$DUMMY" numdummies=1
check_not "nothing was loaded" loaded dummy
other=$(find "/lib/modules/$(uname -r)/kernel/drivers/net" -name 'ifb.ko*')
check_exit 4 "nor alice another module" as alice modctl load --no-ask-password "$other"
check_not "nothing was loaded" loaded ifb

# From here on nobody is to be asked: refused before that.
before=$(asked)
cp "$DUMMY" /home/alice/
cp "$DUMMY" /tmp/
cp "$DUMMY" /dev/shm/
chown alice: /home/alice/dummy.ko* /tmp/dummy.ko* /dev/shm/dummy.ko*
for place in /home/alice /tmp /dev/shm; do
        check_exit 3 "a copy in $place is refused" as alice modctl load "$place/${DUMMY##*/}"
        check_says "with the path and the reason" "$place/dummy.ko.*origin"
done
for kind in memfd deleted unnamed; do
        check_exit 1 "a file without a name ($kind) is refused" as alice /guest/load-descriptor $kind "$DUMMY"
        check_says "by name" '^org.moduled1.Error.OriginRefused$'
done
for kind in path directory pipe socket device epoll eventfd; do
        check_exit 1 "a descriptor of another kind ($kind) is refused" as alice /guest/load-descriptor $kind "$DUMMY"
        check_says "by name" '^org.moduled1.Error.BadDescriptor$'
done
check_exit 1 "one that can write is refused" /guest/load-descriptor read-write "$DUMMY"
check_says "by name" '^org.moduled1.Error.BadDescriptor$'
check "nobody was asked for any of these" test "$(asked)" -eq "$before"
check "and polkit had been asked before" test "$before" -gt 0
kill "$monitor"
check_not "nothing was loaded" loaded dummy
rm /home/alice/dummy.ko* /tmp/dummy.ko* /dev/shm/dummy.ko*

echo "This is no module." >"/lib/modules/$(uname -r)/kernel/text.ko"
check_exit 1 "a text file in the trusted tree is no module" modctl load "/lib/modules/$(uname -r)/kernel/text.ko"
check_says "and a sentence says so" 'not a module'
rm "/lib/modules/$(uname -r)/kernel/text.ko"
check_exit 3 "a file that is not called .ko is none either" as alice sh -c \
        'modctl load "/lib/modules/$(uname -r)/modules.dep"; test $? -ne 0 && exit 3'

needs=$(find "/lib/modules/$(uname -r)/kernel/drivers/net" -name 'vxlan.ko*')
check_exit 1 "a module whose symbols are missing" /guest/load-descriptor file "$needs"
check_says "is told with the kernel's words" 'The kernel said: vxlan: Unknown symbol '
check_exit 3 "force is refused unless moduled.conf allows it" modctl load --force "$DUMMY"

# What is killed comes back, and nothing is forgotten.
check "loaded again" as alice modctl load "$DUMMY"
systemctl kill --signal=SIGKILL moduled-loader.service
check "with the loader killed it can be unloaded" as alice modctl unload dummy
check "and loaded" as alice modctl load "$DUMMY"
killed=$(broker_pid)
systemctl kill --signal=SIGKILL moduled.service
check "after the broker was killed the list is as it was" as alice modctl list
check_says "dummy is in it" '^dummy '
check "by another broker" test "$killed" -ne "$(broker_pid)"
check "and dummy can be unloaded" as alice modctl unload dummy

finish
