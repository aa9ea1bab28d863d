"""What only a person may do: asked for by the agent, decided once, run through the gate as that person."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from pydantic import BaseModel

from ccaas.actions import Books, CallTools, Limits, Outcome, ToolRun, Tools
from ccaas.actions.approvals import ApprovalError, Approvals, Request, Standing
from ccaas.actions.settings import RuleSettings
from ccaas.errors import ToolError
from ccaas.journal import Journal
from ccaas.ports.journey import Assurance
from ccaas.ports.tools import CONCIERGE_ONLY, Caps, Effect, Phase, Tool, ToolContext

NOW = datetime(2024, 5, 15, 15, tzinfo=UTC)


class Credit(BaseModel):
    """Goodwill."""

    amount: int
    note: str = ""


class Given(BaseModel):
    """What was given."""

    to: str


class House:
    """A system of record that keeps its keys."""

    def __init__(self) -> None:
        self.given: dict[str, tuple[str, int, str]] = {}
        self.answers = True

    async def credit(self, asked: Credit, context: ToolContext) -> Given:
        if asked.amount > 100:
            raise ToolError("not_allowed", "A credit is 100 dollars at most.")
        self.given.setdefault(context.key, (context.customer_id, asked.amount, context.actor))
        if not self.answers:
            raise OSError("the line broke after it was booked")
        return Given(to=context.customer_id)

    @property
    def tools(self) -> Tools:
        return Tools(
            [
                Tool(
                    "credit",
                    "Gives a credit.",
                    Credit,
                    Given,
                    self.credit,
                    Effect.WRITE,
                    Phase.TRANSACTIONAL,
                    private=True,
                    money=True,
                    amount="amount",
                    callers=CONCIERGE_ONLY,
                    caps=Caps(amount=500, per_day=2),
                )
            ]
        )


class World:
    """One controller's approvals over real files."""

    def __init__(self, books: Books, journal: Journal) -> None:
        self.house = House()
        self.books = books
        self.journal = journal
        self.told: list[Request] = []
        self.approvals = self.restarted()

    def restarted(self) -> Approvals:
        """The approvals of the next controller."""
        rules = (RuleSettings(name="nothing", phase="informational"),)
        approvals = Approvals(
            self.house.tools,
            self.books,
            self.journal,
            lambda entry, channel: Limits(rules=rules, entry=entry, channel=channel),
            lambda: NOW,
        )
        approvals.subscribe(self.told.append)
        return approvals

    def agent(self, assurance: Assurance = Assurance.VERIFIED, earlier: tuple[ToolRun, ...] = ()) -> CallTools:
        """The agent's toolbox in a call of Ann's."""
        return CallTools(
            self.house.tools,
            Limits(Phase.INFORMATIONAL, entry="air", channel="voice"),
            self.journal,
            call_id="call",
            customer_id="ann",
            now=lambda: NOW,
            assurance=assurance,
            books=self.books,
            desk=self.approvals,
            earlier=earlier,
        )

    async def asked(self, amount: int = 50, turn: str = "t1") -> str:
        told = await self.agent().prepare("credit", {"amount": amount}, turn, "Her bag came two days late.")
        return str(told["request_id"])

    async def rows(self) -> list[tuple[Outcome, str]]:
        return [(run.outcome, run.actor) for run in await self.journal.tool_runs("call")]


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    books, journal = await Books.open(tmp_path / "actions.sqlite"), await Journal.open(tmp_path / "journal.sqlite")
    yield World(books, journal)
    await books.close()
    await journal.close()


async def test_the_agent_asks_a_person_approves_and_it_is_done_once(world: World) -> None:
    with pytest.raises(ToolError) as refused:
        await world.agent().write("credit", {"amount": 50}, "t1", "t1")
    assert refused.value.code == "needs_approval"
    request_id = await world.asked()
    assert await world.asked() == request_id
    assert world.house.given == {}
    (waiting,) = await world.approvals.waiting()
    assert (waiting.tool, waiting.arguments, waiting.reason, waiting.prepared_by, waiting.customer_id) == (
        "credit",
        {"amount": 50, "note": ""},
        "Her bag came two days late.",
        "butler",
        "ann",
    )
    assert await world.approvals.of(conversation_id="call") == await world.approvals.of(customer_id="ann") == (waiting,)
    assert await world.approvals.rehearse(request_id, "kim") == {
        "would": "Gives a credit.",
        "arguments": {"amount": 50, "note": ""},
    }
    several = await asyncio.gather(
        *(world.approvals.approve(request_id, who) for who in ("kim", "lee")), return_exceptions=True
    )
    done = [one for one in several if isinstance(one, Request)]
    assert {(one.standing, one.decided_by, str(one.result)) for one in done} == {
        (Standing.DONE, done[0].decided_by, "{'to': 'ann'}")
    }
    assert list(world.house.given.values()) == [("ann", 50, done[0].decided_by)]
    with pytest.raises(ApprovalError, match="has decided"):
        await world.approvals.approve(request_id, "kim")
    with pytest.raises(ApprovalError, match="has decided"):
        await world.approvals.decline(request_id, "kim")
    assert [one.standing for one in world.told] == [Standing.WAITING, Standing.APPROVED, Standing.DONE]
    assert (await world.rows())[1:] == [(Outcome.PREPARED, "butler"), (Outcome.DONE, done[0].decided_by)]


async def test_a_declined_request_is_audited_and_does_nothing(world: World) -> None:
    request_id = await world.asked()
    declined = await world.approvals.decline(request_id, "kim", "It was given yesterday.")
    assert (declined.standing, declined.error) == (Standing.DECLINED, "It was given yesterday.")
    with pytest.raises(ApprovalError, match="human:kim has decided"):
        await world.approvals.approve(request_id, "lee")
    assert world.house.given == {}
    assert (await world.rows())[-1] == (Outcome.DECLINED, "human:kim")
    with pytest.raises(ApprovalError, match="there is no request"):
        await world.approvals.approve("nothing", "lee")


async def test_what_the_system_refuses_has_failed_and_the_day_counts_what_was_done(world: World) -> None:
    failed = await world.approvals.approve(await world.asked(200), "kim")
    assert (failed.standing, failed.error) == (Standing.FAILED, "not_allowed: A credit is 100 dollars at most.")
    results = [await world.approvals.approve(await world.asked(10, f"t{n}"), "kim") for n in range(3)]
    assert [one.standing for one in results] == [Standing.DONE, Standing.DONE, Standing.FAILED]
    assert results[-1].error.startswith("limit: ")
    with pytest.raises(ToolError) as refused:
        await world.asked(501)
    assert (refused.value.code, refused.value.rule) == ("limit", "amount:credit")


async def test_an_outcome_that_nobody_knows_is_asked_for_again_also_by_the_next_controller(world: World) -> None:
    world.house.answers = False
    request_id = await world.asked()
    unsure = await world.approvals.approve(request_id, "kim")
    assert unsure.standing is Standing.APPROVED
    world.house.answers = True
    await world.restarted().resume()
    assert (await world.approvals.find(request_id)).standing is Standing.DONE
    assert len(world.house.given) == 1


async def test_only_a_verified_customer_s_agent_may_ask_and_a_person_asks_for_themselves(world: World) -> None:
    with pytest.raises(ToolError) as refused:
        await world.agent(Assurance.CLAIMED).prepare("credit", {"amount": 5}, "t1", "Please.")
    assert refused.value.code == "unverified"
    made = await world.approvals.prepare(
        "credit", {"amount": 5}, "Goodwill.", "kim", conversation_id="call", customer_id="ann"
    )
    assert made.prepared_by == "human:kim"
    assert (await world.approvals.approve(made.id, "kim")).standing is Standing.DONE


async def test_after_a_crash_the_same_wish_is_the_same_request(world: World) -> None:
    request_id = await world.asked(turn="t5")
    runs = tuple(run for run in await world.journal.tool_runs("call") if run.key)
    told = await world.agent(earlier=runs).prepare("credit", {"amount": 50}, "t6", "Again.")
    assert told["request_id"] == request_id


async def test_card_numbers_wait_for_nobody(world: World) -> None:
    with pytest.raises(ToolError) as refused:
        await world.agent().prepare("credit", {"amount": 5, "note": "4111 1111 1111 1111"}, "t1", "Why not.")
    assert refused.value.code == "unavailable"
    told = await world.agent().prepare("credit", {"amount": 5}, "t1", "My card is 4111 1111 1111 1111.")
    assert (await world.approvals.find(told["request_id"])).reason == "My card is [card ending 1111]."


async def test_a_person_who_is_forgotten_is_in_no_row(world: World) -> None:
    await world.approvals.approve(await world.asked(), "kim")
    await world.books.forget(["ann"], [])
    assert await world.approvals.of(customer_id="ann") == ()
    assert await world.books.take("ann", "2024-05-15", "other", []) == ""
