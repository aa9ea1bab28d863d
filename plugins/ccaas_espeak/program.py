"""Finding espeak-ng: named in the YAML, on the machine, or unpacked by the set-up step."""

from __future__ import annotations

import shutil
from pathlib import Path

from ccaas.errors import SetupError

PROGRAM = "espeak-ng"


def command(named: Path | None, unpacked: Path) -> tuple[str, ...]:
    """The words that start espeak-ng. `unpacked`: folder of unpacked Debian packages, looked at last.

    Raises:
        SetupError: there is none.
    """
    if named is not None:
        if not named.is_file():
            raise SetupError(f"there is no program {named}; correct `program` of the synthesizer espeak")
        return (str(named),)
    installed = shutil.which(PROGRAM)
    if installed is not None:
        return (installed,)
    found = _in_prefix(unpacked)
    if found is None:
        raise SetupError(
            f"{PROGRAM} is neither on this machine nor in {unpacked}; run `make setup` or install {PROGRAM}"
        )
    return found


def _in_prefix(prefix: Path) -> tuple[str, ...] | None:
    """Run with the loader, the libraries and the voices that were unpacked beside it, not with the machine's."""
    loader = next(prefix.glob("lib*/ld-linux-*.so.*"), None)
    voices = next(prefix.glob("usr/lib/*-linux-gnu*/espeak-ng-data"), None)
    program = prefix / "usr" / "bin" / PROGRAM
    if loader is None or voices is None or not program.is_file():
        return None
    triplet = voices.parent.name
    folders = {prefix / "lib" / triplet, *(library.parent for library in voices.parent.rglob("lib*.so*"))}
    libraries = ":".join(str(folder) for folder in sorted(folders))
    return (str(loader), "--library-path", libraries, str(program), f"--path={voices.parent}")
