"""What a conversation adds to its customer's timeline: threads that open, go on, change and close; what is told once."""

from __future__ import annotations

from ccaas.actions.audit import Outcome, ToolRun
from ccaas.chapter import Chapter, Moment, Page, Rows, Whose, page_of
from ccaas.conversation.events import TurnRecord
from ccaas.ports.journey import FactKind, Identity, IdentityKind, Profile, Thread, ThreadState
from ccaas.ports.reasoning import Topic
from ccaas.ports.sentiment import Mood
from ccaas.ports.tools import Effect

WHOSE = Whose("ann")
UPGRADE = Topic("upgrade", "the upgrade", ThreadState.OPEN, ("seat",))
BAG = Topic("bag", "the lost bag", ThreadState.OPEN)


def chapter(whose: Whose = WHOSE, kept: str = "", known: tuple[Thread, ...] = ()) -> Chapter:
    return Chapter("call-1", "voice", "desk", whose, known, kept)


def pages(rows: Rows) -> list[Page]:
    return [page_of(row.record) for row in rows]


def thread(rows: Rows) -> Thread:
    (found,) = [page.thread for page in pages(rows) if page.thread is not None]
    return found


def kinds(rows: Rows) -> list[FactKind]:
    return [page.fact.kind for page in pages(rows) if page.fact is not None]


def test_a_topic_opens_a_thread_once() -> None:
    call = chapter()
    first = call.about(UPGRADE, {"at": 1}, "t1", 10.0)
    assert kinds(first) == [FactKind.ASKED]
    again = call.about(UPGRADE, {"at": 2}, "t2", 20.0)
    assert kinds(again) == []
    assert thread(again).id == thread(first).id
    assert (thread(again).opened_at, thread(again).updated_at, thread(again).snapshot) == (10.0, 20.0, {"at": 2})


def test_another_topic_opens_another_and_the_first_goes_on_when_it_comes_back() -> None:
    call = chapter()
    upgrade = thread(call.about(UPGRADE, {}, "t1", 1.0))
    bag = thread(call.about(BAG, {}, "t2", 2.0))
    assert bag.id != upgrade.id
    assert call.about(None, {}, "t3", 3.0) == ()
    assert pages(call.noted("n", "In between.", 3.0, {}))[0].fact.thread_id == ""  # type: ignore[union-attr]
    assert thread(call.about(UPGRADE, {}, "t4", 4.0)).id == upgrade.id


def test_a_closed_thread_has_no_snapshot_and_the_same_wish_again_is_a_new_one() -> None:
    call = chapter()
    first = thread(call.about(UPGRADE, {"at": 1}, "t1", 1.0))
    closed = Topic("upgrade", "the upgrade", ThreadState.CLOSED, outcome="Seat 12A.")
    told = thread(call.about(closed, {"at": 2}, "t2", 2.0))
    assert (told.id, told.state, told.snapshot, told.outcome) == (first.id, ThreadState.CLOSED, None, "Seat 12A.")
    said = pages(call.said(TurnRecord("t2", "Yes.", "", "", heard_text="Done."), Moment(2.0), Moment(2.5)))
    assert {page.fact.thread_id for page in said if page.fact} == {first.id}, "the last words still belong to it"
    assert thread(call.about(UPGRADE, {}, "t3", 3.0)).id != first.id


def test_a_thread_that_is_taken_up_keeps_its_beginning() -> None:
    old = Thread("th-9", "ann", "upgrade", "the upgrade", ThreadState.OPEN, "chat", 1.0, 2.0)
    call = chapter(known=(old,))
    told = call.about(Topic("upgrade", "the upgrade", ThreadState.OPEN, thread_id="th-9"), {}, "t1", 50.0)
    assert kinds(told) == []
    assert (thread(told).id, thread(told).opened_at, thread(told).channel) == ("th-9", 1.0, "voice")


def test_the_next_controller_goes_on_with_the_same_thread() -> None:
    call = chapter()
    first = thread(call.about(UPGRADE, {}, "t1", 1.0))
    told = chapter(kept=call.thread).about(UPGRADE, {}, "t2", 2.0)
    assert kinds(told) == []
    assert thread(told).id == first.id


def test_a_promise_is_told_once() -> None:
    call = chapter()
    owed = Topic("upgrade", "the upgrade", ThreadState.WAITING, promise="We call back.", due=99.0)
    ids = set()
    for number in range(3):
        found = [page.fact for page in pages(call.about(owed, {}, f"t{number}", float(number))) if page.fact]
        ids |= {fact.id for fact in found if fact.kind is FactKind.PROMISED}
        assert next(fact for fact in found if fact.kind is FactKind.PROMISED).data == {"due": 99.0}
    assert len(ids) == 1


def test_how_a_turn_felt_is_told_with_its_parts() -> None:
    mood = Mood(0.81234, 0.7, None, 0.5, wants_human=True)
    record = TurnRecord("t2", "Outrageous!", "", "", sentiment=0.812, mood=mood, channel="sms")
    said, felt = (
        page.fact for page in pages(chapter().said(record, Moment(2.0, "recordings/a.wav#t=2.0"), Moment(3.0)))
    )
    assert said is not None
    assert felt is not None
    assert (felt.kind, felt.text, felt.at, felt.source, felt.turn_id) == (FactKind.FELT, "upset", 2.0, "customer", "t2")
    assert (felt.recording, felt.channel) == (said.recording, "sms")
    assert felt.data == {"score": 0.812, "words": 0.7, "prosody": None, "trend": 0.5, "wants_human": True}
    assert [Mood(score, 0, 0, 0, wants_human=False).word for score in (-0.5, 0.0, 0.4, 0.6)] == [
        "pleased",
        "calm",
        "annoyed",
        "upset",
    ]


def test_what_was_taken_back_and_what_was_refused_is_not_told() -> None:
    call = chapter()
    assert call.said(TurnRecord("t1", "I want", "", "", retaken=True), Moment(1.0), Moment(1.0)) == ()
    run = ToolRun("k", "call-1", "t1", "ann", "book", Effect.WRITE, {}, "", Outcome.REFUSED, 1.0)
    assert call.did(run, 1.0) == ()


def test_keys_are_words_too_and_secrets_are_masked() -> None:
    call = chapter()
    (pressed,) = pages(call.said(TurnRecord("t1", "", "12#", ""), Moment(1.0, "recordings/a.wav#t=1.0"), Moment(1.0)))
    assert pressed.fact is not None
    assert (pressed.fact.text, pressed.fact.recording) == ("pressed 12#", "recordings/a.wav#t=1.0")
    card = Topic("pay", "the bill", ThreadState.OPEN, slots={"card": "4111 1111 1111 1111"})
    told = thread(call.about(card, {"card": "4111111111111111", "pin": "1234"}, "t2", 2.0))
    assert told.slots == {"card": "[card ending 1111]"}
    assert told.snapshot == {"card": "[card ending 1111]", "pin": "[secret]"}


def test_what_is_nobodys_is_not_kept_and_a_stranger_is_known_by_their_address() -> None:
    assert chapter(Whose()).contacted("Called.", "customer", 1.0, {}) == ()
    phone = Identity(IdentityKind.PHONE, "+16175550142")
    whose = Whose("", phone, Profile("ann", "Ann"))
    (row,) = chapter(whose).contacted("Called.", "customer", 1.0, {"entry": "front"})
    assert row.whose == "phone:+16175550142"
    assert page_of(row.record).whose == whose
