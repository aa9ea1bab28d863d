"""The gate at work: what it keeps, and that nobody reaches a customer past it, whichever way they try."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

import pytest
from office import Clerk, Office
from texting import ADDRESS, CHAT, DAY, STRANGER, Texts

from ccaas.errors import CcaasError, MessageFailed
from ccaas.hooks import PluginHost
from ccaas.hookspecs import hookimpl
from ccaas.journal.entries import CallBegan
from ccaas.journal.journal import Journal
from ccaas.journal.messages import MessageQueued
from ccaas.messaging.notices import Notice, Notices
from ccaas.outreach.abandonment import Met
from ccaas.outreach.compliance_store import block, kept, unblock
from ccaas.outreach.gate import PermittedCalls
from ccaas.outreach.permits import SENDING, ContactRefused
from ccaas.outreach.sip import PermittedSip
from ccaas.outreach.store import OutreachError, OutreachStore
from ccaas.ports.journey import Identity, IdentityKind, Profile
from ccaas.ports.messaging import OutboundMessage
from ccaas.ports.outreach import Permit, Purpose
from ccaas.ports.tools import ToolContext
from ccaas.telephony.supervisor import new_call_id
from ccaas.testing.fakes.journey import FakeJourney
from ccaas.testing.fakes.messaging import FakeSipMessages, FakeTextChannel
from ccaas.testing.fakes.reasoning import Line

pytestmark = pytest.mark.looptime

NIGHT = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)  # three in the morning in Boston
PHONE = Identity(IdentityKind.PHONE, ADDRESS)
OTHER = Identity(IdentityKind.EMAIL, "ann@x.example")


async def journey_of_ann() -> FakeJourney:
    journey = FakeJourney()
    await journey.register(Profile("ann"), (PHONE, OTHER))
    return journey


def queued(name: str = "out-1", text: str = "Your flight is late.", channel: str = "sms", **more: Any) -> MessageQueued:
    address = more.pop("address", ADDRESS)
    reference = more.pop("reference", "")
    return MessageQueued(
        channel, OutboundMessage(name, address, "", text, reference, data=more.pop("data", {})), **more
    )


async def send(office: Texts, message: MessageQueued) -> None:
    await office.chronicle.append(message)
    office.outbox.put(message)
    await office.outbox.idle()


def decisions(office: Texts) -> list[tuple[str, str]]:
    rows = office.contacts.rows("SELECT decision, rule FROM contacts ORDER BY id")
    return [(row["decision"], row["rule"]) for row in rows]


async def test_each_decision_is_kept_and_a_contact_is_counted_once(tmp_path: Path) -> None:
    outreach = {"caps": [{"most": 2, "days": 1}]}
    async with Texts({}, tmp_path, journey=await journey_of_ann(), outreach=outreach) as office:
        office.sms.fails = MessageFailed("the gateway is down", again=True)
        await office.chronicle.append(message := queued(customer_id="ann"))
        office.outbox.put(message)
        await office.until(lambda: len(office.sms.attempts) == 4, "it is tried again and again")
        office.sms.fails = None
        await office.outbox.idle()
        for name in ("out-2", "out-3"):
            await send(office, queued(name, customer_id="ann"))
        assert decisions(office) == [("allowed", "contact"), ("allowed", "contact"), ("refused", "frequency")]
        assert len(office.told()) == 2
        last = (await office.contacts.read(kept(1)))[0]
        assert (last.contact_id, last.customer_id, last.channel, last.address) == ("out-3", "ann", "sms", ADDRESS)
        assert "enough" in last.words
        assert office.journal.rows("SELECT state FROM messages_out WHERE message_id = 'out-3'") == [
            {"state": "refused"}
        ]


async def test_at_night_it_waits_for_the_morning_and_holds_up_no_answer(tmp_path: Path) -> None:
    async with Texts({"Hi": Line("Hello.")}, tmp_path, journey=await journey_of_ann(), wall=NIGHT) as office:
        await send(office, queued(customer_id="ann"))
        await office.write("Hi")
        await office.until(lambda: office.told() == ["Hello."], "the answer at night")
        assert decisions(office) == [("later", "hours")]
        await office.quiet(6 * 3600)
        assert len(office.told()) == 2, "the message in the morning"
        assert office.clock.wall() >= NIGHT.replace(hour=13)
        assert decisions(office) == [("later", "hours"), ("allowed", "contact")]


async def test_what_is_too_late_by_then_is_never_sent(tmp_path: Path) -> None:
    async with Texts({}, tmp_path, journey=await journey_of_ann(), wall=DAY) as office:
        await send(office, queued(customer_id="ann", data={"not_after": "1000"}))
        assert (office.told(), decisions(office)) == ([], [])


async def test_stop_on_one_channel_is_stop_on_all_at_once(tmp_path: Path) -> None:
    mail = FakeTextChannel(CHAT)
    channels = {"sms": FakeTextChannel(), "web": mail}
    async with Texts({}, tmp_path, journey=await journey_of_ann(), channels=channels) as office:
        await office.write("STOP")
        await send(office, queued("out-1", channel="web", address="ann@x.example", customer_id="ann"))
        with pytest.raises(ContactRefused, match="stopped"):
            await office.gate.permit_call("call-1", f"PJSIP/{ADDRESS}@carrier", Purpose.SERVICE)
        assert mail.sent == []
        await office.write("START")
        assert (await office.gate.permit_call("call-1", f"PJSIP/{ADDRESS}@carrier", Purpose.SERVICE)).channel == "voice"


async def test_lists_count_for_every_address_of_the_customer(tmp_path: Path) -> None:
    async with Texts({}, tmp_path, journey=await journey_of_ann()) as office:
        await office.contacts.write(block(["Ann@X.example "], "asked on the phone", "admin"))
        await send(office, queued(customer_id="ann"))
        assert (office.told(), decisions(office)) == ([], [("refused", "listed")])
        assert await office.contacts.write(unblock("ann@x.example"))
        await send(office, queued("out-2", customer_id="ann"))
        assert len(office.told()) == 1
    listed = {ADDRESS: "register.txt"}
    (tmp_path / "b").mkdir()
    async with Texts({}, tmp_path / "b", journey=await journey_of_ann(), listed=listed) as office:
        await send(office, queued(customer_id="ann"))
        assert (office.told(), decisions(office)) == ([], [("refused", "listed")])


async def test_plugins_add_reasons_against_and_cannot_take_any_away(tmp_path: Path) -> None:
    async with Texts({}, tmp_path, journey=await journey_of_ann()) as office:
        office.crm.against = "they are on board"
        await send(office, queued(customer_id="ann"))
        assert (office.told(), decisions(office)) == ([], [("refused", "plugin:crm")])
        office.crm.against = cast("str", True)  # an answer of the wrong type is none
        await send(office, queued("out-2", customer_id="ann"))
        assert len(office.told()) == 1


async def test_while_decisions_cannot_be_kept_nobody_is_contacted(tmp_path: Path) -> None:
    async with Texts({}, tmp_path, journey=await journey_of_ann()) as office:
        office.contacts.fails = OutreachError("the disk is full")
        await send(office, queued(customer_id="ann"))
        assert office.told() == []


@pytest.mark.parametrize(("ours", "told"), [(False, 1), (True, 0)])
async def test_a_confirmation_is_free_in_the_customers_own_call_and_not_in_ours(
    tmp_path: Path, ours: bool, told: int
) -> None:
    async with Texts({}, tmp_path, journey=await journey_of_ann(), wall=NIGHT) as office:
        ani = "+18005550100" if ours else ADDRESS
        await office.journal.append(CallBegan("call-1", ani, "1000", "front", "ann", ADDRESS))
        notices = Notices()
        journal = cast("Journal", office.journal)
        notices.open(office.places, office.outbox, journal, office.chronicle, office.journey)
        await notices.tool.run(Notice(text="It is done."), ToolContext("call-1", "t3", "ann", "k", DAY))
        await office.outbox.idle()
        assert office.told() == ["It is done."][:told]


# — every way that a hostile plug-in has —


class Hostile(FakeTextChannel):
    """A channel that tries to reach everybody with whatever it was lent, whenever it runs."""

    def __init__(self) -> None:
        super().__init__()
        self.refused: list[str] = []
        self.lent: Any = None

    async def start(self, around: Any) -> None:
        self.lent = around
        await super().start(around)

    async def send(self, message: OutboundMessage) -> None:
        await self.attack(f"PJSIP/carrier/sip:{STRANGER}@carrier.example")
        await super().send(message)

    async def attack(self, to: str) -> None:
        try:
            await self.lent.sip.send(to, "sip:us@example", "Buy now!")
        except MessageFailed as error:
            self.refused.append(str(error))


async def test_a_hostile_channel_reaches_nobody_by_sip(tmp_path: Path) -> None:
    channel, sip = Hostile(), FakeSipMessages()
    async with Texts({}, tmp_path, journey=await journey_of_ann(), channels={"sms": channel}) as office:
        channel.lent = type("Lent", (), {"sip": PermittedSip(sip, office.gate.register)})
        await channel.attack(f"PJSIP/carrier/sip:{ADDRESS}@carrier.example")
        forged = SENDING.set(Permit("x", "sms", ADDRESS))
        await channel.attack(f"PJSIP/carrier/sip:{ADDRESS}@carrier.example")
        SENDING.reset(forged)
        # Within a message to Ann that is allowed, not to a stranger.
        await send(office, queued(customer_id="ann"))
        assert len(channel.refused) == 3
        assert sip.sent == []
        # And to her once, not twice.
        with office.gate.register.sending(office.gate.register.issue(Permit("y", "sms", ADDRESS)), "sms", ADDRESS):
            for _ in range(2):
                await channel.attack(f"PJSIP/carrier/sip:{ADDRESS}@carrier.example")
        assert len(sip.sent) == 1


async def test_a_forged_answer_is_no_answer(tmp_path: Path) -> None:
    """A message that pretends to answer one that never came, or that somebody else wrote, is a contact like any other."""
    async with Texts({"Hi": Line("Hello.")}, tmp_path, journey=await journey_of_ann(), wall=NIGHT) as office:
        await office.write("Hi", STRANGER)
        await office.until(lambda: office.told(STRANGER), "the stranger's answer")
        real = office.journal.rows("SELECT message_id FROM messages_in")[0]["message_id"]
        for name, reference in (("f-1", "never-came"), ("f-2", real)):
            await send(office, queued(name, reference=reference, customer_id="ann", conversation_id="never-was"))
        assert office.told() == []
        assert decisions(office) == [("later", "hours"), ("later", "hours")]


async def test_what_the_outbox_was_handed_on_disk_is_looked_at_too(tmp_path: Path) -> None:
    """Somebody writes rows into the journal behind our back: the next controller asks the gate before it sends them."""
    journey = await journey_of_ann()
    async with Texts({}, tmp_path, journey=journey) as office:
        await office.journal.append(queued(customer_id=""), queued("out-2", channel="sms", address=STRANGER))
    async with Texts({}, tmp_path, journey=journey) as office:
        await office.outbox.idle()
        assert (office.sms.sent, {rule for _, rule in decisions(office)}) == ([], {"unknown"})


async def test_a_permit_is_good_for_one_contact_with_one_address(tmp_path: Path) -> None:
    async with Texts({}, tmp_path, journey=await journey_of_ann()) as office:
        register = office.gate.register
        for permit, address in (
            (None, ADDRESS),
            (object(), ADDRESS),
            (Permit("x", "sms", ADDRESS), ADDRESS),
            (register.issue(Permit("x", "sms", ADDRESS)), STRANGER),
            (register.issue(Permit("x", "voice", ADDRESS)), ADDRESS),
        ):
            with pytest.raises(ContactRefused):
                register.redeem(permit, "sms", address)
        good = register.issue(Permit("x", "sms", ADDRESS))
        register.redeem(good, "sms", ADDRESS)
        with pytest.raises(ContactRefused):
            register.redeem(good, "sms", ADDRESS)


@pytest.mark.parametrize(
    ("endpoint", "rule"),
    [
        (f"PJSIP/{ADDRESS}@carrier", ""),
        (f"PJSIP/carrier/sip:{ADDRESS}@carrier.example", ""),
        (f"Local/{ADDRESS}@outside", ""),
        ("PJSIP/6001", ""),  # a phone of this installation: a colleague's
        ("SIP/6001", "unknown"),
        ("PJSIP/6001@carrier", "unknown"),
        (f"PJSIP/{STRANGER}@carrier", "unknown"),
        ("Local/s@elsewhere", "unknown"),
    ],
)
async def test_whom_a_call_reaches_is_read_from_the_endpoint(tmp_path: Path, endpoint: str, rule: str) -> None:
    async with Texts({}, tmp_path, journey=await journey_of_ann()) as office, Office() as calls:
        calls.supervisor._redeem = PermittedCalls(office.gate.register)
        if rule:
            with pytest.raises(ContactRefused) as refused:
                await office.gate.permit_call("call-1", endpoint, Purpose.SERVICE)
            assert refused.value.rule == rule
            permit: object = Permit("call-1", "voice", endpoint)
            with pytest.raises(CcaasError):
                await calls.supervisor.originate(endpoint, "front", Clerk("x"), new_call_id(), "", permit)
            return
        permit = await office.gate.permit_call("call-1", endpoint, Purpose.SERVICE)
        assert isinstance(permit, Permit)
        assert (permit.channel, permit.address) == ("voice", endpoint)


async def test_a_hook_that_wants_to_allow_is_not_asked(tmp_path: Path) -> None:
    class Generous:
        @hookimpl
        async def ccaas_may_contact(self, approach: Any) -> str | None:
            object.__setattr__(approach, "customer_id", "ann")
            object.__setattr__(approach, "address", STRANGER)
            return None

    async with Texts({}, tmp_path, journey=await journey_of_ann()) as office:
        office.gate._host = PluginHost.of({"generous": Generous()})
        await send(office, queued(customer_id="", address=STRANGER))
        assert office.sms.sent == []
        await send(office, queued("out-2", customer_id="ann"))
        assert [message.address for message in office.sms.sent] in ([], [ADDRESS])


async def test_the_store_is_a_file_of_its_own_and_survives(tmp_path: Path) -> None:
    store = await OutreachStore.open(tmp_path / "outreach.sqlite")
    await store.write(block([ADDRESS], "asked", "admin"))
    await store.close()
    store = await OutreachStore.open(tmp_path / "outreach.sqlite")
    assert await store.write(unblock(ADDRESS))
    assert not await store.write(unblock(ADDRESS))
    await store.close()
    with pytest.raises(OutreachError, match="closed"):
        await store.read(kept(1))


async def test_a_call_ahead_of_agents_is_judged_by_its_own_campaign(tmp_path: Path) -> None:
    async with Texts({}, tmp_path, journey=await journey_of_ann()) as office:
        gate, phone = office.gate, f"PJSIP/{ADDRESS}@carrier"
        met = {"campaign:spring": Met(100, 0), "campaign:autumn": Met(100, 9)}

        async def of(play: str) -> Met:
            return met[play]

        without = await gate.decide_call("a", phone, Purpose.SERVICE, "campaign:spring", ahead=True)
        gate.met = of
        said = [without]
        said += [
            await gate.decide_call(f"{ahead}{play}", phone, Purpose.SERVICE, play, ahead=ahead)
            for play in met
            for ahead in (True, False)
        ]
        assert [one.rule for one in said] == ["abandonment", "contact", "contact", "abandonment", "contact"]
