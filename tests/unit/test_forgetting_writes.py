"""Erasing a person reaches the writes that the plug-ins for OpenAPI documents and MCP servers remember."""

from __future__ import annotations

import sqlite3
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, closing
from datetime import UTC, datetime
from pathlib import Path
from types import ModuleType
from typing import Any

import ccaas_mcp.plugin
import ccaas_openapi.plugin
import pytest
from ccaas_mcp.plugin import mcp_tools
from ccaas_mcp.settings import McpSettings
from ccaas_openapi.plugin import openapi_tools
from ccaas_openapi.settings import OpenApiSettings

from ccaas.declared import Keys, NotKnown, path_of
from ccaas.hooks import PluginHost
from ccaas.ports.journey import Identity, IdentityKind, Traces
from ccaas.ports.site import Site
from ccaas.ports.tools import Tool, ToolContext
from tests.peer_process import PEERS, peer

MIA = Traces(
    customers=("mia", "mia-merged"), identities=(Identity(IdentityKind.RECORD, "C-77"),), conversations=("call-mia",)
)
NOW = datetime(2024, 5, 15, tzinfo=UTC)
SYSTEM = "http://records.example"
LEGACY = "CREATE TABLE sent (key TEXT PRIMARY KEY, result TEXT) STRICT, WITHOUT ROWID"


def site_of(folder: Path) -> Site:
    return Site(folder, folder, folder, folder)


def whose(key: str, conversation: str = "call-ann", customer: str = "ann") -> ToolContext:
    return ToolContext(conversation, "turn", customer, key, NOW)


async def forget(folder: Path, traces: Traces = MIA) -> dict[str, str]:
    host = PluginHost.of({"openapi": ccaas_openapi.plugin, "mcp": ccaas_mcp.plugin})
    try:
        return await host.forget(traces, site_of(folder))
    finally:
        await host.close()


def rows(file: Path) -> dict[str, tuple[bool, str, str]]:
    """By key: whether it has an answer, in which conversation, for whom."""
    with closing(sqlite3.connect(file)) as db:
        found = db.execute("SELECT key, result, conversation, customer FROM sent").fetchall()
    return {key: (result is not None, conversation, customer) for key, result, conversation, customer in found}


def left(folder: Path, word: str) -> list[str]:
    """Files in which a word stands, wherever in their bytes."""
    return sorted(path.name for path in folder.iterdir() if word.encode() in path.read_bytes())


async def answered() -> dict[str, Any]:
    return {"id": 1, "for": "words of nobody else"}


async def unanswered() -> dict[str, Any]:
    raise NotKnown("it broke")


@asynccontextmanager
async def openapi(folder: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[tuple[Tool, Mapping[str, object]]]:
    monkeypatch.setenv("RECORDS_TOKEN", "Bearer of-the-test")
    async with peer("records_api.py", "/openapi.json") as url:
        settings = {
            "document": f"{url}/openapi.json",
            "url": url,
            "headers": {"Authorization": "RECORDS_TOKEN"},
            "operations": {"refundOrder": {"callers": ["butler"]}},
        }
        (tool,) = await openapi_tools(OpenApiSettings.model_validate(settings), site_of(folder))
        yield tool, {"order": "A1", "amount": 5}


@asynccontextmanager
async def mcp(folder: Path, _: pytest.MonkeyPatch) -> AsyncIterator[tuple[Tool, Mapping[str, object]]]:
    settings = {
        "command": [sys.executable, str(PEERS / "mcp_shop.py")],
        "tools": {"sell": {"callers": ["butler"], "idempotent": True}},
    }
    (tool,) = await mcp_tools(McpSettings.model_validate(settings), site_of(folder))
    yield tool, {"item": "kite", "pieces": 1}


@pytest.mark.parametrize(("opened", "plugin"), [(openapi, "openapi"), (mcp, "mcp")])
async def test_the_writes_of_a_person_are_gone_and_those_of_others_are_kept(
    opened: Any, plugin: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with opened(tmp_path, monkeypatch) as (tool, arguments):
        asked = tool.input.model_validate(arguments)
        for context in (
            whose("k-mia", "call-mia", ""),
            whose("k-mia-elsewhere", "call-swept", "mia-merged"),
            whose("k-mia-record", "call-old", "C-77"),
            whose("k-ann"),
            whose("k-nobody", "call-of-nobody", ""),
        ):
            await tool.run(asked, context)
        (file,) = tmp_path.glob(f"{plugin}-*.sqlite")
        assert len(rows(file)) == 5
        first = await tool.run(asked, whose("k-ann"))

        for _ in range(2):  # the controller has the file open, and may be asked again
            assert await forget(tmp_path) == {}
            assert rows(file) == {
                "k-ann": (True, "call-ann", "ann"),
                "k-nobody": (True, "call-of-nobody", ""),
            }
            assert left(tmp_path, "mia") == left(tmp_path, "C-77") == []
        assert await tool.run(asked, whose("k-ann")) == first, "it is remembered, and not made again"
        assert tool.close is not None
        await tool.close()
    assert await forget(tmp_path) == {}


async def test_of_a_write_without_an_answer_the_key_alone_stays_so_that_it_is_not_sent_again(tmp_path: Path) -> None:
    file = path_of(tmp_path, "openapi", SYSTEM)
    keys = await Keys.open(file)
    mine = whose("k1", "call-mia", "mia")
    with pytest.raises(NotKnown):
        await keys.once(mine, unanswered, again=False)
    assert await forget(tmp_path) == {}
    assert rows(file) == {"k1": (False, "", "")}
    with pytest.raises(NotKnown, match="sent before"):
        await keys.once(mine, answered, again=False)
    # Where it may be sent again, the call goes on: what it brings is found by the erasure behind it.
    assert await keys.once(mine, answered, again=True) == await answered()
    assert rows(file) == {"k1": (True, "call-mia", "mia")}
    assert await forget(tmp_path) == {}
    assert rows(file) == {}
    await keys.close()


async def test_answers_of_an_earlier_version_are_emptied_since_nobody_knows_whose_they_are(tmp_path: Path) -> None:
    file = path_of(tmp_path, "mcp", SYSTEM)
    with closing(sqlite3.connect(file)) as db, db:
        db.execute(LEGACY)
        db.executemany("INSERT INTO sent VALUES (?, ?)", [("old", '{"id": "of Mia"}'), ("open", None)])
    keys = await Keys.open(file)
    assert await keys.once(whose("old"), answered, again=False) == {"id": "of Mia"}, "until then it is remembered"
    await keys.once(whose("new"), answered, again=False)
    assert await forget(tmp_path) == {}
    assert rows(file) == {"old": (False, "", ""), "open": (False, "", ""), "new": (True, "call-ann", "ann")}
    assert left(tmp_path, "of Mia") == []
    with pytest.raises(NotKnown, match="sent before"):
        await keys.once(whose("old"), answered, again=False)
    await keys.close()


@pytest.mark.parametrize("plugin", ["openapi", "mcp"])
async def test_a_file_that_cannot_be_erased_is_named_and_the_others_are_done(plugin: str, tmp_path: Path) -> None:
    broken, whole = sorted(path_of(tmp_path, plugin, where) for where in (SYSTEM, "another"))
    broken.write_bytes(b"no database at all" * 100)
    keys = await Keys.open(whole)
    await keys.once(whose("k1", "call-mia"), answered, again=False)
    failed = await forget(tmp_path)
    assert list(failed) == [plugin]
    assert f"{broken}: the list of writes is corrupt" in failed[plugin]
    assert whole.name not in failed[plugin]
    assert rows(whole) == {}
    broken.unlink()
    assert await forget(tmp_path) == {}
    await keys.close()


@pytest.mark.parametrize("module", [ccaas_openapi.plugin, ccaas_mcp.plugin])
async def test_where_nothing_was_written_nothing_is_made(module: ModuleType, tmp_path: Path) -> None:
    await module.ccaas_forget(MIA, site_of(tmp_path))
    assert list(tmp_path.iterdir()) == []
