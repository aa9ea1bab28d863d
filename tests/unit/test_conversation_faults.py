"""What fails in a conversation costs a pause, a clause or the conversation, and never leaves anything behind."""

from __future__ import annotations

from pathlib import Path

import pytest
from talking import GREETING, Script, Talk, Voice, Wait, Write, pinned

from ccaas.ports.reasoning import Ending, Reply

pytestmark = pytest.mark.looptime

ASK = "Tell me more."
STORY = "Here is a story. It was long. It is over."


class Boom(Exception):
    """What a plug-in raises."""


def committed(talk: Talk) -> list[str]:
    return [turn.text or turn.keys for turn in talk.reasoner.commits]


async def test_a_recogniser_that_fails_costs_that_pause(tmp_path: Path) -> None:
    async with Talk({}, tmp_path) as talk:
        await talk.agent_says(GREETING)
        talk.ears.failing = 1
        await talk.say(ASK)
        await talk.agent_says("Are you there 1?")
        await talk.say(ASK)
        await talk.agent_says("Okay.")
        assert committed(talk) == [ASK]


async def test_a_turn_detector_that_fails_is_done_without(tmp_path: Path) -> None:
    async with Talk({}, tmp_path) as talk:
        await talk.agent_says(GREETING)
        talk.turning.failing = 1
        ended = await talk.say(ASK)
        await talk.agent_says("Okay.")
        assert talk.first_sound(ended) - ended < 1.0


async def test_a_turn_detector_that_fails_behind_a_recogniser_that_fails(tmp_path: Path) -> None:
    async with Talk({}, tmp_path) as talk:
        await talk.agent_says(GREETING)
        talk.turning.failing, talk.ears.failing, talk.ears.slow_s = 1, 1, 0.05
        await talk.say(ASK)
        await talk.agent_says("Are you there 1?")


async def test_a_clause_without_a_voice_is_left_out_and_not_believed_to_be_heard(tmp_path: Path) -> None:
    async with Talk({ASK: Script(STORY)}, tmp_path) as talk:
        talk.voice.fails_on = ("It was long.",)
        await talk.agent_says(GREETING)
        ended = await talk.say(ASK)
        await talk.agent_says("It is over.")
        assert talk.agent(ended) == "Here is a story.It is over."
        await talk.until(lambda: talk.records["t1"].heard_text, "the record is closed")
        assert talk.reasoner.heard[-1] == ("Here is a story. It is over.", False)
        assert talk.records["t1"].heard_text == "Here is a story. It is over."


async def test_a_reply_without_any_voice_is_not_believed_to_be_heard(tmp_path: Path) -> None:
    async with Talk({ASK: Script("Shall I cancel it?")}, tmp_path) as talk:
        talk.voice.fails_on = ("Shall I cancel it?",)
        await talk.agent_says(GREETING)
        await talk.say(ASK)
        await talk.agent_says("Are you there 1?")
        assert talk.reasoner.heard[1] == ("", False)


async def test_the_fallback_voice_steps_in(tmp_path: Path) -> None:
    fallback = Voice()
    async with Talk({ASK: Script(STORY)}, tmp_path, fallback=fallback) as talk:
        talk.voice.fails_on = ("It was long.",)
        await talk.agent_says(GREETING)
        ended = await talk.say(ASK)
        await talk.agent_says("It is over.")
        assert talk.agent(ended) == "Here is a story.It was long.It is over."
        assert fallback.texts == ["It was long."]
        await talk.until(lambda: talk.reasoner.heard[-1] == (STORY, True), "all of it is heard")


async def test_an_ending_without_a_voice_is_an_ending(tmp_path: Path) -> None:
    async with Talk({ASK: Script(Reply("Goodbye.", ending=Ending.HANG_UP))}, tmp_path) as talk:
        talk.voice.fails_on = ("Goodbye.",)
        await talk.agent_says(GREETING)
        await talk.say(ASK)
        assert (await talk.outcome()).ending is Ending.HANG_UP


async def ends_with(talk: Talk, kind: type[Exception]) -> None:
    with pytest.raises(ExceptionGroup) as raised:
        await talk.outcome()
    assert raised.value.subgroup(kind) is not None
    assert talk.stream.waiting == 0, "silent at once"


async def test_a_voice_that_breaks_ends_the_conversation(tmp_path: Path) -> None:
    async with Talk({}, tmp_path) as talk:
        await talk.agent_says(GREETING)
        talk.voice.broken = Boom()
        await talk.say(ASK)
        await ends_with(talk, Boom)


async def test_a_voice_that_breaks_for_what_is_never_said_is_no_fault(tmp_path: Path) -> None:
    async with Talk(
        {"Tell me more about": Script("More?"), "Tell me more about it.": Script("Okay.")}, tmp_path
    ) as talk:
        await talk.agent_says(GREETING)
        talk.voice.broken = Boom()
        await talk.say("Tell me more about")
        await talk.wait(0.4)
        assert "Tell me more about" in [turn.text for turn in talk.reasoner.drafts]
        talk.voice.broken = None
        await talk.say("it.")
        await talk.agent_says("Okay.")


@pytest.mark.parametrize(
    "script",
    [Script(fails=Boom()), Script(Boom()), Script("I look.", Wait(0.3), Boom()), Script(Write("book"), Boom())],
    ids=["draft", "commit", "between replies", "after a write"],
)
async def test_a_reasoner_that_breaks_ends_the_conversation(tmp_path: Path, script: Script) -> None:
    async with Talk({ASK: script}, tmp_path) as talk:
        await talk.agent_says(GREETING)
        await talk.say(ASK)
        await ends_with(talk, Boom)


async def test_a_reasoner_that_breaks_on_a_timer_ends_the_conversation(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with Talk({ASK: Script(STORY)}, tmp_path) as talk:
        await talk.agent_says(GREETING)
        await talk.say(ASK)
        await talk.agent_says("It was")

        def broken(text: str, whole: bool) -> None:
            raise Boom

        monkeypatch.setattr(talk.reasoner.dialogues[-1], "heard", broken)
        await talk.say("Never mind all that.")
        await ends_with(talk, Boom)


async def test_a_reasoner_that_never_drafts_ends_the_conversation(tmp_path: Path) -> None:
    async with Talk({ASK: Script("Okay.", draft_s=1_000)}, tmp_path, pinned(longest_draft_s=5)) as talk:
        await talk.agent_says(GREETING)
        await talk.say(ASK)
        await talk.agent_says("One moment.")
        await ends_with(talk, TimeoutError)


async def test_a_reasoner_that_never_answers_keys_ends_the_conversation(tmp_path: Path) -> None:
    async with Talk({"1#": Script("Okay.", draft_s=1_000)}, tmp_path, pinned(longest_draft_s=5)) as talk:
        await talk.agent_says(GREETING)
        talk.conversation.key("1")
        talk.conversation.key("#")
        await ends_with(talk, TimeoutError)


async def test_a_commit_that_never_ends_ends_the_conversation(tmp_path: Path) -> None:
    script = Script("I look.", Wait(1_000), "Found.")
    async with Talk({ASK: script}, tmp_path, pinned(longest_draft_s=5)) as talk:
        await talk.agent_says(GREETING)
        await talk.say(ASK)
        await talk.agent_says("I look.")
        await ends_with(talk, TimeoutError)


async def test_a_recogniser_that_never_answers_ends_the_conversation(tmp_path: Path) -> None:
    async with Talk({}, tmp_path, pinned(longest_draft_s=5)) as talk:
        await talk.agent_says(GREETING)
        talk.ears.slow_s = 1_000
        await talk.say(ASK)
        await ends_with(talk, TimeoutError)


async def test_a_greeting_that_never_comes_ends_the_conversation(tmp_path: Path) -> None:
    async with Talk({}, tmp_path, pinned(longest_draft_s=5)) as talk:
        talk.reasoner.open_s = 1_000
        await ends_with(talk, TimeoutError)


@pytest.mark.parametrize("moment", [number * 0.17 for number in range(1, 42)])
async def test_a_hang_up_at_any_moment_leaves_nothing(tmp_path: Path, moment: float) -> None:
    """`Talk` looks for tasks, open recogniser streams and audio when it is left."""
    scripts = {
        ASK: Script(STORY, Wait(0.2), "And so on. And on."),
        "Stop it please.": Script("I book it.", Write("book"), "Done.", draft_s=0.3),
    }
    async with Talk(scripts, tmp_path) as talk:
        talk.voice.slow_s = 0.05
        talk.caller.pause(1.0)
        talk.caller.speak(ASK)
        talk.caller.pause(1.5)
        talk.caller.speak("okay")
        talk.caller.pause(0.5)
        talk.caller.speak("Stop it please.")
        await talk.wait(moment)
        begun = len(talk.tools.begun)
    assert len(talk.tools.done) == len(talk.tools.begun) == begun, "a write goes on to its end, and no other begins"


async def test_frames_after_the_end_are_nobodys(tmp_path: Path) -> None:
    async with Talk({ASK: Script(Reply("Goodbye.", ending=Ending.HANG_UP))}, tmp_path) as talk:
        await talk.agent_says(GREETING)
        await talk.say(ASK)
        await talk.outcome()
        before = len(talk.ears.streams)
        await talk.say("Hello? Are you still there?")
        talk.conversation.key("1")
        talk.conversation.hold(True)
        assert len(talk.ears.streams) == before
