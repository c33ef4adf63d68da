# shellcheck shell=bash
# What the scripts share: where things are, how a build kind is configured, how to speak.
#
# Sourced, never run. The caller has set `set -euo pipefail`.

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

# Elixir wants UTF-8 for file names and output and says so at length when it gets latin1.
export LANG=C.UTF-8 LC_ALL=C.UTF-8

say() {
    printf '== %s\n' "$*"
}

die() {
    printf '%s: %s\n' "$(basename "$0")" "$*" >&2
    exit 1
}

# Print the comment that opens the calling script: its help text.
usage() {
    sed -n '2,/^$/s/^# \{0,1\}//p' "$0"
}

as_root() {
    if [ "$(id -u)" -eq 0 ]; then
        "$@"
    elif command -v sudo >/dev/null; then
        sudo "$@"
    else
        die "need root for: $* (no sudo here)"
    fi
}

installed() {
    [ "$(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null)" = installed ]
}

# Install those of the given Debian packages that are missing; says nothing when there are none.
install_missing() {
    command -v dpkg-query >/dev/null ||
        die "only knows Debian and its kin; install by hand: $*"

    local missing=() package
    for package in "$@"; do
        installed "$package" || missing+=("$package")
    done
    [ "${#missing[@]}" -gt 0 ] || return 0
    say "$(basename "$0"): installing ${missing[*]}"
    as_root apt-get update -q
    as_root env DEBIAN_FRONTEND=noninteractive \
        apt-get install -q -y --no-install-recommends "${missing[@]}"
}

build_dir() {
    printf '%s/build/%s\n' "$root" "$1"
}

# Where a program of build kind $1 is: $2 is minotaur-node, cnode-echo or cnode-asker.
executable_path() {
    case $2 in
        minotaur-node) printf '%s/cnode/%s\n' "$(build_dir "$1")" "$2" ;;
        *) printf '%s/tests/nodes/%s\n' "$(build_dir "$1")" "$2" ;;
    esac
}

# A warning is an error in every build by these scripts, so that nobody meets one first in CI.
build_options() {
    case $1 in
        debug) printf '%s\n' -Dwerror=true -Doptimization=g -Ddebug=true -Dfailpoints=true ;;
        release) printf '%s\n' -Dwerror=true -Doptimization=3 -Ddebug=true ;;
        asan)
            printf '%s\n' -Dwerror=true -Doptimization=1 -Ddebug=true \
                -Db_sanitize=address,undefined -Dfailpoints=true
            ;;
        fuzz)
            printf '%s\n' -Doptimization=1 -Ddebug=true -Db_sanitize=address,undefined \
                -Db_lundef=false -Dfuzz=true \
                '-Dc_args=-fsanitize=fuzzer-no-link -fno-sanitize-recover=all'
            ;;
        *) die "unknown build kind '$1': debug, release, asan or fuzz" ;;
    esac
}

# Let meson configure build folder $1 with further arguments, its talk kept in setup.log there.
configure() {
    local dir=$1
    shift
    mkdir -p "$dir"
    meson setup "$dir" "$root" "$@" >"$dir/setup.log" 2>&1
}

# Configure build kind $1; further arguments go to meson. Always configures again, since a layer
# that has appeared changes no file that meson watches.
prepare() {
    local kind=$1 dir options
    shift
    dir=$(build_dir "$kind")
    mapfile -t options < <(build_options "$kind")
    [ "${#options[@]}" -gt 0 ] || exit 1
    if ! { [ -f "$dir/build.ninja" ] && configure "$dir" --reconfigure "${options[@]}" "$@"; }; then
        rm -rf "$dir"
        configure "$dir" "${options[@]}" "$@" || {
            cat "$dir/setup.log" >&2
            return 1
        }
    fi
}

# Configure and compile build kind $1; further arguments go to meson.
build() {
    prepare "$@" || return 1
    meson compile -C "$(build_dir "$1")"
}
