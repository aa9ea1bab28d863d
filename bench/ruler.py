"""The judge of a recorded call: numpy on a stereo WAV (left the caller, right the agent) and what was planted in it.

    python -m bench.ruler CALL.json…        the side-car beside CALL.wav; prints one line an utterance

It knows nothing of the system that it measures. Conventions: an utterance ends at its planted end; the agent is audible
at the first 5 ms frame of a run of speech of at least 100 ms, gaps up to 100 ms bridged; an agent that starts inside
the utterance, its pauses included, has cut the caller off. A frame is speech when it lies less than 35 dB under the
channel's active level and above −60 dBFS.
"""

from __future__ import annotations

import itertools
import json
import sys
import wave
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

Samples = NDArray[np.float64]

FRAME_S = 0.005
BRIDGE_S = 0.1
SHORTEST_S = 0.1
UNDER_ACTIVE_DB = 35.0
FLOOR_DBFS = -60.0

OVER_AGENT = ("bargein", "backchannel", "noise")
"""Kinds that are spoken while the agent speaks."""

FALSE_ALARMS = ("backchannel", "noise")
"""Of these, the ones that want nothing: the agent should go on."""

_ANSWER_GAP_S = 0.3
"""Shortest silence that is no pause inside the agent's own speech, when its own pauses are not known."""

_ALIKE = 0.5
"""Normalised correlation from which two pieces are the same recording; different speech stays under 0.3."""

_PIECES = 4
_SLACK_S = 0.005
_ALIKE_IN_PIECES = 0.7
"""What was taken back and sent again on the way may come some milliseconds sooner or later than in the undisturbed answer, which
takes all likeness from a template that it falls into. So the template is compared in pieces, each of which may be off a little:
the same words then reach 0.95, others stay under 0.45."""


@dataclass(frozen=True, slots=True)
class Planted:
    """One utterance of the caller. Seconds are of the recording."""

    id: str
    kind: str
    speech_start_s: float
    speech_end_s: float
    until_s: float
    """What the agent does up to here belongs to this utterance."""
    committed_s: tuple[float, ...] = ()
    """When the controller took a turn as finished, by its own word; none from a recording alone."""


@dataclass(frozen=True, slots=True)
class Run:
    """A stretch of speech (s)."""

    start: float
    end: float


@dataclass(frozen=True, slots=True)
class Measured:
    """What the recording says about one utterance. None: does not apply, or did not happen."""

    id: str
    kind: str
    voice_to_voice_ms: float | None = None
    """Planted end of speech to the agent's first audible frame."""
    cut_off: bool = False
    """The agent started, or the turn was taken, inside the utterance."""
    answered: bool = False
    """The agent began to speak after it."""
    over_agent: bool = False
    """The agent was speaking when it began."""
    stop_ms: float | None = None
    """Beginning of the utterance to the agent's last audible frame."""
    survived: bool | None = None
    """The agent spoke on without a break."""
    went_on: bool | None = None
    """The agent said the words that were due, at once or after a break."""


def runs(channel: Samples, rate: int) -> list[Run]:
    """Where there is speech. `channel`: mono, ±1; `rate` in Hz."""
    size = round(FRAME_S * rate)
    count = len(channel) // size
    if not count:
        return []
    power = np.mean(channel[: count * size].reshape(count, size) ** 2, axis=1)
    level = 10 * np.log10(power + 1e-12)
    floor = max(FLOOR_DBFS, _active_dbfs(level) - UNDER_ACTIVE_DB)
    return _joined(level > floor)


def _active_dbfs(level: NDArray[np.float64]) -> float:
    """Level of the frames that matter: mean power of those within 20 dB of the loud ones (their 95th percentile)."""
    heard = level[level > FLOOR_DBFS]
    if not len(heard):
        return FLOOR_DBFS
    loud = heard[heard > np.percentile(heard, 95) - 20]
    return float(10 * np.log10(np.mean(10 ** (loud / 10))))


def _joined(speech: NDArray[np.bool_]) -> list[Run]:
    edges = np.flatnonzero(np.diff(np.concatenate(([False], speech, [False])).astype(np.int8)))
    found: list[Run] = []
    for start, end in zip(edges[::2] * FRAME_S, edges[1::2] * FRAME_S, strict=True):
        if found and start - found[-1].end <= BRIDGE_S + 1e-9:
            found[-1] = Run(found[-1].start, float(end))
        else:
            found.append(Run(float(start), float(end)))
    return [run for run in found if run.end - run.start >= SHORTEST_S - 1e-9]


@dataclass(slots=True)
class Ruler:
    """Measures the utterances of one recording."""

    agent: Samples
    """The agent's channel, ±1."""
    rate: int
    long_answer: Run | None = None
    """Where the recording holds, undisturbed, the answer over which the caller speaks elsewhere."""
    runs: list[Run] = field(init=False)

    def __post_init__(self) -> None:
        self.runs = runs(self.agent, self.rate)

    def measure(self, said: Planted) -> Measured:
        """Apply the conventions to one utterance."""
        took_early = any(said.speech_start_s < at < said.speech_end_s for at in said.committed_s)
        if said.kind in OVER_AGENT:
            return self._over(said, took_early)
        inside = any(said.speech_start_s < run.start < said.speech_end_s for run in self.runs)
        answer = self._answer(said)
        cut_off = inside or took_early
        return Measured(
            said.id,
            said.kind,
            voice_to_voice_ms=None if cut_off or answer is None else (answer - said.speech_end_s) * 1000,
            cut_off=cut_off,
            answered=answer is not None,
        )

    def _answer(self, said: Planted) -> float | None:
        starts = (run.start for run in self.runs if said.speech_end_s <= run.start < said.until_s)
        return next(starts, None)

    def _over(self, said: Planted, took_early: bool) -> Measured:
        gap = self._longest_pause()
        spoken = [run for run in self.runs if run.start < said.speech_start_s + FRAME_S]
        if not spoken or spoken[-1].end < said.speech_start_s - gap:
            return Measured(said.id, said.kind, cut_off=took_early)
        stop = spoken[-1].end
        later = [run for run in self.runs if run.start >= said.speech_start_s + FRAME_S]
        while later and later[0].start - stop <= gap:
            stop = later.pop(0).end
        went_through = stop >= min(said.speech_end_s + 1.0, said.until_s)
        again = later[0].start if later and later[0].start < said.until_s else None
        if said.kind in FALSE_ALARMS:
            went_on = self._went_on(said)
            if went_on is None:
                went_on = went_through or (again is not None and not said.committed_s)
            survived = went_through and went_on
            return Measured(said.id, said.kind, over_agent=True, survived=survived, went_on=went_on)
        cut_off = took_early or (again is not None and again < said.speech_end_s)
        answer = again if again is not None and not went_through and not cut_off else None
        return Measured(
            said.id,
            said.kind,
            voice_to_voice_ms=None if answer is None else (answer - said.speech_end_s) * 1000,
            cut_off=cut_off,
            answered=again is not None,
            over_agent=True,
            stop_ms=None if went_through else max(0.0, stop - said.speech_start_s) * 1000,
        )

    def _longest_pause(self) -> float:
        """The longest silence inside the undisturbed answer, with a frame's room."""
        if self.long_answer is None:
            return _ANSWER_GAP_S
        inside = [run for run in self.runs if self.long_answer.start <= run.start < self.long_answer.end]
        pauses = [after.start - before.end for before, after in itertools.pairwise(inside)]
        return max([_ANSWER_GAP_S, *(pause + 0.02 for pause in pauses)])

    def _went_on(self, said: Planted) -> bool | None:
        """Whether the words due a second into the utterance were said within four; None when that cannot be told.

        An agent that begins its answer again says them too, but later: the caller speaks no earlier than that.
        """
        if self.long_answer is None:
            return None
        reference = self._cut(self.long_answer.start, self.long_answer.end)
        before = self._cut(said.speech_start_s - 0.8, said.speech_start_s)
        place, likeness = find(before, reference)
        due = place + len(before) + self.rate
        template = reference[due : due + round(0.8 * self.rate)]
        if likeness < _ALIKE or len(template) < 0.4 * self.rate:
            return None
        heard = self._cut(said.speech_start_s, min(said.speech_start_s + 4.8, said.until_s))
        return _in_pieces(template, heard, self.rate) >= _ALIKE_IN_PIECES

    def _cut(self, start: float, end: float) -> Samples:
        return self.agent[max(0, round(start * self.rate)) : max(0, round(end * self.rate))]


def find(template: Samples, within: Samples) -> tuple[int, float]:
    """Where `template` fits best (sample index), and its normalised correlation there; (0, 0.0) when it cannot."""
    alike = _alike(template, within)
    best = int(np.argmax(alike))
    return best, float(alike[best])


def _in_pieces(template: Samples, within: Samples, rate: int) -> float:
    """The mean likeness of a template's pieces where they fit best together; 0 when they cannot."""
    size, slack = len(template) // _PIECES, round(_SLACK_S * rate)
    places = len(within) - size * _PIECES + 1
    if places <= 0:
        return 0.0
    likeness = np.zeros(places)
    for start in range(0, size * _PIECES, size):
        alike = np.pad(_alike(template[start : start + size], within), slack, constant_values=-1.0)
        near = np.lib.stride_tricks.sliding_window_view(alike, 2 * slack + 1).max(axis=1)
        likeness += near[start : start + places]
    return float(likeness.max() / _PIECES)


def _alike(template: Samples, within: Samples) -> Samples:
    """Normalised correlation at each place; one zero when the template has nothing in it or does not fit."""
    length, norm = len(template), float(np.linalg.norm(template))
    if not norm or len(within) < length:
        return np.zeros(max(1, len(within) - length + 1))
    size = 1 << (len(within) + length).bit_length()
    spectrum = np.fft.rfft(within, size) * np.conj(np.fft.rfft(template, size))
    products = np.fft.irfft(spectrum, size)[: len(within) - length + 1]
    sums = np.concatenate(([0.0], np.cumsum(within**2)))
    energy = np.sqrt(np.maximum(sums[length:] - sums[:-length], 1e-9))
    return np.asarray(products / (energy * norm))


def read_wav(path: Path) -> tuple[NDArray[np.float64], int]:
    """A 16-bit PCM WAV as floats of ±1, shape [n, channels], and its rate."""
    with wave.open(str(path), "rb") as file:
        if file.getsampwidth() != 2:
            raise ValueError(f"{path} is not 16-bit PCM")
        pcm = np.frombuffer(file.readframes(file.getnframes()), dtype="<i2")
        return pcm.reshape(-1, file.getnchannels()) / 32768.0, file.getframerate()


def measure_call(side_car: dict[str, Any], folder: Path) -> list[Measured]:
    """All utterances of one recorded call, from its side-car (as read from JSON); the WAV lies in `folder`."""
    audio, rate = read_wav(folder / side_car["wav"])
    long_answer = side_car.get("long_answer")
    ruler = Ruler(audio[:, 1], rate, Run(*long_answer) if long_answer else None)
    return [ruler.measure(planted(turn)) for turn in side_car["turns"]]


def planted(turn: dict[str, Any]) -> Planted:
    """One utterance of a side-car; keys that are not the ruler's are left alone."""
    return Planted(
        id=turn["id"],
        kind=turn["kind"],
        speech_start_s=turn["speech_start_s"],
        speech_end_s=turn["speech_end_s"],
        until_s=turn["until_s"],
        committed_s=tuple(turn.get("committed_s", ())),
    )


def main(paths: Sequence[str]) -> int:
    """Print what the recordings say."""
    for path in map(Path, paths):
        for measured in measure_call(json.loads(path.read_text()), path.parent):
            print(json.dumps(asdict(measured)))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
