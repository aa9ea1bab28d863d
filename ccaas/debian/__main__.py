"""`python3 -m ccaas.debian PREFIX PACKAGE…`: unpack packages of the machine's own release, without root."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from ccaas.debian import PackageSet, install
from ccaas.errors import CcaasError


def main() -> int:
    """Unpack what the command line names."""
    parser = argparse.ArgumentParser(prog="python3 -m ccaas.debian", description=__doc__)
    parser.add_argument("prefix", type=Path)
    parser.add_argument("packages", nargs="+", metavar="package")
    parser.add_argument("--suite", default="", help="release to take them from (default: this machine's)")
    parser.add_argument("--cache", type=Path, help="where package files are kept (default: debian, beside the prefix)")
    options = parser.parse_args()
    wanted = PackageSet(tuple(options.packages), options.suite)
    try:
        fresh = install(wanted, options.prefix, options.cache or options.prefix.parent / "debian", _print)
    except CcaasError as error:
        print(f"packages: {error}", file=sys.stderr)
        return error.exit_code
    _print(f"{' '.join(options.packages)} {'unpacked' if fresh else 'already'} in {options.prefix}")
    return 0


def _print(line: str) -> None:
    print(f"packages: {line}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
