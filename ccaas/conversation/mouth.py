"""The speaking side of one call: replies become clauses, clauses become audio, and what was heard becomes text again."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

import structlog

from ccaas.conversation.clauses import clauses
from ccaas.conversation.phrases import Phrases
from ccaas.errors import SpeechError
from ccaas.media.playout import FRAME_S, Playout
from ccaas.ports.media import Pcm

_log = structlog.get_logger(__name__)


@dataclass(slots=True)
class _Clause:
    text: str
    chunks: list[Pcm] = field(default_factory=list)
    done: bool = False
    failed: bool = False
    """No voice could speak it, or not to its end."""
    samples: int = 0


class Speech:
    """One reply being made into audio. Only its first clause is made until `release`: it may never be said."""

    def __init__(self, text: str, phrases: Phrases, sample_rate: int) -> None:
        self.text = text
        self.clauses = [_Clause(part) for part in clauses(text)]
        self._phrases = phrases
        self._rate = sample_rate
        self._released = asyncio.Event()
        self._changed = asyncio.Event()
        self.task = asyncio.create_task(self._make(), name="speech") if self.clauses else None
        """Makes the audio; None when there is nothing to say."""

    @property
    def spoken(self) -> str:
        """What of the text there was a voice for."""
        return " ".join(clause.text for clause in self.clauses if not clause.failed)

    def check(self) -> None:
        """Raise what broke in the making, other than a SpeechError."""
        if self.task is not None and self.task.done() and not self.task.cancelled():
            self.task.result()

    def release(self) -> None:
        """It will be said: make the rest."""
        self._released.set()

    def drop(self) -> None:
        """It will not be said (further): stop making it."""
        if self.task is not None:
            self.task.cancel()

    async def wait(self) -> None:
        """Return when more audio has come, or all of it is there, or `wake` was called."""
        await self._changed.wait()
        self._changed.clear()

    def wake(self) -> None:
        """Let `wait` return."""
        self._changed.set()

    async def _make(self) -> None:
        try:
            for number, clause in enumerate(self.clauses):
                if number:
                    await self._released.wait()
                await self._make_clause(clause)
        finally:
            for clause in self.clauses:
                clause.done = True
            self.wake()

    async def _make_clause(self, clause: _Clause) -> None:
        try:
            async for chunk in self._phrases.speak(clause.text, self._rate):
                clause.chunks.append(chunk)
                clause.samples += len(chunk)
                self.wake()
        except SpeechError as error:
            _log.error("clause not spoken", characters=len(clause.text), error=str(error))
            clause.failed = True
        clause.done = True
        self.wake()


class Mouth:
    """Plays one reply at a time. `say` returns when it was heard to its end; `stop` cuts it off."""

    def __init__(self, playout: Playout, phrases: Phrases, now: Callable[[], float]) -> None:
        self._playout = playout
        self._phrases = phrases
        self._now = now
        self._speech: Speech | None = None
        self._making: set[asyncio.Task[None]] = set()
        self._on_first: Callable[[], None] | None = None
        self._pumping: asyncio.TimerHandle | None = None
        self._drained = asyncio.Event()
        self._stopped = False

    @property
    def playout(self) -> Playout:
        return self._playout

    def prepare(self, text: str) -> Speech:
        """Begin to make `text` into audio."""
        speech = Speech(text, self._phrases, self._playout.sample_rate)
        if speech.task is not None:
            self._making.add(speech.task)
            speech.task.add_done_callback(self._made)
        return speech

    def _made(self, task: asyncio.Task[None]) -> None:
        self._making.discard(task)
        if not task.cancelled():
            task.exception()  # raised by `say`, if anybody ever says it

    async def say(self, speech: Speech, on_first: Callable[[], None]) -> bool:
        """Say it. True when it was heard to its end, False when `stop` cut it off.

        `on_first` is called when its first frame is on its way. A clause that cannot be spoken is left out; whatever else
        breaks in a voice is raised here.
        """
        self._speech, self._stopped, self._on_first = speech, False, on_first
        self._drained.clear()
        self._playout.begin()
        speech.release()
        try:
            for clause in speech.clauses:
                fed = 0
                while not self._stopped:
                    while fed < len(clause.chunks):
                        self._playout.play(clause.chunks[fed])
                        fed += 1
                    self._pump()
                    if clause.done and fed == len(clause.chunks):
                        break
                    await speech.wait()
                if self._stopped:
                    return False
                speech.check()
            self._playout.finish()
            self._pump()
            if not self._playout.drained:
                await self._drained.wait()
            return not self._stopped
        finally:
            speech.drop()
            self._speech = self._on_first = None

    def pause(self) -> None:
        """Fall silent, keeping the rest."""
        self._playout.pause()

    def resume(self, again_s: float) -> None:
        """Go on, with the word that was cut if it began within `again_s` seconds."""
        self._playout.resume(again_s)
        self._pump()

    def stop(self) -> str:
        """Cut the reply off. What of it was heard; empty when nothing is being said."""
        if self._speech is None:
            return ""
        heard = heard_text(self._speech.clauses, round(self._playout.stop() * self._playout.sample_rate))
        self._stopped = True
        self._drained.set()
        self._speech.wake()
        return heard

    async def close(self) -> None:
        """The call is over: fall silent, and leave nothing running."""
        self.stop()
        self._playout.stop()
        if self._pumping is not None:
            self._pumping.cancel()
            self._pumping = None
        making = tuple(self._making)
        for task in making:
            task.cancel()
        await asyncio.gather(*making, return_exceptions=True)

    def _pump(self) -> None:
        """Send what is due, and come back in 20 ms while there is something to do."""
        started = self._playout.pump()
        if self._pumping is None and self._playout.active:
            self._pumping = asyncio.get_running_loop().call_later(FRAME_S, self._again)
        if self._playout.drained:
            self._drained.set()
        if started and self._on_first is not None:
            on_first, self._on_first = self._on_first, None
            on_first()

    def _again(self) -> None:
        self._pumping = None
        self._pump()


def heard_text(said: list[_Clause], samples: int) -> str:
    """The words of `said` that fit into the first `samples`: whole clauses, then words in proportion to time."""
    heard: list[str] = []
    for clause in said:
        if clause.failed:
            samples = max(samples - clause.samples, 0)
            continue
        if clause.done and samples >= clause.samples:
            heard.append(clause.text)
            samples -= clause.samples
            continue
        words = clause.text.split()
        length = clause.samples if clause.done else max(clause.samples, samples * 2)
        share = samples / length if length else 0.0
        heard.extend(words[: int(len(words) * share)])
        break
    return " ".join(heard)
