# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
#
# How image and test-modules make their Debian trees. Sourced, after tools/lib.sh.

mirror=${MODULED_MIRROR:-http://deb.debian.org/debian}
keyring=/usr/share/keyrings/debian-archive-keyring.gpg
suites="bookworm trixie forky bookworm-backports"

# check_suite USAGE SUITE: sets $debian, the release that the suite is, $kernel, a package, and $bus, another.
# shellcheck disable=SC2034  # used where this is sourced
check_suite() {
        debian=$2 kernel=linux-image-cloud-amd64 bus=dbus
        case $2 in
        bookworm|trixie) ;;
        forky) bus=dbus-broker ;;
        # What people run who have Debian 12 on a new machine.
        bookworm-backports) debian=bookworm kernel=$kernel/bookworm-backports ;;
        *) die "usage: $1 SUITE; SUITE is one of: $suites" ;;
        esac
}

# need_tools TOOL…: ends the command with what to do if they, and what every tree needs, are not all there.
need_tools() {
        local tool

        PATH=$PATH:/usr/sbin:/sbin
        for tool in flock "$@"; do
                command -v "$tool" >/dev/null || die "$tool is missing: run tools/install-deps guest"
        done
        [ -e "$keyring" ] || die "$keyring is missing: run tools/install-deps guest"
}

# make_debian VARIANT SUITE TARGET PACKAGES OPTION…: a tree of that suite with these packages, separated by commas. Returns 75
# if apt cannot have them, for want of a mirror or of one of them.
make_debian() {
        local variant=$1 suite=$2 target=$3 packages=$4 sources=("$mirror") status=0 said
        shift 4
        said=$(mktemp)

        case $suite in
        # Its list of packages is signed, but often past its Valid-Until on a mirror that lags behind.
        forky) set -- "$@" --aptopt='Acquire::Check-Valid-Until "false"' ;;
        *-backports) sources=("deb $mirror $debian main" "deb $mirror $suite main") ;;
        esac

        # INITRD=No: a kernel's postinst would make an initramfs that nobody boots.
        as_root env INITRD=No mmdebstrap --quiet --variant="$variant" --keyring="$keyring" --include="$packages" \
                --dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-exclude=/usr/share/man/*' \
                --dpkgopt='path-exclude=/usr/share/locale/*' --dpkgopt=force-unsafe-io \
                "$@" "$debian" "$target" "${sources[@]}" 2>"$said" || status=$?
        cat "$said" >&2
        # Otherwise it is a hook, which is ours.
        if [ "$status" -ne 0 ] && grep -q 'E: apt-get .* failed$' "$said"; then
                status=75
        fi
        rm -f "$said"
        return "$status"
}

# remove_old KEPT PREFIX: the directories in the cache that begin so go, but for this one, and but for those that a guest
# is being started from (it holds a lock on the directory).
# shellcheck disable=SC2154  # from tools/lib.sh
remove_old() {
        local old

        # Twelve digits, as another prefix can begin like this one.
        for old in "$cache_dir/$2"-????????????; do
                if [ "$old" != "$1" ] && [ -d "$old" ]; then
                        flock --nonblock "$old" rm -rf "$old" || true
                fi
        done
}
