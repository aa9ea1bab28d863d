"""A caller speaks with a language model, over real SIP; the model's server is scripted, and everything else is real."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path

import pytest
from callers import (
    CHANGE,
    CHANGES,
    EXAMPLE,
    HOURS,
    ISABELLA,
    SPEECH,
    WAIT,
    ask,
    greeted,
    listening,
    until,
    wanted_words,
)
from peers.openai_server import Messages, OpenAiServer, Status, Step, Text, Wait, last_user

from ccaas.testing.caller import SipCaller
from ccaas.testing.installation import Installation

pytestmark = pytest.mark.asyncio(loop_scope="session")

_LONG = "We open our doors at eight in the morning on every single day of the week, the holidays among them. " * 2
_ROOM = {"first_clause_ms": 20_000, "stall_ms": 60_000, "turn_ms": 60_000}
"""How fast the machine is must not matter."""


async def test_a_model_is_heard_interrupted_and_stood_in_for(tmp_path: Path) -> None:
    rest = asyncio.Event()

    def script(messages: Messages) -> Sequence[Step]:
        said = last_user(messages).lower()
        if "christmas" in said:
            return [Text("I am happy to tell you about that. And "), Wait(rest), Text(_LONG), Wait()]
        return [Status(500)] if "boston" in said else [Text("All right, I am listening.")]

    async with OpenAiServer(script).running() as server:
        flows = str(EXAMPLE.with_name("flows.yaml"))
        model = {"use": "llm", "url": server.url, "model": "scripted", "flows": flows, "limits": _ROOM}
        changes = {
            **CHANGES,
            "plugins": [*CHANGES["plugins"], "llm"],
            "reasoners": {**CHANGES["reasoners"], "model": model},
            "entries": {**CHANGES["entries"], "airline": {"reasoner": "model", "numbers": ["*"]}},
        }
        async with (
            Installation(tmp_path, EXAMPLE, changes) as site,
            SipCaller("127.0.0.1", site.sip_port) as ua,
            listening(site) as listener,
        ):
            call = await greeted(ua, caller=ISABELLA)
            asked = await call.say(SPEECH / HOURS)
            # The first clause is heard while the model still writes.
            first = await call.hear(asked.finished.result())
            assert "happy to tell you" in wanted_words(await listener.heard(call.stereo(), first.start - 0.3))
            assert not rest.is_set()
            rest.set()
            await call.hear_start(first.end + 0.5, 20.0)
            await call.say(SPEECH / WAIT)
            written = next(seen for seen in server.seen if not seen.finished and "Christmas" in str(seen.messages[-1]))
            async with asyncio.timeout(30):
                await written.cancelled.wait()
            await until(
                lambda: "stop" in str(server.seen[-1].messages[-1]).lower(), "the interruption reaches the model", 30
            )
            remembered = [one["content"] for one in server.seen[-1].messages if one["role"] == "assistant"][-1]
            assert remembered.startswith("I am happy to tell you about that.")
            assert len(remembered) < len(_LONG) / 2
            # Then its server breaks, and the flows take the errand.
            answer = await ask(call, CHANGE)
            heard = wanted_words(await listener.heard(call.stereo(), answer.start - 0.3))
            assert "birth" in heard
            await call.hang_up()
