# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=sh
#
# What docs/security.md recommends does what it says, and so do the example rules in polkit/.

# shellcheck source=tests/guest/inside/lib.sh
. /guest/lib.sh

groupadd --force modules
usermod --append --groups modules alice
mkdir -p /etc/moduled.conf.d
conf=/etc/moduled.conf.d/52-security.conf
ifb=$(modinfo -n ifb)

# configure FILE: a drop-in as the page prints it.
configure() {
        cp "$1" $conf
        systemctl try-reload-or-restart moduled.service moduled-loader.service
}

polkit_rule 50-moduled </guest/examples/polkit/50-moduled-group.rules
check "a member of the group loads a module that is named" as alice modctl load "$DUMMY"
check "and unloads it" as alice modctl unload dummy
check_exit 4 "not one that is not" as alice modctl load --no-ask-password "$ifb"
check_exit 4 "not with parameters" as alice modctl load --no-ask-password "$DUMMY" numdummies=2
check_exit 4 "nor does anybody else" as bob modctl load --no-ask-password "$DUMMY"
check_says "for want of a password" 'password'

polkit_rule 90-moduled </guest/examples/polkit/10-moduled-nobody.rules
check "with the second rule she still does" as alice modctl load "$DUMMY"
check "and unloads it" as alice modctl unload dummy
check_exit 4 "but nobody is asked for anything else" as alice modctl load "$ifb"
check_says "it is a no" 'Not authorized'
check_exit 4 "nor is anybody else" as bob modctl load "$DUMMY"
check_says "it is a no" 'Not authorized'
check "root may" modctl load "$ifb"
check "and unload" modctl unload ifb

polkit_rule 10-moduled </guest/examples/polkit/10-moduled-nobody.rules
check_exit 4 "before the other rule it shuts everybody out" as alice modctl load "$DUMMY"
check "but root" modctl load "$DUMMY"
check "who unloads, too" modctl unload dummy
polkit_no_rule 10-moduled

configure /guest/examples/security.md/allowlist.conf
check "what the list names is loaded" as alice modctl load "$DUMMY"
check "and unloaded" as alice modctl unload dummy
check_exit 3 "what it does not name is not, even for root" modctl load "$ifb"
check_says "for that reason" 'AllowModules='

configure /guest/examples/security.md/verity.conf
check_exit 3 "where /usr is not verified nothing is loaded" modctl load "$DUMMY"
check_says "and the sentence says what is missing" 'MountPoint= is not mounted'

cp /guest/examples/security.md/moduled-local.conf /etc/dbus-1/system.d/
systemctl reload dbus.service
check_exit 4 "whom the bus does not let call is kept out" as bob modctl list
check_says "by the bus" 'The system bus does not let you call moduled'
check "others are not" as alice modctl list
rm /etc/dbus-1/system.d/moduled-local.conf
systemctl reload dbus.service
check "bob may call again" as bob modctl list

rm $conf
rmdir /etc/moduled.conf.d
systemctl try-reload-or-restart moduled.service moduled-loader.service
gpasswd --delete alice modules
finish
