"""Steps of plays in Python, and plays whose parts fail for long: nobody waits for another's fault, and nothing stays behind."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from outreach_world import PLAY, Record, World
from pydantic import ValidationError

from ccaas.config.settings import Proactive
from ccaas.errors import CcaasError, ToolError
from ccaas.outreach import cases, durable, listing
from ccaas.outreach.listing import PluginStep
from ccaas.outreach.play_settings import ChooseStep
from ccaas.ports.plays import ReadTool, Situation


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tries follow each other without waiting."""
    monkeypatch.setattr("dbos._outcome.time", SimpleNamespace(sleep=lambda _: None))
    monkeypatch.setattr(durable, "AGAIN_S", 0.01)


class Seats:
    """Offers gold members the last of the seats that the tool lists, others the first."""

    async def run(self, situation: Situation, read: ReadTool) -> Sequence[Mapping[str, Any]]:
        found = await read("options", {"customer": situation.arguments["who"]})
        assert (situation.event_type, situation.event["flight"]) == ("flight.cancelled", "HAT170")
        assert situation.facts["booking"]["customer"] == situation.record_id
        options: list[dict[str, str]] = [*found["options"], {"seat": "9F"}]
        return options[::-1] if situation.tier == "gold" else options


class Affected:
    async def run(self, situation: Situation, read: ReadTool) -> Sequence[Mapping[str, Any]]:
        found: dict[str, Any] = await read("affected", {})
        assert (situation.record_id, situation.facts) == ("", {})
        return [one for one in found["bookings"] if one["customer"] != "cid"]


class Wrong:
    def __init__(self, what: Any) -> None:
        self.what = what

    async def run(self, situation: Situation, read: ReadTool) -> Any:
        if situation.record_id != "ann":
            return [{"seat": "1A"}]
        if isinstance(self.what, Exception):
            raise self.what
        if self.what == "hang":
            await asyncio.Event().wait()
        return self.what


def by_step(**steps: Any) -> dict[str, Any]:
    choose = [{"step": "seats", "with": {"who": "{booking.customer}"}, "as": "option"}]
    return {
        "plays": {"rebook": PLAY | {"choose": choose}},
        "steps": {name: PluginStep("mine", step) for name, step in steps.items()},
    }


async def test_a_plugin_says_who_is_affected_and_what_each_is_offered(tmp_path: Path) -> None:
    record = Record({"ann": "gold", "bob": "", "cid": "gold"})
    chosen = by_step(seats=Seats(), who=Affected())
    query = {"step": "who", **{name: PLAY["query"][name] for name in ("as", "customer", "tier", "phone")}}
    chosen["plays"]["rebook"] |= {"query": query}
    async with World(tmp_path, record, **chosen) as world:
        await world.happens()
        assert {one.customer_id: one.message.text for one in world.reach.sent} == {
            "ann": "Seat 9F is yours. Reply YES.",
            "bob": "Seat 1A is yours. Reply YES.",
        }


@pytest.mark.parametrize(
    "what", ["hang", ValueError("no such seat"), [1], [{"seat": {1, 2}}], ToolError("unavailable", "down")]
)
async def test_a_step_that_fails_keeps_only_its_own_customer_waiting_and_is_tried_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, what: Any
) -> None:
    monkeypatch.setattr(listing, "LIMIT_S", 0.3)
    record = Record({"ann": "gold", **{f"bob{number}": "" for number in range(durable.FIRST)}})
    step = Wrong(what)
    async with World(tmp_path, record, **by_step(seats=step)) as world:
        body = b'{"id": "e-1", "type": "flight.cancelled", "data": {"flight": "HAT170"}}'
        await world.book.take(body, "test")
        async with asyncio.timeout(30):
            while len(world.reach.sent) < durable.FIRST:
                await asyncio.sleep(0.01)
        assert "ann" not in [one.customer_id for one in world.reach.sent], "who is behind her was told all the same"
        step.what = [{"seat": "2B"}]
        await world.durable.idle()
        assert [one.message.text for one in world.reach.sent if one.customer_id == "ann"] == [
            "Seat 2B is yours. Reply YES."
        ]
        assert set(await world.states()) == {"offered"}


async def test_a_step_that_refuses_ends_its_customers_part(tmp_path: Path) -> None:
    step = Wrong(ToolError("no_seat", "there is none for them"))
    async with World(tmp_path, Record({"ann": "gold"}), **by_step(seats=step)) as world:
        await world.happens()
        assert await world.states() == ["nothing"]


async def test_what_could_not_be_begun_in_time_is_given_up(tmp_path: Path) -> None:
    record = Record({"ann": "gold", "bob": ""})
    record.fails["hold"] = [ToolError("unavailable", "down")] * 1000
    play = PLAY | {"wait": PLAY["wait"] | {"minutes": 0.0001}}
    async with World(tmp_path, record, plays={"rebook": play}) as world:
        await world.happens()
        assert await world.states() == ["nothing", "nothing"]
        assert world.reach.sent == []


async def test_an_answer_that_could_not_be_settled_is_settled_when_it_is_given_again(tmp_path: Path) -> None:
    record = Record({"ann": "gold"})
    async with World(tmp_path, record) as world:
        await world.happens()
        record.fails["confirm"] = [ToolError("unavailable", "down")] * 8
        with pytest.raises(CcaasError):
            await world.durable.answer("e-1:0", "yes")
        assert await world.states() == ["offered"]
        assert (await world.durable.answer("e-1:0", "yes")).state.value == "confirmed"
        assert record.states() == ["confirmed"]


async def test_a_wait_that_could_not_be_ended_is_ended_later(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(durable, "TICK_S", 0.01)
    record = Record({"ann": "gold"})
    async with World(tmp_path, record) as world:
        await world.happens()
        record.fails["release"] = [ToolError("unavailable", "down")] * 9
        await world.store.write(cases.setting("e-1:0", due=1.0))
        async with asyncio.timeout(30):
            while await world.states() != ["expired"]:
                await asyncio.sleep(0.01)
        assert record.states() == ["released"]


@pytest.mark.parametrize(
    "wrong",
    [
        {"as": "option"},
        {"as": "option", "tool": "options"},
        {"as": "option", "tool": "options", "list": "options", "step": "seats"},
        {"as": "option", "step": "seats", "list": "options"},
    ],
)
def test_a_list_is_given_by_a_tool_or_by_a_step(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        ChooseStep.model_validate(wrong)


def test_a_step_that_no_plugin_gives_is_named() -> None:
    wrong = {"plays": {"rebook": PLAY | {"choose": [{"step": "seats", "as": "option"}]}}}
    with pytest.raises(ValidationError, match=r"plays\.rebook: there is no step seats"):
        Proactive.model_validate(wrong)
    steps = {"seats": {"use": "airline_connecting", "change_minutes": 30}}
    assert Proactive.model_validate(wrong | {"steps": steps}).steps["seats"].use == "airline_connecting"
