# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=sh
#
# What README.md prints works as printed.

# shellcheck source=tests/guest/inside/lib.sh
. /guest/lib.sh

groupadd --force modules
usermod --append --groups modules alice
polkit_rule 50-moduled </guest/readme/50-moduled.rules
file=$(/sbin/modinfo -n dummy)

check "the program in C loads the module" as alice /guest/readme/load "$file"
check_says "and prints its object" '^/org/moduled1/module/dummy$'
check "it is loaded" loaded dummy
check_exit 1 "the program in C says what is wrong" as alice /guest/readme/load "$file"
check_says "in a sentence" 'dummy is loaded already'
rmmod dummy

check "the program in Python loads it" as alice /usr/bin/python3 /guest/readme/load.py "$file"
check_says "and prints its object" '^/org/moduled1/module/dummy$'
check "it is loaded" loaded dummy
check_exit 1 "the program in Python says what is wrong" as alice /usr/bin/python3 /guest/readme/load.py /etc/hostname
check_says "in a sentence" '^/etc/hostname is refused: '
rmmod dummy

check_exit 1 "who is not in the group may not" as bob /guest/readme/load "$file"
check_says "and reads why" 'needs authentication'

gpasswd --delete alice modules
finish
