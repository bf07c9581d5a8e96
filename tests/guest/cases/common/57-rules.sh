# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=sh
# timeout: 900
# needs: test-modules
#
# What polkit's rules can decide by, and that a rule which says no is not evaded by whatever else is asked for.

# shellcheck source=tests/guest/inside/lib.sh
. /guest/lib.sh
# shellcheck source=tests/guest/inside/agent-lib.sh
. /guest/agent-lib.sh

test_modules
ifb=$(find "/lib/modules/$(uname -r)/kernel/drivers/net" -name 'ifb.ko*')
printf '[Policy]\nAllowForced=yes\n' >/etc/moduled.conf.d/57-rules.conf
systemctl try-reload-or-restart moduled.service moduled-loader.service
groupadd --force modules
usermod --append --groups modules carol

# --- each thing that a rule can look at; nobody is asked ---

polkit_rule 57-rules <<'END'
polkit.addRule(function(action, subject) {
        var d = function(key) { return action.lookup(key); };
        var load = action.id == "org.moduled1.load";

        if (subject.user == "alice" && load && d("module") == "dummy")
                return polkit.Result.YES;
        if (subject.user == "alice" && load && d("origin") == "test" && d("path") != "/usr/lib/modules-test/mt_export.ko")
                return polkit.Result.YES;
        if (subject.user == "alice" && action.id == "org.moduled1.load-with-parameters" && d("module") == "dummy" &&
            d("parameters") == "numdummies=2")
                return polkit.Result.YES;
        if (subject.isInGroup("modules") && load && d("module") == "ifb")
                return polkit.Result.YES;
        if (subject.user == "alice" && action.id == "org.moduled1.unload" && d("module") != "mt_plain")
                return polkit.Result.YES;
        if (subject.user == "alice" && action.id == "org.moduled1.unload-foreign" && d("module") == "ifb")
                return polkit.Result.YES;
});
END
quietly="--no-ask-password --quiet"

# may/may_not WHAT USER MODCTL-ARGUMENT…
may() {
        what=$1 user=$2 command=$3
        shift 3
        # shellcheck disable=SC2086  # words
        check "$what: yes" as "$user" modctl "$command" $quietly "$@"
}
may_not() {
        what=$1 user=$2 command=$3
        shift 3
        # shellcheck disable=SC2086  # words
        check_exit 4 "$what: no" as "$user" modctl "$command" $quietly "$@"
}

may "the module, dummy" alice load "$DUMMY"
may "to unload it" alice unload dummy
may_not "the module, ifb" alice load "$ifb"
may_not "the user, bob" bob load "$DUMMY"
may_not "the user, carol" carol load "$DUMMY"
may "the group, of carol" carol load "$ifb"
may_not "the group, of her who has loaded it: not to unload it" carol unload ifb
rmmod ifb
may_not "the group, of bob" bob load "$ifb"
may "the origin" alice load "$MODULES/mt_plain.ko"
may_not "to unload a module: not this one" alice unload mt_plain
rmmod mt_plain
may_not "the path" alice load "$MODULES/mt_export.ko"
may "the parameters, these" alice load "$DUMMY" numdummies=2
rmmod dummy
may_not "the parameters, others" alice load "$DUMMY" numdummies=3
may_not "the parameters, of a module that has no rule for them" alice load "$MODULES/mt_init.ko" error=1
may_not "force, though the module is allowed" alice load --force "$DUMMY"
modprobe -a dummy ifb
may_not "to unload what is not moduled's" alice unload dummy
may "to unload what is not moduled's: this one" alice unload ifb
rmmod dummy
polkit_no_rule 57-rules

# --- a rule that says no ---

polkit_rule 57-no <<'END'
polkit.addRule(function(action, subject) {
        if (action.id == "org.moduled1.load" && action.lookup("module") == "ifb")
                return polkit.Result.NO;
        if (action.id == "org.moduled1.load" && action.lookup("module") == "mt_plain")
                return polkit.Result.AUTH_ADMIN;
        if (action.id == "org.moduled1.load" && action.lookup("module") == "mt_export")
                return polkit.Result.AUTH_ADMIN_KEEP;
        if (action.id.indexOf("org.moduled1.") == 0)
                return polkit.Result.YES;
});
END

# refused WHAT: the last command was, and nobody was asked.
refused() {
        check_silent "$1: nobody is asked" 'Password:'
        check_not "$1: it is not loaded" loaded ifb
}

check_terminal "no to a module" "exit 4" alice modctl load "$ifb" </dev/null
refused "no"
check_terminal "no though its parameters are allowed" "exit 4" alice modctl load "$ifb" numifbs=1 </dev/null
refused "with parameters"
check_terminal "no though force is allowed" "exit 4" alice modctl load --force "$ifb" </dev/null
refused "with force"
check_terminal "no with both" "exit 4" alice modctl load --force "$ifb" numifbs=1 </dev/null
check_says "the sentence has the action that is refused" 'rule for the action org\.moduled1\.load\.$'
refused "with both"
check_terminal "no in a chain, though chains are allowed" "exit 1" alice /guest/chain --ask "$DUMMY" "$ifb" \
        "$MODULES/mt_plain.ko" </dev/null
check_says "in a chain: the module is named" '^Not authorized for module ifb; '
refused "in a chain"
check_not "in a chain: nothing else is loaded either" loaded dummy
check_terminal "no in a chain with everything" "exit 1" alice /guest/chain --ask --forced "$DUMMY=numdummies=1" \
        "$ifb=numifbs=1" </dev/null
refused "in a chain with everything"

check_terminal "no though the same caller has just had a password typed for another" "exit 1" alice \
        /guest/chain --ask "$MODULES/mt_plain.ko" --then "$ifb" <<END
expect Password:
secret root
END
check_says "that one is loaded" '^/org/moduled1/module/mt_5fplain true$'
check_says "and this one is refused" '^Not authorized for module ifb; '
check_not "it is not loaded" loaded ifb
rmmod mt_plain

# polkit asks rules first and its memory afterwards, and that knows no modules.
check_terminal "no though polkit keeps what was answered for another" "exit 1" alice \
        /guest/chain --ask "$MODULES/mt_export.ko" --then "$ifb" --then "$MODULES/mt_plain.ko" <<END
expect Password:
secret root
END
check_says "for no rule may keep" 'module mt_export: polkit is told to keep the authorization'
check_silent "of none of them it is said that it is loaded" 'true$'
check_not "it is not loaded" loaded ifb
check_not "nor is one that somebody would have to be asked about" loaded mt_plain
check_not "nor the one that was answered for" loaded mt_export
check_terminal "where rules decide about two things, they are heard first" "exit 4" alice \
        modctl load --force "$MODULES/mt_export.ko" </dev/null
check_silent "so nobody types a password in vain" 'Password:'
check_says "because of a rule that keeps" 'without _KEEP\.$'
polkit_no_rule 57-no

# What polkit keeps belongs to the process that was asked for, since 127 to all of that user's.
polkit_rule 57-kept <<'END'
polkit.addRule(function(action, subject) {
        if (action.id == "org.moduled1.load")
                return action.lookup("module") ? polkit.Result.AUTH_ADMIN : polkit.Result.AUTH_ADMIN_KEEP;
});
END
# shellcheck disable=SC2016
check_terminal "a password for another process of the same user" "exit 4" alice sh -c 'pkcheck --allow-user-interaction \
        --enable-internal-agent --action-id org.moduled1.load --process $$ && echo kept &&
        modctl load --no-ask-password "$1"' sh "$MODULES/mt_plain.ko" <<END
expect Password:
secret root
END
check_says "is kept" '^kept'
check_not "it loads nothing" loaded mt_plain
polkit_no_rule 57-kept

# --- the examples ---

# The group may load and unload what is named.
polkit_rule 57-group </guest/polkit/50-moduled-group.rules.example
may "example, group: a module on the list" carol load "$DUMMY"
may_not "example, group: another user" bob unload dummy
may "example, group: to unload it" carol unload dummy
may_not "example, group: parameters" carol load "$DUMMY" numdummies=1
may_not "example, group: a module that is not on the list" carol load "$ifb"
may_not "example, group: another user" bob load "$DUMMY"
chain=$(modprobe --show-depends vxlan | sed -n 's/^insmod \([^ ]*\).*/\1/p')
# shellcheck disable=SC2086  # paths without spaces
check "example, group: a module and what it needs" as carol /guest/chain $chain
modprobe --remove vxlan
check_terminal "example, group: for what it does not name somebody is asked" "exit 0" carol modctl load "$ifb" <<END
expect Password:
secret root
END
rmmod ifb
# Nobody may anything, whatever other rules say.
polkit_rule 10-moduled-nobody </guest/polkit/10-moduled-nobody.rules.example
check_terminal "example, nobody: not even what another rule allows" "exit 4" carol modctl load "$DUMMY" </dev/null
check_silent "example, nobody: nobody is asked" 'Password:'
check "example, nobody: root may" modctl load "$DUMMY"
check_terminal "example, nobody: nor is anything unloaded" "exit 4" carol modctl unload dummy </dev/null
check_silent "example, nobody: nobody is asked" 'Password:'
check "example, nobody: root may" modctl unload dummy
check_terminal "example, nobody: no chain either" "exit 1" carol /guest/chain --ask "$DUMMY" "$ifb" </dev/null
check_says "example, nobody: by name" '^org\.freedesktop\.DBus\.Error\.AccessDenied$'

rm /etc/moduled.conf.d/57-rules.conf
gpasswd --delete carol modules
kill "$polkit_monitor"
finish
