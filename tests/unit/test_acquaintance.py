"""Who somebody is, from the journey and the systems of record, within their limits."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

import pytest

from ccaas.acquaintance import Acquaintance
from ccaas.chapter import Whose
from ccaas.errors import JourneyError
from ccaas.hooks import PluginHost
from ccaas.hookspecs import hookimpl
from ccaas.ports.journey import Assurance, Contact, Customer, Identity, IdentityKind, JourneyContext, Profile
from ccaas.presence import Presence
from ccaas.testing.fakes.journey import FakeJourney

pytestmark = pytest.mark.looptime

ANN = Customer("ann", "Ann", "Lee", "gold")
PHONE = Identity(IdentityKind.PHONE, "+16175550142")
CONTACT = Contact("call", "voice", PHONE.value, "1000")


class Crm:
    def __init__(self, seconds: float = 0.0) -> None:
        self.seconds = seconds

    @hookimpl
    async def ccaas_context(self, customer: Customer, now: datetime) -> dict[str, object]:
        await asyncio.sleep(self.seconds)
        return {"tier": customer.tier, "year": now.year}


def acquaintance(journey: FakeJourney, crm: Crm | None = None) -> Acquaintance:
    return Acquaintance(journey, PluginHost.of({"crm": crm or Crm()}), lambda: datetime(2024, 5, 15, tzinfo=UTC))


async def test_a_customer_of_the_system_of_record_is_made_known_to_the_journey() -> None:
    journey = FakeJourney()
    known = await acquaintance(journey).meet(CONTACT, ANN, PHONE)
    assert known.whose == Whose("ann", PHONE, Profile("ann", "Ann", "Lee", "gold"))
    assert known.assurance is Assurance.CLAIMED
    assert known.context is not None
    assert known.context.records == {"crm": {"tier": "gold", "year": 2024}}
    assert await journey.find(PHONE) == "ann"


async def test_somebody_without_a_name_who_turns_out_to_be_a_customer_brings_their_history() -> None:
    journey = FakeJourney()
    stranger = await journey.recognise(PHONE)
    await journey.describe(Profile("ann"))
    known = await acquaintance(journey).meet(CONTACT, ANN, PHONE)
    assert known.whose.customer_id == "ann"
    assert await journey.find(PHONE) == "ann"
    assert [row["what"] for row in await journey.audit()] == ["merge"]
    again = await journey.context(stranger)
    assert again is not None
    assert again.profile.id == "ann"


async def test_two_customers_of_the_system_of_record_are_never_made_one() -> None:
    journey = FakeJourney()
    await journey.register(Profile("bob"), (PHONE,))
    await journey.describe(Profile("ann"))
    known = await acquaintance(journey).meet(CONTACT, ANN, PHONE)
    assert known.whose.customer_id == "ann"
    assert await journey.find(PHONE) == "bob"
    assert await journey.audit() == ()


async def test_a_stranger_is_recognised_and_one_who_only_looks_is_not() -> None:
    journey = FakeJourney()
    looked = await acquaintance(journey).meet(CONTACT, None, PHONE, register=False)
    assert (looked.whose.customer_id, looked.context, looked.assurance) == ("", None, Assurance.NONE)
    assert await journey.find(PHONE) is None
    known = await acquaintance(journey).meet(CONTACT, None, PHONE)
    assert known.whose.customer_id == await journey.find(PHONE)


async def test_nobody_is_nobody() -> None:
    known = await acquaintance(FakeJourney()).meet(CONTACT, None, None)
    assert (known.whose.key, known.context, known.assurance) == ("", None, Assurance.NONE)


class Hanging(FakeJourney):
    async def context(self, customer_id: str) -> JourneyContext | None:
        await asyncio.sleep(3_600)
        return None


@pytest.mark.parametrize("slow", ["journey", "record", "both", "down"])
async def test_what_is_slow_or_down_is_left_out_in_time(slow: str) -> None:
    journey = Hanging() if slow in ("journey", "both") else FakeJourney()
    if slow == "down":
        journey.fails = JourneyError("the store is down")
    crm = Crm(3_600.0 if slow in ("record", "both") else 0.0)
    loop = asyncio.get_running_loop()
    began = loop.time()
    known = await acquaintance(journey, crm).meet(CONTACT, ANN, PHONE)
    assert loop.time() - began <= 0.31  # virtual seconds: the slower of the two limits
    assert known.customer == ANN
    assert (known.context is None) is (slow != "record")
    assert known.whose.key, "what happens is kept for later all the same"


async def test_the_journey_has_its_time_from_when_it_is_needed() -> None:
    class Slow(FakeJourney):
        async def context(self, customer_id: str) -> JourneyContext | None:
            await asyncio.sleep(0.2)
            return await super().context(customer_id)

    journey, needed = Slow(), asyncio.Event()
    await journey.register(Profile("ann"), (PHONE,))
    meeting = asyncio.create_task(acquaintance(journey).meet(CONTACT, ANN, PHONE, needed=needed))
    await asyncio.sleep(0.18)
    needed.set()
    assert (await meeting).context is not None
    assert (await acquaintance(journey).meet(CONTACT, ANN, PHONE)).context is None


async def test_the_call_of_a_customer_is_found_by_who_they_are_and_by_their_address() -> None:
    class Listener:
        async def tell(self, text: str, channel: str) -> str | None:
            return None

    presence, one = Presence(), Listener()
    presence.enter("call-1", Whose("ann", PHONE), one)
    mail = Identity(IdentityKind.EMAIL, "ann@example.com")
    assert presence.of(Whose("ann", mail)) == ("call-1", one)
    assert presence.of(Whose("", PHONE)) == ("call-1", one)
    assert presence.of(Whose("", mail)) is None
    assert presence.of(Whose()) is None
    presence.leave("call-1")
    assert presence.of(Whose("ann")) is None
