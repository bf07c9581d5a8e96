# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=sh
#
# The loader, spoken to by a broker that was taken over, by root and by others.

# shellcheck source=tests/guest/inside/lib.sh
. /guest/lib.sh
# shellcheck source=tests/guest/inside/attack-lib.sh
. /guest/attack-lib.sh
attack

for user in alice nobody; do
        check "$user knocks" setpriv --reuid=$user --clear-groups -- /guest/attack-loader knock
        check_says "and does not get in" '^knock unavailable .*Permission denied'
done
check "root knocks" /guest/attack-loader knock
check_says "and is not talked to" '^knock hangs-up'

as_moduled() {
        setpriv --reuid=moduled --regid=moduled --clear-groups --reset-env -- timeout 60 "$@"
}

check "moduled's user talks nonsense" as_moduled /guest/attack-loader talk
{
        for kind in empty one-byte half-a-head almost-a-head garbage much-garbage version-0 version-2 \
                        version-4294967295 kind-0 kind-3 kind-4294967295 shorter-than-announced longer-than-announced \
                        length-overflows with-a-nul too-long flags-4 flags-8 flags-2147483648 flags-4294967295 \
                        no-descriptor two-descriptors 253-descriptors unload-with-descriptor unload-with-253 \
                        unload-with-flags unload-0-bytes unload-3-bytes unload-8-bytes unload-6-bytes unload-1-bytes \
                        unload-100-bytes; do
                echo "$kind hangs-up"
        done
        for i in 0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19; do
                echo "held-$i refused its filesystem does not let moduled look at it"
        done
        cat <<'END'
forced                    policy   AllowForced=yes
unload-what-is-not-there  kernel   ENOENT
moduleds-own-file         refused  /tmp/moduleds.ko is refused: it does not lie in the directory of any origin
read-write                refused  opened for writing
path-only                 refused  opened with O_PATH
directory                 refused  not a regular file
memfd                     refused  opened for writing
pipe                      refused  not a regular file
device                    refused  not a regular file
procfs                    refused  it does not lie in the directory of any origin
not-called-a-module       kernel   ENOEXEC
its-own-connection        refused  opened for writing
trusted                   done
unloaded                  done
END
} >/run/case.expected
expect </run/case.expected
honest_ends

# Whoever has the broker's user can keep the broker itself out, and nobody else.
check "moduled's user comes in a crowd" as_moduled /guest/attack-loader crowd
expect <<'END'
deaf              done
crowd             done
one-of-the-crowd  refused  it does not lie in the directory of any origin
END

survived
rm /run/case.expected
finish
