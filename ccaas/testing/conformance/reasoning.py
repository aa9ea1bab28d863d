"""What every `Reasoner` must do. Subclass `ReasonerConformance` and give it a fixture `scene`."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass, field
from datetime import UTC, datetime

import pytest

from ccaas.ports.journey import Assurance, Customer, JourneyContext, Profile, Thread, ThreadState
from ccaas.ports.reasoning import CallerTurn, Dialogue, DialogueContext, Draft, Ending, Reasoner, Reply, Topic
from ccaas.ports.tools import Effect
from ccaas.testing.fakes.tools import FakeToolbox


@dataclass(frozen=True, slots=True)
class Scene:
    """A reasoner and a conversation that it can hold."""

    reasoner: Reasoner
    """Not yet started."""
    tools: FakeToolbox
    plain: str
    """Words that are answered without any tool."""
    reading: str
    """Words whose draft runs a reading tool, said first."""
    confirming: tuple[str, ...]
    """Words of the caller that end with the yes to a write."""
    goodbye: str
    """Words that end the call."""
    customer: Customer | None = None
    now: datetime = field(default_factory=lambda: datetime(2024, 5, 15, 15, tzinfo=UTC))

    def context(
        self,
        journey: JourneyContext | None = None,
        channel: str = "voice",
        assurance: Assurance = Assurance.NONE,
    ) -> DialogueContext:
        """For one conversation."""
        return DialogueContext(
            "call-1",
            channel,
            "+16175550123",
            "100",
            self.customer,
            self.tools,
            self.now,
            journey=journey,
            assurance=assurance,
        )

    def journey(self, topic: Topic, dialogue: Dialogue) -> JourneyContext:
        """A journey with one thread, which the dialogue has just spoken of."""
        at, kept = self.now.timestamp(), json.loads(json.dumps(dialogue.snapshot()))
        thread = Thread(
            id="thread-1",
            customer_id="c-1",
            goal=topic.goal,
            title=topic.title,
            state=topic.state,
            channel="voice",
            opened_at=at,
            updated_at=at,
            missing=topic.missing,
            slots=topic.slots,
            snapshot=kept,
        )
        return JourneyContext(Profile("c-1", "Ann", "Lee"), threads=(thread,))

    def writes(self) -> int:
        """How many writes were made."""
        return sum(call.effect is Effect.WRITE for call in self.tools.calls)


async def say(dialogue: Dialogue, text: str, turn_id: str = "") -> tuple[Draft, list[Reply]]:
    """One whole turn: drafted, committed, and told as heard."""
    draft = await dialogue.draft(CallerTurn(turn_id or f"turn-{text}", text))
    replies = [reply async for reply in dialogue.commit(draft)]
    for reply in replies:
        dialogue.heard(reply.text, True)
    return draft, replies


class ReasonerConformance:
    """The suite."""

    async def opened(self, scene: Scene) -> Dialogue:
        """A started reasoner's dialogue, past its greeting."""
        await scene.reasoner.start()
        dialogue = scene.reasoner.open(scene.context())
        await dialogue.open()
        return dialogue

    async def test_it_speaks_first(self, scene: Scene) -> None:
        await scene.reasoner.start()
        reply = await scene.reasoner.open(scene.context()).open()
        assert reply.text
        assert reply.ending is None

    async def test_drafting_twice_has_no_effect_and_says_the_same(self, scene: Scene) -> None:
        dialogue = await self.opened(scene)
        before = json.dumps(dialogue.snapshot(), sort_keys=True)
        turn = CallerTurn("t1", scene.reading, final=False)
        first = await dialogue.draft(turn)
        second = await dialogue.draft(turn)
        assert first.reply == second.reply
        assert json.dumps(dialogue.snapshot(), sort_keys=True) == before
        assert scene.writes() == 0

    async def test_a_draft_may_be_overtaken_by_more_words(self, scene: Scene) -> None:
        dialogue = await self.opened(scene)
        await dialogue.draft(CallerTurn("t1", "I", final=False))
        draft = await dialogue.draft(CallerTurn("t1", scene.plain))
        replies = [reply async for reply in dialogue.commit(draft)]
        assert replies
        assert draft.turn.text == scene.plain

    async def test_a_draft_may_be_cancelled(self, scene: Scene) -> None:
        dialogue = await self.opened(scene)
        before = dialogue.snapshot()
        task = asyncio.ensure_future(dialogue.draft(CallerTurn("t1", scene.reading)))
        await asyncio.sleep(0)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        assert dialogue.snapshot() == before
        _, replies = await say(dialogue, scene.plain)
        assert replies

    async def test_commit_says_the_drafted_reply_first(self, scene: Scene) -> None:
        dialogue = await self.opened(scene)
        for text in (scene.plain, *scene.confirming):
            draft, replies = await say(dialogue, text)
            if draft.reply is not None:
                assert replies[0] == draft.reply

    async def test_a_turn_of_reading_says_something_at_once(self, scene: Scene) -> None:
        dialogue = await self.opened(scene)
        draft = await dialogue.draft(CallerTurn("t1", scene.reading))
        assert draft.reply is not None
        assert any(call.effect is Effect.READ for call in scene.tools.calls)

    async def test_a_write_waits_for_the_commit_of_the_yes_and_happens_once(self, scene: Scene) -> None:
        dialogue = await self.opened(scene)
        for text in scene.confirming[:-1]:
            await say(dialogue, text)
        yes = CallerTurn("yes", scene.confirming[-1])
        await dialogue.draft(yes)
        draft = await dialogue.draft(yes)
        assert scene.writes() == 0
        replies = [reply async for reply in dialogue.commit(draft)]
        assert scene.writes() == 1
        assert "".join(reply.text for reply in replies)
        written = next(call for call in scene.tools.calls if call.effect is Effect.WRITE)
        assert written.confirmed_by

    async def test_a_cancelled_commit_does_not_undo_the_write(self, scene: Scene) -> None:
        dialogue = await self.opened(scene)
        for text in scene.confirming[:-1]:
            await say(dialogue, text)
        draft = await dialogue.draft(CallerTurn("yes", scene.confirming[-1]))

        async def commit() -> None:
            async for _ in dialogue.commit(draft):
                pass

        task = asyncio.ensure_future(commit())
        for _ in range(3):
            await asyncio.sleep(0)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await say(dialogue, scene.plain)
        assert scene.writes() == 1

    async def test_a_snapshot_is_json_from_which_another_dialogue_goes_on(self, scene: Scene) -> None:
        dialogue = await self.opened(scene)
        for text in scene.confirming[:-1]:
            await say(dialogue, text)
        kept = json.loads(json.dumps(dialogue.snapshot()))
        again = scene.reasoner.open(scene.context(), kept)
        assert (await again.open()).text
        await say(again, scene.confirming[-1])
        assert scene.writes() == 1

    async def test_what_was_heard_may_be_told_in_part(self, scene: Scene) -> None:
        dialogue = await self.opened(scene)
        draft = await dialogue.draft(CallerTurn("t1", scene.plain))
        async for reply in dialogue.commit(draft):
            dialogue.heard(reply.text[: len(reply.text) // 2], False)
        _, replies = await say(dialogue, scene.plain, "t2")
        assert replies

    async def test_it_is_about_nothing_before_anything_was_said(self, scene: Scene) -> None:
        assert (await self.opened(scene)).topic() is None

    @pytest.mark.parametrize("assurance", list(Assurance))
    async def test_it_is_at_least_as_sure_as_its_context(self, scene: Scene, assurance: Assurance) -> None:
        await scene.reasoner.start()
        dialogue = scene.reasoner.open(scene.context(assurance=assurance))
        assert dialogue.assurance is assurance

    async def test_a_topic_is_open_until_the_write_and_then_told_once(self, scene: Scene) -> None:
        dialogue = await self.opened(scene)
        for text in scene.confirming[:-1]:
            await say(dialogue, text)
        before = dialogue.topic()
        assert before is not None
        assert before.goal
        assert before.title
        assert (before.state, before.outcome, before.thread_id) == (ThreadState.OPEN, "", "")
        await say(dialogue, scene.confirming[-1])
        after = dialogue.topic()
        assert after is not None
        assert after.goal == before.goal
        assert after.state is not ThreadState.OPEN
        assert after.outcome
        await say(dialogue, scene.plain)
        assert dialogue.topic() is None

    @pytest.mark.parametrize("channel", ["voice", "chat"])
    async def test_an_open_thread_is_asked_about_and_taken_up(self, scene: Scene, channel: str) -> None:
        first = await self.opened(scene)
        for text in scene.confirming[:-1]:
            await say(first, text)
        topic = first.topic()
        assert topic is not None
        dialogue = scene.reasoner.open(scene.context(scene.journey(topic, first), channel))
        opening = await dialogue.open()
        assert topic.title in opening.text
        await say(dialogue, "Yes.")
        assert scene.writes() == 0
        taken_up = dialogue.topic()
        assert taken_up is not None
        assert (taken_up.thread_id, taken_up.goal) == ("thread-1", topic.goal)
        await say(dialogue, scene.confirming[-1])
        assert scene.writes() == 1

    async def test_silence_ends_in_a_goodbye(self, scene: Scene) -> None:
        dialogue = await self.opened(scene)
        for times in range(1, 12):
            reply = await dialogue.silence(times)
            assert reply.text
            if reply.ending is Ending.HANG_UP:
                return
        raise AssertionError("eleven silences, and no goodbye")

    async def test_goodbye_hangs_up(self, scene: Scene) -> None:
        dialogue = await self.opened(scene)
        _, replies = await say(dialogue, scene.goodbye)
        assert replies[-1].ending is Ending.HANG_UP

    async def test_nonsense_is_answered(self, scene: Scene) -> None:
        dialogue = await self.opened(scene)
        for text in ("", "xyzzy plugh", "{}", "a" * 5_000):
            draft = await dialogue.draft(CallerTurn(f"n-{text[:5]}", text))
            replies = [reply async for reply in dialogue.commit(draft)]
            assert replies
            if replies[-1].ending is not None:
                return

    async def test_fixed_phrases_are_sentences(self, scene: Scene) -> None:
        await scene.reasoner.start()
        phrases = scene.reasoner.phrases()
        assert len(set(phrases)) == len(phrases)
        assert all(phrase.strip() and "{" not in phrase for phrase in phrases)
