# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=sh
#
# Several modules in one call: all or nothing, and rules that decide about each.

# shellcheck source=tests/guest/inside/lib.sh
. /guest/lib.sh

# vxlan needs two others first, and dummy needs nothing.
chain=$(modprobe --show-depends vxlan | sed -n 's/^insmod \([^ ]*\).*/\1/p')
vxlan=$(echo "$chain" | tail -n 1)
below=$(echo "$chain" | sed -e '$d')
names=$(for file in $below; do basename "$file" | sed -e 's/\.ko.*//'; done)
check "the chain has several modules" test "$(echo "$chain" | wc -l)" -ge 3

polkit_rule 25-chain <<'END'
polkit.addRule(function(action, subject) {
        var free = ["dummy", "vxlan", "udp_tunnel", "ip6_udp_tunnel"];
        if (action.id == "org.moduled1.load" && action.lookup("module") == "ifb")
                return polkit.Result.NO;
        if ((action.id == "org.moduled1.load" || action.id == "org.moduled1.unload") && subject.user == "alice" &&
            free.indexOf(action.lookup("module")) >= 0)
                return polkit.Result.YES;
        if (action.id == "org.moduled1.load-many" && action.lookup("module"))
                return polkit.Result.YES;
});
END

all_gone() {
        for name in vxlan $names; do
                ! loaded "$name" || return 1
        done
}

# shellcheck disable=SC2086  # paths without spaces
{
check "a chain is loaded, dependencies first" as alice /guest/chain $chain
check_says "all of it by this call" '^/org/moduled1/module/vxlan true$'
check_silent "nothing was passed over" 'false$'
check "the kernel has it" loaded vxlan
check "again it is passed over" as alice /guest/chain $chain "$DUMMY"
check_says "what was there" '^/org/moduled1/module/vxlan false$'
check_says "what was not is loaded" '^/org/moduled1/module/dummy true$'
rmmod dummy vxlan
# shellcheck disable=SC2046
rmmod $(echo "$names" | tac)
check "nothing is left" all_gone

check "what stands twice in a call is loaded once" as alice /guest/chain "$DUMMY" "$DUMMY"
check_says "the second time it is passed over" '^/org/moduled1/module/dummy false$'
check "unloaded" as alice modctl unload dummy

# The last one cannot load: its symbols are there, but it is no module.
text=/lib/modules/$(uname -r)/kernel/text.ko
echo "This is no module." >"$text"
check_exit 1 "with a file that is no module nothing loads" as alice /guest/chain $below "$text"
check_says "the error is about it" '^org.moduled1.Error.NotAModule$'
check "nothing was loaded" all_gone
rm "$text"

# vxlan without one of those that it needs fails in the kernel, when the others are loaded already.
some=$(echo "$below" | head -n 1)
check_exit 1 "when the last one fails in the kernel" as alice /guest/chain "$some" "$DUMMY" "$vxlan"
check_says "the error is the kernel's" '^org.moduled1.Error.UnknownSymbol$'
check_says "with its words, and what became of the others" 'The kernel said: vxlan: Unknown symbol .*unloaded again\.$'
check "those before it are gone again" all_gone
check_not "all of them" loaded dummy

ifb=$(find "/lib/modules/$(uname -r)/kernel/drivers/net" -name 'ifb.ko*')
check_exit 1 "a module that a rule forbids takes the whole chain with it" as alice /guest/chain "$DUMMY" "$ifb"
check_says "by name" '^org.freedesktop.DBus.Error.AccessDenied$'
check_says "it is the one that is named" 'ifb'
check_not "nothing was loaded" loaded dummy
brd=$(find "/lib/modules/$(uname -r)/kernel/drivers/block" -name 'brd.ko*')
check_exit 1 "what is allowed lets nothing ride along" as alice /guest/chain "$DUMMY" "$brd"
check_says "somebody would have to be asked" '^org.freedesktop.DBus.Error.InteractiveAuthorizationRequired$'
check_exit 1 "nor do parameters" as alice /guest/chain "$DUMMY=numdummies=2"
check_says "somebody would have to be asked" '^org.freedesktop.DBus.Error.InteractiveAuthorizationRequired$'
check_not "nothing was loaded" loaded dummy
}

finish
