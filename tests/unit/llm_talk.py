"""A bank that is served by a model whose words are scripted, for tests of the reasoner "llm"."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ccaas_llm.reasoner import LlmReasoner
from ccaas_llm.settings import LlmSettings
from peers.openai_server import Messages, OpenAiServer, Script, Step, Text, ToolCall, last_user, results

from ccaas.ports.journey import Json
from ccaas.ports.reasoning import CallerTurn, Dialogue, DialogueContext, Reply
from ccaas.ports.site import Site
from ccaas.testing.fakes.tools import Answer, FakeBank, FakeToolbox

DONE = {"before": {"balance": 100}, "after": {"balance": 150}}
ANSWERS: dict[str, Answer] = {"get_balance": {"balance": 100}, "deposit": DONE}


def bank_script(messages: Messages) -> Sequence[Step]:
    """A model that knows its work."""
    said, back = last_user(messages).lower(), results(messages)
    if "balance" in said:
        return (
            [Text(f"You have {back[-1]['balance']} dollars.")] if back else [ToolCall("get_balance", {"account": "a"})]
        )
    if "pay in" in said:
        return [ToolCall("deposit", {"account": "a", "amount": 50})]
    if back:
        return [Text("It is paid in. Anything else?")]
    if "bye" in said:
        return [Text("Goodbye!"), ToolCall("end_conversation")]
    return [Text("I can tell your balance, and pay money in.")]


def box(answers: dict[str, Answer] | None = None) -> FakeToolbox:
    return FakeToolbox(ANSWERS if answers is None else answers, tools=FakeBank({}).tools())


def site(folder: Path) -> Site:
    return Site(folder, folder, folder, folder)


def context(tools: FakeToolbox, channel: str = "voice", **more: Any) -> DialogueContext:
    plain = DialogueContext(
        "call-1", channel, "+16175550123", "100", None, tools, datetime(2024, 5, 15, 15, tzinfo=UTC)
    )
    return replace(plain, **more)


class Desk:
    """One conversation with the scripted model."""

    def __init__(self, server: OpenAiServer, reasoner: LlmReasoner, tools: FakeToolbox, dialogue: Dialogue) -> None:
        self.server = server
        self.reasoner = reasoner
        self.tools = tools
        self.dialogue = dialogue
        self.turns = 0

    async def say(self, text: str = "", keys: str = "", *, hear: bool = True) -> list[Reply]:
        """One whole turn, told as heard."""
        self.turns += 1
        draft = await self.dialogue.draft(CallerTurn(f"t{self.turns}", text, keys))
        replies = [reply async for reply in self.dialogue.commit(draft)]
        if draft.reply is not None:
            assert replies[0] == draft.reply
        for reply in replies if hear else ():
            self.dialogue.heard(reply.text, True)
        return replies

    async def hears(self, text: str = "", keys: str = "") -> str:
        """What the agent says to that, in one string."""
        return " ".join(reply.text for reply in await self.say(text, keys))

    def again(self, kept: Json) -> None:
        """Go on from a snapshot, as after a crash."""
        self.dialogue = self.reasoner.open(context(self.tools), kept)

    @property
    def writes(self) -> list[str]:
        return [call.name for call in self.tools.calls if call.name == "deposit"]


@asynccontextmanager
async def desk(
    folder: Path,
    script: Script = bank_script,
    *,
    tools: FakeToolbox | None = None,
    channel: str = "voice",
    known: Mapping[str, Any] | None = None,
    **settings: Any,
) -> AsyncIterator[Desk]:
    """A conversation past its greeting; `known`: what else its context has."""
    async with OpenAiServer(script).running() as server:
        # How fast the machine is must not matter here.
        limits = {"first_clause_ms": 60_000, "stall_ms": 60_000, "turn_ms": 60_000, **settings.pop("limits", {})}
        settings = {"url": server.url, "model": "scripted", "limits": limits, **settings}
        reasoner = LlmReasoner(LlmSettings(**settings), site(folder))
        await reasoner.start()
        tools = tools or box()
        dialogue = reasoner.open(context(tools, channel, **(known or {})))
        await dialogue.open()
        try:
            yield Desk(server, reasoner, tools, dialogue)
        finally:
            await reasoner.close()
