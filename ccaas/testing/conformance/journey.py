"""What every store of journeys must do.

Subclass `JourneyConformance` and give it an asynchronous fixture `journey` that opens a fresh, empty store for each test.

This module is long because what a store promises is one list.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from ccaas.errors import JourneyError
from ccaas.ports.journey import (
    Case,
    Consent,
    Fact,
    FactKind,
    Identity,
    IdentityKind,
    Journey,
    JourneyContext,
    Profile,
    Thread,
    ThreadState,
    Traces,
)

PHONE = Identity(IdentityKind.PHONE, "+16145550109")
EMAIL = Identity(IdentityKind.EMAIL, "mia@example.com")
CHAT = Identity(IdentityKind.CHAT, "s-1")
SIP = Identity(IdentityKind.SIP, "mia@example.com")
MIA = Profile(
    "mia_li_1", "Mia", "Li", "gold", 125_000, "America/New_York", "en-US", {"channel": "sms", "hours": "09:00-18:00"}
)


def fact(id_: str, customer: str, at: float = 100.0, kind: FactKind = FactKind.SAID, **more: Any) -> Fact:
    """A line of a timeline."""
    fields: dict[str, Any] = {"channel": "voice", "text": f"text of {id_}", "source": "customer", **more}
    return Fact(id_, customer, at, kind, **fields)


def thread(id_: str, customer: str, at: float = 100.0, state: ThreadState = ThreadState.OPEN, **more: Any) -> Thread:
    """A thread that was last spoken of at `at`."""
    return Thread(id_, customer, "upgrade", "the upgrade", state, "voice", 50.0, at, **more)


async def brief(journey: Journey, customer: str) -> JourneyContext:
    """The context of somebody who is there."""
    context = await journey.context(customer)
    assert context is not None, customer
    return context


async def ids(journey: Journey, customer: str) -> list[str]:
    """The ids of a timeline."""
    return [one.id for one in await journey.timeline(customer)]


async def everything(journey: Journey, customer: str) -> tuple[object, ...]:
    """All that can be read of a customer."""
    return (
        await journey.context(customer),
        await journey.timeline(customer),
        await journey.threads(customer),
    )


class JourneyConformance:
    """The suite."""

    # — who somebody is —

    async def test_nobody_is_known_at_first(self, journey: Journey) -> None:
        assert await journey.find(PHONE) is None
        assert await journey.context("nobody") is None
        assert await journey.timeline("nobody") == ()
        assert await journey.threads("nobody") == ()
        assert list(await journey.audit()) == []

    async def test_an_identity_is_recognised_again(self, journey: Journey) -> None:
        customer = await journey.recognise(PHONE)
        assert customer.startswith("c-")
        assert await journey.recognise(PHONE, MIA) == customer
        assert await journey.find(PHONE) == customer
        assert await journey.recognise(EMAIL) != customer
        assert await brief(journey, customer) == JourneyContext(Profile(customer), (PHONE,))

    async def test_the_system_of_record_names_the_customer(self, journey: Journey) -> None:
        assert await journey.recognise(PHONE, MIA) == MIA.id
        assert (await brief(journey, MIA.id)).profile == MIA

    async def test_another_identity_of_somebody_known_by_name_is_theirs(self, journey: Journey) -> None:
        await journey.describe(MIA)
        assert await journey.recognise(PHONE, Profile(MIA.id)) == MIA.id
        assert await journey.recognise(EMAIL, Profile(MIA.id)) == MIA.id
        assert (await brief(journey, MIA.id)).identities == (EMAIL, PHONE)

    async def test_the_same_identity_at_the_same_time_is_one_customer(self, journey: Journey) -> None:
        found = await asyncio.gather(*(journey.recognise(PHONE) for _ in range(20)))
        assert len(set(found)) == 1

    async def test_identities_of_each_kind_are_apart(self, journey: Journey) -> None:
        found = [await journey.recognise(one) for one in (PHONE, EMAIL, CHAT, SIP)]
        assert len(set(found)) == 4

    async def test_attach(self, journey: Journey) -> None:
        customer = await journey.recognise(PHONE)
        await journey.attach(customer, EMAIL)
        await journey.attach(customer, EMAIL)
        assert await journey.find(EMAIL) == customer
        assert (await brief(journey, customer)).identities == (EMAIL, PHONE)

    async def test_attach_refuses_what_is_somebody_elses(self, journey: Journey) -> None:
        mine, yours = await journey.recognise(PHONE), await journey.recognise(EMAIL)
        before = await everything(journey, mine)
        with pytest.raises(JourneyError, match=f"belongs to {yours}"):
            await journey.attach(mine, EMAIL)
        assert await everything(journey, mine) == before

    async def test_describe_leaves_what_is_not_said(self, journey: Journey) -> None:
        await journey.describe(MIA)
        await journey.describe(Profile(MIA.id, tier="silver", preferences={"channel": "voice"}))
        changed = replace(MIA, tier="silver", preferences={"channel": "voice", "hours": "09:00-18:00"})
        assert (await brief(journey, MIA.id)).profile == changed

    async def test_a_profile_without_an_id_describes_nobody(self, journey: Journey) -> None:
        with pytest.raises(JourneyError):
            await journey.describe(Profile("", "Mia"))

    async def test_register_takes_all_at_once_and_again(self, journey: Journey) -> None:
        consent = Consent("sms", "marketing", granted=True, at=5.0, proof="form 7")
        for _ in range(2):
            assert await journey.register(MIA, (PHONE, EMAIL), (consent,)) == MIA.id
        assert await brief(journey, MIA.id) == JourneyContext(MIA, (EMAIL, PHONE), consents=(consent,))
        exported = [line async for line in journey.export(MIA.id)]
        assert len([line for line in exported if line["type"] == "consent"]) == 1

    async def test_register_finds_by_any_identity(self, journey: Journey) -> None:
        customer = await journey.recognise(PHONE)
        assert await journey.register(Profile("", "Mia"), (EMAIL, PHONE)) == customer
        assert await journey.find(EMAIL) == customer
        assert (await brief(journey, customer)).profile.first_name == "Mia"

    async def test_register_leads_a_new_key_to_who_is_known(self, journey: Journey) -> None:
        customer = await journey.recognise(PHONE)
        assert await journey.register(MIA, (PHONE,)) == customer
        assert (await brief(journey, MIA.id)).profile == replace(MIA, id=customer)
        await journey.append(fact("f", MIA.id))
        assert await ids(journey, customer) == ["f"]

    async def test_register_refuses_two_customers_and_stores_nothing(self, journey: Journey) -> None:
        one, other = await journey.recognise(PHONE), await journey.recognise(EMAIL)
        before = [await everything(journey, customer) for customer in (one, other)]
        with pytest.raises(JourneyError, match="merge them first"):
            await journey.register(Profile("", "Mia"), (CHAT, PHONE, EMAIL))
        assert [await everything(journey, customer) for customer in (one, other)] == before
        assert await journey.find(CHAT) is None

    # — what has happened —

    async def test_facts_come_back_as_they_were(self, journey: Journey) -> None:
        customer = await journey.recognise(PHONE)
        whole = Fact(
            "f-1",
            customer,
            1_700_000_000.125,
            FactKind.OFFERED,
            "voice",
            "Ça va — “yes” 好\n?",
            "tool:quote",
            "call-1",
            "turn-1",
            "t-1",
            "recordings/call-1.wav#t=12.4",
            {"price": 12, "list": [1, {"a": None}], "ok": True},
        )
        await journey.append(whole, fact("f-2", customer, 1_700_000_001.0, recording="recordings/call-1.wav"))
        assert (await journey.timeline(customer))[0] == whole
        assert (await journey.timeline(customer))[1].recording == "recordings/call-1.wav"

    async def test_a_timeline_is_in_the_order_of_time(self, journey: Journey) -> None:
        customer = await journey.recognise(PHONE)
        await journey.append(fact("c", customer, 3.0), fact("a", customer, 1.0))
        await journey.append(fact("b", customer, 2.0), fact("b2", customer, 2.0))
        assert await ids(journey, customer) == ["a", "b", "b2", "c"]

    async def test_a_timeline_pages_back_without_losing_anything(self, journey: Journey) -> None:
        customer = await journey.recognise(PHONE)
        await journey.append(*(fact(f"f{i:02}", customer, float(i // 3)) for i in range(20)))
        seen: list[str] = []
        before: float | None = None
        while page := await journey.timeline(customer, 4, before):
            seen = [one.id for one in page] + seen
            before = page[0].at
        assert seen == [f"f{i:02}" for i in range(20)]
        assert await journey.timeline(customer, 0) == ()

    async def test_the_same_id_again_changes_nothing(self, journey: Journey) -> None:
        customer, other = await journey.recognise(PHONE), await journey.recognise(EMAIL)
        promise = fact("f", customer, 7.0, FactKind.PROMISED)
        await journey.append(promise)
        before = await everything(journey, customer)
        await journey.append(replace(promise, text="other", at=9.0), replace(promise, kind=FactKind.CONTACTED))
        await journey.append(replace(promise, customer_id=other))
        assert await everything(journey, customer) == before
        assert await journey.timeline(other) == ()

    async def test_a_fact_of_nobody_is_refused_with_what_came_beside_it(self, journey: Journey) -> None:
        customer = await journey.recognise(PHONE)
        with pytest.raises(JourneyError, match="no customer nobody"):
            await journey.append(fact("a", customer), fact("b", "nobody"))
        assert await journey.timeline(customer) == ()
        await journey.append()

    async def test_many_at_once_are_all_stored_and_a_bad_one_fails_alone(self, journey: Journey) -> None:
        customers = [await journey.recognise(replace(PHONE, value=f"+1614555{i:04}")) for i in range(5)]
        wanted: list[Fact] = [fact(f"f{i}", customers[i % 5], float(i), FactKind.CONTACTED) for i in range(100)]
        wanted[50] = fact("f50", "nobody")
        results = await asyncio.gather(*(journey.append(one) for one in wanted), return_exceptions=True)
        assert [type(one) for one in results] == [JourneyError if i == 50 else type(None) for i in range(100)]
        stored = [one.id for customer in customers for one in await journey.timeline(customer)]
        assert sorted(stored) == sorted(one.id for one in wanted if one.id != "f50")
        for place, customer in enumerate(customers):
            assert (await brief(journey, customer)).last_contact_at == float(95 + place)

    async def test_a_cancelled_append_is_whole_or_absent(self, journey: Journey) -> None:
        customer = await journey.recognise(PHONE)
        task = asyncio.create_task(journey.append(fact("a", customer), fact("b", customer)))
        await asyncio.sleep(0)
        task.cancel()
        await asyncio.wait({task})
        assert await ids(journey, customer) in ([], ["a", "b"])
        await journey.append(fact("a", customer), fact("b", customer))
        assert await ids(journey, customer) == ["a", "b"]

    async def test_text_that_no_database_likes_is_stored(self, journey: Journey) -> None:
        customer = await journey.recognise(PHONE)
        await journey.append(fact("f", customer, text="a\0b\ud800c '; DROP TABLE facts; --", data={"x": "\0\ud800"}))
        (stored,) = await journey.timeline(customer)
        assert stored.text.startswith("ab")
        assert stored.text.endswith("c '; DROP TABLE facts; --")

    # — the brief —

    async def test_the_last_contact(self, journey: Journey) -> None:
        customer = await journey.recognise(PHONE)
        await journey.append(fact("new", customer, 20.0, FactKind.CONTACTED, channel="sms"))
        await journey.append(fact("old", customer, 10.0, FactKind.CONTACTED), fact("said", customer, 30.0))
        context = await brief(journey, customer)
        assert (context.last_contact_at, context.last_channel) == (20.0, "sms")

    async def test_promises_are_owed_until_they_are_kept(self, journey: Journey) -> None:
        customer = await journey.recognise(PHONE)
        late = fact("late", customer, 1.0, FactKind.PROMISED, data={"due": 900})
        some_time = fact("some time", customer, 2.0, FactKind.PROMISED)
        soon = fact("soon", customer, 3.0, FactKind.PROMISED, data={"due": 500})
        await journey.append(late, some_time, soon)
        assert (await brief(journey, customer)).promises == (soon, late, some_time)
        await journey.append(fact("d", customer, 4.0, FactKind.DONE, data={"tool": "refund", "promise": "soon"}))
        assert (await brief(journey, customer)).promises == (late, some_time)

    async def test_a_promise_that_is_told_after_it_was_kept_is_not_owed(self, journey: Journey) -> None:
        customer = await journey.recognise(PHONE)
        await journey.append(fact("d", customer, 4.0, FactKind.DONE, data={"promise": "p"}))
        await journey.append(fact("p", customer, 3.0, FactKind.PROMISED))
        assert (await brief(journey, customer)).promises == ()

    async def test_threads_open_wait_and_close(self, journey: Journey) -> None:
        customer = await journey.recognise(PHONE)
        one = thread(
            "t-1", customer, 10.0, missing=("date",), slots={"to": "SEA"}, reasoner="r", snapshot={"step": [1]}
        )
        await journey.thread(one)
        await journey.thread(thread("t-2", customer, 20.0, ThreadState.WAITING))
        assert [t.id for t in (await brief(journey, customer)).threads] == ["t-2", "t-1"]
        assert (await brief(journey, customer)).threads[1] == one
        done = replace(one, state=ThreadState.CLOSED, updated_at=30.0, outcome="it was done", missing=(), snapshot=None)
        await journey.thread(done)
        context = await brief(journey, customer)
        assert ([t.id for t in context.threads], context.last_outcome) == (["t-2"], "it was done")
        assert (await journey.threads(customer))[0] == done
        await journey.thread(replace(done, state=ThreadState.OPEN, updated_at=40.0))
        assert (await brief(journey, customer)).last_outcome == ""

    async def test_a_brief_has_eight_threads_at_most(self, journey: Journey) -> None:
        customer = await journey.recognise(PHONE)
        for i in range(12):
            await journey.thread(thread(f"t-{i}", customer, float(i)))
        assert [t.id for t in (await brief(journey, customer)).threads] == [f"t-{i}" for i in range(11, 3, -1)]
        assert len(await journey.threads(customer)) == 12

    async def test_a_thread_stays_its_customers(self, journey: Journey) -> None:
        mine, yours = await journey.recognise(PHONE), await journey.recognise(EMAIL)
        await journey.thread(thread("t", mine))
        with pytest.raises(JourneyError):
            await journey.thread(thread("t", yours))
        with pytest.raises(JourneyError):
            await journey.thread(thread("u", "nobody"))
        assert await journey.threads(yours) == ()

    async def test_cases(self, journey: Journey) -> None:
        customer = await journey.recognise(PHONE)
        case = Case("k-1", customer, "lost suitcase", "open", 5.0, 6.0, "t-1")
        await journey.case(case)
        assert (await brief(journey, customer)).cases == (case,)
        await journey.case(replace(case, state="closed", updated_at=7.0))
        assert (await brief(journey, customer)).cases == ()
        with pytest.raises(JourneyError):
            await journey.case(replace(case, customer_id="nobody"))

    async def test_the_newest_consent_counts(self, journey: Journey) -> None:
        customer = await journey.recognise(PHONE)
        yes = Consent("sms", "marketing", granted=True, at=10.0, proof="m-1")
        no = Consent("sms", "marketing", granted=False, at=20.0, proof="m-2")
        service = Consent("sms", "service", granted=True, at=5.0, proof="m-3")
        for consent in (no, yes, service):
            await journey.consent(customer, consent)
        assert (await brief(journey, customer)).consents == (no, service)
        with pytest.raises(JourneyError):
            await journey.consent("nobody", yes)

    async def test_no_card_number_is_kept(self, journey: Journey) -> None:
        card = "4111 1111 1111 1111"
        customer = await journey.recognise(PHONE)
        await journey.append(fact("f", customer, text=f"my card is {card}", data={"card": card}))
        await journey.thread(thread("t", customer, slots={"card": card}, snapshot={"heard": [card]}))
        assert "1111 1111" not in repr(await everything(journey, customer))

    # — two that are one —

    async def test_a_merge_makes_one_of_two(self, journey: Journey) -> None:
        kept, gone = await self._two(journey)
        await journey.merge(kept, gone, "same e-mail", "ann")
        assert await everything(journey, gone) == await everything(journey, kept)
        assert await journey.find(EMAIL) == await journey.find(PHONE) == kept
        context = await brief(journey, gone)
        assert context.profile == Profile(kept, "Mia", "Li", tier="gold", preferences={"channel": "sms", "a": "b"})
        assert context.identities == (EMAIL, PHONE)
        assert [t.id for t in context.threads] == ["t-gone", "t-kept"]
        assert {t.customer_id for t in await journey.threads(kept)} == {kept}
        assert await ids(journey, kept) == ["f-kept", "f-gone"]
        assert {one.customer_id for one in await journey.timeline(gone)} == {kept}
        assert (context.last_contact_at, context.last_channel) == (12.0, "sms")
        (row,) = await journey.audit()
        assert (row["what"], row["customer"], row["other"], row["why"], row["by"]) == (
            "merge",
            kept,
            gone,
            "same e-mail",
            "ann",
        )

    async def test_an_unmerge_gives_back_what_was_its_own_and_leaves_what_came_since(self, journey: Journey) -> None:
        kept, gone = await self._two(journey)
        before = [await everything(journey, customer) for customer in (kept, gone)]
        await journey.merge(kept, gone, "same e-mail")
        await journey.unmerge(gone, "two people", "ann")
        assert [await everything(journey, customer) for customer in (kept, gone)] == before
        await journey.merge(kept, gone, "the same after all")
        await journey.append(fact("since", gone, 50.0))
        await journey.attach(gone, CHAT)
        await journey.unmerge(gone, "no")
        assert await ids(journey, kept) == ["f-kept", "since"]
        assert await journey.find(CHAT) == kept
        assert await everything(journey, gone) == before[1]
        assert [row["what"] for row in await journey.audit()] == ["unmerge", "merge", "unmerge", "merge"]

    async def test_merges_of_merges_come_apart_one_by_one(self, journey: Journey) -> None:
        a, b, c = [await journey.recognise(one) for one in (PHONE, EMAIL, CHAT)]
        for id_ in (a, b, c):
            await journey.append(fact(f"f-{id_}", id_))
        await journey.merge(b, a, "")
        await journey.merge(c, a, "what leads to b is meant")
        assert await journey.find(PHONE) == await journey.find(EMAIL) == c
        assert len(await journey.timeline(a)) == 3
        await journey.unmerge(b, "")
        assert (await journey.find(PHONE), await journey.find(EMAIL)) == (b, b)
        assert await ids(journey, c) == [f"f-{c}"]
        await journey.unmerge(a, "")
        assert [await ids(journey, id_) for id_ in (a, b, c)] == [[f"f-{id_}"] for id_ in (a, b, c)]

    async def test_what_cannot_be_merged(self, journey: Journey) -> None:
        kept, gone = await self._two(journey)
        for pair in ((kept, kept), (kept, "nobody"), ("nobody", kept)):
            with pytest.raises(JourneyError):
                await journey.merge(*pair, "why")
        with pytest.raises(JourneyError, match="not merged"):
            await journey.unmerge(gone, "why")
        await journey.merge(kept, gone, "why")
        with pytest.raises(JourneyError):
            await journey.merge(gone, kept, "they are one")
        assert len(await journey.audit()) == 1

    # — what is erased, and what is told —

    async def test_nothing_is_left_of_who_is_forgotten(self, journey: Journey) -> None:
        kept, gone = await self._two(journey)
        other = await journey.recognise(CHAT)
        await journey.append(fact("other", other))
        await journey.merge(kept, gone, "Mia Li has two phones", "ann")
        traces = await journey.traces(gone)
        assert traces == Traces(tuple(sorted((kept, gone))), (EMAIL, PHONE), ("recordings/a.wav",), ("call-a",))
        erased = await journey.forget(gone, "Mia Li of +16145550109 asked us to", "ann")
        assert (erased.facts, erased.recordings) == (2, ("recordings/a.wav",))
        assert await everything(journey, kept) == await everything(journey, gone) == (None, (), ())
        assert await journey.find(PHONE) is None
        assert await journey.find(EMAIL) is None
        rows = await journey.audit()
        assert [(row["what"], row["customer"], row["facts"]) for row in rows] == [
            ("forget", erased.receipt, 2),
            ("merge", erased.receipt, 0),
        ]
        for word in ("Mia", "Li", PHONE.value, kept, gone):
            assert word not in json.dumps(list(rows)), word
        assert "asked us to" in str(rows[0]["why"])
        assert await ids(journey, other) == ["other"]
        assert await journey.recognise(PHONE) != kept
        with pytest.raises(JourneyError):
            await journey.forget(kept, "again")

    async def test_what_is_old_is_erased_but_no_promise_that_is_owed(self, journey: Journey) -> None:
        customer = await journey.recognise(PHONE)
        await journey.append(
            fact("old", customer, 10.0, recording="recordings/old.wav#t=1"),
            fact("old too", customer, 11.0, recording="recordings/both.wav#t=1"),
            fact("contact", customer, 12.0, FactKind.CONTACTED),
            fact("owed", customer, 13.0, FactKind.PROMISED),
            fact("kept", customer, 14.0, FactKind.PROMISED),
            fact("deed", customer, 15.0, FactKind.DONE, data={"promise": "kept"}),
            fact("early deed", customer, 16.0, FactKind.DONE, data={"promise": "late promise"}),
            fact("new", customer, 100.0, recording="recordings/both.wav#t=2"),
            fact("late promise", customer, 101.0, FactKind.PROMISED),
        )
        await journey.thread(thread("closed", customer, 10.0, ThreadState.CLOSED, outcome="done"))
        await journey.thread(thread("open", customer, 10.0))
        await journey.case(Case("k", customer, "lost", "closed", 5.0, 6.0))
        erased = await journey.retain(50.0, "ann")
        assert (erased.facts, erased.recordings) == (5, ("recordings/old.wav",))
        assert await ids(journey, customer) == ["owed", "early deed", "new", "late promise"]
        context = await brief(journey, customer)
        assert [one.id for one in context.promises] == ["owed"]
        assert (context.last_contact_at, context.last_outcome) == (None, "")
        assert [one.id for one in await journey.threads(customer)] == ["open"]
        (row,) = await journey.audit()
        assert (row["what"], row["by"], row["facts"]) == ("retain", "ann", 5)
        assert (await journey.retain(50.0)).facts == 0

    async def test_an_export_has_everything(self, journey: Journey) -> None:
        kept, gone = await self._two(journey)
        await journey.merge(kept, gone, "one")
        await journey.case(Case("k", kept, "lost", "closed", 5.0, 6.0))
        await journey.consent(kept, Consent("sms", "service", granted=True, at=5.0, proof="m"))
        await journey.append(*(fact(f"n{i}", kept, 200.0 + i // 7) for i in range(1_200)))
        lines = [line async for line in journey.export(gone, "ann")]
        assert lines == json.loads(json.dumps(lines))
        of: dict[str, Sequence[Any]] = {
            kind: [line for line in lines if line["type"] == kind] for kind in {str(line["type"]) for line in lines}
        }
        assert {kind: len(found) for kind, found in of.items()} == {
            "customer": 1,
            "merged": 1,
            "identity": 2,
            "consent": 1,
            "case": 1,
            "thread": 2,
            "fact": 1_202,
        }
        assert len({line["id"] for line in of["fact"]}) == 1_202
        assert of["customer"][0]["first_name"] == "Mia"
        assert of["identity"][0] == {"type": "identity", "kind": "email", "value": EMAIL.value}
        assert of["fact"][0]["text"] == "text of f-kept"
        row = (await journey.audit(1))[0]
        assert (row["what"], row["customer"], row["by"]) == ("export", kept, "ann")
        with pytest.raises(JourneyError):
            _ = [line async for line in journey.export("nobody")]

    async def test_the_audit_is_newest_first(self, journey: Journey) -> None:
        await journey.recognise(PHONE, MIA)
        for who in "abc":
            _ = [line async for line in journey.export(MIA.id, who)]
        assert [row["by"] for row in await journey.audit(2)] == ["c", "b"]
        assert [row["by"] for row in await journey.audit()] == ["c", "b", "a"]

    async def test_a_closed_journey_refuses(self, journey: Journey) -> None:
        customer = await journey.recognise(PHONE)
        await journey.close()
        await journey.close()
        with pytest.raises(JourneyError):
            await journey.append(fact("f", customer))
        with pytest.raises(JourneyError):
            await journey.context(customer)

    async def _two(self, journey: Journey) -> tuple[str, str]:
        """Two customers of whom something is known."""
        kept = await journey.recognise(PHONE, Profile("", "Mia", preferences={"channel": "sms"}))
        gone = await journey.recognise(
            EMAIL, Profile("", "Maria", "Li", "gold", preferences={"channel": "email", "a": "b"})
        )
        await journey.append(
            fact("f-kept", kept, 11.0, FactKind.CONTACTED, recording="recordings/a.wav#t=3", conversation_id="call-a")
        )
        await journey.append(fact("f-gone", gone, 12.0, FactKind.CONTACTED, channel="sms"))
        await journey.thread(thread("t-kept", kept, 1.0))
        await journey.thread(thread("t-gone", gone, 2.0))
        return kept, gone
