"""While a payment card is keyed: the tool gets it, the recording and everything that is kept do not."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import talking
from talking import GREETING, Script, Talk

from ccaas.journal.masking import masked
from ccaas.media.tracks import Tracks
from ccaas.ports.media import Pcm
from ccaas.ports.reasoning import NOT_KEPT, CallerTurn, DialogueContext, Expectation, ExpectationKind
from ccaas.testing.fakes.tools import FakeToolbox
from tests.flows_parts import HEAD
from tests.unit.flow_talk import reasoner

CARD = "4111111111111111"
FLOW = """
  book:
    steps:
      - ask: card
        question: Please key in your card number, and then the hash key.
        reask: That was no card number. Once more, please, and then the hash key.
      - write: pay
        with: {card: "{card}"}
        as: paid
      - forget: card
      - done: Thank you.
"""


async def test_what_is_keyed_reaches_the_tool_and_nothing_else(tmp_path: Path) -> None:
    head = HEAD.replace("slots:\n", "slots:\n  card: {type: card}\n")
    made, tools = reasoner(tmp_path, FLOW, head), FakeToolbox({"pay": {}})
    await made.start()
    now = datetime(2024, 5, 15, tzinfo=UTC)
    dialogue = made.open(DialogueContext("c", "voice", "+1", "1", None, tools, now))
    await dialogue.open()

    async def take(turn: CallerTurn) -> tuple[str, bool]:
        draft = await dialogue.draft(turn)
        kept = [draft.text_to_keep, draft.keys_to_keep, draft.slots, draft.intent]
        assert "1111" not in json.dumps([str(part) for part in kept])
        return " ".join([reply.text async for reply in dialogue.commit(draft)]), draft.private

    assert (await take(CallerTurn("t1", "book a room for me")))[1] is False
    assert dialogue.expectation == Expectation(ExpectationKind.DIGITS, (13, 19), private=True, card=True)
    # A slip of the finger is no card number, and would not be masked: it is not taken, and not kept.
    said, private = await take(CallerTurn("t2", "", keys="4111111111111112#"))
    assert (said.startswith("That was no card number"), private) == (True, True)
    assert dialogue.expectation.card
    draft = await dialogue.draft(CallerTurn("t3", "", keys=f"{CARD}#"))
    assert (draft.text_to_keep, draft.keys_to_keep, draft.private) == (NOT_KEPT, "", True)
    said, _ = await take(CallerTurn("t3", "", keys=f"{CARD}#"))
    assert said == "Thank you. Is there anything else?"
    assert [dict(call.arguments) for call in tools.calls] == [{"card": CARD}]
    assert not dialogue.expectation.card
    assert CARD not in json.dumps(dialogue.snapshot())
    assert CARD not in json.dumps(masked({"slots": {"card": CARD}}))


@pytest.mark.looptime
async def test_the_recording_hears_nothing_meanwhile(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    kept: list[bool] = []

    class Noting(Tracks):
        def caller(self, pcm: Pcm, at: float, *, hushed: bool = False) -> None:
            kept.append(not hushed)

    monkeypatch.setattr(talking, "Tracks", Noting)
    async with Talk({"1": Script("Thank you.")}, tmp_path) as talk:
        await talk.agent_says(GREETING)
        await talk.wait(0.5)
        assert kept
        assert all(kept)
        kept.clear()
        talk.reasoner.expect = Expectation(ExpectationKind.DIGITS, (13, 19), private=True, card=True)
        await talk.wait(0.5)
        assert kept
        assert not any(kept)


def test_hushed_samples_are_silence_in_their_place() -> None:
    class Kept:
        def __init__(self) -> None:
            self.got: list[tuple[int, int, float]] = []

        def caller(self, pcm: Pcm, at: float) -> None:
            self.got.append((len(pcm), int(abs(pcm).max()), at))

    import numpy as np

    kept: Any = Kept()
    both = Tracks(None)
    both._recording = kept
    both.caller(np.full(160, 900, np.int16), 1.0)
    both.caller(np.full(160, 900, np.int16), 1.02, hushed=True)
    assert kept.got == [(160, 900, 1.0), (160, 0, 1.02)]
