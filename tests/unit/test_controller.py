"""What the composition root decides by itself."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from ccaas.config.asterisk import AsteriskSettings
from ccaas.config.document import ConfigErrors, Document
from ccaas.config.making import side_by_side
from ccaas.config.picks import Pick
from ccaas.controller import phrase_rates
from ccaas.errors import ConfigError, PluginError, SetupError
from ccaas.ports.site import Site

QUIET = {"sip": {"anonymous": False}}
NARROW = {"name": "6001", "codecs": ["ulaw", "alaw"]}


@pytest.mark.parametrize(
    ("asterisk", "wide"),
    [
        ({}, True),
        (QUIET, False),
        (QUIET | {"phones": [NARROW]}, False),
        (QUIET | {"phones": [NARROW, {"name": "6002"}]}, True),
        (QUIET | {"phones": [NARROW | {"webrtc": True}]}, True),
        (QUIET | {"trunks": [{"name": "carrier", "host": "sip.example.com", "from_addresses": ["192.0.2.1"]}]}, False),
        (QUIET | {"mode": "external"}, True),
    ],
)
def test_fixed_phrases_are_made_for_the_codecs_that_callers_may_have(asterisk: dict[str, Any], wide: bool) -> None:
    rates = phrase_rates(AsteriskSettings.model_validate(asterisk))
    assert rates == ((8_000, 16_000) if wide else (8_000,))


YAML = """\
tools:
  - use: knowledge
  - use: prices
"""


def pick(number: int, fault: Exception) -> Pick[Any]:
    async def make(*_: object) -> None:
        raise fault

    return Pick(("tools", number), "knowledge", "knowledge", AsteriskSettings(), make)


async def test_what_tools_lack_is_said_in_a_line_with_its_place(tmp_path: Path) -> None:
    site, file = Site(tmp_path, tmp_path, tmp_path, tmp_path), tmp_path / "x.yaml"
    file.write_text(YAML)
    document = Document.read(file)
    lacks = pick(0, SetupError("there are no pages; put some there"))
    with pytest.raises(ConfigError) as one:
        await side_by_side([asyncio.sleep(30), lacks.make_for(site, document)])
    assert str(one.value) == f"{file}:1: tools[0]: there are no pages; put some there"
    with pytest.raises(ConfigErrors, match=r"tools\[0\].*\n.*tools\[1\]"):
        await side_by_side([p.make_for(site, document) for p in (lacks, pick(1, SetupError("no prices; buy some")))])
    with pytest.raises(PluginError, match="ZeroDivisionError"):
        await side_by_side([pick(0, ZeroDivisionError()).make_for(site, document)])


async def test_what_is_made_side_by_side_comes_in_order_and_a_strange_fault_as_it_is() -> None:
    assert await side_by_side([asyncio.sleep(0.0, 1), asyncio.sleep(0.0, 2)]) == [1, 2]

    async def breaks() -> None:
        raise ZeroDivisionError

    with pytest.raises(ExceptionGroup):
        await side_by_side([breaks()])
