"""A folder of recorded caller utterances: `set.jsonl` and its WAVs, in the format of bench/speech/README.md."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile
from numpy.typing import NDArray

RATE = 8000
LONG = "long"
"""The question under which the agent gives its long answer, for callers who speak over it."""

QUESTIONS = ("open", "yes_no", "code", "flight", "phone", "member", "card", "date", "spelling", "name", "number", "choice", "birth", LONG)  # fmt: skip
"""Dialled words of examples/bench/flows.yaml; keying "*n#" asks the n-th from then on."""

_BY_KIND = {"bargein": LONG, "backchannel": LONG, "noise": LONG}
_BY_INTENT = {
    "affirm": "yes_no",
    "deny": "yes_no",
    "unsure": "yes_no",
    "date": "date",
    "select": "choice",
    "number": "number",
    "name": "name",
    "give_code": "code",
    "give_flight": "flight",
    "give_phone": "phone",
    "give_frequent_flyer": "member",
    "give_card_last4": "card",
    "give_dob": "birth",
    "give_name_spelling": "spelling",
}


@dataclass(frozen=True, slots=True)
class Utterance:
    """One recording and what is known of it."""

    id: str
    kind: str
    text: str
    intent: str
    slots: Mapping[str, str]
    speech_start_s: float
    """First speech, in the file."""
    speech_end_s: float
    """Last speech, in the file."""
    pauses: tuple[tuple[float, float], ...]
    """Planted silences inside the speech, in the file."""
    pcm: NDArray[np.int16]
    """8 kHz."""

    @property
    def question(self) -> str:
        """What the agent should have asked when this is said."""
        return _BY_KIND.get(self.kind) or _BY_INTENT.get(self.intent, "open")


def read_set(folder: Path) -> list[Utterance]:
    """All utterances, in the order of the file. Raises OSError, or ValueError for a line that is not of the format."""
    utterances: list[Utterance] = []
    for number, line in enumerate((folder / "set.jsonl").read_text().splitlines(), 1):
        if not line.strip():
            continue
        try:
            utterances.append(_utterance(json.loads(line), folder))
        except (KeyError, TypeError, ValueError) as error:
            raise ValueError(f"{folder / 'set.jsonl'}:{number}: {error!r}; see bench/speech/README.md") from error
    return utterances


def _utterance(row: Mapping[str, object], folder: Path) -> Utterance:
    pcm, rate = soundfile.read(folder / str(row["file"]), dtype="int16")
    if rate != RATE or pcm.ndim != 1:
        raise ValueError(f"{row['file']} is not mono at {RATE} Hz")
    slots, pauses = row.get("slots") or {}, row.get("pauses") or []
    if not isinstance(slots, dict) or not isinstance(pauses, list):
        raise TypeError("slots is no object or pauses is no list")
    return Utterance(
        id=str(row["id"]),
        kind=str(row["kind"]),
        text=str(row["text"]),
        intent=str(row.get("intent") or ""),
        slots={str(key): str(value) for key, value in slots.items()},
        speech_start_s=float(str(row["speech_start_s"])),
        speech_end_s=float(str(row["speech_end_s"])),
        pauses=tuple((float(start), float(end)) for start, end in pauses),
        pcm=pcm,
    )


def noises(count: int = 6) -> list[Utterance]:
    """Coughs and knocks: sounds of a quarter of a second to half a second that want nothing of the agent."""
    made = []
    for number in range(count):
        random = np.random.default_rng(100 + number)
        bursts = [_burst(random, 0.12 + 0.05 * (number % 3)) for _ in range(1 + number % 2)]
        gap = np.zeros(round(0.09 * RATE))
        sound = np.concatenate([part for burst in bursts for part in (burst, gap)][:-1])
        edge = np.zeros(round(0.015 * RATE))
        pcm = (np.concatenate((edge, sound, edge)) * 32767).astype(np.int16)
        length = len(pcm) / RATE
        made.append(Utterance(f"noise-{number + 1}", "noise", "", "", {}, 0.015, length - 0.015, (), pcm))
    return made


def _burst(random: np.random.Generator, seconds: float) -> NDArray[np.float64]:
    """Noise between 300 and 2,500 Hz with a sharp beginning that dies away, −20 dBFS at its height."""
    count = round(seconds * RATE)
    spectrum = np.fft.rfft(random.normal(size=count))
    frequency = np.fft.rfftfreq(count, 1 / RATE)
    spectrum[(frequency < 300) | (frequency > 2500)] = 0
    sound = np.fft.irfft(spectrum, count) * np.exp(-3 * np.arange(count) / count)
    return np.asarray(0.1 * sound / np.sqrt(np.mean(sound[: count // 4] ** 2)), dtype=np.float64)
