# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=sh
# timeout: 180
# processors: 2
#
# What changes while the prompt is open: what was accepted before is looked at again when somebody has said yes.

# shellcheck source=tests/guest/inside/lib.sh
. /guest/lib.sh
# shellcheck source=tests/guest/inside/attack-lib.sh
. /guest/attack-lib.sh

top=/opt/time
tree=$top/modules
file=${DUMMY##*/}
mkdir -p $tree /etc/moduled.conf.d
arguments=

# put KIND FILE [DIRECTORY]: a module in a directory of its own, and a request for it.
put() {
        mkdir -p "${3-$tree/$1}"
        cp "$2" "${3-$tree/$1}"
        arguments="$arguments $1=${3-$tree/$1}/${2##*/}"
}

# A module of its own for each that may be loaded in the end.
lib=${HONEST%/*}
suffix=${HONEST##*/"$HONEST_NAME"}
put caller-leaves "$DUMMY"
put untouched "$lib/ts_bm$suffix"
put renamed-within-the-tree "$lib/ts_kmp$suffix"
for kind in replaced removed renamed-away covered chowned writable directory-writable open-for-writing; do
        put $kind "$DUMMY"
done
put denied "${DUMMY%/*}/ifb$suffix"
put namespace-gone "$DUMMY"
arguments="$arguments@" # in a namespace of its own
put origin-covered "$DUMMY" $top/covered/modules
put ancestor-chowned "$DUMMY" $top/ancestor/modules
put origin-gone "$DUMMY" $top/gone/modules

conf=/etc/moduled.conf.d/50-case.conf
cat >$conf <<END
[Limits]
PromptsPerUser=32
[Origin tree]
Directory=$tree
[Origin covered]
Directory=$top/covered/modules
[Origin ancestor]
Directory=$top/ancestor/modules
[Origin gone]
Directory=$top/gone/modules
END
systemctl try-reload-or-restart moduled.service
ALICE_MAY=org.moduled1.unload
attack

# shellcheck disable=SC2086  # a list of words
attacker_begins alice 100 /guest/attack-time $arguments
check "prompts open for all of them" attacker_says 60 '^prompted$'

cp "$DUMMY" $tree/replaced/new
mv $tree/replaced/new "$tree/replaced/$file"
rm "$tree/removed/$file"
mv $tree/renamed-away $top/away
mv $tree/renamed-within-the-tree $tree/renamed
mount -t tmpfs -o mode=0755 tmpfs $tree/covered
cp "$DUMMY" $tree/covered/
chown alice: "$tree/chowned/$file"
chmod g+w "$tree/writable/$file"
chmod o+w $tree/directory-writable
exec 5>>"$tree/open-for-writing/$file"
mount -t tmpfs -o mode=0755 tmpfs $top/covered/modules
chown alice: $top/ancestor
sed -i -e '/Origin gone/,$d' $conf
printf '[Policy]\nDenyModules=ifb\n' >>$conf
check "the configuration is read again" systemctl reload moduled.service
attacker_is_told leave

check "somebody gives the password for all of them" /guest/answer-prompts alice <"$ATTACKER"
check_says "but for the one whose caller has left" '^caller-leaves not asked any more'
attacker_is_told answer
attacker_ends "all are answered"
exec 5>&-
grep -v '^prompt' "$ATTACKER" >"$OUTPUT"
expect <<END
untouched                done
renamed-within-the-tree  done
replaced                 OriginRefused  /$file (deleted) is refused by origin tree: it is not, or no longer, in the origin's
removed                  OriginRefused  /$file (deleted) is refused by origin tree: it is not, or no longer, in the origin's
renamed-away             OriginRefused  $top/away/$file is refused: it does not lie in the directory of any origin
covered                  OriginRefused  by origin tree because of $tree/covered: it is on another mount than the origin's
chowned                  OriginRefused  by origin tree: it does not belong to root alone
writable                 OriginRefused  by origin tree: it does not belong to root alone
directory-writable       OriginRefused  by origin tree because of $tree/directory-writable: it does not belong to root alone
denied                   PolicyRefused  Module ifb is refused by DenyModules=
open-for-writing         KernelRefused  Module dummy is open for writing
namespace-gone           OriginRefused  /$file is refused: it does not lie in the directory of any origin
origin-covered           OriginRefused  by origin covered: it is not, or no longer, in the origin's tree
ancestor-chowned         OriginRefused  by origin ancestor because of $top/ancestor: on the way to the origin's directory
origin-gone              OriginRefused  $top/gone/modules/$file is refused: it does not lie in the directory of any origin
caller-leaves            cancelled
END
check "what was left alone is loaded" loaded ts_bm
check "and what was renamed within the tree" loaded ts_kmp
check_not "what was denied is not" loaded ifb
check "alice unloads the one" as alice modctl unload ts_bm
check "and the other" as alice modctl unload ts_kmp

survived
umount $tree/covered $top/covered/modules
rm -r $conf $top
systemctl reload moduled.service
finish
