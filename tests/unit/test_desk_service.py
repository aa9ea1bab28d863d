"""Desktops at the real queues, without pages: what they are told and when, and who may ask for what."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from office import TARGETS
from queueing import AGENTS, Floor

from ccaas.contact.settings import NumbersSettings
from ccaas.errors import ContactError
from ccaas.ports.accounts import Account, Role
from ccaas.ports.contact import AgentState, Line
from ccaas.telephony.desk import Target
from ccaas.telephony.events import EndReason
from ccaas.testing.fakes.switch import FakePhone
from ccaas.web.accounts.book import AccountBook
from ccaas.web.desktop.board import Observer
from ccaas.web.desktop.desk import Desk
from ccaas.web.desktop.feed import Feed
from ccaas.web.desktop.frames import Decide, Drop, Reroute, SetState, Transfer, WrapUp
from ccaas.web.desktop.hub import Hub
from ccaas.web.desktop.orders import Orders

pytestmark = pytest.mark.looptime


class Page:
    """A page that shows bundles at once, unless it is told not to."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        self.frames: list[dict[str, Any]] = []
        self.shows = True
        desk.feed.listen(self._got)

    def _got(self, frame: str) -> None:
        self.frames.append(json.loads(frame))
        if self.frames[-1]["type"] == "offer" and self.shows:
            self.desk.shown(self.frames[-1]["work"]["bundle"]["handoff_id"])

    def of(self, kind: str) -> list[dict[str, Any]]:
        return [frame for frame in self.frames if frame["type"] == kind]


@asynccontextmanager
async def opened(lost_s: float = 10.0) -> AsyncIterator[tuple[Floor, Hub]]:
    async with Floor() as floor:
        hub = Hub(floor.centre, lost_s)
        hub.start()
        yield floor, hub
        await hub.close()


async def sits_down(floor: Floor, hub: Hub, login: str) -> Page:
    desk = await hub.come(Account(login, AGENTS[login].name, Role.AGENT))
    await floor.centre.set_state(login, AgentState.AVAILABLE, by=login)
    return Page(desk)


class Nobody:
    """Decides nothing."""


async def test_a_bundle_comes_before_the_ring_and_a_call_is_told_while_it_is_ones_own(tmp_path: Path) -> None:
    async with opened() as (floor, hub):
        ann, sue = await sits_down(floor, hub, "ann"), await sits_down(floor, hub, "sue")
        caller, clerk = await floor.wait_in("senior", score=0.8)
        await floor.office.until(lambda: sue.of("call") and sue.of("call")[-1]["state"] == "talking", "sue talks")
        assert next(frame["type"] for frame in sue.frames if frame["type"] in ("offer", "call")) == "offer"
        assert ann.of("offer") == [] and ann.of("call") == []
        orders = Orders(floor.centre, Nobody(), AccountBook(tmp_path))  # type: ignore[arg-type]
        with pytest.raises(ContactError, match="not yours"):
            await orders.desk(ann.desk, Transfer(id=1, type="transfer", conversation=clerk.call_id, to="general"), "")
        await orders.desk(sue.desk, Transfer(id=1, type="transfer", conversation=clerk.call_id, to="ann"), "")
        await floor.office.until(lambda: ann.of("call") and ann.of("call")[-1]["state"] == "talking", "ann talks")
        assert sue.of("call")[-1]["state"] == "ended", "who passed it on is told no more of it"
        floor.centre.said(clerk.call_id, Line(1.0, "customer", "And now to you."))
        assert [frame["line"]["text"] for frame in ann.of("said")] == ["And now to you."]
        assert sue.of("said") == []
        await orders.desk(sue.desk, WrapUp(id=2, type="wrap_up", conversation=clerk.call_id, disposition="solved"), "")
        assert sue.desk.work is None and sue.of("finished")
        await floor.office.until(lambda: sue.of("me")[-1]["agent"]["state"] == "available", "she is free again")
        with pytest.raises(ContactError, match="not yours"):
            await orders.desk(sue.desk, Drop(id=3, type="drop", conversation=clerk.call_id), "")
        with pytest.raises(ContactError, match="not one of this conversation's"):
            await orders.desk(ann.desk, Decide(id=4, type="approve", conversation=clerk.call_id, approval="x"), "")
        caller.hang_up()
        await floor.office.until(lambda: ann.of("call")[-1]["state"] == "ended", "over")


async def test_a_page_that_does_not_show_it_loses_it_to_the_next_one() -> None:
    async with opened() as (floor, hub):
        ann = await sits_down(floor, hub, "ann")
        ann.shows = False
        sue = await sits_down(floor, hub, "sue")
        caller, _ = await floor.wait_in("general")
        await floor.office.until(lambda: sue.of("offer"), "offered to the next one")
        assert ann.of("withdrawn") and ann.desk.work is None
        assert floor.state("ann") is AgentState.AWAY
        caller.hang_up()


async def test_when_an_agents_telephone_dies_the_ai_takes_the_caller_back() -> None:
    async with opened() as (floor, hub):
        ann = await sits_down(floor, hub, "ann")
        caller, clerk = await floor.wait_in("general")
        await floor.office.until(lambda: ann.of("call") and ann.of("call")[-1]["state"] == "talking", "they talk")
        switch = floor.office.switch
        (leg,) = [leg for leg in switch.all_legs.values() if "-to" in leg.id]
        switch.end(leg, EndReason.FAILED, 44)
        await floor.office.until(lambda: len(clerk.attended) == 2, "the AI has them again")
        assert floor.office.hears(caller, clerk)
        assert caller.end is None
        assert ann.of("call")[-1]["state"] == "ended"
        caller.hang_up()


async def test_a_lost_page_may_come_back_and_is_signed_out_when_it_does_not() -> None:
    async with opened(lost_s=10.0) as (floor, hub):
        ann = await sits_down(floor, hub, "ann")
        hub.gone(ann.desk)
        await asyncio.sleep(9.0)
        assert await hub.come(ann.desk.account) is ann.desk
        await asyncio.sleep(9.0)
        assert floor.state("ann") is AgentState.AVAILABLE
        hub.gone(ann.desk)
        await asyncio.sleep(10.5)
        assert floor.state("ann") is AgentState.OFFLINE
        await hub.come(ann.desk.account)
        assert floor.state("ann") is AgentState.AWAY


async def test_who_is_no_agent_has_a_desk_that_says_so(tmp_path: Path) -> None:
    async with opened() as (floor, hub):
        desk = await hub.come(Account("root", "Root", Role.ADMIN))
        assert "root" in desk.problem
        orders = Orders(floor.centre, Nobody(), AccountBook(tmp_path))  # type: ignore[arg-type]
        with pytest.raises(ContactError, match="root"):
            await orders.desk(desk, SetState(id=1, type="state", state="available"), "")


async def test_a_number_on_the_board_is_never_the_name_of_a_queue(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(TARGETS, "+15550100", Target("PJSIP/+15550100@trunk", 25.0, ""))
    async with opened() as (floor, hub):
        numbers = NumbersSettings(endpoint="PJSIP/{number}@trunk", allow=("+1555*",))
        handoff = floor.rules.handoff.model_copy(update={"numbers": numbers})
        floor.books.rules = replace(floor.rules, handoff=handoff)
        await floor.centre.reload()
        book = AccountBook(tmp_path)
        orders = Orders(floor.centre, Nobody(), book)  # type: ignore[arg-type]
        boss = Account("boss", "Boss", Role.SUPERVISOR)
        await sits_down(floor, hub, "ann")
        await floor.centre.set_state("ann", AgentState.AWAY, "lunch", by="boss")
        caller, _ = await floor.wait_in("general")
        await floor.office.until(lambda: floor.centre.handoffs, "waits")
        (one,) = floor.centre.handoffs

        async def sent(number: str) -> None:
            order = Reroute(id=1, type="reroute", handoff=one.id, number=number)
            await orders.board(Observer(), boss, order, "")

        for number, why in (
            ("senior", "senior is no telephone number; write"),
            ("15550100", "15550100 is no telephone number"),
            ("+1555", "is no telephone number"),
            ("+33123456789", "not allowed"),
        ):
            with pytest.raises(ContactError, match=why):
                await sent(number)
        assert one.queue == "general" and book.deeds(9, "boss") == []
        floor.office.switch.phones["PJSIP/+15550100@trunk"] = FakePhone(answers=True)
        await sent("+1 (555) 0100")
        assert one.going == "+15550100" and floor.centre.handoffs == ()
        (deed,) = book.deeds(9, "boss")
        assert (deed.what, deed.about, deed.detail) == ("reroute", one.id, "number: +1 (555) 0100")
        book.close()
        await floor.office.until(lambda: floor.rung() == ["PJSIP/+15550100@trunk"], "rung there")
        caller.hang_up()


def test_a_feed_tells_what_was_missed_and_no_more() -> None:
    feed = Feed()
    got: list[str] = []
    feed.push("one")
    feed.listen(got.append)
    feed.push("two")
    feed.listen(None)
    feed.push("three")
    assert [json.loads(frame) for frame in got] == [{"seq": 2, "type": "two"}]
    missed = feed.since(feed.instance, 2)
    assert missed is not None and [json.loads(frame)["type"] for frame in missed] == ["three"]
    assert feed.since(feed.instance, 3) == []
    assert feed.since(feed.instance, 4) is None, "it was told of what has not been: another feed's"
    assert feed.since("another", 2) is None
    for _ in range(600):
        feed.push("more")
    assert feed.since(feed.instance, 3) is None, "too much was missed"
