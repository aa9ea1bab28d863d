"""The command line of a program that tests need: Debian's packages, unpacked without root."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from ccaas.debian import PackageSet, install
from ccaas.errors import CcaasError


def unpack(name: str, wanted: PackageSet, *, there: bool = False, otherwise: str = "") -> int:
    """`python -m ccaas.testing.NAME PREFIX [--cache FOLDER]`; the exit code.

    Args:
        name: of the program, as its lines begin.
        wanted: its packages.
        there: whether the machine has one of its own; then nothing is done.
        otherwise: the package to install by hand when this fails.
    """
    parser = argparse.ArgumentParser(prog=f"python -m ccaas.testing.{name}")
    parser.add_argument("prefix", type=Path)
    parser.add_argument("--cache", type=Path, help="where package files are kept (default: debian, beside the prefix)")
    options = parser.parse_args()
    if there:
        return 0

    def tell(line: str) -> None:
        sys.stdout.write(f"{name}: {line}\n")
        sys.stdout.flush()

    try:
        install(wanted, options.prefix, options.cache or options.prefix.parent / "debian", tell)
    except CcaasError as error:
        mend = f"; or install it: apt-get install {otherwise}" if otherwise else ""
        sys.stderr.write(f"{name}: {error}{mend}\n")
        return error.exit_code
    return 0
