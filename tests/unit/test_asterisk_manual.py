"""What is left of Asterisk's built-in manual, and the folder in which it lies."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from ccaas.asterisk.manual import MANUAL, cut_down, write_data

WHOLE = b"""<docs>
<application name="Dial"><synopsis>Calls.</synopsis><syntax><parameter name="who"><para>Whom.</para></parameter></syntax>
<description><para>Long.</para></description><see-also><ref>Other</ref></see-also></application>
<configInfo name="res_pjsip"><synopsis>SIP</synopsis><configFile name="pjsip.conf"><configObject name="endpoint">
<configOption name="100rel" default="yes"><synopsis>Rel.</synopsis><description><para>Long.</para></description>
</configOption></configObject></configFile></configInfo>
</docs>"""


@pytest.fixture
def shipped(tmp_path: Path) -> Path:
    folder = tmp_path / "shipped"
    (folder / "documentation").mkdir(parents=True)
    (folder / MANUAL).write_bytes(WHOLE)
    (folder / "sounds").mkdir()
    return folder


def test_prose_goes_and_settings_and_arguments_stay() -> None:
    text = cut_down(WHOLE).decode()
    assert "Long" not in text
    assert "see-also" not in text
    for kept in ("Calls.", 'name="who"', "Whom.", 'name="100rel" default="yes"', "Rel.", 'name="endpoint"'):
        assert kept in text


def test_everything_else_is_linked(tmp_path: Path, shipped: Path) -> None:
    data = tmp_path / "data"
    write_data(data, shipped)
    assert (data / "sounds").readlink() == shipped / "sounds"
    assert not (data / "documentation").is_symlink()
    assert b"Long" not in (data / MANUAL).read_bytes()


def test_a_second_time_nothing_is_written_until_asterisk_is_a_new_one(tmp_path: Path, shipped: Path) -> None:
    data = tmp_path / "data"
    write_data(data, shipped)
    first = (data / MANUAL).stat().st_ino
    write_data(data, shipped)
    assert (data / MANUAL).stat().st_ino == first
    (shipped / MANUAL).write_bytes(WHOLE.replace(b"Calls.", b"Rings."))
    os.utime(shipped / MANUAL, ns=(1, 1))
    write_data(data, shipped)
    assert b"Rings." in (data / MANUAL).read_bytes()


def test_links_follow_asterisk_to_another_place(tmp_path: Path, shipped: Path) -> None:
    data = tmp_path / "data"
    write_data(data, shipped)
    moved = shipped.rename(tmp_path / "moved")
    write_data(data, moved)
    assert (data / "sounds").readlink() == moved / "sounds"
