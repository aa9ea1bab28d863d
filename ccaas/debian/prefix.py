"""A folder of unpacked packages, and how to run a program out of it."""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import platform
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from ccaas.debian.apt import Apt, PackageSet, Progress
from ccaas.debian.sources import this_machine
from ccaas.errors import SetupError

STAMP = ".ccaas-packages.json"

LAYOUTS = {
    "x86_64": ("x86_64-linux-gnu", ("usr/lib64/ld-linux-x86-64.so.2", "lib64/ld-linux-x86-64.so.2")),
    "aarch64": ("aarch64-linux-gnu", ("usr/lib/ld-linux-aarch64.so.1", "lib/ld-linux-aarch64.so.1")),
}
"""Machine → Debian's multiarch folder, and where its loader lies before and after the merge of / into /usr."""


@dataclass(frozen=True, slots=True)
class Prefix:
    """Unpacked packages. Their programs run with the libraries unpacked beside them, not with the machine's."""

    path: Path

    def has(self, program: str) -> bool:
        """Whether a program ("usr/sbin/asterisk") is there."""
        return (self.path / program).is_file()

    def command(self, program: str, *arguments: str) -> list[str]:
        """The argument vector that runs `program` through the prefix's own loader.

        Raises:
            SetupError: the program or its loader is not in the prefix.
        """
        triplet, loaders = _layout()
        loader = next((self.path / one for one in loaders if (self.path / one).exists()), None)
        if loader is None or not self.has(program):
            raise SetupError(f"{program} is not in {self.path}; run `make setup`")
        library_path = ":".join(str(self.path / folder) for folder in (f"usr/lib/{triplet}", f"lib/{triplet}"))
        return [
            str(loader),
            "--library-path",
            library_path,
            "--argv0",
            Path(program).name,
            str(self.path / program),
            *arguments,
        ]

    @property
    def library_dir(self) -> Path:
        """Where Debian keeps this architecture's libraries and modules."""
        return self.path / "usr/lib" / _layout()[0]


def _layout() -> tuple[str, tuple[str, ...]]:
    try:
        return LAYOUTS[platform.machine()]
    except KeyError:
        raise SetupError(
            f"no packages are prepared for {platform.machine()} machines; use an x86_64 or aarch64 one, or asterisk.mode: external"
        ) from None


def install(wanted: PackageSet, prefix: Path, cache: Path, progress: Progress) -> bool:
    """Unpack a package set into `prefix`. Returns False if it was there already.

    Package files are kept in `cache`, so that a lost prefix is made again without the network. The prefix appears all
    at once, or not at all.

    Raises:
        SetupError: it failed; what was there before is untouched.
    """
    _layout()
    prefix, cache = prefix.absolute(), cache.absolute()
    wish = {"packages": sorted(wanted.packages), "suite": wanted.suite, "leave_out": sorted(wanted.leave_out)}
    if _stamp(prefix).get("wish") == wish:
        return False
    key = hashlib.sha256(json.dumps(wish, sort_keys=True).encode()).hexdigest()[:12]
    with _only_one(cache / f"{key}.lock"):
        if _stamp(prefix).get("wish") == wish:  # Somebody else finished it while we waited.
            return False
        files = _cached(cache, key) or _fetch(wanted, cache, key, progress)
        progress(f"unpacking {len(files)} packages")
        _unpack(files, prefix, {"wish": wish, "files": [f.name for f in files]})
    return True


def _stamp(prefix: Path) -> dict[str, object]:
    try:
        stamp = json.loads((prefix / STAMP).read_text(encoding="utf-8"))
    except (FileNotFoundError, NotADirectoryError, ValueError):
        return {}
    return stamp if isinstance(stamp, dict) else {}


@contextmanager
def _only_one(lock: Path) -> Iterator[None]:
    lock.parent.mkdir(parents=True, exist_ok=True)
    with lock.open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        yield


def _cached(cache: Path, key: str) -> list[Path]:
    """The package files of an earlier download, if each is there and unchanged."""
    try:
        digests: dict[str, str] = json.loads((cache / f"{key}.json").read_text(encoding="utf-8"))
        files = [cache / "debs" / name for name in digests]
        return files if all(_digest(file) == digests[file.name] for file in files) else []
    except (FileNotFoundError, ValueError):
        return []


def _fetch(wanted: PackageSet, cache: Path, key: str, progress: Progress) -> list[Path]:
    machine = this_machine()
    apt = Apt(machine, wanted.suite, cache / f"apt-{key}")
    progress(f'reading the package index of Debian "{apt.suite}"')
    apt.update()
    chosen = apt.resolve(wanted)
    incoming = cache / f"incoming-{key}"
    shutil.rmtree(incoming, ignore_errors=True)
    incoming.mkdir()
    apt.download(chosen, incoming, progress)
    apt.forget_lists()
    (cache / "debs").mkdir(exist_ok=True)
    files = [file.replace(cache / "debs" / file.name) for file in sorted(incoming.glob("*.deb"))]
    shutil.rmtree(incoming)
    if len(files) != len(chosen):
        raise SetupError(f"apt delivered {len(files)} of {len(chosen)} packages; run it again")
    _keep_manifest(cache, key, files)
    return files


def _keep_manifest(cache: Path, key: str, files: list[Path]) -> None:
    manifest = cache / f"{key}.json"
    manifest.with_suffix(".partial").write_text(json.dumps({f.name: _digest(f) for f in files}, indent=1))
    manifest.with_suffix(".partial").replace(manifest)


def _digest(file: Path) -> str:
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _unpack(files: list[Path], prefix: Path, stamp: dict[str, object]) -> None:
    prefix.parent.mkdir(parents=True, exist_ok=True)
    partial = prefix.with_name(f".{prefix.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir()
    for file in files:
        done = subprocess.run(["dpkg-deb", "-x", file, partial], text=True, capture_output=True, check=False)
        if done.returncode:
            reason = (done.stderr.strip().splitlines() or ["no reason given"])[-1]
            raise SetupError(f"cannot unpack {file}: {reason}; free some space or delete that file, and run it again")
    (partial / STAMP).write_text(json.dumps(stamp, indent=1), encoding="utf-8")
    if prefix.exists():
        old = prefix.with_name(f".{prefix.name}.old-{os.getpid()}")
        prefix.rename(old)
        partial.rename(prefix)
        shutil.rmtree(old)
    else:
        partial.rename(prefix)
