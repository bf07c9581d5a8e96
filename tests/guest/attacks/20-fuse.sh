# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=sh
#
# Files whose server is the attacker's: it does not answer, it lies, it does not let go.
#
# processors: 2

# shellcheck source=tests/guest/inside/lib.sh
. /guest/lib.sh
# shellcheck source=tests/guest/inside/attack-lib.sh
. /guest/attack-lib.sh
attack

check "alice passes files of a server that stops answering, and lies" as alice timeout 60 /guest/attack-fuse silent
expect <<'END'
without-getattr               OriginRefused  does not lie in the directory of any origin
without-read                  OriginRefused  does not lie in the directory of any origin
without-statfs                OriginRefused  does not lie in the directory of any origin
without-anything              OriginRefused  does not lie in the directory of any origin
answering-with-lies           OriginRefused  does not lie in the directory of any origin
bound-over-the-trusted-path   OriginRefused  the file at that path in the origin's tree is another one
bound-and-silent              OriginRefused  the file at that path in the origin's tree is another one
asked-by-moduled              FLUSH
under-the-trusted-path        OriginRefused  its filesystem does not let moduled look at it
and-silent                    OriginRefused  its filesystem does not let moduled look at it
asked-by-moduled-there        FLUSH
below-an-overlay              OriginRefused  the file at that path in the origin's tree is another one
below-and-silent              OriginRefused  the file at that path in the origin's tree is another one
asked-by-moduled-below        FLUSH
END

# It answers FLUSH to everybody but moduled, so that nothing that moduled closes is ever closed.
attacker_begins alice 60 /guest/attack-fuse close
check "alice passes files of a server that does not let go" attacker_says 40 asked-by-moduled
set -- "/proc/$broker/fd"/*
check "what does not come back is bounded" test $# -lt 150
check "and so are the threads that wait for it" has_few_threads
check "and the memory" sh -c "sed -n 's/^VmRSS:[^0-9]*\([0-9]*\) kB/\1/p' /proc/$broker/status | { read -r kb && [ \"\$kb\" -lt 32768 ]; }"
attacker_is_told go
attacker_ends "the server ends"
expect <<'END'
flush                         OriginRefused  does not lie in the directory of any origin
flush-and-all                 OriginRefused  does not lie in the directory of any origin
unknown-method                AccessDenied   send message
unknown-interface             AccessDenied   send message
property                      AccessDenied   send message
two                           AccessDenied   send message
no-arguments                  InvalidArgs    expecting 'hst'
other-arguments               InvalidArgs    expecting 'hst'
not-mentioned                 InvalidArgs    expecting 'hst'
no-object                     UnknownObject
parameters                    BadParameters  longer than 4095 bytes
flags                         InvalidArgs    Unknown flags
large                         BadParameters  longer than 4095 bytes
again-and-again               LimitsExceeded after fewer than 80: Too many of the descriptors that you have sent
over-another-connection       LimitsExceeded Too many of the descriptors that you have sent
asked-by-moduled              FLUSH
END
honest_ends

# This one holds up dbus-daemon itself, and with it everybody; nothing may be left of that when it is gone.
check "alice passes a file of a server that does not let go of the bus either" as alice timeout 60 \
        /guest/attack-fuse bus
expect <<'END'
ends   done
flush  OriginRefused  does not lie in the directory of any origin
END

survived
rm -rf /home/alice/fuse
finish
