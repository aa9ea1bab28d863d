"""Barge-ins and signs of listening against a running agent voice, in audio time: no Asterisk, the real ear and turn machine.

    python -m bench.overlap [--json FILE] [--phases 4] [--weights FILE.npz]

Every utterance of the speech set that is said over the agent, and the openings of its statements and hesitations as so many more
barge-ins, is heard as a call would hear it, in several phases of the frames and the detector's windows. What is found
on the way (voice, impression of the sound, interim texts, final text) is kept; then the turn machine is run over it with
one setting after the other. Times are from the beginning of the utterance on the caller's own recording: `WIRE_MS` stands
for the way through Asterisk, there and back, as bench.latency measures it.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import soxr
from ccaas_moonshine.recognizer import MoonshineRecognizer
from ccaas_moonshine.settings import MoonshineSettings
from ccaas_turn.settings import SileroSettings
from ccaas_turn.silero import SileroVoiceDetector

from bench.padding import FOLDER, padded
from bench.report import percentiles, share
from bench.speechset import RATE, Utterance, noises, read_set
from ccaas.conversation import backchannel
from ccaas.conversation.backchannel import BEFORE_FRAMES, SoundImpressions
from ccaas.conversation.interruption import verdict
from ccaas.conversation.sense import sense
from ccaas.conversation.settings import BargeIn, ConversationSettings
from ccaas.conversation.state import (
    Do,
    Hangup,
    ReplyStarted,
    Sensed,
    State,
    Tick,
    Turns,
    Understood,
    Verdict,
    VoiceStarted,
    VoiceStopped,
)
from ccaas.ports.media import Pcm
from ccaas.ports.reasoning import Expectation
from ccaas.ports.site import Site

ROOT = Path(__file__).parents[1]
FRAME_MS = 20
FRAME = RATE * FRAME_MS // 1000
BEFORE_S, AFTER_S = 0.5, 1.2
PRE_ROLL_FRAMES = 20
WIRE_MS = 20.0
"""From the moment at which a sound stands in the caller's recording to our event loop, beside the frame it is in (ms)."""
FLUSH_MS = 15.0
"""From a flush to the end of the last frame that the caller hears, in the middle (ms)."""
INTERIM_MS, FINAL_MS = 60.0, 150.0
"""What recognition takes on a machine with something else to do (ms)."""
LOOK_EVERY_MS = 160
LOOKS = 4
HESITATION_MS = 375.0
"""A silence up to this long is one of the agent's own pauses to the ruler, and to a listener hardly more."""
YIELDS = (64, 80, 96, 104, 112, 128, 160, 240)
TRUSTS = (0.5, 0.7, 0.8, 0.85, 0.9, 0.95, 1.0)
OPENINGS = ("statement", "hesitation", "emotion")
OVER = ("backchannel", "bargein", "noise")


@dataclass(slots=True)
class Track:
    """What was found in one utterance, in ms since its beginning."""

    id: str
    kind: str
    text: str
    length_ms: float
    started: float | None = None
    """When the voice was noticed; it began onset_ms before."""
    stops: list[tuple[float, float]] = field(default_factory=list)
    """(when it was noticed, end of the voice) of each pause."""
    starts: list[float] = field(default_factory=list)
    """When later stretches were noticed."""
    dips: list[tuple[float, float]] = field(default_factory=list)
    """(from, to) of each quiet run inside a voiced stretch, as the voice detector tells it."""
    impressions: list[tuple[float, float]] = field(default_factory=list)
    """(when, probability) for each frame of a voiced stretch."""
    words: list[tuple[float, str]] = field(default_factory=list)
    """(when, interim text)."""
    finals: list[str] = field(default_factory=list)
    """The text up to each pause."""


class Ears:
    """The models, loaded once."""

    def __init__(self) -> None:
        site = Site(ROOT, ROOT / "var", ROOT / ".cache/models", ROOT / ".cache")
        self.voice = SileroVoiceDetector(SileroSettings(), site)
        self.recognizer = MoonshineRecognizer(MoonshineSettings(), site)
        self.settings = ConversationSettings()
        self.impressions = SoundImpressions()

    async def start(self) -> None:
        await self.voice.start()
        await self.recognizer.start()

    async def close(self) -> None:
        await self.voice.close()
        await self.recognizer.close()

    async def track(self, utterance: Utterance, phase: int, first_words_ms: int) -> Track:
        """Hear it, `phase` samples later than the frames begin."""
        pcm = np.concatenate((np.zeros(phase, np.int16), padded(utterance, BEFORE_S, AFTER_S)))
        frames = [pcm[at : at + FRAME] for at in range(0, len(pcm) - FRAME + 1, FRAME)]
        zero = phase / RATE * 1000 + (BEFORE_S + utterance.speech_start_s) * 1000
        length = (utterance.speech_end_s - utterance.speech_start_s) * 1000
        track = Track(utterance.id, utterance.kind, utterance.text, length)
        upsampled = soxr.ResampleStream(RATE, 2 * RATE, 1, dtype="int16", quality="QQ")
        wide: list[Pcm] = []
        detector, impression, stream = self.voice.open(), None, None
        # Every call has its past: somebody spoke, and the line was silent until the ear had the detector begin anew.
        for heard in (utterance.pcm, np.zeros(RATE, np.int16)):
            detector.push(heard)
        detector.reset()
        detector.push(np.zeros(RATE // 2, np.int16))
        run = quiet = 0.0
        voiced = False
        next_look = 0.0
        looks = 0
        for number, frame in enumerate(frames):
            # A frame stands in the recording where it is sent: its first sample, not its last.
            now = number * FRAME_MS - zero + WIRE_MS
            wide.append(upsampled.resample_chunk(frame))
            if stream is not None:
                stream.push(wide[-1])
            if voiced and impression is not None:
                impression.push(frame)
            probability = detector.push(frame)
            if probability is not None and not voiced:
                run = run + self.voice.window_ms if probability >= self.settings.speech_threshold else 0.0
                if run >= self.settings.onset_ms:
                    voiced, quiet = True, 0.0
                    if track.started is None:
                        track.started = now
                        stream = self.recognizer.open()
                        for piece in wide[-PRE_ROLL_FRAMES:]:
                            stream.push(piece)
                    else:
                        track.starts.append(now)
                    impression = self.impressions.open()
                    for earlier in frames[max(0, number + 1 - BEFORE_FRAMES) : number + 1]:
                        impression.push(earlier)
                    next_look, looks = now - run + first_words_ms, 0
            elif probability is not None and voiced:
                if probability < self.settings.silence_threshold:
                    if not quiet:
                        track.dips.append((now, float("inf")))
                    quiet += self.voice.window_ms
                elif quiet:
                    track.dips[-1] = (track.dips[-1][0], now)
                    quiet = 0.0
                if quiet >= self.settings.pause_ms:
                    voiced, run = False, 0.0
                    track.stops.append((now, now - quiet))
                    if stream is not None:
                        track.finals.append((await stream.final()).text)
            if voiced and impression is not None:
                track.impressions.append((now, impression.listening))
                if stream is not None and first_words_ms and now >= next_look and looks < LOOKS:
                    track.words.append((now + INTERIM_MS, (await stream.interim()).text))
                    next_look += LOOK_EVERY_MS
                    looks += 1
        if stream is not None:
            stream.close()
        return track


@dataclass(slots=True)
class Played:
    """What the agent did, in ms since the utterance's beginning."""

    silences: list[tuple[float, float | None]]
    """(from, to) of each silence; None: it did not go on by itself."""
    taken: bool
    """The caller got the turn."""


def play(track: Track, settings: ConversationSettings) -> Played:
    """Run the machine over what was heard."""
    turns = Turns(settings)
    turns.handle(ReplyStarted(True, -100.0))
    todo: list[tuple[float, Callable[[float], list[Do]]]] = []
    silences: list[tuple[float, float | None]] = []
    taken = False
    words = ""

    def at(ms: float, what: Callable[[float], Iterable[Do]]) -> None:
        todo.append((ms, lambda now: list(what(now))))

    def voice(now: float) -> Iterable[Do]:
        return turns.handle(VoiceStarted((now - settings.onset_ms) / 1000, now / 1000))

    def looked(listening: float) -> Callable[[float], Iterable[Do]]:
        def look(now: float) -> Iterable[Do]:
            if turns.state is State.OVERLAPPING or (turns.state is State.HEARING and turns.holding):
                weighed = sense(listening, words, turns.holding, ebbing(now), settings.barge_in)
                return turns.handle(Sensed(weighed, now / 1000))
            return ()

        return look

    def read(text: str) -> Callable[[float], Iterable[Do]]:
        def take(now: float) -> Iterable[Do]:
            nonlocal words
            words = text
            return looked(heard_until(now))(now) if text else ()

        return take

    def stopped(ended: float, final: str) -> Callable[[float], Iterable[Do]]:
        def stop(now: float) -> Iterable[Do]:
            nonlocal words
            words = ""
            done = turns.handle(VoiceStopped(ended / 1000, now / 1000))
            if Do.SPECULATE in done:
                number = turns.speculation
                at(now + FINAL_MS, lambda then: turns.handle(Understood(number, judged(final), 0.3, then / 1000)))
            return done

        return stop

    def judged(final: str) -> Verdict:
        return verdict(final, turns.holding or turns.state is State.WEIGHING, Expectation(), 5.0)

    def ebbing(now: float) -> bool:
        return any(since <= now < until for since, until in track.dips)

    def heard_until(now: float) -> float:
        return next((listening for when, listening in reversed(track.impressions) if when <= now), 0.0)

    if track.started is None:
        return Played([], False)
    at(track.started, voice)
    for when in track.starts:
        at(when, voice)
    for when, listening in track.impressions:
        at(when + 0.01, looked(listening))
    for when, text in track.words:
        at(when, read(text))
    for (when, ended), final in zip(track.stops, track.finals, strict=True):
        at(when, stopped(ended, final))
    while True:
        todo.sort(key=lambda one: one[0])
        due = None if turns.deadline is None else turns.deadline * 1000
        if due is not None and (not todo or due <= todo[0][0]):
            if not todo and turns.state not in (State.PAUSING, State.OVERLAPPING):
                break
            now, done = due, list(turns.handle(Tick(due / 1000)))
        elif todo:
            now, what = todo.pop(0)
            done = what(now)
        else:
            break
        for do in done:
            if do is Do.YIELD or (do is Do.ABANDON and not (silences and silences[-1][1] is None)):
                silences.append((now, None))
            if do is Do.RESUME:
                silences[-1] = (silences[-1][0], now)
            taken = taken or do is Do.COMMIT
        if taken:
            break
    turns.handle(Hangup(now / 1000))
    return Played(silences, taken)


def measured(tracks: Sequence[Track], settings: ConversationSettings) -> dict[str, Any]:
    """Figures of one setting."""
    stops: dict[str, list[float]] = {"bargein": [], "opening": []}
    again: list[float] = []
    unbroken: list[bool] = []
    hesitated: list[bool] = []
    resumed: list[bool] = []
    noise: list[bool] = []
    missed = 0
    for track in tracks:
        played = play(track, settings)
        if track.kind in OVER[::2]:
            gaps = [(end or 1e9) - start for start, end in played.silences]
            if track.kind == "noise":
                noise.append(not gaps)
                continue
            unbroken.append(not gaps)
            hesitated.append(all(gap <= HESITATION_MS for gap in gaps))
            resumed.append(not played.taken and all(end is not None for _, end in played.silences))
            again += [end - track.length_ms for _, end in played.silences if end is not None]
        elif played.silences:
            # The silence that it ended in; one that it only hesitated in was none.
            at = next(start for start, end in played.silences if end is None or end - start > HESITATION_MS)
            stops["bargein" if track.kind == "bargein" else "opening"].append(at + FLUSH_MS)
        else:
            missed += 1
    return {
        "bargein_stop_ms": percentiles(stops["bargein"], 50, 90, 95),
        "opening_stop_ms": percentiles(stops["opening"], 50, 90, 95),
        "missed": missed,
        "backchannel_unbroken": share(unbroken),
        "backchannel_hesitation_at_most": share(hesitated),
        "backchannel_resumed": share(resumed),
        "resume_after_ms": percentiles(again, 50, 95),
        "noise_unbroken": share(noise),
    }


async def hear(options: argparse.Namespace) -> list[Track]:
    """All tracks."""
    ears = Ears()
    await ears.start()
    try:
        utterances = [u for u in [*read_set(FOLDER), *noises()] if u.kind in (*OVER, *OPENINGS)]
        phases = [round(number * 256 * 1.31) % 1280 for number in range(options.phases)]
        first = options.first_words
        return [
            await ears.track(utterance, phase, first)
            for utterance in utterances
            for phase in (phases if utterance.kind in OVER else phases[:1])
        ]
    finally:
        await ears.close()


def points(tracks: Sequence[Track]) -> list[dict[str, Any]]:
    """The trade-off: what patience and trust in sound and words cost, and what they save."""
    found = []
    wordless = [_without_words(track) for track in tracks]
    for yield_ms, speak_on_at, resume_at, words in itertools.product(YIELDS, TRUSTS, TRUSTS, (True, False)):
        barge_in = BargeIn(yield_ms=yield_ms, speak_on_at=speak_on_at, resume_at=resume_at)
        setting = {"yield_ms": yield_ms, "speak_on_at": speak_on_at, "resume_at": resume_at, "words": words}
        found.append(setting | measured(tracks if words else wordless, ConversationSettings(barge_in=barge_in)))
    return found


def _without_words(track: Track) -> Track:
    return Track(
        track.id,
        track.kind,
        track.text,
        track.length_ms,
        track.started,
        track.stops,
        track.starts,
        track.dips,
        track.impressions,
        [],
        track.finals,
    )


def line(point: dict[str, Any]) -> str:
    """One point for people."""
    bargein, opening, resume = (point[name] or {} for name in ("bargein_stop_ms", "opening_stop_ms", "resume_after_ms"))
    stop = " ".join(f"{of.get(p, 0):4.0f}" for of in (bargein, opening) for p in ("p50", "p90", "p95"))
    return (
        f"yield {point['yield_ms']:3d} on {point['speak_on_at']:.2f} again {point['resume_at']:.2f} {'words' if point['words'] else 'sound'}"
        f" | stop {stop} missed {point['missed']} | unbroken {point['backchannel_unbroken']:.2f}"
        f" hesitation {point['backchannel_hesitation_at_most']:.2f} resumed {point['backchannel_resumed']:.2f}"
        f" after {resume.get('p50', 0):4.0f} {resume.get('p95', 0):4.0f}"
    )


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(prog="bench.overlap", description="Barge-in against back-channel, off line.")
    parser.add_argument("--json", type=Path, default=None, help="where the curve goes")
    parser.add_argument("--phases", type=int, default=4, help="how many phases each utterance is said in")
    parser.add_argument("--weights", type=Path, default=None, help="another network")
    parser.add_argument(
        "--first-words", type=int, default=BargeIn().first_words_ms, help="when words are first looked at (ms)"
    )
    parser.add_argument("--tracks", action="store_true", help="print what was found in each utterance")
    options = parser.parse_args()
    if options.weights:
        backchannel.WEIGHTS = options.weights
    tracks = asyncio.run(hear(options))
    if options.tracks:
        for track in tracks:
            if track.kind in OVER:
                print(
                    track.id,
                    track.text,
                    round(track.started or -1),
                    [(round(a), t) for a, t in track.words],
                    track.finals,
                )
    found = points(tracks)
    for point in found:
        print(line(point))
    if options.json:
        options.json.write_text(json.dumps(found, indent=1) + "\n")


if __name__ == "__main__":
    main()
