# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=sh
#
# What the commands in tools/ and tests/guest/ share. Sourced, never run.

# Whatever is expensive to make and cheap to keep: guest images and build directories.
# shellcheck disable=SC2034  # used where this is sourced
cache_dir=${XDG_CACHE_HOME:-${HOME:-/var/tmp}/.cache}/moduled

say() {
        printf '%s\n' "$*" >&2
}

die() {
        printf '%s: %s\n' "${0##*/}" "$*" >&2
        exit 1
}

as_root() {
        if [ "$(id -u)" -eq 0 ]; then
                "$@"
        elif command -v sudo >/dev/null; then
                sudo -- "$@"
        else
                die "this needs root: install sudo, or run it as root (wanted: $*)"
        fi
}
