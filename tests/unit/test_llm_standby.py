"""The airline's flows behind a model: they take over in the middle, with what was said, and give the word back."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from ccaas_flows.understanding.embedding import MiniLm
from ccaas_llm.reasoner import LlmReasoner
from ccaas_llm.settings import LlmSettings
from llm_talk import Desk, context
from peers.openai_server import Disconnect, Messages, OpenAiServer, Status, Step, Text, last_user

from ccaas.ports.site import Site
from ccaas.testing.fakes.tools import FakeToolbox

ROOT = Path(__file__).parents[2]
FLOWS = """
business: Acorn
intents:
  weigh:
    label: send a parcel
    title: your parcel
    examples: [I want to send a parcel, I'd like to ship something, can you take a parcel, I have a package to send, ship a box for me]
  hours:
    label: hear when we open
    does: say
    say: We open at nine.
    examples: [when do you open, what are your hours, are you open on Sunday, how late are you open, at what time do you close]
slots:
  city: {type: city, question: "Which city does it go to?"}
  weight: {type: number, question: "How many pounds is it?"}
flows:
  weigh:
    steps:
      - ask: city
      - ask: weight
      - read: price
        with: {city: "{city}", weight: "{weight}"}
        as: price
      - done: "To {city} that's {price.amount|money}."
"""


@pytest.fixture(scope="module")
def embedding() -> MiniLm:
    return MiniLm(ROOT / ".cache/models/minilm", ROOT / ".cache")


def script(messages: Messages) -> Sequence[Step]:
    """A model that listens well, and then has nothing more to say."""
    said = last_user(messages)
    if "send" in said:
        return [Text("Gladly. Where does it go?")]
    if "Boston" in said:
        return [Text("Let me see"), Disconnect()]
    return [Status(500)] if "pounds" in said else [Text("You are welcome.")]


@pytest.fixture
async def talk(tmp_path: Path, embedding: MiniLm) -> AsyncIterator[Desk]:
    (tmp_path / "flows.yaml").write_text(FLOWS)
    where = Site(tmp_path, tmp_path, ROOT / ".cache/models", ROOT / ".cache/test-intents")
    async with OpenAiServer(script).running() as server:
        settings: dict[str, Any] = {"url": server.url, "model": "scripted", "flows": "flows.yaml"}
        reasoner = LlmReasoner(LlmSettings(**settings, limits={"first_clause_ms": 60_000}), where, embedding)
        await reasoner.start()
        tools = FakeToolbox({"price": {"amount": 12.5}})
        dialogue = reasoner.open(context(tools))
        await dialogue.open()
        yield Desk(server, reasoner, tools, dialogue)
        await reasoner.close()


async def test_the_flows_go_on_where_the_model_stopped_and_give_the_word_back(talk: Desk) -> None:
    assert await talk.hears("I want to send a parcel") == "Gladly. Where does it go?"
    assert await talk.hears("To Boston, please.") == "How many pounds is it?"  # the flows; the city is not asked again
    topic = talk.dialogue.topic()
    assert topic is not None
    assert (topic.goal, topic.slots) == ("weigh", {"city": "Boston"})
    asked = len(talk.server.seen)
    assert (await talk.hears("Seven pounds.")).startswith("To Boston that's twelve dollars and fifty cents.")
    assert len(talk.server.seen) == asked  # an errand that the flows have begun is theirs
    assert dict(talk.tools.calls[-1].arguments) == {"city": "Boston", "weight": 7}
    assert await talk.hears("Thank you!") == "You are welcome."
    told = [message["content"] for message in talk.server.seen[-1].messages if message["role"] == "assistant"]
    assert "How many pounds is it?" in told


async def test_a_crash_leaves_the_errand_with_the_flows(talk: Desk) -> None:
    await talk.say("I want to send a parcel")
    await talk.say("To Boston, please.")
    talk.again(talk.dialogue.snapshot())
    assert (await talk.dialogue.open()).text == "How many pounds is it?"
    assert "Boston" in await talk.hears("Seven pounds.")
