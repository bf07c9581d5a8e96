# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=sh
#
# What README.md prints works as printed.

# shellcheck source=tests/guest/inside/lib.sh
. /guest/lib.sh

groupadd --force modules
usermod --append --groups modules alice
polkit_rule 50-moduled </guest/examples/README.md/50-moduled.rules
file=$(/sbin/modinfo -n dummy)

check "the program in C loads the module" as alice /guest/examples/README.md/load "$file"
check_says "and prints its object" '^/org/moduled1/module/dummy$'
check "it is loaded" loaded dummy
check_exit 1 "the program in C says what is wrong" as alice /guest/examples/README.md/load "$file"
check_says "in a sentence" 'dummy is loaded already'
rmmod dummy

check "the program in Python loads it" as alice /usr/bin/python3 /guest/examples/README.md/load.py "$file"
check_says "and prints its object" '^/org/moduled1/module/dummy$'
check "it is loaded" loaded dummy
check_exit 1 "the program in Python says what is wrong" as alice /usr/bin/python3 /guest/examples/README.md/load.py /etc/hostname
check_says "in a sentence" '^/etc/hostname is refused: '
rmmod dummy

check_exit 1 "who is not in the group may not" as bob /guest/examples/README.md/load "$file"
check_says "and reads why" 'needs authentication'

cp /guest/examples/README.md/moduled.conf /etc/moduled.conf
systemctl try-reload-or-restart moduled.service moduled-loader.service
check "its configuration still loads what it allows" as alice /guest/examples/README.md/load "$file"
rmmod dummy
floppy=/lib/modules/$(uname -r)/kernel/floppy.${DUMMY##*/dummy.}
cp "$DUMMY" "$floppy"
check_exit 1 "and denies what it denies" as alice /guest/examples/README.md/load "$floppy"
check_says "for that reason" 'DenyModules='
rm "$floppy" /etc/moduled.conf
systemctl try-reload-or-restart moduled.service moduled-loader.service

gpasswd --delete alice modules
finish
