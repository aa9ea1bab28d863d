"""A turn of a conversation: greeting, speculation, commit, answer."""

from __future__ import annotations

from pathlib import Path

import pytest
from talking import GREETING, Script, Talk

pytestmark = pytest.mark.looptime


async def test_the_agent_greets_and_answers(tmp_path: Path) -> None:
    async with Talk({"Book a flight.": Script("Where to?")}, tmp_path) as talk:
        await talk.agent_says(GREETING)
        await talk.wait(0.5)
        ended = await talk.say("Book a flight.")
        await talk.agent_says("Where to?")
        assert talk.first_sound(ended) - ended < 0.3
        assert [turn.text for turn in talk.reasoner.commits] == ["Book a flight."]
        await talk.until(lambda: len(talk.reasoner.heard) == 2, "heard")
        assert talk.reasoner.heard == [(GREETING, True), ("Where to?", True)]
