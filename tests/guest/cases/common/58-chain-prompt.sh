# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=sh
# timeout: 900
# needs: test-modules
#
# A chain of modules is asked about in one prompt, and loads as a whole or not at all.

# shellcheck source=tests/guest/inside/lib.sh
. /guest/lib.sh
# shellcheck source=tests/guest/inside/agent-lib.sh
. /guest/agent-lib.sh

test_modules
mt=$MODULES/mt
remember_rest

check_terminal "five modules load after one prompt" "exit 0" alice /guest/chain --ask \
        "${mt}_chain1.ko" "${mt}_chain2.ko" "${mt}_chain3.ko" "${mt}_chain4.ko" "${mt}_chain5.ko" <<END
expect org.moduled1.load-many
expect load these kernel modules: mt_chain1, mt_chain2, mt_chain3, mt_chain4, mt_chain5
expect Password:
secret root
END
check "it is the only one" test "$(grep -c 'Password:' "$OUTPUT")" -eq 1
check "all are loaded" all_loaded mt_chain1 mt_chain2 mt_chain3 mt_chain4 mt_chain5
check_rest
rmmod mt_chain5 mt_chain4 mt_chain3 mt_chain2 mt_chain1

check_terminal "the prompt is about parameters, too" "exit 0" alice /guest/chain --ask \
        "${mt}_plain.ko" "${mt}_init.ko=say=hello" <<END
expect load these kernel modules: mt_plain, mt_init; mt_init with say=hello
expect Password:
secret root
END
rmmod mt_plain mt_init

check_terminal "what is loaded already is not asked about" "exit 0" alice /guest/chain --ask "${mt}_chain1.ko" <<END
expect kernel module mt_chain1 from
expect Password:
secret root
END
check_terminal "in a longer chain" "exit 0" alice /guest/chain --ask \
        "${mt}_chain1.ko" "${mt}_chain2.ko" "${mt}_chain3.ko" <<END
expect load these kernel modules: mt_chain2, mt_chain3
expect Password:
secret root
END
rmmod mt_chain3 mt_chain2 mt_chain1

check_terminal "the wrong password loads none" "exit 1" alice /guest/chain --ask "${mt}_chain1.ko" "${mt}_chain2.ko" <<END
expect Password:
secret wrong
END
check_says "which is said of all of them" '^Not authorized for module mt_chain1, mt_chain2; '
check "none is loaded" none_loaded mt_chain1 mt_chain2

check_terminal "the fourth of five fails in its init" "exit 1" alice /guest/chain --ask \
        "${mt}_chain1.ko" "${mt}_chain2.ko" "${mt}_chain3.ko" "${mt}_chain4_fails.ko" "${mt}_plain.ko" <<END
expect load these kernel modules: mt_chain1, mt_chain2, mt_chain3, mt_chain4_fails, mt_plain
expect Password:
secret root
END
check_says "by name" '^org\.moduled1\.Error\.InitFailed$'
check_says "with what became of the others" 'mt_chain4_fails.*What this call had loaded was unloaded again\.$'
check "none of them is loaded" none_loaded mt_chain1 mt_chain2 mt_chain3 mt_chain4_fails mt_plain
check_rest

check_terminal "one of them is in use by the time that a later one fails" "exit 1" alice /guest/chain --ask \
        "${mt}_chain1.ko" "${mt}_held.ko" "${mt}_chain2.ko" "${mt}_chain3.ko" "${mt}_chain4_fails.ko" <<END
expect Password:
secret root
END
check_says "which is said" 'Of what this call had loaded these are in use and stay: mt_held\.$'
check "it is there" loaded mt_held
check "the others are not" none_loaded mt_chain1 mt_chain2 mt_chain3
check "moduled knows that it loaded it" as alice modctl list
check_says "it is in the list" '^mt_held '
check_silent "the others are not" '^mt_chain'
echo 0 >/sys/module/mt_held/parameters/held
check_terminal "when it is let go of it can be unloaded" "exit 0" alice modctl unload mt_held <<END
expect org.moduled1.unload =
expect Password:
secret root
END
check_rest

kill "$polkit_monitor"
finish
