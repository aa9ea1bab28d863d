"""Where packages come from: the machine's own apt sources, in both of their styles."""

from __future__ import annotations

from pathlib import Path

import pytest

from ccaas.debian.sources import Source, choose_mirror, deb822_sources, one_line_sources, os_release, this_machine
from ccaas.errors import SetupError

DEB822 = """\
# the release itself
Types: deb deb-src
URIs: http://mirror.example/debian
  http://second.example/debian
Suites: bookworm bookworm-updates
Components: main
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg

Types: deb
URIs: http://mirror.example/security
Suites: bookworm-security
Components: main

Types: deb
URIs: http://off.example/debian
Suites: bookworm
Components: main
Enabled: no
"""


def test_deb822_reads_folded_fields_and_leaves_out_what_is_switched_off() -> None:
    found = list(deb822_sources(DEB822))
    assert [source.uri for source in found] == [
        "http://mirror.example/debian",
        "http://second.example/debian",
        "http://mirror.example/security",
    ]
    assert found[0].suites == ("bookworm", "bookworm-updates")


def test_one_line_reads_options_with_blanks_and_skips_sources_and_comments() -> None:
    text = """\
# deb http://no.example/debian bookworm main
deb-src http://src.example/debian bookworm main
deb [ arch=amd64 signed-by=/k.gpg ] http://mirror.example/debian bookworm main contrib # mine
deb [arch=amd64] mirror+file:/etc/apt/mirrors/debian.list bookworm main
deb broken
"""
    assert list(one_line_sources(text)) == [
        Source("http://mirror.example/debian", ("bookworm",), ("main", "contrib")),
        Source("mirror+file:/etc/apt/mirrors/debian.list", ("bookworm",), ("main",)),
    ]


def test_the_mirror_is_the_one_that_carries_the_release_itself() -> None:
    sources = [
        Source("http://tool.example/apt", ("nodistro",), ("main",)),
        Source("cdrom:[Debian]/", ("bookworm",), ("main",)),
        Source("http://sec.example/", ("bookworm-security",), ("main",)),
        Source("http://mirror.example/debian", ("bookworm", "bookworm-updates"), ("main",)),
    ]
    assert choose_mirror(sources, "bookworm") == "http://mirror.example/debian"


def test_a_machine_that_follows_stable_by_name_is_served_too() -> None:
    assert (
        choose_mirror([Source("http://m.example/debian", ("stable",), ("main",))], "bookworm")
        == "http://m.example/debian"
    )


def test_no_mirror_names_the_place_and_the_mend() -> None:
    with pytest.raises(
        SetupError, match=r'no Debian mirror for "bookworm" in /etc/apt/sources\.list.*; add the mirror'
    ):
        choose_mirror([], "bookworm")


def test_os_release_takes_quotes_off() -> None:
    assert os_release('ID=debian\nVERSION_CODENAME="bookworm"\n') == {"ID": "debian", "VERSION_CODENAME": "bookworm"}


def _machine(root: Path, release: str, *, keyring: bool = True) -> Path:
    (root / "etc/apt/sources.list.d").mkdir(parents=True)
    (root / "etc/os-release").write_text(release)
    (root / "etc/apt/sources.list.d/debian.sources").write_text(DEB822)
    if keyring:
        (root / "usr/share/keyrings").mkdir(parents=True)
        (root / "usr/share/keyrings/debian-archive-keyring.gpg").write_bytes(b"keys")
    return root


def test_a_debian_machine(tmp_path: Path) -> None:
    machine = this_machine(_machine(tmp_path, "ID=debian\nVERSION_CODENAME=bookworm\n"))
    assert (machine.mirror, machine.suite) == ("http://mirror.example/debian", "bookworm")
    assert machine.keyring == tmp_path / "usr/share/keyrings/debian-archive-keyring.gpg"


def test_another_system_is_refused_with_the_way_out(tmp_path: Path) -> None:
    root = _machine(tmp_path, 'ID=ubuntu\nPRETTY_NAME="Ubuntu 24.04"\nVERSION_CODENAME=noble\n')
    with pytest.raises(SetupError, match=r"Ubuntu 24\.04; use asterisk\.mode: external"):
        this_machine(root)


def test_without_keys_nothing_is_trusted(tmp_path: Path) -> None:
    root = _machine(tmp_path, "ID=debian\nVERSION_CODENAME=bookworm\n", keyring=False)
    with pytest.raises(SetupError, match="install the package debian-archive-keyring"):
        this_machine(root)
