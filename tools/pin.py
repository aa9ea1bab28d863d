"""Writes constraints.txt: the exact version of everything that `ccaas[dev,test]` and its installation need.

Run in a virtual environment in which the wanted versions are installed: `.venv/bin/python tools/pin.py`.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[1]
WANTED = ("ccaas[dev,test]", "hatchling", "editables", "setuptools", "wheel")


def closure(wanted: tuple[str, ...]) -> set[str]:
    """Names of everything that is needed, directly or not, on this Python."""
    seen: set[tuple[str, str]] = set()
    waiting = [Requirement(text) for text in wanted]
    while waiting:
        requirement = waiting.pop()
        for extra in ("", *sorted(requirement.extras)):
            key = (canonicalize_name(requirement.name), extra)
            if key not in seen:
                seen.add(key)
                waiting += _needed(requirement.name, extra)
    return {name for name, _ in seen}


def _needed(name: str, extra: str) -> Iterator[Requirement]:
    for text in distribution(name).requires or ():
        requirement = Requirement(text)
        marker = requirement.marker
        if marker is None or marker.evaluate({"extra": extra}):
            yield requirement


def lines() -> list[str]:
    """The file's lines, without the heading."""
    return [f"{name}=={distribution(name).version}" for name in sorted(closure(WANTED) - {"ccaas"})]


HEADING = "# Exact versions of everything that is installed. Written by tools/pin.py; names and versions only.\n"


def main() -> int:
    """Write the file."""
    try:
        text = HEADING + "\n".join(lines()) + "\n"
    except PackageNotFoundError as error:
        sys.stderr.write(f"pin: {error.name} is not installed here; install it and run again\n")
        return 2
    (ROOT / "constraints.txt").write_text(text, encoding="utf-8")
    sys.stdout.write(f"constraints.txt: {text.count('==')} packages\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
