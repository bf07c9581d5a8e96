# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=sh
#
# What the kernel refuses, by name and with the kernel's words, and what a module's own init returns.
#
# needs: test-modules
# timeout: 400

# shellcheck source=tests/guest/inside/lib.sh
. /guest/lib.sh

polkit_rule 60-kernel-errors <<'END'
polkit.addRule(function(action, subject) {
        if (action.id.indexOf("org.moduled1.") == 0 && subject.user == "alice")
                return polkit.Result.YES;
});
END
test_modules

# loads DESCRIPTION FILE [PARAMETERS]
loads() {
        check "$1" as alice /guest/load-descriptor file "$MODULES/$2" "${3-}"
}

# fails DESCRIPTION ERROR WORDS FILE [PARAMETERS]: with this error, and a message that says so.
fails() {
        check_exit 1 "$1" as alice /guest/load-descriptor file "$MODULES/$4" "${5-}"
        check_says "it is $2" "^org.moduled1.Error.$2\$"
        check_says "and says '$3'" "$3"
}

# What an init returns is the module's business: the numbers are the kernel's own, and it is none of the kernel's errors.
for error in 2:ENOENT 8:ENOEXEC 17:EEXIST 129:EKEYREJECTED 126:ENOKEY 74:EBADMSG 1:EPERM 22:EINVAL 16:EBUSY 19:ENODEV; do
        # Linux 6.19 makes EBUSY of EEXIST, which kmod would take for success.
        case ${error#*:} in
        EEXIST) errno='(EEXIST|EBUSY)' ;;
        *) errno=${error#*:} ;;
        esac
        fails "init returns ${error#*:}" InitFailed "Module mt_init did not initialize; its init returned: $errno, " \
                mt_init.ko "error=${error%:*}"
done
fails "what an init prints is no word of the kernel's" InitFailed "kernel's log\.\$" mt_init.ko \
        'error=5 say="the password is 1234"'
check_silent "and is told to nobody" 1234
fails "not even if it sounds like it" InitFailed ENOENT mt_init.ko 'error=2 say="Unknown symbol forged (err -2)"'
check_not "none of them is loaded" loaded mt_init
loads "with init content it loads" mt_init.ko
check "and can be unloaded" as alice modctl unload mt_init

fails "a symbol is missing" UnknownSymbol "The kernel said: mt_symbol: Unknown symbol mt_exported \(err -2\)\.\$" mt_symbol.ko
fails "another kernel's" Incompatible \
        "The kernel said: mt_vermagic: version magic '[^']* mod_unlead [^']*' should be '[^']* mod_unload " mt_vermagic.ko
if [ -e "$MODULES/mt_version.ko" ]; then
        fails "another layout of struct module" Incompatible \
                "The kernel said: mt_layout: disagrees about version of symbol module_layout\.\$" mt_layout.ko
        fails "another version of a symbol" Incompatible \
                "The kernel said: .*mt_version: disagrees about version of symbol __fentry__" mt_version.ko
else
        skip "another version of a symbol" "this kernel has none"
fi
loads "the module with the symbol" mt_export.ko
fails "a module that has the same symbol" Incompatible \
        "The kernel said: mt_duplicate: exports duplicate symbol mt_exported \(owned by mt_export\)\.\$" mt_duplicate.ko
loads "the module that needs it loads now" mt_symbol.ko

# A signature by a key that nobody knows, or none, taints the kernel and is no reason to refuse; one that is wrong is. Of
# that one the kernel's log has nothing.
loads "a module signed by an unknown key" mt_signed.ko
case $DUMMY in
*.xz) xz -dc "$DUMMY" ;;
*) cat "$DUMMY" ;;
esac | sed -e 's/rtnl-link-dummy/rtnl-link-dummX/' >"$MODULES/dummy.ko"
fails "a signed module that was changed" SignatureRejected "has no signature that this kernel accepts.*\.\$" dummy.ko

fails "a file whose module has another name" NotAModule "holds a module of another name" mt_outer.ko

for parameter in an_int=many a_byte=256 an_array=1,2,3,4,5 a_charp_array=a,b,c flag=1 refusing=2 refusing=17 a_bool='ä'; do
        value=$(printf '%s' "${parameter#*=}" | sed -e 's/ä/\\\\xc3\\\\xa4/' -e 's/,.*//')
        case $parameter in
        # By ENOENT a parameter says that it is none.
        refusing=2) words="Unknown parameter \`refusing'" ;;
        *) words="\`$value' invalid for parameter \`${parameter%=*}'" ;;
        esac
        fails "a value that is refused: $parameter" BadParameters "The kernel said: mt_parameters: $words\.\$" \
                mt_parameters.ko "$parameter"
done
fails "and one that is too long" BadParameters "\`12345678' too large for parameter \`a_string'\.\$" mt_parameters.ko \
        a_string=12345678
loads "values of every kind that are taken" mt_parameters.ko "a_bool an_invbool=y a_bint=1 a_byte=255 a_short=-1 a_ushort=1 \
an_int=-7 a_uint=7 a_long=-8 a_ulong=8 a_ullong=9 a_hexint=0xa a_charp=\"two words\" a_string=1234567 an_array=1,2,3 \
a_charp_array=x,y outer=5 hidden=1 flag"
check "are the module's" sh -c 'cd /sys/module/mt_parameters/parameters && grep . a_* an_* outer'
check_says "a bool" '^a_bool:Y'
check_says "an array" '^an_array:1,2,3$'
check_says "a string in quotes" '^a_charp:two words$'
check_says "a parameter that is called otherwise than its variable" '^outer:5$'

exec 9>>"$MODULES/mt_plain.ko"
fails "a file that is open for writing" KernelRefused "is open for writing" mt_plain.ko
exec 9>&-
loads "and when it is not any more" mt_plain.ko
rmmod mt_plain

# What the kernel decompresses is in /sys/module/compression: xz on Debian 13, nothing on Debian 12.
format=$(cat /sys/module/compression 2>/dev/null || true)
for compression in gz:gzip xz:xz zst:zstd; do
        if [ "${compression#*:}" = "$format" ]; then
                loads "the kernel decompresses $format" "mt_plain.ko.${compression%:*}"
                rmmod mt_plain
        else
                fails "this kernel does not decompress ${compression#*:}" CompressionUnsupported \
                        "is compressed with ${compression#*:}, and this kernel decompresses ${format:+only }${format:-nothing}" \
                        "mt_plain.ko.${compression%:*}"
        fi
done

loads "a module that holds a reference on itself" mt_held.ko
loads "a module without an exit" mt_permanent.ko
check_exit 1 "one that is needed cannot be unloaded" as alice modctl unload mt_export
check_says "it is in use" "mt_export is in use"
check_exit 1 "nor one that holds itself" as alice modctl unload mt_held
check_says "it is in use" "mt_held is in use"
check_exit 1 "nor one that cannot" as alice modctl unload mt_permanent
check_says "it is made to stay" "mt_permanent cannot be unloaded.*made to stay"
echo 0 >/sys/module/mt_held/parameters/held
check "one that has let go can" as alice modctl unload mt_held
rmmod mt_symbol mt_export mt_signed mt_parameters

finish
