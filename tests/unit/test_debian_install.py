"""Unpacking packages: all at once or not at all, once, and again without the network."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from ccaas.debian import PackageSet, Prefix, install
from ccaas.debian import prefix as prefix_module
from ccaas.debian.apt import Download, explain, parse_print_uris
from ccaas.errors import SetupError


def test_print_uris_gives_names_versions_with_epochs_and_sizes() -> None:
    output = """\
'http://m.example/pool/a_1%3a2.0-1_amd64.deb' a_1%3a2.0-1_amd64.deb 123 MD5Sum:00
'http://m.example/pool/b.deb' b_3+dfsg~x-1_all.deb 45 SHA256:11
Reading package lists...
"""
    assert parse_print_uris(output) == [Download("a", "1:2.0-1", 123), Download("b", "3+dfsg~x-1", 45)]


@pytest.mark.parametrize(
    ("output", "words"),
    [
        ("W: GPG error: … NO_PUBKEY 0E98404D386FA1D9\nE: The repository is not signed.", "signature"),
        ("E: Failed to fetch …  Temporary failure resolving 'm.example'", "cannot be reached"),
        ("E: Failed to fetch … Could not connect to 127.0.0.1:9 (127.0.0.1).", "cannot be reached"),
        ("E: The repository '… nowhere Release' does not have a Release file.", 'has no "forky"'),
        ("E: Unable to locate package frobnicate", "no package frobnicate"),
        ("E: Write error - write (28: No space left on device)", "No space left on device"),
        ("", "gave no reason"),
    ],
)
def test_apt_failures_become_one_sentence(output: str, words: str) -> None:
    sentence = explain(output, "forky")
    assert words in sentence
    assert "\n" not in sentence


def _package(folder: Path, name: str, files: dict[str, str]) -> Path:
    """A real .deb, built here."""
    tree = folder / name
    (tree / "DEBIAN").mkdir(parents=True)
    (tree / "DEBIAN/control").write_text(
        f"Package: {name}\nVersion: 1\nArchitecture: all\nMaintainer: Test <t@example.org>\nDescription: test\n"
    )
    for path, text in files.items():
        (tree / path).parent.mkdir(parents=True, exist_ok=True)
        (tree / path).write_text(text)
    subprocess.run(
        ["dpkg-deb", "--root-owner-group", "-b", tree, folder / f"{name}_1_all.deb"],
        check=True,
        stdout=subprocess.DEVNULL,
    )
    return folder / f"{name}_1_all.deb"


class Mirror:
    """Stands in for the network: counts fetches and can be switched off."""

    def __init__(self, debs: list[Path]) -> None:
        self.debs = debs
        self.fetches = 0

    def fetch(self, wanted: PackageSet, cache: Path, key: str, progress: object) -> list[Path]:
        self.fetches += 1
        (cache / "debs").mkdir(exist_ok=True)
        kept = []
        for deb in self.debs:
            (cache / "debs" / deb.name).write_bytes(deb.read_bytes())
            kept.append(cache / "debs" / deb.name)
        prefix_module._keep_manifest(cache, key, kept)
        return kept


@pytest.fixture
def mirror(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Mirror:
    mirror = Mirror([_package(tmp_path / "build", "hello", {"usr/bin/hello": "hi", "usr/share/doc/hello": "doc"})])
    monkeypatch.setattr(prefix_module, "_fetch", mirror.fetch)
    return mirror


WANTED = PackageSet(("hello",))


def test_the_second_time_nothing_is_done(tmp_path: Path, mirror: Mirror) -> None:
    said: list[str] = []
    assert install(WANTED, tmp_path / "prefix", tmp_path / "cache", said.append) is True
    assert (tmp_path / "prefix/usr/bin/hello").read_text() == "hi"
    said.clear()
    assert install(WANTED, tmp_path / "prefix", tmp_path / "cache", said.append) is False
    assert (said, mirror.fetches) == ([], 1)


def test_a_lost_prefix_comes_back_from_the_kept_packages(tmp_path: Path, mirror: Mirror) -> None:
    install(WANTED, tmp_path / "one", tmp_path / "cache", lambda _: None)
    install(WANTED, tmp_path / "two", tmp_path / "cache", lambda _: None)
    assert (tmp_path / "two/usr/bin/hello").exists()
    assert mirror.fetches == 1


def test_a_kept_package_that_has_changed_is_fetched_again(tmp_path: Path, mirror: Mirror) -> None:
    install(WANTED, tmp_path / "one", tmp_path / "cache", lambda _: None)
    (tmp_path / "cache/debs/hello_1_all.deb").write_bytes(b"not a package")
    install(WANTED, tmp_path / "two", tmp_path / "cache", lambda _: None)
    assert mirror.fetches == 2


def test_another_wish_replaces_the_prefix_as_a_whole(tmp_path: Path, mirror: Mirror) -> None:
    install(WANTED, tmp_path / "prefix", tmp_path / "cache", lambda _: None)
    (tmp_path / "prefix/stray").write_text("left by hand")
    assert install(PackageSet(("hello", "hello-doc")), tmp_path / "prefix", tmp_path / "cache", lambda _: None) is True
    assert not (tmp_path / "prefix/stray").exists()
    assert [p.name for p in tmp_path.iterdir() if p.name.startswith(".prefix")] == []


def test_a_broken_package_leaves_nothing_half_done(tmp_path: Path, mirror: Mirror) -> None:
    broken = tmp_path / "build/broken_1_all.deb"
    broken.write_bytes(b"not a package")
    mirror.debs = [*mirror.debs, broken]
    with pytest.raises(SetupError, match=r"cannot unpack .*broken_1_all\.deb: .*; free some space or delete that file"):
        install(WANTED, tmp_path / "prefix", tmp_path / "cache", lambda _: None)
    assert not (tmp_path / "prefix").exists()


def test_a_program_runs_through_the_prefix_s_own_loader(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("platform.machine", lambda: "x86_64")
    for path in ("usr/lib64/ld-linux-x86-64.so.2", "usr/bin/tool"):
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).touch()
    command = Prefix(tmp_path).command("usr/bin/tool", "-V")
    assert command[0] == str(tmp_path / "usr/lib64/ld-linux-x86-64.so.2")
    assert command[-4:] == ["--argv0", "tool", str(tmp_path / "usr/bin/tool"), "-V"]


def test_a_missing_program_names_the_mend(tmp_path: Path) -> None:
    with pytest.raises(SetupError, match=r"usr/bin/tool is not in .*; run `make setup`"):
        Prefix(tmp_path).command("usr/bin/tool")


def test_an_unknown_machine_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("platform.machine", lambda: "riscv64")
    with pytest.raises(SetupError, match="riscv64"):
        install(WANTED, tmp_path / "prefix", tmp_path / "cache", lambda _: None)
