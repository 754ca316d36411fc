# shellcheck shell=bash
# What the scripts share. Source it; it changes into the repository's root.

set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

# Debian and Ubuntu package names. docs/operations.md says what each is for.
# shellcheck disable=SC2034
build_packages=(g++ cmake ninja-build pkg-config libhdf5-dev libcfitsio-dev libcli11-dev libfmt-dev libspdlog-dev
    nlohmann-json3-dev libtbb-dev libxxhash-dev zlib1g-dev liberfa-dev)
# shellcheck disable=SC2034
test_packages=(libgtest-dev libgmock-dev python3 python3-h5py python3-astropy fitsverify
    slurmctld slurmd slurm-client munge)

say() { printf '\n== %s\n' "$*" >&2; }
fail() {
    printf '%s: %s\n' "${0##*/}" "$*" >&2
    exit 1
}

is_installed() { [ "$(dpkg-query -W -f='${db:Status-Status} ' "$1" 2>/dev/null | cut -d' ' -f1)" = installed ]; }

# Runs a command as root: directly, or through sudo, which may ask for a password only on a terminal.
as_root() {
    if [ "$(id -u)" -eq 0 ]; then
        "$@"
    elif ! command -v sudo >/dev/null; then
        fail "packages are missing and this is neither root nor is sudo here; as root, run: $*"
    elif [ -t 0 ]; then
        sudo "$@"
    else
        sudo -n "$@"
    fi
}

# install_packages NAME...: installs those that are missing; does nothing when none is.
install_packages() {
    local name missing=()
    if ! command -v dpkg-query >/dev/null; then
        say "No dpkg here: expecting the equivalents of $*"
        return
    fi
    for name in "$@"; do
        is_installed "$name" || missing+=("$name")
    done
    [ "${#missing[@]}" -eq 0 ] && return
    say "Installing ${missing[*]}"
    # An unreachable third-party source must not stop packages that the others have.
    as_root env DEBIAN_FRONTEND=noninteractive apt-get -q -o DPkg::Lock::Timeout=300 update || true
    as_root env DEBIAN_FRONTEND=noninteractive apt-get -q -y -o DPkg::Lock::Timeout=300 -o Dpkg::Use-Pty=0 \
        install --no-install-recommends "${missing[@]}"
}

# configure FOLDER CMAKE_OPTION...: the release preset in a build folder of its own, with ccache when it is there.
configure() {
    local folder=$1
    shift
    if command -v ccache >/dev/null; then
        set -- -DCMAKE_CXX_COMPILER_LAUNCHER=ccache "$@"
    fi
    say "Configuring $folder"
    cmake --preset release -B "$folder" "$@"
}

# replace_section HEADING < TEXT: puts the text below a heading of docs/validation.md in place of what stood there;
# at the end when there is none.
replace_section() {
    python3 -B -c '
import pathlib, sys
heading, path = sys.argv[1], pathlib.Path("docs/validation.md")
before, _, after = path.read_text().partition(heading + "\n")
rest = after[after.find("\n## "):] if "\n## " in after else ""
path.write_text(before.rstrip("\n") + "\n\n" + heading + "\n\n" + sys.stdin.read().strip("\n") + "\n" + rest)
' "$1"
}
