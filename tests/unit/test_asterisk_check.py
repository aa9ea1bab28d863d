"""What is wrong is found before Asterisk is started."""

from __future__ import annotations

import socket
from pathlib import Path
from typing import Any

import pytest

from ccaas.asterisk.check import faults
from ccaas.testing.asterisk import free_settings


@pytest.fixture
def base(tmp_path: Path) -> Path:
    """A folder with what passes for an unpacked Asterisk."""
    program = tmp_path / "prefix/usr/sbin/asterisk"
    program.parent.mkdir(parents=True)
    program.touch()
    return tmp_path


def found(base: Path, **section: Any) -> list[str]:
    return [str(fault) for fault in faults(free_settings(**{"prefix": "prefix", **section}), base)]


def test_nothing_is_wrong(base: Path) -> None:
    assert found(base, phones=["6001"], fallback={"ring": ["6001"]}) == []


def test_no_asterisk_names_the_mend(base: Path) -> None:
    assert found(base, prefix="gone") == [f"asterisk.prefix: there is no Asterisk in {base / 'gone'}; run `make setup`"]


def test_an_external_asterisk_needs_nothing_here(base: Path) -> None:
    assert found(base, prefix="gone", mode="external") == []


@pytest.mark.parametrize(
    ("section", "expected"),
    [
        (
            {"phones": ["6001", "6002", "6001"]},
            ['asterisk.phones[2].name: "6001" is taken already; give each its own name'],
        ),
        (
            {"phones": ["a"], "trunks": [{"name": "a", "host": "h", "from_addresses": ["192.0.2.1"]}]},
            ['asterisk.trunks[0].name: "a" is taken already; give each its own name'],
        ),
        (
            {"trunks": [{"name": "t", "host": "h", "from_addresses": ["192.0.2.1"], "user": "u"}]},
            ["asterisk.trunks[0]: user and password belong together; give both or none"],
        ),
        (
            {"phones": ["6001"], "fallback": {"ring": ["6002"]}},
            ['asterisk.fallback.ring[0]: there is no phone "6002"; name one of asterisk.phones (6001)'],
        ),
        (
            {"rtp": {"first": 20000, "last": 20003}},
            ["asterisk.rtp: 20000 to 20003 is too small a range; make `last` larger than `first` by 100 or more"],
        ),
        (
            {"sip": {"udp": 20010, "tcp": 5060}, "rtp": {"first": 20000, "last": 21000}},
            ["asterisk.sip.udp: port 20010 lies among the audio ports; move it or asterisk.rtp"],
        ),
        (
            {"sip": {"udp": 5060, "tcp": 8088}, "http_port": 8088},
            ["asterisk.sip.tcp: TCP port 8088 is given twice; choose another port"],
        ),
    ],
)
def test_one_line_for_each_fault(base: Path, section: dict[str, Any], expected: list[str]) -> None:
    assert found(base, **section) == expected


def test_missing_files_are_named(base: Path) -> None:
    lines = found(base, dialplan_files=["a.conf"], tls={"certificate": "c.pem", "key": "k.pem"})
    assert lines == [
        f"asterisk.dialplan_files[0]: there is no file {base / 'a.conf'}; correct the path",
        f"asterisk.tls.certificate: there is no file {base / 'c.pem'}; correct the path",
        f"asterisk.tls.key: there is no file {base / 'k.pem'}; correct the path",
    ]


def test_a_port_in_use_names_the_port_and_the_key(base: Path) -> None:
    with socket.socket() as tcp, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
        tcp.bind(("127.0.0.1", 0))
        tcp.listen()
        udp.bind(("127.0.0.1", 0))
        settings = free_settings(
            prefix="prefix",
            http_port=tcp.getsockname()[1],
            sip={"udp": udp.getsockname()[1], "tcp": free_settings().sip.tcp},
        )
        lines = [str(fault) for fault in faults(settings, base)]
        assert lines == [
            f"asterisk.http_port: TCP port {settings.http_port} on 127.0.0.1 is in use; stop what uses it or choose another port",
            f"asterisk.sip.udp: UDP port {settings.sip.udp} on 127.0.0.1 is in use; stop what uses it or choose another port",
        ]
        assert faults(settings, base, running=True) == []


def test_an_address_of_another_machine(base: Path) -> None:
    assert set(found(base, bind="192.0.2.1")) == {
        "asterisk.bind: this machine has no address 192.0.2.1; choose one of its own, or 0.0.0.0"
    }
