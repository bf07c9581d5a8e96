# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=sh
#
# A kernel that is locked down.
#
# cmdline: lockdown=integrity
# needs: test-modules

# shellcheck source=tests/guest/inside/lib.sh
. /guest/lib.sh

polkit_rule 66-lockdown <<'END'
polkit.addRule(function(action, subject) {
        if (action.id.indexOf("org.moduled1.") == 0 && subject.user == "alice")
                return polkit.Result.YES;
});
END
test_modules

check "the kernel says so" busctl get-property org.moduled1 /org/moduled1 org.moduled1.Manager Lockdown
check_says "as a property" '^s "integrity"$'
check_exit 1 "an unsigned module is refused" as alice /guest/load-descriptor file "$MODULES/mt_plain.ko"
check_says "by name" '^org.moduled1.Error.SignatureRejected$'
check_says "with the kernel's words" \
        'The kernel said: Lockdown: moduled-loader: unsigned module loading is restricted; see man kernel_lockdown\.7\.$'
check "the distribution's own loads" as alice modctl load "$DUMMY"
check "and unloads" as alice modctl unload dummy

# Anybody may have used up the lines that the kernel prints of this in five seconds.
cat >/run/case.flood.py <<'END'
import ctypes, os, sys, time
SYS_FINIT_MODULE = 313
libc = ctypes.CDLL(None)
end = time.monotonic() + float(sys.argv[2])
module = os.open(sys.argv[1], os.O_RDONLY)
while time.monotonic() < end:
    libc.syscall(SYS_FINIT_MODULE, module, b"", 0)
    time.sleep(0.02)
END
python3 /run/case.flood.py "$MODULES/mt_plain.ko" 30 &
flood=$!
sleep 3
check_exit 1 "without the kernel's words" as alice /guest/load-descriptor file "$MODULES/mt_plain.ko"
kill "$flood"
check_says "the error is the same" '^org.moduled1.Error.SignatureRejected$'
check_not "nothing was loaded" loaded mt_plain

finish
