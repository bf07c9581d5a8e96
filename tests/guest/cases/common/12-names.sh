# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=sh
# timeout: 600
# needs: test-modules
#
# modctl finds modules by name, alias and file, loads what they need, and takes it out again.

# shellcheck source=tests/guest/inside/lib.sh
. /guest/lib.sh

polkit_rule 12-names <<'END'
polkit.addRule(function(action, subject) {
        var module = action.lookup("module");
        if (subject.user == "alice" && action.id.indexOf("org.moduled1.") == 0)
                return polkit.Result.YES;
        if (subject.user == "bob" && (module == "dummy" || module == "vxlan"))
                return polkit.Result.YES;
});
END
drop_in=/etc/modprobe.d/12-names.conf
release=$(uname -r)
tree=/lib/modules/$release

check "a module is loaded by name" as alice modctl load -v vxlan
check_says "what it needs comes first" '^Loaded (ip6_)?udp_tunnel\.$'
check_says "and it comes last" '^Loaded vxlan\.$'
check "all of it is there" all_loaded vxlan udp_tunnel ip6_udp_tunnel
check "what is there is no failure" as alice modctl load vxlan
check_says "but is said" '^modctl: vxlan is loaded already\.$'
check "--quiet does not say it" as alice modctl load --quiet vxlan
check_silent "a word" .
check_exit 1 "with --first-time it is a failure" as alice modctl load --first-time vxlan
check "it goes" as alice modctl unload -v --with-unused vxlan
check_says "with what nobody uses then" '^Unloaded udp_tunnel\.$'
check "all of it is gone" none_loaded vxlan udp_tunnel ip6_udp_tunnel

check "its file loads the same" as alice modctl load "$(modinfo -n vxlan)"
check "all of it is there" all_loaded vxlan udp_tunnel ip6_udp_tunnel
check_exit 4 "who may unload one of them, unloads that one" as bob modctl unload -v --with-unused vxlan
check_says "and hears of the others" '^modctl: So udp_tunnel stays loaded'
check "it is gone" none_loaded vxlan
check "what it needed is there" all_loaded udp_tunnel ip6_udp_tunnel
check "an owner unloads them" as alice modctl unload udp-tunnel ip6-udp-tunnel
check "they are gone" none_loaded udp_tunnel ip6_udp_tunnel
check "in a name - is _" as alice modctl load ip6-udp-tunnel
check "it is there" loaded ip6_udp_tunnel
rmmod ip6_udp_tunnel

check "an alias from modules.alias" as alice modctl load rtnl-link-dummy
check "it is there" loaded dummy
check "and unloads by it" as alice modctl unload rtnl-link-dummy
check "it is gone" none_loaded dummy
check "parameters" as alice modctl load dummy numdummies=2
check "reach it" ip link show dummy1
check "later ones do not" as alice modctl load dummy numdummies=3
check_says "which is said" 'gets no parameters any more'
rmmod dummy
check "several modules in one command" as alice modctl load dummy ifb ts_kmp
check "are there" all_loaded dummy ifb ts_kmp
check "and go in one" as alice modctl unload dummy ifb ts_kmp
check "all of them" none_loaded dummy ifb ts_kmp
check_exit 1 "one that there is not" as alice modctl load nosuchmodule dummy
check_says "is told apart" "There is no module or alias 'nosuchmodule' for the kernel "
check "from those that there are" loaded dummy
rmmod dummy
builtin=$(sed -n -e '1s/.*\///' -e '1s/\.ko$//p' "$tree/modules.builtin")
check "what is built in needs no load" as bob modctl load "$builtin"
check_says "which is said" 'is built into the kernel'

# What the administrator says of them.
cat >"$drop_in" <<'END'
softdep dummy pre: ifb post: ts_kmp nosuchmodule
alias made-up-two dummy
alias made-up-two zram
alias made-up-one zram
blacklist zram
END
check "soft dependencies are loaded, too" as alice modctl load -v dummy
check_says "what stands before it" '^Loaded ifb\.$'
check_says "what stands behind it" '^Loaded ts_kmp\.$'
check "they are there" all_loaded dummy ifb ts_kmp
rmmod dummy ifb ts_kmp
check "with the module's file as well" as alice modctl load "$DUMMY"
check "they are there, too" all_loaded dummy ifb ts_kmp
rmmod dummy ifb ts_kmp
check "who may not load them does without" as bob modctl load -v dummy
check_says "the module is loaded" '^Loaded dummy\.$'
check_says "and it is said" '^modctl: ifb is only a soft dependency'
check "none of them came" none_loaded ifb ts_kmp
rmmod dummy
check "an alias leaves out what is blacklisted" as alice modctl load -q made-up-two
check "the rest is there" loaded dummy
check "what is blacklisted is not" none_loaded zram
rmmod dummy ifb ts_kmp
check "an alias of that alone" as alice modctl load made-up-one
check_says "loads nothing, and says so" 'blacklisted'
check_exit 3 "by its name it is refused" as alice modctl load zram
check_says "with the file that says so" "$drop_in"
check_exit 3 "check says the same" as bob modctl check zram
check_says "and why" "^Reason: .*$drop_in"
check_says "and what was required" '^Requirements: '
echo 'install dummy /bin/true' >"$drop_in"
check_exit 3 "a command in the place of a module is not run" as alice modctl load dummy
modprobe --show-depends dummy >/run/case.theirs
check "--show prints it as modprobe does" sh -c 'modctl load --show dummy | cmp - /run/case.theirs'
check "which is the command" grep -q '^install /bin/true ' /run/case.theirs
rm /run/case.theirs
rm "$drop_in"

check "check tells of what is needed, too" as bob modctl check vxlan
check_says "each by name" '^(Needs:)? +udp_tunnel: accepted$'
cp "$DUMMY" /home/bob/
chown bob: /home/bob/dummy.ko*
check_exit 3 "a file that no origin accepts" as bob modctl check "/home/bob/${DUMMY##*/}"
check_says "with the reason" '^Reason: +/home/bob/dummy\.ko.* is refused'
rm /home/bob/dummy.ko*

modinfo dummy >/run/case.modinfo
check "info is modinfo" sh -c 'modctl info dummy | head -n -2 | cmp - /run/case.modinfo'
check "and what moduled says" as bob modctl info dummy
check_says "the origin" '^origin: +modules$'
check_says "the verdict" '^verdict: +accepted$'
for name in vxlan dummy btrfs snd xfs; do
        modprobe --show-depends "$name" >>/run/case.theirs 2>/dev/null || true
        modctl load --show "$name" >>/run/case.ours 2>/dev/null || true
done
check "--show prints what modprobe --show-depends does" cmp /run/case.ours /run/case.theirs

mv "$tree/modules.dep.bin" "$tree/modules.dep.kept"
check_exit 1 "without depmod's list" as alice modctl load dummy
check_says "it says what makes it" "modctl: 'dummy' cannot be looked up: .*'depmod "
check "a file needs no list" as alice modctl load "$DUMMY"
rmmod dummy
mv "$tree/modules.dep.kept" "$tree/modules.dep.bin"

# Files that depmod never saw, in a chain that no one message can hold.
test_modules
chain=$(seq -f mt_chain%.0f 1 18)
# shellcheck disable=SC2086  # names without spaces
{
check "a chain of eighteen files" as alice modctl load -v "$MODULES/mt_chain18.ko"
check_says "ends with the one that is wanted" '^Loaded mt_chain18\.$'
check "all of it is there" all_loaded $chain
check "with --with-unused all of it goes" as alice modctl unload --with-unused mt_chain18
check "nothing is left" none_loaded $chain
check_exit 1 "one whose last link fails" as alice modctl load "$MODULES/mt_chain18.ko" error=5
check_says "says what stays of the calls before" 'Loaded before that, and left so: mt_chain1, .*mt_chain16;'
check "and that is so" all_loaded mt_chain1 mt_chain16
check "what was loaded in the call that failed is gone" none_loaded mt_chain17 mt_chain18
check "the rest is unloaded" as alice modctl unload --with-unused mt_chain16
check "nothing is left" none_loaded $chain
}

finish
