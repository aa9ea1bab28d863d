"""Systems of record that are down, slow or lying: the customer hears the truth, nothing is done twice, and what is not known
stays open until it is."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from ccaas_flows.reasoner import FlowsReasoner
from ccaas_flows.settings import FlowsSettings
from ccaas_openapi.plugin import openapi_tools
from ccaas_openapi.settings import OpenApiSettings

from ccaas.actions import Books, CallTools, Limits, Outcome, Tools
from ccaas.actions.approvals import Approvals, Standing
from ccaas.journal import Journal
from ccaas.ports.journey import Assurance, Customer, ThreadState
from ccaas.ports.reasoning import CallerTurn, DialogueContext
from ccaas.ports.site import Site
from ccaas.ports.tools import Phase
from tests.flows_parts import HEAD, WordsOnly
from tests.peer_process import peer

NOW = datetime(2024, 5, 15, 15, tzinfo=UTC)
FLOW = """
  book:
    steps:
      - read: get_order
        with: {order: A1}
        as: order
      - confirm: "You get {order.total|money} back. All right?"
      - write: refund_order
        with: {order: A1, amount: "{order.total}"}
        as: refund
        errors: {any: [{done: "That didn't go through, so nothing has changed."}]}
      - done: "Done. Your refund is number {refund.id}."
"""


class World:
    """The peer, and one conversation with a flow that writes to it."""

    def __init__(self, url: str, folder: Path) -> None:
        self.url = url
        self.site = Site(folder, folder, folder, folder / "cache")
        self.folder = folder

    async def open(self, monkeypatch: pytest.MonkeyPatch, idempotent: bool) -> None:
        monkeypatch.setenv("RECORDS_TOKEN", "Bearer of-the-test")
        refund = {
            "callers": ["butler"],
            "private": False,
            "amount": "amount",
            "idempotent": idempotent,
            "timeout_s": 0.5,
        }
        settings = OpenApiSettings.model_validate(
            {
                "document": f"{self.url}/openapi.json",
                "url": self.url,
                "headers": {"Authorization": "RECORDS_TOKEN"},
                "operations": {
                    "getOrder": {"effect": "read", "private": False, "timeout_s": 0.5},
                    "refundOrder": {
                        **refund,
                        "undo": {"tool": "reverse_refund", "with": {"id": "{result.id}"}},
                    },
                    "reverseRefund": refund | {"amount": ""},
                },
            }
        )
        tools = Tools(await openapi_tools(settings, self.site))
        self.close_tools = tools["get_order"].close
        self.books = await Books.open(self.folder / "actions.sqlite")
        self.journal = await Journal.open(self.folder / "journal.sqlite")
        limits = Limits(Phase.TRANSACTIONAL)
        self.approvals = Approvals(tools, self.books, self.journal, lambda *_: limits, lambda: NOW)
        self.box = CallTools(
            tools, limits, self.journal, call_id="call", customer_id="ann", now=lambda: NOW,
            assurance=Assurance.VERIFIED, books=self.books, desk=self.approvals,
        )  # fmt: skip
        (self.folder / "flows.yaml").write_text(HEAD + FLOW)
        reasoner = FlowsReasoner(FlowsSettings(file="flows.yaml"), self.site, WordsOnly())
        await reasoner.start()
        customer = Customer("ann", "Ann", "Lee")
        self.dialogue = reasoner.open(DialogueContext("call", "voice", "+1", "1", customer, self.box, NOW))
        await self.dialogue.open()
        self.turns = 0

    async def close(self) -> None:
        await self.box.settle()
        assert self.close_tools is not None
        await self.close_tools()
        await self.books.close()
        await self.journal.close()

    async def say(self, text: str) -> str:
        self.turns += 1
        draft = await self.dialogue.draft(CallerTurn(f"t{self.turns}", text))
        said = []
        async for reply in self.dialogue.commit(draft):
            said.append(reply.text)
            self.dialogue.heard(reply.text, True)
        return " ".join(said)

    async def mood(self, mood: str, times: int = 100) -> None:
        async with (
            aiohttp.ClientSession() as http,
            http.post(f"{self.url}/mood", json={"mood": mood, "times": times}) as reply,
        ):
            assert reply.status == 200

    async def booked(self) -> list[Any]:
        async with aiohttp.ClientSession() as http, http.get(f"{self.url}/books") as reply:
            return list((await reply.json())["booked"])


@pytest.fixture
async def records() -> AsyncIterator[str]:
    async with peer("records_api.py", "/books") as url:
        yield url


@pytest.mark.parametrize("idempotent", [True, False])
@pytest.mark.parametrize("mood", ["error", "error after", "hang after", "break after", "nonsense after"])
async def test_what_is_not_known_is_told_so_kept_open_and_found_out(
    records: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, mood: str, idempotent: bool
) -> None:
    monkeypatch.setattr("ccaas_openapi.calling.PAUSE_S", 0.01)
    world = World(records, tmp_path)
    await world.open(monkeypatch, idempotent)
    assert await world.say("book a room for me") == "You get forty dollars and fifty cents back. All right?"
    await world.mood(mood)
    said = await world.say("yes")
    await world.box.settle()
    done_there = mood != "error"
    assert "hasn't told me whether that went through" in said, said
    assert "nothing has changed" not in said
    assert "Done" not in said
    topic = world.dialogue.topic()
    assert topic is not None
    assert (topic.state, "we'll find out" in topic.promise) == (ThreadState.WAITING, True)
    assert len(await world.booked()) == done_there
    (open_case,) = await world.approvals.of(customer_id="ann")
    assert (open_case.standing, open_case.tool) == (Standing.APPROVED, "refund_order")

    await world.mood("", 0)
    await world.approvals.resume()
    (open_case,) = await world.approvals.of(customer_id="ann")
    rows = [run.outcome for run in await world.journal.tool_runs("call") if run.key]
    if idempotent:
        assert (open_case.standing, len(await world.booked()), rows) == (Standing.DONE, 1, [Outcome.DONE])
    else:
        # Nobody may send it a second time: it stays open for a person, and was done at most once.
        assert open_case.standing is Standing.APPROVED
        assert len(await world.booked()) == done_there
    await world.close()


async def test_a_hiccup_of_a_system_that_keeps_keys_is_not_noticed(
    records: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ccaas_openapi.calling.PAUSE_S", 0.01)
    world = World(records, tmp_path)
    await world.open(monkeypatch, True)
    await world.say("book a room for me")
    await world.mood("error after", 1)
    assert await world.say("yes") == "Done. Your refund is number one. Is there anything else?"
    assert len(await world.booked()) == 1
    # A later step fails: what was done is taken back, once.
    assert await world.box.undo("refund_order", "t9") == {"id": 2}
    assert [one["path"] for one in await world.booked()] == ["/orders/A1/refunds", "/refunds/1/reversal"]
    await world.close()


@pytest.mark.parametrize("mood", ["error", "nonsense", "hang"])
async def test_a_read_that_fails_is_told_and_nothing_is_invented(
    records: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, mood: str
) -> None:
    world = World(records, tmp_path)
    await world.open(monkeypatch, True)
    await world.mood(mood)
    said = await world.say("book a room for me")
    assert "can't reach our system" in said
    assert "back. All right?" not in said
    assert await world.booked() == []
    await world.close()


async def test_a_system_that_is_not_there_changes_nothing_and_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = World("", tmp_path)
    async with peer("records_api.py", "/books") as url:
        world.url = url
        await world.open(monkeypatch, True)
        await world.say("book a room for me")
    assert "nothing has changed" in await world.say("yes")
    assert await world.approvals.of(customer_id="ann") == ()
    await world.close()


async def test_a_refusal_is_told_in_the_system_s_own_words(
    records: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = World(records, tmp_path)
    await world.open(monkeypatch, False)
    for order, amount, code, said in [
        ("A1", 200, "not_allowed", "Refunds are 100 at most."),
        ("A1", -1, "bad_arguments", "refund_order cannot run with these arguments"),
    ]:
        with pytest.raises(Exception, match=said) as refused:
            await world.box.write("refund_order", {"order": order, "amount": amount}, "t1", "t1")
        assert getattr(refused.value, "code", "") == code
    with pytest.raises(Exception, match="no such order") as refused:
        await world.box.read("get_order", {"order": "B2"}, "t1")
    assert getattr(refused.value, "code", "") == "not_found"
    assert (await world.box.read("get_order", {"order": "A1", "full": True}, "t1"))["full"] == "true"
    assert await world.booked() == []
    await world.close()
