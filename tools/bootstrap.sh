#!/bin/sh
# Sets everything up inside this folder: tools/bootstrap.sh run|demo|test
#
#   run   what `ccaas up` needs: Python packages, models, Asterisk
#   demo  and what the demo's caller needs
#   test  and what the tests need
#
# Each step is skipped when it is done already, so that a second run takes a second. Everything lands in .venv and
# .cache; `make clean` removes both. Needs Python 3.11 or newer, and neither root nor the venv package.
set -eu
cd "$(dirname "$0")/.."

profile=${1:-run}
cache=$PWD/.cache
stamps=$cache/stamps
python=$PWD/.venv/bin/python

# Nothing that a person has set for other projects may lead the installation elsewhere.
unset PYTHONPATH PYTHONHOME PIP_USER PIP_TARGET PIP_PREFIX PIP_REQUIRE_VIRTUALENV PIP_CONSTRAINT || true
export PIP_CACHE_DIR="$cache/pip" PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_INPUT=1
export npm_config_cache="$cache/npm" XDG_CACHE_HOME="$cache/xdg" PYTHONUTF8=1
[ -w "${HOME:-/}" ] || export HOME="$cache/home"
mkdir -p "$stamps" "$cache/tmp"
export TMPDIR="$cache/tmp" # wheels are unpacked here: /tmp may be small

say() { printf 'setup: %s\n' "$*"; }
fail() {
    printf 'setup: %s\n' "$*" >&2
    exit 1
}

case $profile in
run) extras='' ;;
demo) extras='[test]' ;;
test) extras='[dev,test]' ;;
*) fail "there is no profile $profile; choose run, demo or test" ;;
esac

find_python() {
    for candidate in ${PYTHON:-} python3.11 python3.12 python3.13 python3 /usr/bin/python3; do
        if "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
            command -v "$candidate"
            return
        fi
    done
    fail "there is no Python 3.11 or newer; install one (Debian: apt-get install python3) or name it: PYTHON=/path make setup"
}

# Debian keeps pip's wheel in a package of its own; it can be unpacked without root.
borrow_pip() {
    say "this Python has no pip of its own: taking Debian's"
    "$python" - "$cache/debian-pip" "$cache/debian" <<'PYTHON'
import sys
from pathlib import Path

from ccaas.debian import PackageSet, install
from ccaas.errors import CcaasError

OTHERS = (r"ca-certificates", r"openssl.*", r"lib.*", r"debconf.*", r"perl.*", r"python3(\..*)?", r"python3-(minimal|distutils|lib2to3|venv)", r"gcc.*", r"media-types", r"mailcap", r"mime-support", r"tzdata")
wanted = PackageSet(("python3-pip-whl", "python3-setuptools-whl"), "", OTHERS)
try:
    install(wanted, Path(sys.argv[1]), Path(sys.argv[2]), lambda line: print(f"setup: pip: {line}", flush=True))
except CcaasError as error:
    sys.exit(f"setup: {error}")
PYTHON
    wheels=$cache/debian-pip/usr/share/python-wheels
    set -- "$wheels"/pip-*.whl
    "$python" "$1/pip" install --quiet --no-index --find-links "$wheels" pip setuptools
}

make_venv() {
    found=$(find_python) || exit 1
    say "Python: $("$found" --version 2>&1 | cut -d' ' -f2) ($found)"
    rm -rf .venv
    if ! "$found" -m venv .venv >"$cache/venv.log" 2>&1; then
        rm -rf .venv
        "$found" -m venv --without-pip .venv >"$cache/venv.log" 2>&1 ||
            fail "no virtual environment could be made ($(tail -n 1 "$cache/venv.log")); install Python's venv module (Debian: apt-get install python3)"
    fi
    "$python" -m pip --version >/dev/null 2>&1 || borrow_pip ||
        fail "pip could not be fetched; install it (Debian: apt-get install python3-venv) and run make setup again"
}

install_packages() {
    say "Python packages: installing those of constraints.txt"
    : >"$cache/pip.log"
    "$python" -m pip install --quiet --progress-bar off -c constraints.txt hatchling editables setuptools wheel >"$cache/pip.log" 2>&1 &&
        "$python" -m pip install --progress-bar off --prefer-binary -c constraints.txt --no-build-isolation -e ".$extras" >>"$cache/pip.log" 2>&1 &
    pid=$!
    shown=0
    while kill -0 $pid 2>/dev/null; do
        sleep 1
        count=$(grep -c '^Collecting' "$cache/pip.log" 2>/dev/null || true)
        if [ -t 1 ]; then
            printf '\r\033[Ksetup: Python packages: %s (%s)' "$count" "$(grep '^Collecting' "$cache/pip.log" | tail -n 1 | cut -d' ' -f2 | cut -c1-50)"
        elif [ "$count" -ge $((shown + 20)) ]; then
            shown=$count
            say "Python packages: $count so far"
        fi
    done
    [ ! -t 1 ] || printf '\r\033[K'
    if ! wait $pid; then
        grep -i -E '^ *error|no space|quota' "$cache/pip.log" | head -n 3 >&2 || true
        fail "the Python packages could not be installed (see $cache/pip.log); check the network, the disk and pip's own configuration, then run make setup again"
    fi
}

stamp_of() { cat pyproject.toml constraints.txt | cksum; }

have_packages() {
    [ -x "$python" ] || return 1
    for better in "$profile" demo test; do
        case $profile-$better in test-demo) continue ;; esac
        [ "$(cat "$stamps/packages-$better" 2>/dev/null)" = "$(stamp_of)" ] && return 0
    done
    return 1
}

"$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || {
    rm -f "$stamps"/packages-*
    make_venv
}
if ! have_packages; then
    install_packages
    stamp_of >"$stamps/packages-$profile"
fi

"$python" -m ccaas.asterisk.install "$cache/asterisk" --cache "$cache/debian" || exit 1
if [ "$profile" = test ]; then
    "$python" -m ccaas.models --all --into "$cache/models" || exit 1
    # The browser: the machine's own, else unpacked.
    "$python" -m ccaas.testing.chromium "$cache/chromium" --cache "$cache/debian" || exit 1
    # The database server: the machine's own, else unpacked.
    "$python" -m ccaas.testing.postgres "$cache/postgresql" --cache "$cache/debian" || exit 1
    # The message bus: the machine's own, else unpacked.
    "$python" -m ccaas.testing.nats "$cache/nats" --cache "$cache/debian" || exit 1
    # A server for language models, to test against a real one.
    "$python" -m ccaas.testing.llama "$cache/llama" --cache "$cache/debian" || exit 1
else
    "$python" -m ccaas.models --into "$cache/models" || exit 1
fi
# The light voice: the machine's own, else unpacked beside the models.
command -v espeak-ng >/dev/null ||
    "$python" -m ccaas.debian "$cache/models/espeak-ng" espeak-ng --cache "$cache/debian" || exit 1
