"""What the detectors say at every pause of the speech set: figures to set endpointing by. No Asterisk.

    python -m bench.turns [--folder DIR] [--json FILE] [--no-text]

First, how long after the planted end of speech Silero's probability has fallen, for several pairs of thresholds. Then, for
every pause that the voice detector sees: what kind it is (the end, planted, a natural gap, none in the labels), what
smart-turn says when it is 0.1 s, 0.2 s and 0.3 s old, and the text at 0.1 s.
"""

from __future__ import annotations

import argparse
import asyncio
import json
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import soxr
from ccaas_moonshine.recognizer import MoonshineRecognizer
from ccaas_moonshine.settings import MoonshineSettings
from ccaas_turn.settings import SileroSettings, SmartTurnSettings
from ccaas_turn.silero import SileroVoiceDetector
from ccaas_turn.smart_turn import SmartTurnDetector

from bench.padding import FOLDER, noise_levels, padded
from bench.report import percentiles
from bench.speechset import RATE, Utterance, read_set
from ccaas.ports.media import Pcm
from ccaas.ports.site import Site

ROOT = Path(__file__).parents[1]
BEFORE_S = 0.5
AFTER_S = 1.5
PRE_ROLL_S = 0.2
"""Audio in front of the first voiced window that recogniser and turn detector get (s)."""
THRESHOLDS = (
    (0.5, 0.35),
    (0.5, 0.5),
    (0.6, 0.4),
    (0.4, 0.2),
    (0.5, 0.15),
    (0.7, 0.5),
    (0.7, 0.7),
    (0.8, 0.8),
    (0.9, 0.9),
)
"""Speech begins at the first, ends below the second."""
CHOSEN = (0.5, 0.35)
AGES_S = (0.1, 0.2, 0.3)
SHORTEST_S = 0.1


@dataclass(frozen=True, slots=True)
class Pause:
    """A silence as the voice detector sees it."""

    start_s: float
    """End of the last voiced window (s from the start of the padded audio)."""
    end_s: float
    """Start of the next voiced one, or the end of the audio."""
    last: bool


def probabilities(detector: SileroVoiceDetector, pcm: Pcm) -> list[tuple[float, float]]:
    """(time at which it is known, probability) for each window of the stream, pushed in frames of 20 ms."""
    stream = detector.open()
    made: list[tuple[float, float]] = []
    window = round(detector.window_ms * RATE / 1000)
    for at in range(0, pcm.size, window):
        probability = stream.push(pcm[at : at + window])
        if probability is not None:
            made.append(((at + window) / RATE, probability))
    return made


def pauses(windows: Sequence[tuple[float, float]], enter: float, leave: float, window_s: float) -> list[Pause]:
    """Every silence between and behind voiced windows."""
    found: list[Pause] = []
    speaking = False
    silent_since = -1.0
    for at, probability in windows:
        voiced = probability >= (leave if speaking else enter)
        if voiced and not speaking:
            if silent_since >= 0:
                found.append(Pause(silent_since, at - window_s, False))
            speaking = True
        elif speaking and not voiced:
            speaking = False
            silent_since = at - window_s
    if silent_since >= 0 and not speaking:
        found.append(Pause(silent_since, windows[-1][0], True))
    return found


def kind_of(pause: Pause, utterance: Utterance, gaps: Sequence[tuple[float, float]]) -> str:
    """What the labels say of a pause."""
    start, end = pause.start_s - BEFORE_S, pause.end_s - BEFORE_S
    if start > utterance.speech_end_s - 0.15:
        return "end"
    if any(low < end and start < high for low, high in utterance.pauses):
        return "planted"
    return "gap" if any(low < end and start < high for low, high in gaps) else "unlabelled"


def ends(windows: dict[str, list[tuple[float, float]]], spoken: Sequence[Utterance], window_s: float) -> dict[str, Any]:
    """For each pair of thresholds: when the end of speech is known, and how often a pause is seen where none is."""
    figures = {}
    for enter, leave in THRESHOLDS:
        after, false, lost = [], 0, 0
        for utterance in spoken:
            seen = pauses(windows[utterance.id], enter, leave, window_s)
            if not seen or not seen[-1].last:
                lost += 1
                continue
            known = seen[-1].start_s + window_s - BEFORE_S
            after.append(1000 * (known - utterance.speech_end_s))
            inside = [p for p in seen[:-1] if p.end_s - p.start_s >= SHORTEST_S]
            false += sum(kind_of(pause, utterance, ()) == "unlabelled" for pause in inside)
        early = sum(value < -50 for value in after)
        figures[f"{enter}/{leave}"] = {
            "known_ms_after_end": percentiles(after, 5, 50, 95),
            "earlier_than_50_ms_before": early,
            "never": lost,
            "unplanted_pauses_of_100_ms": false,
        }
    return figures


async def study(utterance: Utterance, windows: Sequence[tuple[float, float]], parts: Parts) -> list[dict[str, Any]]:
    """All pauses of one utterance, with what the detectors say."""
    pcm16: Pcm = soxr.resample(padded(utterance, BEFORE_S, AFTER_S), RATE, 2 * RATE)
    first = next((at for at, probability in windows if probability >= CHOSEN[0]), BEFORE_S)
    begin = max(0.0, first - PRE_ROLL_S - parts.window_s)
    stream = parts.recognizer.open() if parts.recognizer is not None else None
    pushed = int(begin * 2 * RATE)
    rows = []
    for pause in pauses(windows, *CHOSEN, parts.window_s):
        if pause.end_s - pause.start_s < SHORTEST_S:
            continue
        row: dict[str, Any] = {
            "id": utterance.id,
            "kind": utterance.kind,
            "pause": kind_of(pause, utterance, parts.gaps[utterance.id]),
            "start_s": round(pause.start_s - BEFORE_S, 3),
            "length_s": round(pause.end_s - pause.start_s, 3),
        }
        for age in AGES_S:
            if pause.end_s - pause.start_s >= age:
                heard = pcm16[int(begin * 2 * RATE) : int((pause.start_s + age) * 2 * RATE)]
                row[f"finished_{age}"] = round(await parts.turns.finished(heard), 3)
        if stream is not None:
            now = int((pause.start_s + SHORTEST_S) * 2 * RATE)
            stream.push(pcm16[pushed:now])
            pushed = now
            transcript = await stream.final()
            row |= {"text": transcript.text, "confidence": transcript.confidence}
        rows.append(row)
    return rows


@dataclass(frozen=True, slots=True)
class Parts:
    """What is studied."""

    recognizer: MoonshineRecognizer | None
    turns: SmartTurnDetector
    window_s: float
    gaps: dict[str, list[tuple[float, float]]]


def shares(rows: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """By kind of pause and by kind of utterance: how often smart-turn says "finished" at which age."""
    groups: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for row in rows:
        groups[row["pause"]].append(row)
        groups[f"{row['pause']} of {row['kind']}"].append(row)
    made: dict[str, Any] = {}
    for name, group in sorted(groups.items()):
        made[name] = {"n": len(group)}
        for age in AGES_S:
            said = np.array([row[f"finished_{age}"] for row in group if f"finished_{age}" in row])
            if said.size:
                made[name][f"finished_{age}"] = {
                    str(t): round(float(np.mean(said > t)), 2) for t in (0.3, 0.5, 0.7, 0.9)
                }
    return made


async def main() -> None:
    """Study and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, default=FOLDER)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--no-text", action="store_true")
    options = parser.parse_args()
    site = Site(ROOT, ROOT / "var", ROOT / ".cache" / "models", ROOT / ".cache")
    voices, turns = SileroVoiceDetector(SileroSettings(), site), SmartTurnDetector(SmartTurnSettings(), site)
    recognizer = None if options.no_text else MoonshineRecognizer(MoonshineSettings(), site)
    for part in (voices, turns, recognizer):
        if part is not None:
            await part.start()
    spoken = read_set(options.folder)
    labels = [json.loads(line) for line in (options.folder / "set.jsonl").read_text().splitlines()]
    parts = Parts(recognizer, turns, voices.window_ms / 1000, {row["id"]: row.get("gaps") or [] for row in labels})
    windows = {one.id: probabilities(voices, padded(one, BEFORE_S, AFTER_S)) for one in spoken}
    noise = noise_levels(options.folder)
    figures: dict[str, Any] = {
        "ends, clean": ends(windows, [one for one in spoken if noise[one.id] is None], parts.window_s),
        "ends, noisy": ends(windows, [one for one in spoken if noise[one.id] is not None], parts.window_s),
    }
    rows = [row for one in spoken for row in await study(one, windows[one.id], parts)]
    figures["smart-turn"] = shares(rows)
    for part in (voices, turns, recognizer):
        if part is not None:
            await part.close()
    for name, table in figures.items():
        print(name)
        for key, value in table.items():
            print(f"  {key:24} {value}")
    if options.json:
        options.json.write_text(json.dumps({"figures": figures, "pauses": rows}, indent=1))


if __name__ == "__main__":
    asyncio.run(main())
