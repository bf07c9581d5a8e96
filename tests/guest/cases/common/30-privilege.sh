# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=sh disable=SC2016
#
# What the two processes may do, and what they do to the module's bytes.

# shellcheck source=tests/guest/inside/lib.sh
. /guest/lib.sh

polkit_rule 30-privilege <<'END'
polkit.addRule(function(action, subject) {
        if (action.id.indexOf("org.moduled1.") == 0 && subject.user == "alice")
                return polkit.Result.YES;
});
END

# The plain .ko is loaded without a byte being read in userspace; where modules are compressed, one is unpacked first.
plain=/lib/modules/$(uname -r)/kernel/dummy.ko
case $DUMMY in
*.xz) xz -dc "$DUMMY" >"$plain" ;;
*) cp "$DUMMY" "$plain" ;;
esac

systemctl start moduled.service
check "a module is loaded, so that both are running" as alice modctl load "$plain"
check "and unloaded" as alice modctl unload dummy
broker=$(systemctl show --property=MainPID --value moduled.service)
loader=$(systemctl show --property=MainPID --value moduled-loader.service)
inspector=$(pgrep -P "$broker")

# capabilities PID
capabilities() {
        sed -n 's/^Cap\(Inh\|Prm\|Eff\|Bnd\|Amb\):\t//p' "/proc/$1/status" | sort -u | tr '\n' ' '
}
check "the broker has no capability" test "$(capabilities "$broker")" = '0000000000000000 '
# CAP_SYS_MODULE is 16, CAP_SYSLOG 34.
check "the loader has two" sh -c "grep -q '^CapEff:.0000000400010000\$' /proc/$loader/status"
check "and can get no other" sh -c "grep -q '^CapBnd:.0000000400010000\$' /proc/$loader/status"
check "the broker is moduled's" test "$(stat -c %U "/proc/$broker")" = moduled
check_not "the loader is somebody else's" test "$(stat -c %u "/proc/$loader")" -eq "$(id -u moduled)"
check_not "and not root's" test "$(stat -c %u "/proc/$loader")" -eq 0
check "the broker has a seccomp filter" grep -q '^Seccomp:.2$' "/proc/$broker/status"
check "the loader has one" grep -q '^Seccomp:.2$' "/proc/$loader/status"
check "the broker cannot gain privileges" grep -q '^NoNewPrivs:.1$' "/proc/$broker/status"
check "nor can the loader" grep -q '^NoNewPrivs:.1$' "/proc/$loader/status"
check_not "neither broker nor inspector has libkmod, or what it brings, after it was used" \
        grep -q -e libkmod -e libcrypto "/proc/$broker/maps" "/proc/$inspector/maps"
check "it would be seen there, as libelf is" grep -q libelf "/proc/$inspector/maps"
check_not "the loader asks for no bus library" grep -aq -e libsystemd -e libkmod -e libelf "$(readlink "/proc/$loader/exe")"
check_not "and has none for ELF" grep -q -e libkmod -e libelf "/proc/$loader/maps"
# On Debian testing libmount brings libsystemd for its own use.
check "nor one for a bus that libmount has not brought" sh -c '! grep -q libsystemd "/proc/$1/maps" ||
        grep -aq libsystemd "$(sed -n "s/^.* \(\/.*libmount.*\)/\1/p" "/proc/$1/maps" | head -n 1)"' sh "$loader"

check "the broker's exposure is at most 1.0" systemd-analyze security --no-pager --threshold=10 moduled.service
check "the loader's exposure is at most 1.3" systemd-analyze security --no-pager --threshold=13 moduled-loader.service

trace=/run/case.strace
strace -f -y -o "$trace" -p "$broker" -p "$inspector" -p "$loader" 2>/run/case.strace.err &
tracer=$!
wait_for 30 sh -c "grep -c attached /run/case.strace.err | grep -qx '[3-9]'"
check "a load under strace" as alice modctl load "$plain"
kill "$tracer"
wait "$tracer" || true
grep finit_module "$trace"
check "the kernel was given the file" grep -q 'finit_module([0-9]*<[^>]*/kernel/dummy.ko>, "[^"]*", 0' "$trace"
# Whatever names the file, but the calls that look at its place and name, that hand it on, and that close it.
grep '/kernel/dummy.ko>' "$trace" |
        grep -Ev '(statx|newfstatat|fstat|fcntl|readlink|name_to_handle_at|finit_module|close|dup3|openat)\(' |
        grep -Ev '(sendmsg|recvmsg)\(.*SCM_RIGHTS' |
        grep -Ev 'resumed>' >/run/case.touched || true
grep -Ev 'mmap\(NULL, [0-9]+, PROT_READ, MAP_PRIVATE, ' /run/case.touched >/run/case.read || true
check_not "nobody read, spliced or sent its bytes" grep . /run/case.read
check "one mapped them, private and read-only" test "$(wc -l </run/case.touched)" -eq 1
check "the inspector's child" sh -c \
        "grep -q '^$inspector .*clone' '$trace' && ! grep -qE '^($broker|$inspector|$loader) ' /run/case.touched"
grep 'openat(.*dummy\.ko"' "$trace" | grep -v O_PATH >/run/case.opened || true
check_not "nobody opened it again but as a place (O_PATH)" grep . /run/case.opened
check "the trace has the whole way" grep -q 'openat(.*"dummy.ko", O_RDONLY|O_NOFOLLOW|O_CLOEXEC|O_PATH' "$trace"
check "unloaded" as alice modctl unload dummy

rm -f "$plain" "$trace"
finish
