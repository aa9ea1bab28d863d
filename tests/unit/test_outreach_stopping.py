"""Who wants to hear no more: understood by voice and by text, kept with their words as its proof, and obeyed by the gate at once."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ccaas.chapter import Rows
from ccaas.journal.journal import JournalError
from ccaas.outreach.no_more import wants_no_more
from ccaas.outreach.settings import NoMore
from ccaas.outreach.stopping import NoMoreContacts, Stopping
from ccaas.outreach.store import OutreachError, OutreachStore
from ccaas.ports.journey import Identity, IdentityKind, JourneyContext, Profile
from ccaas.ports.reasoning import CallerTurn, DialogueContext, Ending, Reply
from ccaas.testing.fakes.reasoning import FakeReasoner, Line

ANN = "+16175550100"


@pytest.mark.parametrize(
    "words",
    [
        "Stop calling me.",
        "please stop calling me",
        "Would you stop texting me, please?",
        "stop emailing me",
        "Quit contacting us!",
        "Don't call me again.",
        "Don’t ever call me anymore",
        "never call this number again",
        "Do not write to me.",
        "Take me off your list.",
        "I want you to take my number off of your calling list, okay?",
        "Please remove me from your database",
        "Put me on your do not call list",
        "I don't want any more calls.",
        "I do not want to receive your marketing emails",
        "I don't want to be contacted anymore, thanks. I don't want to hear from you.",
        "No more calls, please.",
        "Unsubscribe me",
        "I would like to opt out",
        "I revoke my consent.",
        "Yes. And stop calling me.",
    ],
)
def test_it_is_understood(words: str) -> None:
    assert wants_no_more(words, "voice")
    assert wants_no_more(words.upper(), "chat")


@pytest.mark.parametrize(
    "words",
    [
        "Stop.",
        "Stop, wait a minute",
        "Don't call me before nine.",
        "stop calling me at work",
        "Please don't call me back, I'll come to the office",
        "Don't text me, call me instead",
        "Never write me off",
        "stop calling me Shirley",
        "Can you call me back?",
        "Don't take me off the list",
        "I don't want to be rude",
        "I want no more delays",
        "Take my bag off the list of extras",
        "cancel my flight",
        "I never got your emails",
        "I don't want to call you again about this",
        "Are there no more calls today?",
        "",
    ],
)
def test_what_only_sounds_like_it_is_not_taken_for_it(words: str) -> None:
    assert not wants_no_more(words, "voice")


@pytest.mark.parametrize(
    ("written", "means_it"),
    [("STOP", True), ("Stop!", True), ("unsubscribe", True), ("hello\nSTOP", True), ("cancel", False), ("end", False)],
)
def test_a_lone_word_counts_where_it_is_written(written: str, means_it: bool) -> None:
    assert wants_no_more(written, "chat") is wants_no_more(written, "email") is means_it
    assert not wants_no_more(written, "voice")


def test_the_yaml_adds_other_words() -> None:
    assert wants_no_more("Rufen Sie mich NICHT mehr an!", "voice", ("nicht mehr an",))


@given(st.text(max_size=400))
def test_no_text_breaks_it(text: str) -> None:
    assert wants_no_more(text, "chat") in (True, False)


def test_a_long_text_is_read_quickly_whatever_it_repeats() -> None:
    for part in ("don't want any more ", "take me off of your ", "stop calling me again ", "no more "):
        assert not wants_no_more(part * 5_000 + "x", "voice")


class Kept:
    def __init__(self) -> None:
        self.entries: list[Any] = []
        self.error: JournalError | None = None

    async def append(self, *entries: Any) -> None:
        if self.error is not None:
            raise self.error
        self.entries += entries


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[OutreachStore]:
    opened = await OutreachStore.open(tmp_path / "outreach.sqlite")
    yield opened
    await opened.close()


def keeps(store: OutreachStore, chronicle: Kept) -> NoMoreContacts:
    def spell(channel: str, address: str) -> Identity | None:
        return Identity(IdentityKind.PHONE, address) if address.startswith("+") else None

    return NoMoreContacts(NoMore(), store, cast("Any", chronicle), spell, lambda: 1_000.0)


def context(channel: str = "voice", *, known: bool = True) -> DialogueContext:
    identities = (Identity(IdentityKind.PHONE, ANN), Identity(IdentityKind.EMAIL, "Ann@example.com"))
    journey = JourneyContext(Profile("c-1"), identities) if known else None
    return DialogueContext("call-1", channel, ANN, "1000", None, cast("Any", None), datetime.now(UTC), journey=journey)


async def answered(reasoner: Stopping, words: str, where: DialogueContext) -> list[Reply]:
    dialogue = reasoner.open(where)
    draft = await dialogue.draft(CallerTurn("t-1", words))
    assert draft.reply is None or draft.intent != "no_more_contacts", "nothing is promised before it is kept"
    return [reply async for reply in dialogue.commit(draft)]


async def listed(store: OutreachStore) -> dict[str, str]:
    rows: Rows | Any = await store.read(lambda db: db.execute("SELECT * FROM do_not_contact").fetchall())
    return {row["address"]: row["why"] for row in rows}


async def test_it_is_kept_for_each_of_their_addresses_with_their_words(store: OutreachStore) -> None:
    chronicle = Kept()
    (reply,) = await answered(Stopping(FakeReasoner({}), keeps(store, chronicle), ANN), "Stop calling me!", context())
    assert reply.text == NoMore().confirmed
    assert reply.ending is None
    found = await listed(store)
    assert set(found) == {ANN, "ann@example.com"}
    assert found[ANN] == "asked for it: “Stop calling me!” (voice, call call-1, turn t-1)"
    kinds = ['"granted":false' in one.record for one in chronicle.entries]
    assert kinds.count(True) == 8, "no channel, and neither service nor marketing"


async def test_a_call_that_we_began_ends_with_it(store: OutreachStore) -> None:
    reasoner = Stopping(FakeReasoner({}), keeps(store, Kept()), ANN, ours=True)
    (reply,) = await answered(reasoner, "take me off your list", context(known=False))
    assert (reply.text, reply.ending) == (f"{NoMore().confirmed} Goodbye.", Ending.HANG_UP)
    assert set(await listed(store)) == {ANN}


async def test_in_a_chat_a_lone_stop_counts_and_other_words_go_on(store: OutreachStore) -> None:
    reasoner = Stopping(FakeReasoner({"cancel": Line("Cancelled.")}), keeps(store, Kept()))
    assert await answered(reasoner, "cancel", context("chat")) == [Reply("Cancelled.")]
    assert await listed(store) == {}
    (reply,) = await answered(reasoner, "STOP", context("chat"))
    assert reply.text == NoMore().confirmed
    assert len(await listed(store)) == 2


async def test_what_could_not_be_kept_is_not_confirmed(store: OutreachStore, monkeypatch: pytest.MonkeyPatch) -> None:
    async def full(*_: Any) -> None:
        raise OutreachError("the disk is full")

    monkeypatch.setattr(store, "write", full)
    (reply,) = await answered(Stopping(FakeReasoner({}), keeps(store, Kept())), "STOP", context("chat"))
    assert reply.text == NoMore().failed


async def test_the_list_holds_while_the_journey_cannot_be_told(store: OutreachStore) -> None:
    chronicle = Kept()
    chronicle.error = JournalError("no")
    (reply,) = await answered(Stopping(FakeReasoner({}), keeps(store, chronicle)), "STOP", context("chat"))
    assert reply.text == NoMore().confirmed
    assert len(await listed(store)) == 2
