# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=sh
# timeout: 1800
#
# A person at a terminal is asked for a password: by polkit's own agent, which modctl starts.

# shellcheck source=tests/guest/inside/lib.sh
. /guest/lib.sh
# shellcheck source=tests/guest/inside/agent-lib.sh
. /guest/agent-lib.sh

remember_rest

check_terminal "whoever knows root's password has a module loaded" "exit 0" alice modctl load "$DUMMY" <<END
expect Password:
secret root
END
check_says "the prompt names the action" 'AUTHENTICATING FOR org\.moduled1\.load '
check_says "the module and its path" "to load the kernel module dummy from /usr/lib/modules/.*/dummy\.ko"
check_says "and who is to answer" 'Authenticating as: root'
check_says "modctl says what was done" 'Loaded dummy\.$'
check_silent "the password is not shown" 'Password: *root'
check "the kernel has it" loaded dummy
check_rest
check_terminal "and unloaded" "exit 0" alice modctl unload dummy <<END
expect org.moduled1.unload =
expect unload the kernel module dummy
expect Password:
secret root
END
check_not "it is gone" loaded dummy

check_terminal "with parameters each question has its own prompt" "exit 0" alice modctl load "$DUMMY" numdummies=2 <<END
expect org.moduled1.load =
expect Password:
secret root
expect org.moduled1.load-with-parameters =
expect with the parameters: numdummies=2
expect Password:
secret root
END
check "the kernel got them" ip link show dummy1
rmmod dummy
modprobe dummy numdummies=0
check_terminal "to unload what somebody else loaded is another question" "exit 0" alice modctl unload dummy <<END
expect org.moduled1.unload-foreign =
expect which was loaded by somebody else
expect Password:
secret root
END
check_not "it is gone" loaded dummy

for password in wrong alice Root; do
        check_terminal "a wrong password ($password) loads nothing" "exit 4" alice modctl load "$DUMMY" <<END
expect Password:
secret $password
END
        check_says "and modctl says so" '^modctl: Not authorized for module dummy; '
        check_not "it is not loaded" loaded dummy
done
check_rest
check_terminal "the second of two is wrong" "exit 4" alice modctl load "$DUMMY" numdummies=2 <<END
expect Password:
secret root
expect load-with-parameters
expect Password:
secret wrong
END
check_says "which modctl names" 'polkit rule for the action org\.moduled1\.load-with-parameters\.$'
check_not "the first does not suffice" loaded dummy
check_terminal "after all that the right one still does" "exit 0" alice modctl load "$DUMMY" <<END
expect Password:
secret root
END
rmmod dummy

check_terminal "^C ends modctl, as it ends any command" "signal 2" alice modctl load "$DUMMY" <<END
expect Password:
press C
END
check_not "nothing is loaded" loaded dummy
check_rest

check_terminal "^D gives no password" "exit 4" alice modctl load "$DUMMY" <<END
expect Password:
quiet
press D
END
check_not "nothing is loaded" loaded dummy
check_rest

check "a prompt is open" open_prompt agent alice modctl load "$DUMMY"
check "its agent ends" pkill -TERM -x pkttyagent
check_prompt_ends agent "modctl ends, too" "exit 4"
check_says "and says that it was not authorized" 'modctl: (Not authorized for|The authentication for) module dummy'
check_not "nothing is loaded" loaded dummy
check_rest

check "a prompt is open" open_prompt client alice modctl load "$DUMMY"
check "the daemon is at it" wait_for 30 status_is 1
order client kill
check_prompt_ends client "modctl is killed" "signal 9"
check_not "nothing is loaded" loaded dummy
check_rest

check "a prompt is open" open_prompt daemon alice modctl load "$DUMMY"
check "the daemon is killed" systemctl kill --kill-whom=main --signal=SIGKILL moduled.service
check_prompt_ends daemon "modctl hears of it" "exit 1"
check_says "and says where to look" 'moduled gave no answer, and /proc/modules must tell'
check_not "nothing is loaded" loaded dummy
remember_rest
check_rest

check "a prompt is open" open_prompt stop alice modctl load "$DUMMY"
check "the daemon is stopped" systemctl stop moduled.service
check_prompt_ends stop "modctl hears of it" "exit 1"
check_says "and is told so" 'moduled is being stopped, and nothing was done'
check_not "nothing is loaded" loaded dummy
remember_rest
check_rest

mkdir -p /etc/moduled.conf.d
printf '[Limits]\nPromptSec=60\n' >/etc/moduled.conf.d/56-agent.conf
systemctl try-reload-or-restart moduled.service
cancelled=$(asked CancelCheckAuthorization)
check_terminal "a prompt that nobody answers" "exit 1" alice modctl load "$DUMMY" <<END
expect Password:
END
check_says "ends in time" 'modctl: Nobody answered the prompt for module dummy in time; '
check "and is taken down" wait_for 30 asked_since "$cancelled" CancelCheckAuthorization
check_not "nothing is loaded" loaded dummy
check_rest
rm /etc/moduled.conf.d/56-agent.conf
rmdir /etc/moduled.conf.d
systemctl try-reload-or-restart moduled.service

check_exit 4 "without a terminal nobody is asked" as alice modctl load "$DUMMY"
check_says "which modctl says" 'there is nobody to ask'
check_terminal "nor with --no-ask-password" "exit 4" alice modctl load --no-ask-password "$DUMMY" <<END
END
check_silent "at a terminal" 'Password:'

kill "$polkit_monitor"
finish
