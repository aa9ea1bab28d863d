"""The reasoner "llm" when the model is slow, wrong or gone: who answers then, and what is left of the conversation."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from ccaas_llm.clauses import Clauses
from ccaas_llm.faults import ModelFault, Why
from ccaas_llm.meter import Health
from llm_talk import ANSWERS, bank_script, box, desk
from peers.openai_server import Disconnect, Messages, Raw, Status, Step, Text, ToolCall, Wait, last_user, results
from prometheus_client import REGISTRY

from ccaas.errors import ToolError
from ccaas.ports.journey import ThreadState
from ccaas.ports.reasoning import CallerTurn, Ending

TROUBLE = "I'm sorry, I can't answer that right now. Could you say it once more?"
QUICK = {"first_clause_ms": 2000, "stall_ms": 1000}
"""Long enough for a busy machine to answer in, short enough to be waited out."""
SLOW = Wait()


def fallbacks(why: Why) -> float:
    return REGISTRY.get_sample_value("ccaas_llm_fallbacks_total", {"why": why.value}) or 0


NOT_A_CALL = ToolCall("deposit", '{"account": "a", "amou')
WITHOUT_VALUES = ToolCall("deposit", {"account": "a"})
LOOKS = ToolCall("get_balance", {"account": "a"})


@pytest.mark.parametrize(
    ("steps", "why"),
    [
        ([SLOW], Why.SLOW),
        ([Text("I will just"), SLOW], Why.SLOW),
        ([Status(429)], Why.BUSY),
        ([Status(500)], Why.BUSY),
        ([Status(404)], Why.REFUSED),
        ([Disconnect()], Why.DISCONNECTED),
        ([Raw("{}", sse=False)], Why.WRONG),
        ([Raw("<html>busy</html>", sse=False)], Why.WRONG),
        ([Raw("this is no JSON")], Why.WRONG),
        ([Raw('{"choices": "none"}')], Why.WRONG),
        ([], Why.WRONG),
        ([NOT_A_CALL], Why.WRONG),
        ([WITHOUT_VALUES], Why.WRONG),
        ([ToolCall("transfer_everything", {})], Why.WRONG),
        ([Text('{"name": "deposit", "arguments": {}}')], Why.WRONG),
        ([LOOKS], Why.LOOP),
        ([Text("So be it. " * 20)], Why.LOOP),
    ],
)
async def test_a_model_that_fails_costs_one_turn(tmp_path: Path, steps: Sequence[Step], why: Why) -> None:
    """The next turn is answered by the model again; the failed one is counted, and remembered."""

    def script(messages: Messages) -> Sequence[Step]:
        return bank_script(messages) if last_user(messages) == "Again" else steps

    before = fallbacks(why)
    async with desk(tmp_path, script, limits=QUICK) as bank:
        said = await bank.hears("Hello")
        assert fallbacks(why) == before + 1
        spoken = "So be it. So be it. " if Text("So be it. " * 20) in steps else ""
        assert said == (spoken.strip() or TROUBLE)
        assert await bank.hears("Again") == "I can tell your balance, and pay money in."
        assert "Hello" in [message["content"] for message in bank.server.seen[-1].messages]
        assert bank.writes == []


@pytest.mark.parametrize("steps", [[SLOW], [Disconnect()]])
async def test_a_reply_that_breaks_off_in_the_middle_is_owned_up_to(tmp_path: Path, steps: Sequence[Step]) -> None:
    async with desk(tmp_path, lambda _: [Text("You have to know this. It "), *steps], limits=QUICK) as bank:
        assert await bank.hears("Hello") == "You have to know this. Sorry, I lost my thread."


@pytest.mark.parametrize(
    ("reply", "said"), [("It is so. " * 20, TROUBLE), ("One. I guarantee it. Two.", "I can't promise.")]
)
async def test_a_text_that_repeats_itself_or_promises_is_not_sent_at_all(tmp_path: Path, reply: str, said: str) -> None:
    never = [{"name": "promises", "patterns": ["guarantee"], "say": "I can't promise."}]
    async with desk(tmp_path, lambda _: [Text(reply)], channel="sms", never=never) as bank:
        assert await bank.hears("Hello") == said


async def test_a_call_that_is_corrected_is_taken(tmp_path: Path) -> None:
    def script(messages: Messages) -> Sequence[Step]:
        return bank_script(messages) if results(messages) else [WITHOUT_VALUES]

    def corrected(messages: Messages) -> Sequence[Step]:
        back = results(messages)
        return [ToolCall("deposit", {"account": "a", "amount": 50})] if back else [WITHOUT_VALUES]

    async with desk(tmp_path, corrected) as bank:
        assert "Shall I do that?" in await bank.hears("Pay in 50 dollars")
        assert "amount: Field required" in str(bank.server.seen[-1].messages)
        bank.server.script = script
        await bank.say("Yes.")
        assert bank.writes == ["deposit"]


async def test_calls_in_many_small_pieces_and_several_at_once_are_put_together(tmp_path: Path) -> None:
    def script(messages: Messages) -> Sequence[Step]:
        back = results(messages)
        both = [ToolCall("get_balance", {"account": "a"}, 1), ToolCall("get_balance", {"account": "b"}, 1)]
        return [Text(f"They are {back[0]['balance']} and {back[1]['balance']}.")] if back else both

    async with desk(tmp_path, script) as bank:
        assert await bank.hears("Hello") == "They are 100 and 100."
        assert [dict(call.arguments) for call in bank.tools.calls] == [{"account": "a"}, {"account": "b"}]


async def test_without_flows_a_caller_is_put_through_when_it_fails_again(tmp_path: Path) -> None:
    async with desk(tmp_path, lambda _: [Status(500)], destination="desk", rest_after=9) as bank:
        assert await bank.hears("Hello") == TROUBLE
        (reply,) = await bank.say("Hello?")
        assert (reply.ending, reply.destination) == (Ending.TRANSFER, "desk")


async def test_a_write_that_was_made_is_told_though_the_model_has_gone(tmp_path: Path) -> None:
    def script(messages: Messages) -> Sequence[Step]:
        return (
            [Status(500)]
            if "amount" in str(results(messages)) or last_user(messages) == "Yes."
            else bank_script(messages)
        )

    async with desk(tmp_path, script) as bank:
        await bank.say("Pay in 50 dollars")
        assert await bank.hears("Yes.") == "One moment, please. That's done."
        assert bank.writes == ["deposit"]


@pytest.mark.parametrize(
    "limits",
    [{"call_tokens": 1}, {"turn_tokens": 1}, {"call_cost": 0.000001}, {"turn_cost": 0.000001}, {"tool_rounds": 1}],
)
async def test_what_a_conversation_may_take_is_limited(tmp_path: Path, limits: dict[str, float]) -> None:
    """Of a turn, its second request; of a conversation, also its next turn."""
    answers = {**ANSWERS, "get_balance": lambda asked: {"balance": len(str(asked))}}

    def script(messages: Messages) -> Sequence[Step]:
        return [ToolCall("get_balance", {"account": f"a{len(messages)}"})]

    prices = {"scripted": {"input": 1, "output": 1}}
    async with desk(tmp_path, script, tools=box(answers), limits=limits, prices=prices) as bank:
        assert await bank.hears("Hello") == TROUBLE
        requests = len(bank.server.seen)
        assert requests == (2 if "tool_rounds" in limits else 1)
        await bank.hears("Hello?")
        assert len(bank.server.seen) == requests + (requests if not any("call" in name for name in limits) else 0)


def test_a_server_that_fails_again_and_again_is_left_alone_for_a_while() -> None:
    now = [0.0]
    health = Health(2, 10.0, lambda: now[0])
    for _ in range(2):
        health.check()
        health.failed(Why.BUSY)
    with pytest.raises(ModelFault) as rests:
        health.check()
    assert rests.value.why is Why.RESTING
    now[0] = 10.0
    health.check()  # one tries
    with pytest.raises(ModelFault):
        health.check()  # the others wait for how that ends
    health.worked()
    health.check()
    health.failed(Why.WRONG)
    health.failed(Why.LOOP)
    health.check()


async def test_a_turn_is_answered_in_time_however_slow_the_model_is(tmp_path: Path) -> None:
    """And the request is not left to run."""
    async with desk(tmp_path, lambda _: [SLOW], limits=QUICK) as bank:
        async with asyncio.timeout(30):
            draft = await bank.dialogue.draft(CallerTurn("t1", "Hello", final=False))
            await bank.server.seen[0].cancelled.wait()
        assert draft.reply is not None
        assert draft.reply.text == TROUBLE


async def test_of_a_write_that_nobody_knows_of_nobody_says_that_it_was_not_done(tmp_path: Path) -> None:
    def script(messages: Messages) -> Sequence[Step]:
        return [Status(500)] if results(messages) else bank_script(messages)

    answers = {**ANSWERS, "deposit": ToolError("timeout", "That is taking longer than it should.")}
    async with desk(tmp_path, script, tools=box(answers)) as bank:
        await bank.say("Pay in 50 dollars")
        said = await bank.hears("Yes.")
        not_known = "I don't know yet whether that has worked. We'll find out and tell you."
        assert said == f"One moment, please. {not_known}"
        topic = bank.dialogue.topic()
        assert topic is not None
        assert (topic.state, topic.outcome, topic.promise) == (ThreadState.WAITING, not_known, not_known)


@pytest.mark.parametrize(
    ("pieces", "wanted"),
    [
        (["Hel", "lo. How are", " you?"], ["Hello.", "How are you?"]),
        (["Well, it costs 3.50 dollars, and no more", "."], ["Well, it costs 3.50 dollars,", "and no more."]),
        (["Ask Mr. Smith or Dr. Jones. Bye."], ["Ask Mr. Smith or Dr. Jones.", "Bye."]),
        (["No"], ["No"]),
        (["One\n\nTwo"], ["One", "Two"]),
        (['He said "yes." ', "Then he left."], ['He said "yes."', "Then he left."]),
    ],
)
def test_clauses_are_cut_where_a_voice_may_pause(pieces: Sequence[str], wanted: Sequence[str]) -> None:
    for split in (lambda text: [text], list):
        cut = Clauses()
        found = [clause for piece in pieces for part in _parts(split, piece) for clause in cut.add(part)]
        assert [*found, *cut.end()] == list(wanted)


def _parts(split: Callable[[str], list[str]], text: str) -> list[str]:
    return split(text)
