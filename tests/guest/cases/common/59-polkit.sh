# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=sh
# timeout: 900
#
# When polkit is not there, or ends or stops in the middle of a prompt; and how many prompts a user may have.

# shellcheck source=tests/guest/inside/lib.sh
. /guest/lib.sh
# shellcheck source=tests/guest/inside/agent-lib.sh
. /guest/agent-lib.sh

polkit_rule 59-polkit <<'END'
polkit.addRule(function(action, subject) {
        if (action.id == "org.moduled1.load" && action.lookup("module") == "ifb" && subject.user == "alice")
                return polkit.Result.YES;
});
END
ifb=$(find "/lib/modules/$(uname -r)/kernel/drivers/net" -name 'ifb.ko*')
remember_rest

# --- restarted, stopped ---

check "a prompt is open" open_prompt restart alice modctl load "$DUMMY"
check "polkit is restarted" reload_polkit
check_prompt_ends restart "its caller hears of it" "exit 4"
check_says "in a sentence" 'polkit does not answer, and without it only root may do this to module dummy; check polkit\.service\.$'
check_not "nothing is loaded" loaded dummy
check_rest
check_terminal "the next one is asked" "exit 0" alice modctl load "$DUMMY" <<END
expect Password:
secret root
END
rmmod dummy

mkdir -p /etc/moduled.conf.d
printf '[Limits]\nPromptSec=40\n' >/etc/moduled.conf.d/59-polkit.conf
systemctl try-reload-or-restart moduled.service
check "a prompt is open" open_prompt frozen alice modctl load "$DUMMY"
check "polkit stops" systemctl kill --kill-whom=main --signal=SIGSTOP polkit.service
check_prompt_ends frozen "the prompt ends when its time is over" "exit 1"
check_says "in a sentence" 'Nobody answered the prompt for module dummy in time'
check_not "nothing is loaded" loaded dummy
check_exit 4 "who asks a polkit that does not answer" as alice timeout 200 modctl load --no-ask-password "$DUMMY"
check_says "gets an answer all the same" 'polkit does not answer'
check "root is served, who needs nobody's leave" timeout 200 modctl load "$ifb"
rmmod ifb
check "polkit goes on" systemctl kill --kill-whom=main --signal=SIGCONT polkit.service
check_rest
check "and decides again" as alice modctl load "$ifb"
check_not "of what was asked meanwhile nothing is loaded" loaded dummy
rmmod ifb
rm /etc/moduled.conf.d/59-polkit.conf
rmdir /etc/moduled.conf.d
systemctl try-reload-or-restart moduled.service

# --- not there ---

systemctl mask --runtime --now polkit.service
check_exit 4 "without polkit nobody may" as alice timeout 200 modctl load "$ifb"
check_says "and reads why" 'polkit does not answer, and without it only root may do this to module ifb; check polkit\.service\.$'
check_terminal "at a terminal neither" "exit 4" alice modctl load "$ifb" </dev/null
check_says "and reads why" 'polkit does not answer'
check_not "nothing is loaded" loaded ifb
check "but root may" modctl load "$ifb"
check "with parameters, too" modctl load "$DUMMY" numdummies=1
check_exit 4 "to unload it, nobody may" as alice timeout 200 modctl unload dummy
check "but root" modctl unload dummy
rmmod ifb
systemctl unmask --runtime polkit.service
check "with polkit it is as before" as alice modctl load "$ifb"
rmmod ifb

# --- prompts ---

check "alice has a prompt" open_prompt one alice modctl load "$DUMMY"
check "and another one" open_prompt two alice modctl load "$DUMMY" numdummies=1
check_terminal "a third one is too many" "exit 1" alice modctl load "$DUMMY" numdummies=2 </dev/null
check_says "which she reads" 'Module dummy needs authentication, and too many prompts are open already; answer or close one'
check_silent "nobody is asked" 'Password:'
check_exit 1 "and it has a name" as alice /guest/chain --ask "$DUMMY" </dev/null
check_says "on the bus" '^org\.freedesktop\.DBus\.Error\.LimitsExceeded$'
check "what rules decide needs no prompt" as alice modctl load "$ifb"
rmmod ifb
check_terminal "another user is asked" "exit 0" bob modctl load "$DUMMY" <<END
expect Password:
secret root
END
rmmod dummy
order one "secret wrong"
check_prompt_ends one "one of hers is answered" "exit 4"
check "then there is room for another" open_prompt three alice modctl load "$DUMMY" numdummies=3
order two "press C"
order three "press C"
check_prompt_ends two "she gives up" "signal 2"
check_prompt_ends three "on both" "signal 2"
check_rest

mkdir -p /etc/moduled.conf.d
printf '[Limits]\nPromptsInAll=1\n' >/etc/moduled.conf.d/59-polkit.conf
systemctl try-reload-or-restart moduled.service
check "where there may be one in all" open_prompt only alice modctl load "$DUMMY"
check_terminal "it is too many for another user" "exit 1" bob modctl load "$DUMMY" </dev/null
check_says "who reads it" 'too many prompts are open already'
order only "secret root"
check_prompt_ends only "the one is answered" "exit 0"
rmmod dummy
rm /etc/moduled.conf.d/59-polkit.conf
rmdir /etc/moduled.conf.d
systemctl try-reload-or-restart moduled.service

kill "$polkit_monitor"
finish
