"""The front desk: who is calling, which entry takes the call, and whether there is room, to the last place."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import Any, cast

import pytest

from ccaas.agent import Agent
from ccaas.config.settings import CcaasSettings
from ccaas.errors import CcaasError
from ccaas.frontdesk import REFUSED, FrontDesk
from ccaas.hooks import PluginHost
from ccaas.hookspecs import hookimpl
from ccaas.journal.entries import CallBegan, Entry
from ccaas.journal.journal import Journal
from ccaas.ports.journey import Contact, Customer
from ccaas.ports.media import Codec
from ccaas.telephony.desk import Refused
from ccaas.telephony.events import EndReason, Offered

pytestmark = pytest.mark.looptime

USE = {"use": "x"}


class Crm:
    """A plug-in that takes its time to say who is calling."""

    def __init__(self) -> None:
        self.entry: str | None = None

    @hookimpl
    async def ccaas_identify(self, contact: Contact) -> Customer | None:
        await asyncio.sleep(0.1)
        return Customer("ann", "Ann", "A") if contact.address == "+15550111" else None

    @hookimpl
    async def ccaas_route(self, contact: Contact, customer: Customer | None) -> str | None:
        await asyncio.sleep(0.1)
        return self.entry


@dataclass
class Books:
    entries: list[Entry] = field(default_factory=list)

    def post(self, *entries: Entry) -> bool:
        self.entries += entries
        return True


class Front:
    """A desk with room for so many calls; its agents are only names."""

    def __init__(self, calls: int = 2) -> None:
        speech = dict.fromkeys(("recognizer", "voice", "turn", "synthesizer"), USE)
        self.settings = CcaasSettings.model_validate(
            {
                "name": "Test",
                "timezone": "UTC",
                "plugins": ["crm"],
                "speech": speech,
                "reasoners": {"desk": USE},
                "entries": {
                    "main": {"numbers": ["1000"], "reasoner": "desk"},
                    "vip": {"numbers": ["1001"], "reasoner": "desk"},
                },
                "limits": {"calls": calls},
            }
        )
        self.crm, self.books, self.lag_s = Crm(), Books(), 0.0
        self.made: list[tuple[Any, ...]] = []
        self.make_fails: Exception | None = None
        host = PluginHost.of({"crm": self.crm})
        self.desk = FrontDesk(self.settings, host, cast("Journal", self.books), lambda: self.lag_s, self._make)
        self._calls = 0

    def _make(self, *what: Any) -> Agent:
        if self.make_fails is not None:
            raise self.make_fails
        self.made.append(what)
        return cast("Agent", f"agent {len(self.made)}")

    async def offer(self, dnis: str = "1000", ani: str = "+15550111") -> tuple[str, Agent | Refused]:
        self._calls += 1
        call_id = f"call{self._calls}"
        return call_id, await self.desk.welcome(call_id, Offered(f"leg{call_id}", 0.0, ani, dnis, Codec.ULAW))


async def test_offers_of_the_same_moment_share_the_places_there_are() -> None:
    front = Front(calls=3)
    before = REFUSED.labels("full")._value.get()
    answers = await asyncio.gather(*(front.offer() for _ in range(10)))
    assert sum(isinstance(answer, Refused) for _, answer in answers) == 7
    assert all(answer == Refused("full") for _, answer in answers if isinstance(answer, Refused))
    assert len([entry for entry in front.books.entries if isinstance(entry, CallBegan)]) == len(front.made) == 3
    assert REFUSED.labels("full")._value.get() == before + 7


async def test_a_place_is_free_again_when_its_call_has_ended() -> None:
    front = Front(calls=1)
    first, _ = await front.offer()
    assert (await front.offer())[1] == Refused("full")
    front.desk.ended(first, EndReason.HUNG_UP, 16)
    assert not isinstance((await front.offer())[1], Refused)


async def test_an_offer_that_becomes_no_call_gives_its_place_back() -> None:
    front = Front(calls=1)
    assert (await front.offer("4711"))[1] == Refused("number")
    front.make_fails = ValueError("no agent")
    with pytest.raises(ValueError, match="no agent"):
        await front.offer()
    front.make_fails = None
    leaving = asyncio.create_task(front.offer())
    await asyncio.sleep(0.05)
    leaving.cancel()
    await asyncio.wait({leaving})
    assert not isinstance((await front.offer())[1], Refused)
    assert (await front.offer())[1] == Refused("full")


async def test_calls_that_are_made_take_places_too() -> None:
    front = Front(calls=1)
    making = asyncio.create_task(front.desk.admit("out", "PJSIP/6001", "+15550100", "main"))
    await asyncio.sleep(0.05)
    assert (await front.offer())[1] == Refused("full")
    await making
    with pytest.raises(CcaasError, match=r"no new call is made now \(full\); wait until a call has ended"):
        await front.desk.admit("other", "PJSIP/6002", "+15550100", "main")
    front.desk.ended("out", EndReason.UNREACHABLE, 20)
    assert not isinstance((await front.offer())[1], Refused)


async def test_a_call_that_is_made_is_of_whom_it_was_made_to() -> None:
    front = Front()
    await front.offer("1000", "+15550111")
    await front.desk.admit("out", "PJSIP/+15550122@trunk", "+15550100", "main")
    assert [(address, ani) for _, address, ani, *_ in front.made] == [
        ("+15550111", "+15550111"),
        ("+15550122@trunk", "+15550100"),
    ]
    assert [entry.address for entry in front.books.entries if isinstance(entry, CallBegan)] == [
        "+15550111",
        "+15550122@trunk",
    ]


async def test_why_no_call_is_taken() -> None:
    front = Front()
    front.lag_s = 0.3
    assert (await front.offer())[1] == Refused("slow")
    front.desk.draining = True
    assert (await front.offer())[1] == Refused("draining")
    with pytest.raises(CcaasError, match=r"\(draining\); start ccaas again"):
        await front.desk.admit("out", "PJSIP/6001", "", "main")
    assert not front.made


async def test_who_is_calling_and_where_they_go() -> None:
    front = Front(calls=9)
    await front.offer("1001")
    front.crm.entry = "vip"
    await front.offer("1000", "")
    front.crm.entry = "nowhere"
    await front.offer("1000", "+15550199")
    made = [(dnis, customer and customer.id, entry) for _, _, _, dnis, customer, entry, _ in front.made]
    assert made == [("1001", "ann", "vip"), ("1000", None, "vip"), ("1000", None, "main")]
