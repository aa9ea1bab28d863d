"""The whole decision about the end of a turn, replayed off line in audio time: what waits cost, and whom they cut off.

    python -m bench.endpointing [--folder DIR] [--json FILE] [--list] [--curve] [--phases 4] [--fresh]

What the ear, the recogniser and the turn detector make of every utterance is observed once (the real ones, on the audio
as a call would bring it) and kept in var/bench/endpointing; the decision itself is then replayed in a second. Recognition
is charged with the CPU time that it took here. `--list` names every cut-off and every slow turn with what was known;
`--curve` multiplies all waits. With `--phases` every utterance begins at so many places of the voice detector's window, as it
does on a line: what a pause looks like to a call depends on that.

What is between the commit and the first audible sample, and the network, is charged with AFTER_S, measured over SIP.
"""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import json
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from ccaas_moonshine.recognizer import MoonshineRecognizer
from ccaas_moonshine.settings import MoonshineSettings
from ccaas_turn.settings import SileroSettings, SmartTurnSettings
from ccaas_turn.silero import SileroVoiceDetector
from ccaas_turn.smart_turn import SmartTurnDetector

from bench.padding import FOLDER, padded
from bench.report import percentiles
from bench.ruler import FALSE_ALARMS
from bench.speechset import LONG, RATE, Utterance, read_set
from ccaas.conversation.backchannel import SoundImpressions
from ccaas.conversation.ear import Ear
from ccaas.conversation.endpointing import wait_s
from ccaas.conversation.settings import ConversationSettings
from ccaas.ports.media import Codec
from ccaas.ports.reasoning import Expectation, ExpectationKind
from ccaas.ports.site import Site

ROOT = Path(__file__).parents[1]
KEPT = ROOT / "var/bench/endpointing"
FLOWS = ROOT / "examples/bench/flows.yaml"
BEFORE_S = 0.6
BETWEEN_S = 3.0
"""Silence of the caller's in front of that, behind an earlier utterance (s)."""
PHASE_S = 0.009
"""By how much later an utterance begins in its next phase (s)."""
AFTER_SPEECH_S = 1.2
AFTER_S = 0.026
"""From the commit to the first audible sample (s)."""
FRAME = RATE // 50
AGES_S = (0.1, 0.2, 0.3, 0.4)


@dataclass(slots=True)
class Pause:
    """A silence that a call would have noticed. Seconds are of the utterance's file."""

    start_s: float
    """End of the last voiced window."""
    known_s: float
    """When it was noticed."""
    text: str
    """What the recogniser made of everything up to it."""
    recognized_s: float
    """CPU time of that."""
    resumed_s: float | None = None
    """When the voice was noticed again; None at the end."""
    confidence: float | None = None
    finished: dict[str, float] = field(default_factory=dict)
    """The turn detector's probability by age of the pause (s); "0" is when it was noticed."""
    spoken_s: float = 0.0
    """From the first voiced window of the utterance to here."""
    stirred_s: float | None = None
    """When the first window of the voice that resumed was known."""
    audio: list[float] = field(default_factory=list)
    """Where the utterance of which `text` was made begins and ends."""


@dataclass(frozen=True, slots=True)
class Models:
    """What is observed with."""

    recognizer: MoonshineRecognizer
    voice: SileroVoiceDetector
    turn: SmartTurnDetector


@dataclass(frozen=True, slots=True)
class Observed:
    """An utterance and its pauses."""

    utterance: Utterance
    pauses: list[Pause]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What the decision made of an utterance."""

    utterance: Utterance
    pause: Pause | None
    """At which the turn was taken; None: never."""
    wait_s: float
    committed_s: float
    """After the planted end; negative: a cut-off."""

    @property
    def cut_off(self) -> bool:
        """The turn was taken inside the utterance."""
        return self.pause is not None and self.committed_s < 0

    @property
    def voice_to_voice_ms(self) -> float | None:
        """None when cut off or never answered."""
        return None if self.pause is None or self.cut_off else 1000 * (self.committed_s + AFTER_S)


Rule = Callable[[Observed, Pause, Expectation], float]
"""The wait (s) at a pause; everything after the pause's own beginning is not for it to see."""


def expectations(flows: Path = FLOWS) -> dict[str, Expectation]:
    """What each question of the measured flows expects."""
    found = {LONG: Expectation()}
    for step in yaml.safe_load(flows.read_text())["flows"]["bench"]["steps"]:
        condition = step.get("if")
        if not isinstance(condition, dict) or condition.get("value") != "question" or "equals" not in condition:
            continue
        listen: dict[str, Any] = next((s for s in step["then"] if "listen" in s), {})
        found[condition["equals"]] = Expectation(
            ExpectationKind(listen.get("expect", "open")),
            tuple(listen["length"]) if "length" in listen else None,
            tuple(listen.get("options", ())),
        )
    return found


async def observe(
    utterance: Utterance, models: Models, expect: Expectation, phase: int = 0, before: Utterance | None = None
) -> Observed:
    """Push the utterance through the ear as a call would, and ask at every pause.

    `before` was said earlier in the call: the voice detector remembers, and hears the next ends up to 0.1 s sooner for it.
    """
    settings = ConversationSettings()
    found: list[Pause] = []
    events: list[tuple[str, float]] = []
    ear = Ear(
        Codec.ULAW,
        models.recognizer,
        models.voice,
        models.turn,
        settings,
        lambda at: events.append(("started", at)),
        lambda at: events.append(("stopped", at)),
        lambda: events.append(("dip", 0.0)),
        SoundImpressions(),
    )
    if before is not None:
        said = padded(before, BEFORE_S, BETWEEN_S)
        for number in range(said.size // FRAME):
            ear.hear(said[number * FRAME : (number + 1) * FRAME], 0.0)
        events.clear()
    before_s = BEFORE_S + phase * PHASE_S
    pcm = padded(utterance, before_s, AFTER_SPEECH_S)
    begun = 0.0
    for number in range(pcm.size // FRAME):
        # As on the caller's own recording, which holds what was sent at the instant of sending.
        now = number * FRAME / RATE - before_s
        ear.hear(pcm[number * FRAME : (number + 1) * FRAME], now)
        for event, at in events:
            if event == "started":
                if found and found[-1].resumed_s is None:
                    found[-1].resumed_s, found[-1].stirred_s = now, at + models.voice.window_ms / 1000
                if ear.utterance is None:
                    begun = at
                    ear.begin_utterance()
            elif event == "dip" and ear.utterance is not None:
                await ear.utterance.stream.interim()
            elif event == "stopped" and ear.utterance is not None:
                found.append(await _noticed(ear, at, now, expect, models))
                found[-1].spoken_s = at - begun
                if not found[-1].text:
                    ear.drop_utterance()
        events.clear()
        if found and found[-1].resumed_s is None and ear.utterance is not None:
            for age in AGES_S:
                if now - found[-1].start_s >= age and str(age) not in found[-1].finished:
                    found[-1].finished[str(age)] = round(await models.turn.finished(ear.utterance.recent()), 4)
    ear.drop_utterance()
    return Observed(utterance, found)


async def _noticed(ear: Ear, at: float, now: float, expect: Expectation, models: Models) -> Pause:
    assert ear.utterance is not None
    cpu = time.process_time()
    transcript = await ear.utterance.stream.final(expect)
    cpu = time.process_time() - cpu
    finished = {"0": round(await models.turn.finished(ear.utterance.recent()), 4)}
    begin = now - ear.utterance.seconds
    return Pause(at, now, transcript.text, cpu, None, transcript.confidence, finished, audio=[begin, now])


async def _observe_all(spoken: Sequence[Utterance], phase: int) -> list[Observed]:
    site = Site(ROOT, ROOT / "var", ROOT / ".cache" / "models", ROOT / ".cache")
    models = Models(
        MoonshineRecognizer(MoonshineSettings(), site),
        SileroVoiceDetector(SileroSettings(), site),
        SmartTurnDetector(SmartTurnSettings(), site),
    )
    parts = (models.recognizer, models.voice, models.turn)
    for part in parts:
        await part.start()
    asked = expectations()
    made = [
        await observe(one, models, asked[one.question], phase, before)
        for before, one in zip([None, *spoken], spoken, strict=False)
    ]
    for part in parts:
        await part.close()
    return made


def observations(folder: Path, fresh: bool = False, phase: int = 0) -> list[Observed]:
    """Everything that is known of a set; kept, so that it is observed once."""
    spoken = read_set(folder)
    known = hashlib.sha256((folder / "set.jsonl").read_bytes() + str(folder.resolve()).encode()).hexdigest()[:16]
    path = KEPT / f"{folder.name}-{known}-{phase}.json"
    if not path.exists() or fresh:
        found = asyncio.run(_observe_all(spoken, phase))
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps({one.utterance.id: [asdict(p) for p in one.pauses] for one in found}))
    kept = json.loads(path.read_text())
    return [Observed(one, [Pause(**row) for row in kept[one.id]]) for one in spoken]


def replay(seen: Observed, expect: Expectation, rule: Rule, factor: float = 1.0) -> Outcome:
    """Take the turn where `rule` would."""
    for pause in seen.pauses:
        if not pause.text:
            continue
        wait = rule(seen, pause, expect) * factor
        at = max(pause.start_s + wait, pause.known_s + pause.recognized_s)
        # A voice that has just begun to stir holds the turn back.
        if pause.stirred_s is None or at < pause.stirred_s:
            return Outcome(seen.utterance, pause, wait, at - seen.utterance.speech_end_s)
    return Outcome(seen.utterance, None, 0.0, 0.0)


def current(settings: ConversationSettings) -> Rule:
    """The rule of the live system."""
    return lambda _, pause, expect: wait_s(pause.text, pause.finished["0"], expect, settings, pause.spoken_s)


def figures(outcomes: Sequence[Outcome]) -> dict[str, Any]:
    """Latency and cut-offs of some utterances."""
    return {
        "utterances": len(outcomes),
        "voice_to_voice_ms": percentiles((one.voice_to_voice_ms for one in outcomes), 50, 90, 95),
        "cut_off": sum(one.cut_off for one in outcomes),
        "cutoff_rate": round(float(np.mean([one.cut_off for one in outcomes])), 4),
        "unanswered": sum(one.pause is None for one in outcomes),
    }


def by_kind(outcomes: Sequence[Outcome]) -> dict[str, Any]:
    """`all`, and every kind by its name."""
    kinds = dict.fromkeys(one.utterance.kind for one in outcomes)
    groups = {kind: [one for one in outcomes if one.utterance.kind == kind] for kind in kinds}
    return {name: figures(group) for name, group in {"all": list(outcomes), **groups}.items()}


def described(one: Outcome) -> str:
    """A line about an outcome: what was known when the turn was taken."""
    pause = one.pause
    if pause is None:
        return f"{one.utterance.id:12} never answered: {one.utterance.text}"
    gap = "end" if pause.resumed_s is None else f"gap {1000 * (pause.resumed_s - pause.start_s):.0f}"
    said = " ".join(f"{p:.2f}" for _, p in sorted(pause.finished.items()))
    return (
        f"{one.utterance.id:12} {one.utterance.kind:10} {gap:8} wait {1000 * one.wait_s:4.0f} "
        f"recognised {1000 * (pause.known_s - pause.start_s + pause.recognized_s):4.0f} "
        f"at {1000 * one.committed_s:6.0f}  finished {said}  {pause.text!r} | {one.utterance.text}"
    )


def main() -> None:
    """Replay and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, default=FOLDER)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--list", action="store_true")
    parser.add_argument("--curve", action="store_true")
    parser.add_argument("--phases", type=int, default=1)
    parser.add_argument("--fresh", action="store_true", help="observe again")
    options = parser.parse_args()
    asked = expectations()
    phases = (observations(options.folder, options.fresh, phase) for phase in range(options.phases))
    seen = [one for found in phases for one in found if one.utterance.kind not in FALSE_ALARMS]
    rule = current(ConversationSettings())
    report: dict[str, Any] = {}
    for factor in (0.5, 0.75, 1.0, 1.25, 1.5, 2.0) if options.curve else (1.0,):
        outcomes = [replay(one, asked[one.utterance.question], rule, factor) for one in seen]
        report[f"x{factor:g}"] = by_kind(outcomes)
        for kind, row in report[f"x{factor:g}"].items():
            print(f"x{factor:<5g}{kind:12}{row}")
    if options.list:
        outcomes = [replay(one, asked[one.utterance.question], rule) for one in seen]
        print("cut off, or never answered")
        for one in outcomes:
            if one.cut_off or one.pause is None:
                print(" ", described(one))
        print("slower than 450 ms")
        for one in outcomes:
            if (one.voice_to_voice_ms or 0) > 450:
                print(" ", described(one))
    if options.json:
        options.json.write_text(json.dumps(report, indent=1) + "\n")


if __name__ == "__main__":
    main()
