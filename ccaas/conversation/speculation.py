"""Preparing an answer while the caller may still go on: recognise, judge, draft, and make the first words.

Nothing here changes anything: a speculation that the caller overtakes is cancelled and forgotten.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, replace

import structlog

from ccaas.conversation.aside import joined, known
from ccaas.conversation.ear import Utterance
from ccaas.conversation.endpointing import wait_s
from ccaas.conversation.mouth import Mouth, Speech
from ccaas.conversation.parts import Parts
from ccaas.conversation.state import Verdict
from ccaas.errors import SpeechError
from ccaas.ports.reasoning import CallerTurn, Dialogue, Draft
from ccaas.ports.speech import Transcript

_log = structlog.get_logger(__name__)

_UNKNOWN_FINISH = 0.5
"""What is assumed when the turn detector fails, or is not asked: its own middle."""


@dataclass(frozen=True, slots=True)
class Judgement:
    """What the stretch up to the pause was."""

    text: str
    verdict: Verdict
    wait_s: float


class Speculation:
    """One attempt. `judge_text` says what the words are (a turn, a back-channel, nothing)."""

    def __init__(
        self,
        number: int,
        turn_id: str,
        utterance: Utterance,
        dialogue: Dialogue,
        lock: asyncio.Lock,
        mouth: Mouth,
        parts: Parts,
        judge_text: Callable[[str], Verdict],
    ) -> None:
        self.number = number
        self.turn_id = turn_id
        self.dialogue = dialogue
        """The dialogue that would take the turn; another than the call's own when an earlier commit is taken back."""
        self._utterance = utterance
        self._lock = lock
        self._mouth = mouth
        self._parts = parts
        self._judge_text = judge_text
        self.transcript: Transcript | None = None
        self.speech: Speech | None = None
        """The draft's first words being made, once there is a draft."""
        self.recognized_at: float | None = None
        self.drafted_at: float | None = None
        self._dropped = False

    async def judge(self) -> Judgement:
        """Recognise and judge. A model that fails costs this pause, not the call."""
        expect = self.dialogue.expectation
        spoken_s = self._utterance.spoken_s
        finish = asyncio.create_task(self._finished(), name="turn detection")
        try:
            try:
                self.transcript = await self._utterance.stream.final(expect)
            except SpeechError as error:
                _log.error("not recognised", error=str(error))
                return Judgement("", Verdict.NOTHING, 0.0)
            self.recognized_at = self._parts.clock.now()
            text = self.transcript.text
            verdict = self._judge_text(text)
            if verdict is Verdict.NOTHING:
                return Judgement(text, verdict, 0.0)
            finished = await finish
            judgement = Judgement(text, verdict, wait_s(text, finished, expect, self._parts.settings, spoken_s))
            self.transcript = replace(self.transcript, text=joined(await known(self._utterance.before), text))
            return judgement
        finally:
            finish.cancel()
            await asyncio.gather(finish, return_exceptions=True)

    async def _finished(self) -> float:
        """How finished the voice sounds. On a busy machine the words alone must tell."""
        if self._parts.busy:
            return _UNKNOWN_FINISH
        try:
            return await self._parts.turn.finished(self._utterance.recent())
        except SpeechError as error:
            _log.error("turn detector failed", error=str(error))
            return _UNKNOWN_FINISH

    async def draft(self) -> Draft:
        """What would be answered, its first words under way. `judge` has returned."""
        text = self.transcript.text if self.transcript else ""
        confidence = self.transcript.confidence if self.transcript else None
        turn = CallerTurn(self.turn_id, text, confidence=confidence, final=False)
        async with self._lock:
            draft = await self.dialogue.draft(turn)
        self.drafted_at = self._parts.clock.now()
        if draft.reply is not None and draft.reply.text and not self._dropped:
            self.speech = self._mouth.prepare(draft.reply.text)
        return draft

    def drop(self) -> None:
        """Forget what was prepared."""
        self._dropped = True
        if self.speech is not None:
            self.speech.drop()
