"""What `ccaas up` tells a person to dial."""

from __future__ import annotations

from pathlib import Path

from ccaas.config.configuration import load
from ccaas.dialling import what_to_dial

AIRLINE = Path(__file__).parents[2] / "examples/airline/ccaas.yaml"


def test_numbers_phones_and_where_their_password_lies() -> None:
    lines = what_to_dial(load(AIRLINE))
    assert any("sip:1000@127.0.0.1 " in line and "any other number" in line and "airline" in line for line in lines)
    assert any("6001" in line and "secrets" in line for line in lines)
    assert lines[-1] == "Or call from a browser: http://127.0.0.1:8092/call"


def test_an_external_asterisk_has_numbers_of_its_own(tmp_path: Path) -> None:
    text = AIRLINE.read_text().split("asterisk:")
    rest = text[1][text[1].index("\nplugins:") :]
    file = tmp_path / "ccaas.yaml"
    file.write_text(f"{text[0]}asterisk:\n  mode: external\n  ari: {{password: x}}\n{rest}")
    assert what_to_dial(load(file)) == ["Or call from a browser: http://127.0.0.1:8092/call"]
    file.write_text(file.read_text().replace("  desk: {", "  desk: {call: {enabled: false}, "))
    assert what_to_dial(load(file)) == []
