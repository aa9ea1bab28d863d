"""Tools of an MCP server that somebody else wrote: a process, by pipes and over HTTP."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from ccaas_mcp.plugin import mcp_tools
from ccaas_mcp.settings import McpSettings

from ccaas.declared import NotKnown
from ccaas.errors import SetupError, ToolError
from ccaas.ports.site import Site
from ccaas.ports.tools import CONCIERGE_ONLY, Confirmation, Effect, Phase, Tool, ToolContext
from tests.peer_process import PEERS, peer

STOCK = {"effect": "read", "private": False}
SELL = {"callers": ["butler"], "idempotent": True, "amount": "pieces"}


def settings(**more: Any) -> McpSettings:
    command = {"command": [sys.executable, str(PEERS / "mcp_shop.py")]}
    return McpSettings.model_validate(
        {**({} if "url" in more else command), "tools": {"getStock": STOCK, "sell": SELL}, **more}
    )


async def made(tmp_path: Path, wanted: McpSettings) -> dict[str, Tool]:
    tools = await mcp_tools(wanted, Site(tmp_path, tmp_path, tmp_path, tmp_path))
    return {tool.name: tool for tool in tools}


async def run(tool: Tool, key: str = "", **arguments: Any) -> dict[str, Any]:
    context = ToolContext("call", "turn", "ann", key, datetime(2024, 5, 15, tzinfo=UTC))
    return (await tool.run(tool.input.model_validate(arguments), context)).model_dump(mode="json")


async def closed(tools: dict[str, Tool]) -> None:
    close = tools["sell"].close
    assert close is not None
    await close()


async def sells(tools: dict[str, Tool]) -> None:
    """What holds whichever way the server is reached."""
    assert await run(tools["get_stock"], item="kite") == {"item": "kite", "left": 7}
    first = await run(tools["sell"], "k1", item="kite", pieces=2)
    assert await run(tools["sell"], "k1", item="kite", pieces=2) == first == {"item": "kite", "left": 6}
    assert await run(tools["get_stock"], item="kite") == {"item": "kite", "left": 6}
    with pytest.raises(ToolError, match="no unicorns"):
        await run(tools["get_stock"], item="unicorn")
    with pytest.raises(ValueError, match="pieces"):
        tools["sell"].input.model_validate({"item": "kite"})


async def test_a_server_is_started_and_its_tools_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHOP_TOKEN", "handed over")
    monkeypatch.setenv("OTHER_SECRET", "not")
    tools = await made(tmp_path, settings(environment=["SHOP_TOKEN"], unlisted=True))
    await sells(tools)
    # Not declared: a write that is confirmed, and that only a person may make. Of our secrets it gets those that are named.
    unknown = tools["secret"]
    assert (unknown.effect, unknown.phase, unknown.confirmation, unknown.callers, unknown.private) == (
        Effect.WRITE,
        Phase.TRANSACTIONAL,
        Confirmation.SPOKEN,
        CONCIERGE_ONLY,
        True,
    )
    assert (await run(unknown, "k2"))["result"] == "handed over"
    await closed(tools)


async def test_a_server_is_reached_over_http(tmp_path: Path) -> None:
    async with peer("mcp_shop.py", "/mcp") as url:
        tools = await made(tmp_path, settings(url=f"{url}/mcp"))
        assert set(tools) == {"get_stock", "sell"}
        await sells(tools)
        await closed(tools)


async def test_a_server_that_dies_in_the_middle_leaves_it_unknown_and_is_started_again(tmp_path: Path) -> None:
    tools = await made(tmp_path, settings())
    with pytest.raises(NotKnown):
        await run(tools["sell"], "k1", item="kite", pieces=13)
    with pytest.raises(NotKnown, match="it broke"):
        await run(tools["sell"], "k3", item="kite", pieces=12)
    await closed(tools)
    tools = await made(tmp_path, settings())
    assert (await run(tools["sell"], "k2", item="kite", pieces=1))["left"] == 6
    assert (await run(tools["get_stock"], item="kite"))["left"] == 6
    await closed(tools)
    careful = await made(tmp_path, settings(tools={"sell": {**SELL, "idempotent": False}}))
    # What was sent and not answered is not sent again, also by the next controller.
    with pytest.raises(NotKnown, match="sent before"):
        await run(careful["sell"], "k1", item="kite", pieces=1)
    await closed(careful)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"tools": {"getStok": STOCK}}, "has no tool getStok; .*getStock"),
        ({"environment": ["NOT_SET_ANYWHERE"]}, "NOT_SET_ANYWHERE is not set"),
        ({"command": ["/bin/false"]}, "does not answer"),
    ],
)
async def test_what_is_wrong_is_told_at_boot(tmp_path: Path, changes: dict[str, Any], said: str) -> None:
    with pytest.raises(SetupError, match=said):
        await made(tmp_path, settings(**changes))


def test_a_server_is_started_or_reached() -> None:
    with pytest.raises(ValueError, match="write one of the two"):
        McpSettings.model_validate({})
    with pytest.raises(ValueError, match="only reads has no per_day"):
        McpSettings.model_validate({"command": ["x"], "tools": {"a": {"effect": "read", "per_day": 1}}})
