# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=sh disable=SC2016  # the user's shell expands the command lines
#
# What tools/demo shows: a newcomer reads this as a transcript, the checks as a test.

# shellcheck source=tests/guest/inside/lib.sh
. /guest/lib.sh

file='/lib/modules/$(uname -r)/kernel/drivers/net/'${DUMMY##*/}

polkit_rule alice </guest/alice.rules

demonstrate 0 root "The administrator lets alice load one module, dummy, and unload it. Nobody else, nothing else." \
        'grep -v "^//" /etc/polkit-1/rules.d/alice.rules'

demonstrate 0 alice "Alice is nobody in particular." 'id'

demonstrate 0 alice "She opens the module's file herself; moduled has the kernel load that very file, with her parameter." \
        "modctl load $file numdummies=2"

demonstrate 0 alice "The kernel made the two network interfaces she asked for." 'ip -br link'
check_says "dummy0 is there" '^dummy0 '
check_says "dummy1 is there" '^dummy1 '

demonstrate 0 alice "moduled knows what it loaded, and for whom." 'modctl list'
check_says "the list has dummy" 'dummy'

demonstrate 3 alice "The same bytes, but in a file that she could have written: refused, though the rule would allow her." \
        "cp $file . && modctl load ./${DUMMY##*/}"

demonstrate 0 alice "She unloads it again." 'modctl unload dummy'
check_not "dummy is gone" loaded dummy

demonstrate 4 bob "Bob may not: no rule allows him, and he declined to be asked for an administrator's password." \
        "modctl load --no-ask-password $file"
check_not "nothing was loaded for bob" loaded dummy

demonstrate 0 alice "What this system trusts, and whether it holds now." 'modctl status'

demonstrate 0 root "All of it is in the journal." \
        'journalctl --quiet --output=short --no-hostname -u moduled -u moduled-loader'
check_says "the journal has it" 'dummy'

finish
