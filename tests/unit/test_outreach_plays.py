"""Plays: who is offered what, in which order, what becomes of the answers, and that nothing happens twice."""

from __future__ import annotations

import asyncio
import sqlite3
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer
from dbos import DBOS
from outreach_world import PLAY, Record, World

from ccaas.erasure import Erasure
from ccaas.errors import MessageFailed, ToolError
from ccaas.hooks import PluginHost
from ccaas.outreach import cases
from ccaas.outreach.cases import NEXT, OPEN, CaseState
from ccaas.outreach.pages import AT_ONCE, PlayPages, listing, page
from ccaas.outreach.refusals import keeping
from ccaas.ports.accounts import Role
from ccaas.ports.journey import Profile, ThreadState
from ccaas.ports.site import Site
from ccaas.proactive import PlayView, Proactive
from ccaas.web.staff.routes import Routes


async def until(true: Callable[[], Any], what: str) -> None:
    async with asyncio.timeout(20):
        while not await true():
            await asyncio.sleep(0.01)
    assert what


def test_final_states_stay() -> None:
    assert set(NEXT) - OPEN == {CaseState.PERSON}
    assert all(not after & OPEN for state, after in NEXT.items() if state not in OPEN)
    assert all(CaseState.NEW not in after for after in NEXT.values())


async def test_an_event_reaches_everybody_once_the_highest_tier_first(tmp_path: Path) -> None:
    record = Record({"ann": "", "bob": "silver", "cid": "gold", "dan": "gold"})
    async with World(tmp_path, record) as world:
        assert await world.happens()
        assert not await world.happens(), "the same event again"
        order = [queued.message.data["case"] for queued in world.reach.sent]
        assert [record.holds[f"h-{case}"][0] for case in order[:4]] == ["cid", "dan", "bob", "ann"]
        assert len(order) == 4
        assert await world.states() == ["offered"] * 4
        assert {queued.message.text for queued in world.reach.sent} == {"Seat 1A is yours. Reply YES."}
        context = await world.journey.context("ann")
        assert context is not None
        (thread,) = context.threads
        assert (thread.goal, thread.slots["offer_said"]) == ("take_seat", "I hold seat 1A for you. Shall I confirm it?")
        assert world.reach.anew.count("ann") == 1


@pytest.mark.parametrize(
    ("word", "state", "hold", "words"),
    [
        ("yes", "confirmed", "confirmed", "You have seat 1A."),
        ("no", "declined", "released", "All right, I have let it go."),
    ],
)
async def test_an_answer_settles_it_once_and_a_second_one_is_told_the_truth(
    tmp_path: Path, word: str, state: str, hold: str, words: str
) -> None:
    record = Record({"ann": "gold"})
    async with World(tmp_path, record) as world:
        await world.happens()
        answered = await asyncio.gather(*(world.durable.answer("e-1:0", word) for _ in range(3)))
        assert {one.state.value for one in answered} == {state}
        assert words in answered[0].words
        assert record.states() == [hold]
        assert len(record.done) == 1
        again = await world.durable.answer("e-1:0", "yes")
        assert again.again
        assert again.state.value == state
        if word == "yes":
            assert again.words == "That is done already. You have seat 1A."
        else:
            assert again.words == "I'm sorry, that has run out meanwhile."
        (thread,) = await world.journey.threads("ann")
        assert thread.state is ThreadState.CLOSED


@pytest.mark.parametrize(
    ("then", "state", "hold", "words"),
    [
        ("yes", "confirmed", "confirmed", "You have seat 1A."),
        ("no", "declined", "released", "All right, I have let it go."),
        ("person", "person", "held", "A colleague will help you."),
    ],
)
async def test_who_wants_a_person_keeps_what_is_held_and_may_still_answer(
    tmp_path: Path, then: str, state: str, hold: str, words: str
) -> None:
    record = Record({"ann": "gold"})
    async with World(tmp_path, record) as world:
        await world.happens()
        asked = await world.durable.answer("e-1:0", "person")
        assert (asked.state.value, asked.words, record.states()) == ("person", "A colleague will help you.", ["held"])
        assert not await world.plays.still_wanted("e-1:0"), "it is offered no more"
        (thread,) = await world.journey.threads("ann")
        assert thread.state is ThreadState.OPEN
        assert await world.plays.late(("ann",), "yes", 0.0) == "", "a yes still counts"
        answered = await world.durable.answer("e-1:0", then)
        assert (answered.state.value, answered.words, record.states()) == (state, words, [hold])
        assert (await world.case()).answerable == (then == "person")


async def test_what_is_held_for_who_wanted_a_person_is_let_go_in_the_end(tmp_path: Path) -> None:
    record = Record({"ann": "gold"})
    async with World(tmp_path, record) as world:
        await world.happens()
        await world.durable.answer("e-1:0", "person")
        journey = world.journey
    async with World(tmp_path, record, journey) as world:
        assert record.states() == ["held"]
        await world.store.write(cases.setting("e-1:0", due=time.time() - 1))

        async def over() -> bool:
            return not (await world.case()).answerable

        await until(over, "the wait is over")
        assert (record.states(), (await world.case()).state) == (["released"], CaseState.PERSON)
        (thread,) = await world.journey.threads("ann")
        assert thread.state is ThreadState.CLOSED
        late = await world.durable.answer("e-1:0", "yes")
        assert (late.state.value, late.words) == ("person", "I'm sorry, that has run out meanwhile.")


async def test_a_hold_that_ran_out_while_they_waited_for_a_person_is_never_promised(tmp_path: Path) -> None:
    record = Record({"ann": "gold"})
    async with World(tmp_path, record) as world:
        await world.happens()
        await world.durable.answer("e-1:0", "person")
        record.holds["h-e-1:0"][2] = time.time() - 1
        late = await world.durable.answer("e-1:0", "yes")
        assert (late.state.value, late.words) == ("person", "I'm sorry, that has run out meanwhile.")
        assert record.states() == ["expired"]


async def test_of_yes_and_no_at_once_one_wins_and_both_are_told_so(tmp_path: Path) -> None:
    record = Record({"ann": "gold"})
    async with World(tmp_path, record) as world:
        await world.happens()
        yes, no = await asyncio.gather(world.durable.answer("e-1:0", "yes"), world.durable.answer("e-1:0", "no"))
        assert yes.state is no.state
        assert record.states() == [{"confirmed": "confirmed", "declined": "released"}[yes.state.value]]


async def test_nobody_answers_and_it_is_released_also_after_a_restart(tmp_path: Path) -> None:
    record = Record({"ann": "gold", "bob": ""})
    async with World(tmp_path, record) as world:
        await world.happens()
        journey = world.journey
    async with World(tmp_path, record, journey) as world:
        assert await world.states() == ["offered", "offered"]
        await world.store.write(cases.setting("e-1:0", due=time.time() - 1))

        async def over() -> bool:
            return await world.states() == ["expired", "offered"]

        await until(over, "the wait is over")
        assert record.states() == ["released", "held"]
        late = await world.durable.answer("e-1:0", "yes")
        assert (late.state.value, late.words) == ("expired", "I'm sorry, that has run out meanwhile.")
        assert world.reach.sent == [], "nobody is written to again"


async def test_a_hold_that_ran_out_in_the_system_of_record_is_never_promised(tmp_path: Path) -> None:
    record = Record({"ann": "gold"})
    async with World(tmp_path, record) as world:
        await world.happens()
        record.holds["h-e-1:0"][2] = time.time() - 1
        late = await world.durable.answer("e-1:0", "yes")
        assert (late.state.value, record.states()) == ("expired", ["expired"])
        assert "run out" in late.words


async def test_what_is_cut_off_is_gone_on_with_and_nothing_is_done_twice(tmp_path: Path) -> None:
    """A tool that fails for good stops the play; the next controller goes on with it where it stood."""
    record = Record({"ann": "gold", "bob": "silver", "cid": ""})
    record.fails["hold"] = [ToolError("unavailable", "down")] * 2
    async with World(tmp_path, record) as world:
        await world.happens()
        assert await world.states() == ["offered"] * 3
        assert len(world.reach.sent) == len({queued.message.id for queued in world.reach.sent}) == 3
        assert len(record.holds) == 3
        journey = world.journey
        # An event that was stored while nobody was there to work on it.
        world.book.taken = lambda _: None
        await world.happens("e-2")
    async with World(tmp_path, record, journey) as world:
        await world.durable.idle()
        assert await world.states("e-2") == ["offered"] * 3
        assert await world.states("e-1") == ["offered"] * 3
        assert {queued.message.data["play"] for queued in world.reach.sent} == {"e-2"}


async def test_where_there_is_nothing_to_offer_nobody_is_contacted(tmp_path: Path) -> None:
    record = Record({"ann": "gold", "bob": ""})
    record.seats.pop("ann")
    async with World(tmp_path, record) as world:
        await world.happens()
        assert await world.states() == ["nothing", "offered"]
        assert [queued.customer_id for queued in world.reach.sent] == ["bob"]


async def test_the_preferred_channel_comes_first_and_a_failed_one_is_followed_by_the_next(tmp_path: Path) -> None:
    record = Record({"ann": "gold", "bob": ""})
    async with World(tmp_path, record) as world:
        await world.journey.register(Profile("ann", preferences={"channel": "voice"}))
        await world.happens()
        ((call_id, number),) = world.reach.called
        assert number == "+16175550100"
        assert world.plays.case_of_call(call_id) == "e-1:0"
        # Nobody answers the call: she gets a text.
        world.durable.failed("e-1:0", "voice", "no_answer")
        world.durable.failed("e-1:0", "voice", "no_answer")
        await world.durable.idle()
        assert [queued.customer_id for queued in world.reach.sent] == ["bob", "ann"]
        # That fails too: the seat is free again.
        world.durable.failed("e-1:0", "sms", "no such number")
        await world.durable.idle()
        assert (await world.case()).state is CaseState.UNREACHED
        assert record.states() == ["released", "held"]


async def test_whom_the_gate_forbids_on_one_channel_is_tried_on_the_next(tmp_path: Path) -> None:
    record = Record({"ann": "gold"})
    async with World(tmp_path, record) as world:
        world.reach.refuses = MessageFailed("refused", again=False)
        await world.happens()
        assert len(world.reach.called) == 1
        assert (await world.case()).channel == "voice"


async def test_a_yes_by_text_takes_back_the_call_that_is_ringing(tmp_path: Path) -> None:
    record = Record({"ann": "gold"})
    play = PLAY | {"offer": PLAY["offer"] | {"channels": ["voice"]}}
    async with World(tmp_path, record, plays={"rebook": play}) as world:
        await world.happens()
        ((call_id, _),) = world.reach.called
        await world.durable.answer("e-1:0", "yes")
        assert world.reach.taken_back == [call_id]
        assert not await world.plays.still_wanted("e-1:0")


async def test_a_customer_with_several_bookings_is_contacted_once(tmp_path: Path) -> None:
    class Double(Record):
        async def run(self, *arguments: Any) -> dict[str, Any]:
            found = await super().run(*arguments)
            return {"bookings": found["bookings"] * 2} if "bookings" in found else found

    async with World(tmp_path, Double({"ann": "gold"})) as world:
        await world.happens()
        assert len(world.reach.sent) == 1


async def test_what_was_done_is_shown(tmp_path: Path) -> None:
    async with World(tmp_path, Record({"<b>ann": "gold"})) as world:
        await world.happens()
        await world.durable.answer("e-1:0", "yes")
        view = PlayView(world.store)
        (shown,) = await view.all()
        assert (shown["event_id"], shown["play"], shown["cases"]) == ("e-1", "rebook", {"confirmed": 1})
        (case,) = await view.event("e-1")
        assert [step["step"] for step in case["steps"]] == ["held", "offered by sms", "ended", "answer yes"]
        about = await view.about("e-1")
        assert about is not None
        for text in (page(about, [case]), listing(await view.all(), await view.refused())):
            assert "<b>ann" not in text
        text = page(about, [case])
        for shown_there in ("&lt;b&gt;ann", "HAT170", "offered by sms", "<td>yes</td>", "by test", "took "):
            assert shown_there in text
        assert await view.about("none") is None


async def test_supervisors_see_plays_and_what_was_no_event_and_agents_do_not(tmp_path: Path) -> None:
    async with World(tmp_path, Record({f"c{number}": "" for number in range(AT_ONCE + 1)})) as world:
        await world.happens()
        await world.store.write(keeping("operations", "FLIGHTS 7", "flights.x", "", "type: <i>"))
        routes = Routes()
        PlayPages(PlayView(world.store)).add_to(routes)
        assert {(route.path, route.role) for route in routes.routes} == {
            ("/plays", Role.SUPERVISOR),
            ("/plays/{event}", Role.SUPERVISOR),
        }
        app = web.Application()
        for route in routes.routes:
            app.router.add_route(route.method, route.path, route.respond)
        async with TestClient(TestServer(app)) as client:
            text = await (await client.get("/plays")).text()
            assert '<a href="/plays/e-1">' in text
            assert "type: &lt;i&gt;" in text
            first = await (await client.get("/plays/e-1")).text()
            assert (first.count("<tr><td>"), '<a href="?from=200">The next 1</a>' in first) == (AT_ONCE, True)
            rest = await (await client.get("/plays/e-1?from=200")).text()
            assert (rest.count("<tr><td>"), "The next" in rest) == (1, False)
            assert (await client.get("/plays/none")).status == 404
            assert (await client.get("/plays/e-1?from=x")).status == 404


async def test_the_incident_ledger_knows_each_customer_each_attempt_and_what_came_of_it(tmp_path: Path) -> None:
    record = Record({"ann": "gold", "bob": "", "cid": ""})
    record.seats.pop("cid")
    async with World(tmp_path, record) as world:
        await world.happens()
        await world.durable.answer("e-1:0", "yes")
        world.durable.failed("e-1:1", "sms", "no such number")
        await world.durable.idle()
    with closing(sqlite3.connect(tmp_path / "incidents.sqlite")) as db:
        incidents = db.execute("SELECT id, kind, customer_id, resolution FROM incidents ORDER BY id").fetchall()
        attempts = db.execute("SELECT incident_id, channel, outcome FROM attempts ORDER BY id").fetchall()
    kind = "flight_cancelled"
    assert incidents == [
        ("e-1:0", kind, "ann", "resolved"),
        ("e-1:1", kind, "bob", None),
        ("e-1:2", kind, "cid", "failed"),
    ]
    assert attempts == [
        ("e-1:0", "sms", "offered"),
        ("e-1:1", "sms", "not reached"),
        ("e-1:1", "voice", "offered"),
    ]


async def test_who_is_forgotten_leaves_no_case(tmp_path: Path) -> None:
    async with World(tmp_path, Record({"ann": "gold", "bob": ""})) as world:
        await world.happens()
        for case_id in ("e-1:0", "e-1:1"):
            await world.durable.answer(case_id, "yes")
        site = Site(tmp_path, tmp_path, tmp_path, tmp_path)
        await Erasure(world.journey, site, PluginHost.of({}), proactive=world.settings).erase_here("ann")
        left = await world.store.read(lambda db: [row[0] for row in db.execute("SELECT record_id FROM cases")])
        steps = await world.store.read(lambda db: {row[0] for row in db.execute("SELECT case_id FROM case_steps")})
        assert (left, steps) == (["bob"], {"e-1:1"})
        known = await asyncio.to_thread(DBOS.list_workflows)
        assert {one.workflow_id for one in known} == {"e-1", "e-1:1:yes"}


async def test_an_offer_that_is_cut_off_before_it_is_sent_is_sent_by_the_next_controller(tmp_path: Path) -> None:
    """Between choosing the channel and handing the message over, the process dies."""

    class CutOff(BaseException):
        pass

    record = Record({"ann": "gold"})
    async with World(tmp_path, record) as world:
        journey = world.journey

        async def dies(*_: Any) -> None:
            raise CutOff

        world.reach.send = dies  # type: ignore[method-assign]
        world.book.taken = lambda _: None
        await world.happens()
        await world.plays.find("e-1")
        with pytest.raises(CutOff):
            await world.plays.begin("e-1", 0, 8)
        assert (await world.case()).state is CaseState.HELD
    async with World(tmp_path, record, journey) as world:
        await world.durable.idle()
        assert [queued.message.id for queued in world.reach.sent] == ["offer-e-1:0-sms"]
        assert (await world.case()).tried == ("sms",)


async def test_what_an_earlier_controller_left_is_sent_while_its_offer_stands_and_its_end_is_told(
    tmp_path: Path,
) -> None:
    """The outbox goes on before the plays do."""
    async with World(tmp_path, Record({"ann": "gold", "bob": ""}), webhooks={}) as world:
        await world.happens()
        (ann, bob) = world.reach.sent
        await world.durable.answer("e-1:0", "yes")
        configuration = SimpleNamespace(settings=SimpleNamespace(proactive=world.settings))
        proactive, outbox = Proactive(cast("Any", configuration), world.store), cast("Any", SimpleNamespace())
        proactive.watch(outbox)
        assert [one.customer_id for one in (ann, bob) if await outbox.wanted(one)] == ["bob"]
        outbox.told(bob, "failed", "no such number")
        assert proactive._early == [(bob, "failed", "no such number")]
