"""Where this machine gets its Debian packages from: its own apt sources, so that no host is ever written down here."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from ccaas.errors import SetupError

KEYRINGS = tuple(Path("/usr/share/keyrings") / f"debian-archive-keyring.{ending}" for ending in ("gpg", "pgp"))


@dataclass(frozen=True, slots=True)
class Source:
    """One archive in the machine's apt sources."""

    uri: str
    suites: tuple[str, ...]
    components: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Machine:
    """What about this machine decides where packages come from."""

    mirror: str
    """Archive URI as the machine's own sources write it."""
    suite: str
    """The machine's own release, e.g. "bookworm"."""
    keyring: Path
    """Debian's own keys; every index is checked against them."""


def one_line_sources(text: str) -> Iterator[Source]:
    """Read a `sources.list` (man 5 sources.list, one-line style)."""
    for line in text.splitlines():
        words = line.partition("#")[0].split()
        if not words or words[0] != "deb":
            continue
        words = words[1:]
        if words and words[0].startswith("["):
            while words and not words[0].endswith("]"):
                words = words[1:]
            words = words[1:]
        if len(words) >= 2:
            yield Source(words[0], (words[1],), tuple(words[2:]))


def deb822_sources(text: str) -> Iterator[Source]:
    """Read a `*.sources` file (man 5 sources.list, deb822 style)."""
    for stanza in _stanzas(text):
        if "deb" not in stanza.get("types", "").split() or stanza.get("enabled", "yes").lower() == "no":
            continue
        suites = tuple(stanza.get("suites", "").split())
        for uri in stanza.get("uris", "").split():
            yield Source(uri, suites, tuple(stanza.get("components", "").split()))


def _stanzas(text: str) -> Iterator[dict[str, str]]:
    fields: dict[str, str] = {}
    key = ""
    for line in [*text.splitlines(), ""]:
        if line.startswith("#"):
            continue
        if not line.strip():
            if fields:
                yield fields
            fields, key = {}, ""
        elif line[0].isspace():
            fields[key] = f"{fields.get(key, '')} {line.strip()}"
        else:
            key, _, value = line.partition(":")
            key = key.strip().lower()
            fields[key] = value.strip()


def read_sources(etc_apt: Path) -> list[Source]:
    """All enabled binary archives under an `/etc/apt`."""
    found: list[Source] = []
    lists = [etc_apt / "sources.list", *sorted((etc_apt / "sources.list.d").glob("*.list"))]
    for path in sorted((etc_apt / "sources.list.d").glob("*.sources")):
        found.extend(deb822_sources(path.read_text(encoding="utf-8")))
    for path in lists:
        if path.is_file():
            found.extend(one_line_sources(path.read_text(encoding="utf-8")))
    return found


def os_release(text: str) -> dict[str, str]:
    """Read an `/etc/os-release` (man 5 os-release)."""
    pairs = (line.partition("=") for line in text.splitlines() if "=" in line)
    return {key.strip(): value.strip().strip("\"'") for key, _, value in pairs}


def choose_mirror(sources: list[Source], codename: str) -> str:
    """The archive that carries the release itself, hence all of Debian's suites.

    Raises:
        SetupError: none does.
    """
    for source in sources:
        carries = codename in source.suites or ("main" in source.components and "stable" in source.suites)
        if carries and not source.uri.startswith("cdrom:"):
            return source.uri
    raise SetupError(
        f'no Debian mirror for "{codename}" in /etc/apt/sources.list or /etc/apt/sources.list.d; '
        "add the mirror that this machine installs its packages from"
    )


def this_machine(root: Path = Path("/")) -> Machine:
    """Look at the machine that we run on.

    Raises:
        SetupError: it is no Debian, lacks apt's keyring, or names no mirror.
    """
    release_file = root / "etc/os-release"
    release = os_release(release_file.read_text(encoding="utf-8")) if release_file.is_file() else {}
    if release.get("ID") != "debian" or not release.get("VERSION_CODENAME"):
        raise SetupError(
            f"packages can be unpacked on Debian 12 or newer only, and this is {release.get('PRETTY_NAME', 'unknown')}; "
            "use asterisk.mode: external with an Asterisk of your own"
        )
    keyring = next((root / k.relative_to("/") for k in KEYRINGS if (root / k.relative_to("/")).is_file()), None)
    if keyring is None:
        raise SetupError(f"Debian's keyring is not at {KEYRINGS[0]}; install the package debian-archive-keyring")
    codename = release["VERSION_CODENAME"]
    return Machine(choose_mirror(read_sources(root / "etc/apt"), codename), codename, keyring)
