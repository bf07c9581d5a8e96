# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=sh
# timeout: 1800
# processors: 2
#
# Measures, and shows what it has measured as a transcript; nothing of that is a result, but that it can be measured.

# shellcheck source=tests/guest/inside/lib.sh
. /guest/lib.sh

# The guests are booted without, as emulation is slow with it; what is compared here has it on every machine.
sysctl -q kernel.randomize_va_space=2

polkit_rule 50-bench <<'END'
polkit.addRule(function(action, subject) {
        if ((action.id.indexOf("org.moduled1.") == 0 || action.id == "org.freedesktop.policykit.exec") &&
            subject.user == "alice")
                return polkit.Result.YES;
});
END
echo 'alice ALL=(root) NOPASSWD: ALL' >/etc/sudoers.d/bench

# Uncompressed, as most of what is compared is about: where modules are compressed, one is unpacked first.
plain=/usr/lib/modules/$(uname -r)/kernel/bench/dummy.ko
mkdir -p "${plain%/*}"
case $DUMMY in
*.xz)
        xz -dc "$DUMMY" >"$plain"
        set -- "$DUMMY"
        ;;
*)
        cp "$DUMMY" "$plain"
        set --
        ;;
esac

rm -f /run/bench.failed
(/guest/bench/inside "$plain" "$@" || touch /run/bench.failed) | sed -u -e 's/^/#| /' >&3
check_not "all of it can be measured" test -e /run/bench.failed

rm -r "${plain%/*}" /etc/sudoers.d/bench
finish
