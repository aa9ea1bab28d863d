"""One measured call: a caller who says recorded utterances to the agent, each when a person would."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from bench.checking import Checked, CodeCheck
from bench.ruler import runs
from bench.speechset import LONG, QUESTIONS, Utterance
from ccaas.ports.media import Pcm
from ccaas.testing.caller import Call, Heard, SipCaller, Stereo
from ccaas.testing.caller import Utterance as Said

QUIET_S = 0.8
"""The agent has finished when it has been quiet for this long."""

_ANSWER_S = 8.0
_SPEECH_S = 40.0
"""Longest that the agent speaks (s)."""

_BREAK_S = 0.55
"""The agent's own pauses are shorter."""

_INTO_S = 4.0
"""How far into the long answer the caller speaks over it (s); the ruler wants at least 3.5."""

_WATCH_S = 5.5
"""What the agent does after a false alarm is watched for this long (s)."""


@dataclass(frozen=True, slots=True)
class Recorded:
    """A finished call."""

    side_car: dict[str, Any]
    """As the ruler reads it, and more: see `bench.ruler.measure_call`."""
    stereo: Stereo
    said: list[tuple[Utterance, Said]]


@dataclass(frozen=True, slots=True)
class _CallLine:
    """`bench.checking.Line` over a call. What is said here is no utterance of the set."""

    call: Call
    others: list[Said]

    async def say(self, pcm: Pcm) -> float:
        said = self.call.start_saying(pcm, 8000)
        self.others.append(said)
        began = await said.started
        await self._listen(await said.finished)
        return began

    async def press(self, keys: str) -> None:
        since = time.monotonic()
        await self.call.press(keys, tone_ms=80, gap_ms=60)
        await self._listen(since)

    async def _listen(self, since: float) -> None:
        try:
            await self.call.hear(since, QUIET_S, _SPEECH_S)
        except TimeoutError:
            return  # The turn record says so too


class MeasuredCall:
    """Runs one call over `utterances`; those that are spoken over the agent should stand together."""

    def __init__(self, ua: SipCaller, number: int, codec: str, check: CodeCheck | None = None) -> None:
        """`check` answers when a code is read back."""
        self._ua = ua
        self._check = check
        self._codec = codec
        self._random = random.Random(number)
        self.ani = f"+1555010{number:04d}"
        """The calling number, by which the call is found in the journal."""
        self._said: list[tuple[Utterance, Said]] = []
        self._others: list[Said] = []
        """What was said to read-backs."""
        self._checked: dict[str, Checked] = {}
        """By the utterance's id."""
        self._question = ""
        self._long_answer: Heard | None = None
        """Where it was heard undisturbed."""
        self._began: float | None = None
        """Since when it is being given, undisturbed; None while it is not."""

    async def run(
        self, utterances: Iterable[Utterance], question: str, pace: Callable[[float], float | None] | None = None
    ) -> Recorded:
        """Dial, say them all, hang up. Raises CallFailed or TimeoutError when the call does not come about.

        `question`: what the agent asks first. `pace`: told how many seconds have been said, it says how many to wait
        before the next utterance, None for no more; without it a person's little hesitation is all that is between.
        """
        self._question = question
        call = await self._ua.dial(self._question, codec=self._codec, from_number=self.ani)
        answered = await call.answered()
        self._asked(await self._listen(call, since=answered))
        for utterance in utterances:
            wait = pace(sum(said.speech_end_s - said.speech_start_s for said, _ in self._said)) if pace else 0.0
            if wait is None:
                break
            await asyncio.sleep(wait)
            if not call.is_up:
                break
            await self._ask_for(call, utterance.question)
            if utterance.question == LONG:
                await self._over(call, utterance)
            else:
                await self._turn(call, utterance)
        end = await call.hang_up()
        stereo = call.stereo()
        return Recorded(self._side_car(stereo, answered, end.at), stereo, self._said)

    async def _turn(self, call: Call, utterance: Utterance) -> None:
        await asyncio.sleep(self._random.uniform(0.2, 0.5))  # So that no turn falls on the same phase of a frame
        said = call.start_saying(utterance.pcm, 8000)
        self._said.append((utterance, said))
        ended = await said.started + utterance.speech_end_s
        await said.finished
        check = self._check if utterance.kind == "code" and utterance.slots else None
        try:
            await call.hear(ended, QUIET_S, _SPEECH_S if check else _ANSWER_S)
        except TimeoutError:
            return  # The ruler sees that there was no answer
        if check is not None:
            line = _CallLine(call, self._others)
            self._checked[utterance.id] = await check.run(line, self.ani, utterance, said.started.result())

    async def _over(self, call: Call, utterance: Utterance) -> None:
        began = self._began
        if began is None or self._left(began) < _WATCH_S + 2:
            began = await self._begin_long_answer(call)
        if began is None:
            return
        await asyncio.sleep(max(0.0, began + _INTO_S - time.monotonic()))
        said = call.start_saying(utterance.pcm, 8000)
        self._said.append((utterance, said))
        started = await said.started
        await said.finished
        self._began = None
        if utterance.kind == "bargein":
            try:
                self._began = await call.hear_start(started + utterance.speech_end_s + 0.1, _ANSWER_S)
            except TimeoutError:
                return
            await asyncio.sleep(0.5)  # The ruler wants to hear that it is speech
        else:
            await asyncio.sleep(_WATCH_S)
            silent = time.monotonic() - call.ears.last_voiced
            if call.is_up and max(silent, call.ears.longest_pause(started)) < _BREAK_S:
                self._began = began  # It goes on undisturbed: there may be room for another one

    def _left(self, began: float) -> float:
        """Seconds that an answer begun at `began` still lasts."""
        whole = self._long_answer.end - self._long_answer.start if self._long_answer else 0.0
        return began + whole - time.monotonic()

    async def _begin_long_answer(self, call: Call) -> float | None:
        """Wait for quiet and ask for the long answer; when it began."""
        limit = time.monotonic() + _SPEECH_S
        while (wait := call.ears.last_voiced + QUIET_S - time.monotonic()) > 0 and time.monotonic() < limit:
            await asyncio.sleep(wait)
        since = time.monotonic()
        await call.press(f"*{QUESTIONS.index(LONG) + 1}#", tone_ms=80, gap_ms=60)
        try:
            return await call.hear_start(since, _ANSWER_S)
        except TimeoutError:
            return None

    async def _ask_for(self, call: Call, question: str) -> None:
        """Have the agent ask another question, by keys."""
        if question == self._question:
            return
        self._question = question
        since = time.monotonic()
        await call.press(f"*{QUESTIONS.index(question) + 1}#", tone_ms=80, gap_ms=60)
        self._asked(await self._listen(call, since))

    def _asked(self, heard: Heard | None) -> None:
        if self._question == LONG and self._long_answer is None:
            self._long_answer = heard

    async def _listen(self, call: Call, since: float) -> Heard | None:
        """Until the agent has finished; what it said."""
        try:
            return await call.hear(since, QUIET_S, _SPEECH_S)
        except TimeoutError:
            return None

    def _side_car(self, stereo: Stereo, answered: float, ended: float) -> dict[str, Any]:
        rate = stereo.sample_rate
        starts = [stereo.starts.get(said.number, 0) / rate for _, said in self._said]
        others = [stereo.starts[said.number] / rate for said in self._others if said.number in stereo.starts]
        ends = sorted([*starts, *others, ended - stereo.origin])
        until = [next((end for end in ends if end > start), ends[-1]) for start in starts]
        turns = [
            {
                "id": utterance.id,
                "kind": utterance.kind,
                "question": utterance.question,
                "text": utterance.text,
                "speech_start_s": round(start + utterance.speech_start_s, 4),
                "speech_end_s": round(start + utterance.speech_end_s, 4),
                "until_s": round(limit, 4),
                "pauses_s": [[round(start + a, 4), round(start + b, 4)] for a, b in utterance.pauses],
                "whole": said.whole,
            }
            | ({"checked": self._checked[utterance.id].to_json()} if utterance.id in self._checked else {})
            for (utterance, said), start, limit in zip(self._said, starts, until, strict=True)
        ]
        long_answer = self._long_answer
        first = next((r.start for r in runs(stereo.audio[:, 1].astype(np.float64) / 32768, rate)), None)
        return {
            "ani": self.ani,
            "sample_rate": rate,
            "origin_monotonic_s": stereo.origin,
            "answered_s": round(answered - stereo.origin, 4),
            "first_audio_s": first,
            "ended_s": round(ended - stereo.origin, 4),
            "long_answer": [long_answer.start - stereo.origin, long_answer.end - stereo.origin]
            if long_answer
            else None,
            "sent_jitter_ms": round(stereo.sent_jitter_s * 1000, 2),
            "heard_jitter_ms": round(stereo.heard_jitter_s * 1000, 2),
            "stalls": stereo.stalls,
            "turns": turns,
        }


def save(recorded: Recorded, folder: Path, name: str) -> None:
    """Write the stereo WAV; its name goes into the side-car."""
    folder.mkdir(parents=True, exist_ok=True)
    recorded.side_car["wav"] = f"{name}.wav"
    recorded.stereo.save(folder / f"{name}.wav")
