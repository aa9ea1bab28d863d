"""The tool with which a conversation confirms in writing: to whom, once, and not past the gate."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import cast

import pytest
from texting import ADDRESS, CHAT, Texts

from ccaas.errors import ToolError
from ccaas.journal.journal import Journal, JournalError
from ccaas.messaging.notices import Notice, Notices
from ccaas.ports.journey import Consent, FactKind, Identity, IdentityKind, Profile
from ccaas.ports.tools import ToolContext
from ccaas.testing.fakes.journey import FakeJourney
from ccaas.testing.fakes.messaging import FakeTextChannel

pytestmark = pytest.mark.looptime

PHONE = Identity(IdentityKind.PHONE, ADDRESS)
WORDS = Notice(text="Your flight is in business now.")


def context(key: str = "call-1 t3 upgrade", customer: str = "ann") -> ToolContext:
    return ToolContext("call-1", "t3", customer, key, datetime(2024, 5, 15, 15, tzinfo=UTC))


async def ann(*identities: Identity) -> FakeJourney:
    journey = FakeJourney()
    await journey.register(Profile("ann"), identities)
    return journey


def opened(office: Texts) -> Notices:
    notices = Notices()
    notices.open(office.places, office.outbox, cast("Journal", office.journal), office.chronicle, office.journey)
    return notices


async def test_a_notice_goes_to_the_customer_s_number_and_on_the_timeline(tmp_path: Path) -> None:
    async with Texts({}, tmp_path, journey=await ann(Identity(IdentityKind.EMAIL, "ann@x.example"), PHONE)) as office:
        handed = await opened(office).tool.run(WORDS, context())
        assert handed.model_dump() == {"channel": "sms"}
        await office.outbox.idle()
        assert office.told() == [WORDS.text]
        said = [fact for fact in await office.facts() if fact.kind is FactKind.SAID]
        assert [(fact.text, fact.channel, fact.turn_id) for fact in said] == [(WORDS.text, "sms", "t3")]


async def test_it_is_sent_once_however_often_it_is_asked_for(tmp_path: Path) -> None:
    async with Texts({}, tmp_path, journey=await ann(PHONE)) as office:
        notices = opened(office)
        for key in ("one", "one", "two"):
            await notices.tool.run(WORDS, context(key))
        await office.outbox.idle()
        assert office.told() == [WORDS.text, WORDS.text]


async def test_it_is_sent_after_a_crash(tmp_path: Path) -> None:
    journey = await ann(PHONE)
    async with Texts({}, tmp_path, journey=journey) as office:
        await office.outbox.close()
        await opened(office).tool.run(WORDS, context())
    async with Texts({}, tmp_path, journey=journey) as office:
        await office.outbox.idle()
        await opened(office).tool.run(WORDS, context())
        await office.outbox.idle()
        assert office.told() == [WORDS.text]


async def test_who_wants_no_messages_gets_none(tmp_path: Path) -> None:
    journey = await ann(PHONE)
    await journey.consent("ann", Consent("sms", "service", False, 1.0, "a form"))
    async with Texts({}, tmp_path, journey=journey) as office:
        await opened(office).tool.run(WORDS, context())
        await office.outbox.idle()
        assert office.told() == []


@pytest.mark.parametrize(("customer", "code"), [("", "no_address"), ("nobody", "no_address"), ("ann", "no_address")])
async def test_nobody_to_send_it_to(tmp_path: Path, customer: str, code: str) -> None:
    async with Texts({}, tmp_path, journey=await ann(Identity(IdentityKind.EMAIL, "ann@x.example"))) as office:
        with pytest.raises(ToolError) as refused:
            await opened(office).tool.run(WORDS, context(customer=customer))
        assert refused.value.code == code


async def test_without_a_channel_for_it_there_is_none(tmp_path: Path) -> None:
    chat = {"sms": FakeTextChannel(CHAT)}
    async with Texts({}, tmp_path, journey=await ann(PHONE), channels=chat) as office:
        for notices in (Notices(), opened(office)):
            with pytest.raises(ToolError) as refused:
                await notices.tool.run(WORDS, context())
            assert refused.value.code == "unavailable"


async def test_what_cannot_be_stored_is_not_sent(tmp_path: Path) -> None:
    async with Texts({}, tmp_path, journey=await ann(PHONE)) as office:
        office.journal.fails = JournalError("the disk is full")
        with pytest.raises(ToolError) as refused:
            await opened(office).tool.run(WORDS, context())
        assert refused.value.code == "unavailable"
        office.journal.fails = None
        await office.outbox.idle()
        assert office.told() == []
