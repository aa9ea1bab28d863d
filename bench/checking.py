"""The caller's side of a read-back: hears what was understood, corrects it once at most, agrees when it is right."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Protocol

from bench.journal import replied
from bench.readback import Answer, answer, heard, known
from bench.speechset import Utterance
from ccaas.ports.media import Pcm

_THINKS_S = 0.3
"""From the end of the question to the caller's answer (s)."""


class Line(Protocol):
    """What the check needs of a call."""

    async def say(self, pcm: Pcm) -> float:
        """Say 8 kHz samples and let the agent answer; the monotonic second in which they began."""
        ...

    async def press(self, keys: str) -> None:
        """Press keys and let the agent answer."""
        ...


@dataclass(frozen=True, slots=True)
class Checked:
    """How one code was read back, corrected and read back again."""

    known: str
    first: str
    """What the caller heard of it at first; empty: it was not read back."""
    last: str
    """What the caller heard last."""
    way: str = ""
    """How it was corrected; empty: not at all."""
    said: str = ""
    """The correction's words."""
    understood: str = ""
    """What the recogniser made of the correction. Not the caller's to know: for whoever reads the report."""

    @property
    def right(self) -> bool:
        """Whether the agent had it right in the end, by what it said."""
        return self.last == self.known

    def to_json(self) -> dict[str, Any]:
        """For the side-car."""
        return asdict(self) | {"right": self.right}


class CodeCheck:
    """Answers the read-backs of one run. What the agent said is read from its turn record: the words that were played."""

    def __init__(self, state: Path, agreeing: Sequence[Utterance], speak: Callable[[str, int], Awaitable[Pcm]]) -> None:
        """`state`: the system's folder; `agreeing`: recordings that say yes; `speak`: makes any other sentence, and is told
        the how manyth it is."""
        self._state = state
        self._agreeing = agreeing
        self._speak = speak
        self._checks = 0
        self._corrections = 0

    async def run(self, line: Line, ani: str, utterance: Utterance, said_at: float) -> Checked:
        """From `said_at`, the monotonic second in which the utterance began, until the agent asks its next question."""
        truth = known(dict(utterance.slots))
        first = await self._heard(ani, said_at)
        reaction = answer(truth, first, self._corrections)
        checked = Checked(truth, first, first)
        if reaction.text:
            checked = await self._correct(line, ani, checked, reaction)
        if not checked.last:
            return checked  # Nothing was read back: the agent has asked again
        if not checked.right:
            await line.press("2")  # No more than one correction: leave it
            return checked
        await asyncio.sleep(_THINKS_S)
        agreed_at = await line.say(await self._yes())
        again = await self._heard(ani, agreed_at)
        if not again:
            return checked
        await line.press("2")  # Our yes was not taken for one
        return Checked(truth, first, again, checked.way, checked.said, checked.understood)

    async def _correct(self, line: Line, ani: str, before: Checked, reaction: Answer) -> Checked:
        pcm = await self._speak(reaction.text, self._corrections)
        self._corrections += 1
        said_at = await line.say(pcm)
        record = await replied(self._state, ani, said_at)
        last = heard(record["heard_text"]) if record else ""
        understood = record["caller_text"] if record else ""
        return Checked(before.known, before.first, last, reaction.way, reaction.text, understood)

    async def _yes(self) -> Pcm:
        self._checks += 1
        if self._agreeing:
            return self._agreeing[self._checks % len(self._agreeing)].pcm
        return await self._speak("Yes, that's right.", self._checks)

    async def _heard(self, ani: str, since: float) -> str:
        record = await replied(self._state, ani, since)
        return heard(record["heard_text"]) if record else ""
