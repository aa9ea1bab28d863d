"""A private apt: its own lists and cache, no root, and every signature checked."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import urllib.parse
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from ccaas.debian.sources import Machine
from ccaas.errors import SetupError

Progress = Callable[[str], None]
"""Takes one short line about what goes on."""

POLL_S = 0.25


@dataclass(frozen=True, slots=True)
class PackageSet:
    """What to unpack together into one prefix."""

    packages: tuple[str, ...]
    """Debian package names; what they depend on comes along, recommendations do not."""
    suite: str = ""
    """Release to take them from; empty means the machine's own."""
    leave_out: tuple[str, ...] = ()
    """Regular expressions of whole package names that nothing we run needs (maintainer scripts' tools, for example)."""


@dataclass(frozen=True, slots=True)
class Download:
    """One package file that apt has chosen."""

    name: str
    version: str
    size: int
    """Bytes."""


def parse_print_uris(output: str) -> list[Download]:
    """Read `apt-get install --print-uris`: lines of `'URI' name_version_arch.deb size hash`."""
    found = []
    for line in output.splitlines():
        match = re.match(r"'[^']+' ([^_ ]+)_([^_ ]+)_[^_ ]+\.deb (\d+)", line)
        if match:
            found.append(Download(match[1], urllib.parse.unquote(match[2]), int(match[3])))
    return found


def explain(output: str, suite: str) -> str:
    """What went wrong, in one sentence, from the error lines of an apt run."""
    errors = [line[2:].strip() for line in output.splitlines() if line.startswith(("E:", "W:"))]
    joined = " ".join(errors)
    if re.search(r"NO_PUBKEY|not signed|BADSIG|EXPKEYSIG|REVKEYSIG|invalid signature|couldn't be verified", joined):
        return f'the signature of Debian\'s "{suite}" index is not valid; nothing was installed: check the mirror in /etc/apt'
    if re.search(r"resolve|resolving|onnect|timed out|unreachable|Network|name resolution", joined):
        return "Debian's mirror cannot be reached; check the network (or the proxy in /etc/apt/apt.conf.d) and run it again"
    if re.search(r"Release file|404", joined):
        return f'this machine\'s Debian mirror has no "{suite}"; name a full mirror in /etc/apt'
    match = re.search(r"Unable to locate package (\S+)", joined)
    if match:
        return f'Debian "{suite}" has no package {match[1]}; correct its name or the release'
    return f"apt failed: {errors[0] if errors else 'it gave no reason'}; run it again"


class Apt:
    """apt-get with a configuration of its own under `work`."""

    def __init__(self, machine: Machine, suite: str, work: Path) -> None:
        for tool in ("apt-get", "apt-config", "dpkg-deb"):
            if shutil.which(tool) is None:
                raise SetupError(f"{tool} is not on this machine; install it, or run on Debian 12 or newer")
        self.suite = suite or machine.suite
        self._work = work
        for part in ("etc/apt.conf.d", "etc/preferences.d", "lists/partial", "cache/archives/partial"):
            (work / part).mkdir(parents=True, exist_ok=True)
        (work / "status").write_text("")  # Nothing counts as installed, so that libc comes along too.
        (work / "etc/sources.list").write_text(
            f"deb [signed-by={machine.keyring}] {machine.mirror} {self.suite} main\n", encoding="utf-8"
        )
        self._config = work / "apt.conf"
        self._config.touch(mode=0o600)  # A proxy's address may hold a password.
        self._config.write_text(self._settings(), encoding="utf-8")

    def _settings(self) -> str:
        w = self._work
        return "\n".join(
            [
                f'Dir::Etc "{w}/etc";',
                f'Dir::State "{w}";',
                f'Dir::State::Lists "{w}/lists";',
                f'Dir::State::status "{w}/status";',
                f'Dir::Cache "{w}/cache";',
                f'Dir::Log "{w}/log";',
                'Dir::Etc::netrc "/etc/apt/auth.conf";',
                'Dir::Etc::netrcparts "/etc/apt/auth.conf.d";',
                'APT::Sandbox::User "";',
                'APT::Install-Recommends "false";',
                'APT::Update::Error-Mode "any";',
                'Debug::NoLocking "true";',
                'Acquire::Languages "none";',
                'Acquire::GzipIndexes "true";',
                'Acquire::Retries "2";',
                # A snapshot mirror's index has expired by design; its signature is checked all the same.
                'Acquire::Check-Valid-Until "false";',
                *_machine_network_settings(),
                "",
            ]
        )

    def update(self) -> None:
        """Fetch and verify the index.

        Raises:
            SetupError: no network, a bad signature, or no such suite.
        """
        self._run(["update", "-qq"])

    def resolve(self, wanted: PackageSet) -> list[Download]:
        """Choose the versions of the packages and of what they need, less what is left out."""
        chosen = parse_print_uris(self._run(["install", "--print-uris", "-qq", *wanted.packages]))
        return [d for d in chosen if not any(re.fullmatch(pattern, d.name) for pattern in wanted.leave_out)]

    def download(self, chosen: Sequence[Download], into: Path, progress: Progress) -> None:
        """Fetch package files into a folder; apt checks each against the signed index."""
        total = sum(d.size for d in chosen) / 1e6
        command = ["apt-get", "download", "-qq", *(f"{d.name}={d.version}" for d in chosen)]
        with subprocess.Popen(
            command, cwd=into, env=self._environment(), text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
        ) as process:
            while True:
                try:
                    output, _ = process.communicate(timeout=POLL_S)
                    break
                except subprocess.TimeoutExpired:
                    done = sum(f.stat().st_size for f in into.rglob("*.deb")) / 1e6
                    progress(f"downloading {len(chosen)} packages: {min(done, total):.0f} of {total:.0f} MB")
        if process.returncode:
            raise SetupError(explain(output, self.suite))

    def forget_lists(self) -> None:
        """Delete the index, which is many times the size of what it served for."""
        for part in ("lists", "cache"):
            shutil.rmtree(self._work / part, ignore_errors=True)

    def _run(self, arguments: list[str]) -> str:
        done = subprocess.run(
            ["apt-get", *arguments], env=self._environment(), text=True, capture_output=True, check=False
        )
        if done.returncode:
            raise SetupError(explain(done.stdout + done.stderr, self.suite))
        return done.stdout

    def _environment(self) -> dict[str, str]:
        return {**os.environ, "APT_CONFIG": str(self._config), "LC_ALL": "C"}


def _machine_network_settings() -> list[str]:
    """The machine's own proxy, certificates and clock rules, since a private configuration does not read them."""
    dump = subprocess.run(["apt-config", "dump"], text=True, capture_output=True, check=False).stdout
    wanted = re.compile(r'Acquire::(?:http|https|Check-Date|ForceIPv[46])\b.* ".+";')
    return [line for line in dump.splitlines() if wanted.fullmatch(line)]
