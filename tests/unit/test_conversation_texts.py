"""A text that the caller sends during the call is a turn of the call, as soon as nobody speaks."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
import structlog
from talking import GREETING, Script, Talk, Write, pinned

from ccaas.ports.reasoning import NOT_KEPT, Ending, Reply

pytestmark = pytest.mark.looptime

CODE = "Which code?"
TEXTED = "I see you've just sent me a message."
SCRIPTS = {
    "Book a flight.": Script(CODE),
    "ABC123": Script("I have it."),
    "ABC\n123": Script("I have both."),
    "Pay.": Script(Write("pay"), "It is paid."),
    "Bye.": Script(Reply("Goodbye.", ending=Ending.HANG_UP)),
}


def talk(folder: Path) -> Talk:
    return Talk(SCRIPTS, folder, pinned(texted=TEXTED))


async def test_a_text_is_taken_when_nobody_speaks(tmp_path: Path) -> None:
    async with talk(tmp_path) as call:
        await call.agent_says(GREETING)
        await call.say("Book a flight.")
        await call.agent_says(CODE)
        turn_id = await call.conversation.tell("ABC123", "sms")
        await call.agent_says(TEXTED)
        await call.agent_says("I have it.")
        assert turn_id is not None
        await call.until(lambda: call.records[turn_id].over, "the turn is over")
        record = call.records[turn_id]
        assert (record.caller_text, record.channel, record.heard_text) == ("ABC123", "sms", "I have it.")
        assert call.saved[-1] == {"turns": ["Book a flight.", "ABC123"]}


async def test_an_answer_to_a_check_is_in_no_record_and_no_log_however_it_was_given(tmp_path: Path) -> None:
    said = Reply("The ninth of July, thank you.", kept="The …, thank you.")
    scripts = {"Born 9 July.": Script(said, private=True), "Born in 84.": Script(said, private=True)}
    with structlog.testing.capture_logs() as logs:
        async with Talk(scripts, tmp_path, pinned(texted=TEXTED)) as call:
            await call.agent_says(GREETING)
            await call.say("Born 9 July.")
            await call.agent_says(said.text)
            await call.until(lambda: call.records["t1"].over, "the turn is over")
            turn_id = await call.conversation.tell("Born in 84.", "sms")
            await call.agent_says(TEXTED)
            await call.agent_says(said.text)
            assert turn_id == "t2"
            await call.until(lambda: call.records["t2"].over, "the turn is over")
            for name in ("t1", "t2"):
                record = call.records[name]
                assert record.private
                assert (record.caller_text, record.agent_text, record.heard_text) == (NOT_KEPT, said.kept, said.kept)
    assert next(line for line in logs if line["event"] == "caller")["text"] == NOT_KEPT
    assert "July" not in repr(logs)
    assert "84" not in repr([line["text"] for line in logs if "text" in line])


async def test_a_text_waits_for_the_agent_and_for_the_caller(tmp_path: Path) -> None:
    async with talk(tmp_path) as call:
        telling = [asyncio.create_task(call.conversation.tell(text, "sms")) for text in ("ABC", "123")]
        await call.agent_says(GREETING)
        await call.agent_says("I have both.")
        assert await asyncio.gather(*telling) == ["t1", "t1"]
        assert [turn.text for turn in call.reasoner.commits] == ["ABC\n123"]


async def test_a_text_while_a_write_runs_is_the_next_turn(tmp_path: Path) -> None:
    async with talk(tmp_path) as call:
        await call.agent_says(GREETING)
        await call.say("Pay.")
        await call.until(lambda: call.tools.begun, "it is being paid")
        telling = asyncio.create_task(call.conversation.tell("ABC123", "sms"))
        await call.agent_says("It is paid.")
        await call.agent_says("I have it.")
        assert await telling == "t2"
        assert call.tools.done == ["pay"]


async def test_who_is_on_hold_is_not_answered_before_they_are_back(tmp_path: Path) -> None:
    async with talk(tmp_path) as call:
        await call.agent_says(GREETING)
        await asyncio.sleep(0.2)
        call.conversation.hold(True)
        telling = asyncio.create_task(call.conversation.tell("ABC123", "sms"))
        await asyncio.sleep(20)
        assert not telling.done()
        call.conversation.hold(False)
        await call.agent_says("I have it.")
        assert await telling == "t1"


async def test_a_text_that_comes_too_late_is_given_back(tmp_path: Path) -> None:
    async with talk(tmp_path) as call:
        await call.agent_says(GREETING)
        await call.say("Bye.")
        telling = asyncio.create_task(call.conversation.tell("ABC123", "sms"))
        await call.outcome()
        assert await telling is None
        assert await call.conversation.tell("ABC123", "sms") is None
