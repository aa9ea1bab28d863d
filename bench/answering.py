"""Who has answered: how often it is told rightly, and how soon.

    python -m bench.answering [--out FILE.json] [--half tune|report] [--misses]

The exit code is 1 when the reported half misses a goal. Audio is fed as fast as it is judged; interim transcripts are asked for where
a call would ask, and arrive `TEXT_LATE_S` of audio later.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from ccaas_moonshine.recognizer import MoonshineRecognizer
from ccaas_moonshine.settings import MoonshineSettings
from ccaas_turn.settings import SileroSettings
from ccaas_turn.silero import SileroVoiceDetector

from bench.answering_set import HALVES, Answered, answered
from bench.system import ROOT
from ccaas.dialler.answering import limits_for
from ccaas.dialler.settings import AnswerLimits
from ccaas.media.answering.asking import LEAD_FRAMES, Ask, Asking
from ccaas.media.answering.detector import AnswerListener
from ccaas.media.answering.limits import Limits
from ccaas.media.answering.signals import Signal, Signals
from ccaas.media.answering.tones import HOP, HOP_S, RATE, ToneFinder
from ccaas.media.resample import LiveResampler
from ccaas.ports.answering import AnsweredBy, GreetingOver, Verdict
from ccaas.ports.media import Pcm
from ccaas.ports.site import Site
from ccaas.ports.speech import Recognizer

TEXT_LATE_S = 0.15
WAYS = {
    "the AI's calls": (True, limits_for(AnswerLimits(), eager=True)),
    "the AI's calls, without words": (False, limits_for(AnswerLimits(), eager=True)),
    "people's calls": (True, limits_for(AnswerLimits(), eager=False)),
}
"""By who takes the calls of a campaign: whether there is a recogniser, and the limits."""
SHORT_S = 1.4
"""A short greeting of a person is at most so long."""
GOALS = {"accuracy": 0.95, "humans_as_machines": 0.02, "human_p50_s": 1.5}
"""At least, at most, at most; accuracy and who is taken for a machine by the last verdict, the time by the first."""


@dataclass(slots=True)
class Outcome:
    """What was said of one call."""

    call: Answered
    first: Verdict | None = None
    verdict: Verdict | None = None
    """The last one: a machine that was taken for a person at first is told by it."""
    over: GreetingOver | None = None
    cpu_s: float = 0.0
    texts: list[str] = field(default_factory=list)

    @property
    def right(self) -> bool:
        """Whether it is who it is."""
        return self.verdict is not None and self.verdict.by == self.call.by

    @property
    def right_at_first(self) -> bool:
        """Whether the first verdict was right."""
        return self.first is not None and self.first.by == self.call.by

    @property
    def after_start_s(self) -> float:
        """From the greeting's start to the verdict that was right: a person's first, a machine's last."""
        said = self.first if self.call.by == "human" else self.verdict
        return said.at_s - self.call.start_s if said is not None else float("nan")

    @property
    def after_end_s(self) -> float:
        """From the greeting's end to the first verdict: nobody could have answered sooner."""
        return self.first.at_s - self.call.end_s if self.first is not None else float("nan")

    @property
    def beep(self) -> bool | None:
        """Whether a beep was told where one ended; None where none was told."""
        if self.over is None or not self.over.beep:
            return None
        end_s = self.call.beep_end_s
        return end_s is not None and end_s - 0.05 <= self.over.at_s <= end_s + 0.6


async def judge(
    call: Answered, pcm: Pcm, voices: SileroVoiceDetector, words: Recognizer | None, limits: Limits
) -> Outcome:
    """One call, frame by frame."""
    listener, outcome = AnswerListener(RATE, voices.open(), voices.sample_rate, limits), Outcome(call)
    stream, wide = (words.open(), LiveResampler(RATE, words.capabilities.sample_rate)) if words else (None, None)
    asking, before, text, text_at_s = Asking(), "", "", float("inf")
    lead: deque[Pcm] = deque(maxlen=LEAD_FRAMES)
    for at in range(0, pcm.size - HOP + 1, HOP):
        frame = pcm[at : at + HOP]
        began = time.process_time()
        told: Sequence[Verdict | GreetingOver | None] = [listener.push(frame)]
        outcome.cpu_s += time.process_time() - began
        if words is not None and stream is not None and wide is not None and not listener.over:
            lead.append(wide.push(frame))
            ask = asking.step(HOP_S, voice=listener.voice)
            while lead and asking.spoken:
                stream.push(lead.popleft())
            match ask:
                case Ask.SO_FAR if text_at_s == float("inf"):
                    text = f"{before} {(await stream.interim()).text}".strip()
                    text_at_s = listener.at_s + TEXT_LATE_S
                case Ask.ANEW:
                    stream.close()
                    stream, before = words.open(), text
            if listener.at_s >= text_at_s:
                text_at_s = float("inf")
                outcome.texts.append(text)
                told = [*told, listener.hear(text)]
        for each in told:
            if isinstance(each, Verdict):
                outcome.first, outcome.verdict = outcome.first or each, each
            elif each is not None:
                outcome.over = each
    if stream is not None:
        stream.close()
    return outcome


def stray_beeps(calls: Sequence[tuple[Answered, Pcm]]) -> dict[str, float]:
    """Beeps in speech that has none, as the tone finder alone hears them: nobody tells it where a voice is."""
    found, seconds = 0, 0.0
    for call, pcm in calls:
        if call.kind != "speech":
            continue
        finder, signals, limits = ToneFinder(), Signals(Limits()), Limits()
        for at in range(0, min(round(call.end_s * RATE), pcm.size) - HOP + 1, HOP):
            ended = finder.push(pcm[at : at + HOP])
            now = (at + HOP) / RATE
            found += signals.step(ended, finder.current, now, voice=False, spoken=True) is Signal.BEEP
        seconds += call.end_s + limits.after_beep_s
    return {"found": found, "minutes": round(seconds / 60, 1)}


def figures(outcomes: Sequence[Outcome]) -> dict[str, Any]:
    """Of one half."""
    humans = [one for one in outcomes if one.call.by == "human"]
    machines = [one for one in outcomes if one.call.by == "machine"]
    short = [one for one in humans if one.call.end_s - one.call.start_s <= SHORT_S]
    beeping = [one for one in machines if one.call.beep_end_s is not None]

    def share(part: int, whole: Sequence[object]) -> float:
        return round(part / len(whole), 4)

    def late(group: Sequence[Outcome], per_cent: float) -> float:
        return round(float(np.percentile([one.after_start_s for one in group if one.right], per_cent)), 2)

    def after_end(group: Sequence[Outcome], per_cent: float) -> float:
        return round(float(np.percentile([one.after_end_s for one in group if one.right_at_first], per_cent)), 2)

    kinds = sorted({one.call.by for one in outcomes})
    by = {kind: [one for one in outcomes if one.call.by == kind] for kind in kinds}
    wrong = [one for one in humans if one.verdict is not None and one.verdict.by is AnsweredBy.MACHINE]
    wrong_at_first = [one for one in humans if one.first is not None and one.first.by is AnsweredBy.MACHINE]
    return {
        "calls": {kind: len(group) for kind, group in by.items()},
        "accuracy": share(sum(one.right for one in outcomes), outcomes),
        "accuracy_at_first": share(sum(one.right_at_first for one in outcomes), outcomes),
        "right": {kind: share(sum(one.right for one in group), group) for kind, group in by.items()},
        "right_at_first": {kind: share(sum(one.right_at_first for one in group), group) for kind, group in by.items()},
        "humans_as_machines": share(len(wrong), humans),
        "humans_as_machines_at_first": share(len(wrong_at_first), humans),
        "human_greeting_p50_s": round(float(np.median([one.call.end_s - one.call.start_s for one in humans])), 2),
        "human_after_end_p50_s": after_end(humans, 50),
        "human_after_end_p95_s": after_end(humans, 95),
        "human_told_before_end": share(sum(one.after_end_s < 0 for one in humans), humans),
        "human_p50_s": late(humans, 50),
        "human_p95_s": late(humans, 95),
        "short_humans": len(short),
        "short_human_p50_s": late(short, 50),
        "short_human_p95_s": late(short, 95),
        "machine_p50_s": late(machines, 50),
        "machine_p95_s": late(machines, 95),
        "beeps": len(beeping),
        "beeps_found": share(sum(one.beep is True for one in beeping), beeping),
        "false_beeps": sum(one.beep is False for one in outcomes),
        "cpu_ms_per_call": round(1000 * float(np.mean([one.cpu_s for one in outcomes])), 1),
    }


async def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path)
    parser.add_argument("--half", choices=HALVES)
    parser.add_argument("--no-words", action="store_true", help="timing and tones alone, which is quick")
    parser.add_argument("--misses", action="store_true", help="list the calls that were judged wrongly")
    options = parser.parse_args()
    site = Site(ROOT, ROOT / "var", ROOT / ".cache" / "models", ROOT / ".cache")
    voices, words = SileroVoiceDetector(SileroSettings(), site), MoonshineRecognizer(MoonshineSettings(), site)
    calls = await answered(ROOT / ".cache")
    await voices.start()
    await words.start()
    made: dict[str, Any] = {}
    try:
        for half in HALVES if options.half is None else (options.half,):
            some = [(call, pcm) for call, pcm in calls if call.half == half]
            for name, (wordy, limits) in WAYS.items():
                if wordy and options.no_words:
                    continue
                heard = words if wordy else None
                outcomes = [await judge(call, pcm, voices, heard, limits) for call, pcm in some]
                made[f"{half}, {name}"] = figures(outcomes)
                for one in outcomes if options.misses else ():
                    if not one.right or one.beep is False or (one.call.beep_end_s and one.beep is None):
                        print(name, one)
            made[f"{half}, stray beeps"] = stray_beeps(some)
    finally:
        await words.close()
        await voices.close()
    for name, table in made.items():
        print(name)
        for key, value in table.items():
            print(f"  {key:20} {value}")
    if options.out:
        options.out.write_text(json.dumps(made, indent=1))
    best = made.get("report, the AI's calls")
    missed = best is not None and (
        best["accuracy"] < GOALS["accuracy"]
        or best["humans_as_machines"] > GOALS["humans_as_machines"]
        or best["human_p50_s"] > GOALS["human_p50_s"]
    )
    return int(missed)


if __name__ == "__main__":
    raise SystemExit(asyncio.run(main()))
