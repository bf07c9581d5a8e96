# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=sh
#
# The configuration, as the installed units read it.

# shellcheck source=tests/guest/inside/lib.sh
. /guest/lib.sh

polkit_rule 40-config <<'END'
polkit.addRule(function(action, subject) {
        if (action.id.indexOf("org.moduled1.") == 0 && subject.user == "alice")
                return polkit.Result.YES;
});
END

mkdir -p /etc/moduled.conf.d
drop_in=/etc/moduled.conf.d/50-case.conf

check "a load with the shipped configuration" as alice modctl load "$DUMMY"
check "unloaded" as alice modctl unload dummy

printf '[Policy]\nDenyModules=du*\n' >$drop_in
check "both read again" systemctl reload moduled.service
check_exit 3 "a denied module is refused" as alice modctl load "$DUMMY"
check_says "with the setting's name" 'DenyModules='
printf '[Policy]\nDenyModules=du*\nDenyModule=x\n' >$drop_in
systemctl reload moduled.service
check_exit 3 "after a reload with an error the old one stays" as alice modctl load "$DUMMY"
check "and the log says where the error is" journal
check_says "by file, line and key" '/etc/moduled.conf.d/50-case.conf:3: DenyModule= '

systemctl stop moduled.service moduled-loader.service
check_not "with an error the broker does not start" systemctl start moduled.service
check "and says why" journal
check_says "by file, line and key" '/etc/moduled.conf.d/50-case.conf:3: DenyModule= '

# The loader reads for itself: if the broker could be talked into it, the loader could not.
printf '[Policy]\nDenyModules=\n' >$drop_in
systemctl start moduled.service
printf '[Policy]\nDenyModules=dummy\n' >$drop_in
check_exit 3 "the loader refuses what the broker would have let pass" as alice modctl load "$DUMMY"
check_says "with the setting's name" 'DenyModules='
check_not "nothing was loaded" loaded dummy

# The next broker reads it when it begins; the loader need not have been told.
systemctl stop moduled.service
rm $drop_in
check "the loader is still there" systemctl is-active moduled-loader.service
check "and reads again when another broker comes" as alice modctl load "$DUMMY"
check "unloaded" as alice modctl unload dummy
systemctl stop moduled.service moduled-loader.service

# An origin of the administrator's.
mkdir -p /opt/vendor/modules
cp "$DUMMY" /opt/vendor/modules/
check_exit 3 "a module elsewhere is refused" as alice modctl load "/opt/vendor/modules/${DUMMY##*/}"
printf '[Origin vendor]\nDirectory=/opt/vendor/modules\n' >$drop_in
check "reloaded" systemctl reload moduled.service
check "with an origin there it loads" as alice modctl load "/opt/vendor/modules/${DUMMY##*/}"
check "the list names the origin" modctl list
check_says "vendor" 'vendor'
check "unloaded" as alice modctl unload dummy
chown alice: /opt/vendor/modules
check_exit 3 "a directory that somebody else owns is no origin" as alice modctl load "/opt/vendor/modules/${DUMMY##*/}"
check_says "and the sentence names it" '/opt/vendor/modules.*root'
rm -r /opt/vendor/modules $drop_in
systemctl stop moduled.service moduled-loader.service

finish
