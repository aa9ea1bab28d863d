"""What a person is handed, held against the trace: turns, tool runs with their outcomes, what the gate refused."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from pydantic import BaseModel
from test_agent import GREETING, Desk

from ccaas.acquaintance import Known
from ccaas.actions.audit import ToolRun
from ccaas.actions.phase import Limits
from ccaas.actions.requests import Request, Standing
from ccaas.actions.runner import CallTools
from ccaas.actions.tool import Tools
from ccaas.chapter import Whose
from ccaas.contact.bundle import Facts, briefing, bundle, recap
from ccaas.contact.rules import Caller
from ccaas.contact.settings import HandoffSettings, NextBest
from ccaas.conversation.events import TurnRecord
from ccaas.errors import ToolError
from ccaas.handing import CallHanding, Handing
from ccaas.ports.contact import Line
from ccaas.ports.journey import Assurance, Customer, JourneyContext, Profile, ThreadState
from ccaas.ports.reasoning import Topic
from ccaas.ports.tools import CONCIERGE_ONLY, Effect, Phase, Tool, ToolContext

ISABELLA = Customer("u1", "Isabella", "Anderson", "gold")


class Fee(BaseModel):
    """What is waived."""

    booking: str


class Done(BaseModel):
    """Nothing to tell."""


class Trace:
    """An audit that keeps its rows."""

    def __init__(self) -> None:
        self.rows: list[ToolRun] = []

    async def store(self, run: ToolRun) -> None:
        self.rows.append(run)

    def note(self, run: ToolRun) -> None:
        self.rows.append(run)


class Queues:
    """The part of the queues that a call talks to."""

    def __init__(self) -> None:
        self.said_lines: list[Line] = []
        self.callers: list[Caller] = []
        self.lefts: list[str] = []

    def said(self, conversation_id: str, line: Line) -> None:
        assert conversation_id == "call"
        self.said_lines.append(line)

    def enqueue(self, caller: Caller, name: str, why: str, score: float | None) -> Any:
        self.callers.append(caller)
        return SimpleNamespace(queue=name, why=why, score=score)

    def left(self, call_id: str) -> None:
        self.lefts.append(call_id)


class Approving:
    """Requests that wait for a person."""

    def __init__(self, *requests: Request) -> None:
        self.requests = requests

    async def of(self, *, conversation_id: str = "", customer_id: str = "") -> tuple[Request, ...]:
        assert conversation_id == "call"
        return self.requests


def request(standing: Standing) -> Request:
    arguments: Mapping[str, object] = {"booking": "CMPLX7"}
    return Request(
        standing.value,
        "key",
        "call",
        "t3",
        "u1",
        "front",
        "voice",
        "credit",
        arguments,
        "She waited.",
        "",
        "butler",
        1.0,
        standing,
    )


def turn(number: int, said: str, heard: str = "", **more: Any) -> TurnRecord:
    return TurnRecord(f"t{number}", said, "", "change_flight", heard_text=heard, over=True, **more)


async def facts(tmp_path: Path) -> tuple[Facts, Trace, Queues]:
    """A caller who found a booking, was refused a waiver that a person may give, and got upset."""
    queues, trace = Queues(), Trace()
    handing = Handing(
        cast("Any", None),
        cast("Any", None),
        lambda: datetime.now(UTC),
        tuple,
        cast("Any", None),
        cast("Any", Approving(request(Standing.WAITING), request(Standing.DECLINED))),
    )
    handing.centre = cast("Any", queues)
    call = CallHanding(handing, "call", "+15550111", ISABELLA, "front")
    profile = Profile("u1", "Isabella", "Anderson", "gold", lifetime_value_cents=420_000)
    call.known = Known(ISABELLA, Whose("u1"), JourneyContext(profile), Assurance.VERIFIED)

    async def found(_: BaseModel, __: ToolContext) -> BaseModel:
        return Done()

    tools = CallTools(
        Tools(
            [
                Tool("find_booking", "Finds.", Fee, Done, found, Effect.READ),
                Tool(
                    "waive_fee",
                    "Waives.",
                    Fee,
                    Done,
                    found,
                    Effect.WRITE,
                    Phase.TRANSACTIONAL,
                    callers=CONCIERGE_ONLY,
                ),
            ]
        ),
        Limits(Phase.TRANSACTIONAL),
        call.audited(trace),
        call_id="call",
        customer_id="u1",
        now=lambda: datetime.now(UTC),
    )
    await tools.read("find_booking", {"booking": "CMPLX7"}, "t1")
    with pytest.raises(ToolError):
        await tools.write("waive_fee", {"booking": "CMPLX7"}, "t2", "t2")
    call.said(turn(1, "I want to change my flight.", "Which booking?", sentiment=0.0))
    call.said(turn(2, "CMPLX7, and I won't pay.", "One moment.", slots={"booking": "CMPLX7"}, sentiment=0.1))
    call.said(turn(3, "This is", retaken=True))
    call.said(turn(3, "This is outrageous!", sentiment=0.8))
    call.topic = Topic(
        "change_flight", "the flight change", ThreadState.OPEN, missing=("new_date",), slots={"booking": "CMPLX7"}
    )
    call.why("upset")
    assert call.place("senior") is not None
    return await queues.callers[0].facts(), trace, queues


async def test_three_bullets_say_what_the_trace_says(tmp_path: Path) -> None:
    known, trace, _ = await facts(tmp_path)
    assert [(row.tool, row.outcome.value) for row in trace.rows] == [("find_booking", "done"), ("waive_fee", "refused")]
    told = recap(known, "upset")
    assert told.wants == "It is about the flight change (booking CMPLX7)."
    assert told.tried == "Tried: find booking (done); waive fee (not done: Only a colleague can decide that)."
    assert told.stands == "Still needed: new date. They are upset, and were promised a senior colleague."
    assert briefing(known, "upset") == "Isabella Anderson, about the flight change, and upset."


async def test_the_bundle_is_whole(tmp_path: Path) -> None:
    known, _, queues = await facts(tmp_path)
    table = (
        NextBest(title="Waive it", when={"intents": ("change_flight",), "value_from": 1000, "upset": True}),
        NextBest(title="Voucher", when={"value_below": 1000}),
    )
    put = bundle(known, HandoffSettings(next_best=table), handoff_id="h", queue="senior", why="upset", waited_s=3.0)
    assert [(line.who, line.text) for line in put.transcript] == [
        ("customer", "I want to change my flight."),
        ("butler", "Which booking?"),
        ("customer", "CMPLX7, and I won't pay."),
        ("butler", "One moment."),
        ("customer", "This is outrageous!"),
    ]
    assert [score for _, score in put.sentiment] == [0.0, 0.1, 0.8]
    assert put.slots == {"booking": "CMPLX7"}
    assert (put.customer, put.assurance) == (ISABELLA, Assurance.VERIFIED)
    assert [one.title for one in put.next_best] == ["Waive it"]
    assert [(one.tool, one.approval_id) for one in put.only_you] == [("credit", "waiting"), ("waive_fee", "")]
    assert put.only_you[0].why == "She waited."
    assert queues.said_lines == list(put.transcript), "and each line was told as it came"


def test_of_a_caller_of_whom_nothing_is_known_nothing_is_made_up() -> None:
    known = Facts("call", "voice", None, Assurance.NONE, None)
    told = recap(known, "wish")
    assert (told.wants, told.tried) == ("Nothing was said yet.", "Nothing was looked up or changed.")
    assert told.stands == "Nothing has been changed. They asked for a person."
    words = Facts("call", "voice", None, Assurance.NONE, None, turns=((1.0, turn(1, "Get me somebody")),))
    assert recap(words, "wish").wants == 'Their last words: "Get me somebody"'
    assert briefing(known, "wish") == "A caller whom we do not know, who asked for a person."


@pytest.mark.looptime
@pytest.mark.parametrize(("answer", "wanted"), [("Yes please.", True), ("No.", False), ("", False)])
async def test_a_question_to_who_waits_takes_yes_no_or_silence(tmp_path: Path, answer: str, wanted: bool) -> None:
    desk = Desk(tmp_path, {})
    attending = desk.attend()
    await desk.says(GREETING)
    attending.cancel()
    await asyncio.wait({attending})
    announcing = desk.attend()
    announcing.cancel()
    await asyncio.wait({announcing})
    asking = asyncio.create_task(desk.agent.announce(desk.stream, "Shall we call you back?", asks=True))
    await desk.says("Shall we call you back?")
    await asyncio.sleep(0.3)
    if answer:
        await desk.say(answer)
    assert await asking is wanted
    assert await desk.agent.announce(desk.stream, "Next in line.", asks=False) is False
    assert "Next in line." in desk.said()
    await desk.finish()


async def test_lines_of_texts_are_told_too_and_those_of_calls_once(tmp_path: Path) -> None:
    _, _, queues = await facts(tmp_path)
    handing = Handing(*([cast("Any", None)] * 6))
    handing.centre = cast("Any", queues)
    queues.said_lines.clear()
    handing.turn("call", turn(1, "Is my flight on time?", "It is.", sentiment=0.2))
    assert [(line.who, line.text, line.score) for line in queues.said_lines] == [
        ("customer", "Is my flight on time?", 0.2),
        ("butler", "It is.", None),
    ]
    queues.said_lines.clear()
    known = handing.for_call({"call_id": "call", "address": ""}, None, "front")
    begun = TurnRecord("t9", "I'm here.", "", "")
    for record in (begun, begun, turn(9, "I'm here.", "Good.")):
        handing.turn("call", record)
    assert [line.text for line in queues.said_lines] == ["I'm here.", "Good."]
    assert known.score is None
    known.left()
    assert queues.lefts == ["call"]
