"""The answered calls that answering-machine detection is measured on; built into the cache, the same each time.

Spoken by espeak-ng's and Piper's voices, people's short answers also from bench/speech; as a telephone passes them, at -31 to
-18 dBFS, in pink noise 12 to 40 dB below, through µ-law. Voices and texts of the two halves are disjoint. Most people say
something more a while after their greeting, as who has been spoken to does: that must not be taken for a machine.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import random
import subprocess
from collections.abc import AsyncIterator, Iterator
from dataclasses import asdict, dataclass, replace
from io import BytesIO
from pathlib import Path

import numpy as np
import soundfile
import soxr
from ccaas_espeak.program import command
from ccaas_piper.settings import PiperSettings
from ccaas_piper.synthesizer import PiperSynthesizer

from bench import answering_texts
from bench.answering_texts import HUMANS, MACHINES, REPLIES
from bench.speechset import RATE, read_set
from bench.system import ROOT
from bench.turn_corpus import Samples, active, levels, pink, telephone, trimmed
from ccaas.ports.media import Pcm
from ccaas.ports.site import Site

HALVES = ("tune", "report")
VOICES: tuple[tuple[str, ...], tuple[str, ...]] = (
    ("en-us+Annie", "en-gb+Michael", "en-us-nyc+f2", "en-gb-scotland+m3", "en-us+Andy", "piper 1.0"),
    ("en-us+Alicia", "en-gb-x-rp+m1", "en-029+f4", "en-gb-x-gbcwmd+m7", "en-us+David", "piper 1.12", "piper 0.93"),
)
HUMAN_VOICES, MACHINE_VOICES = 4, 6
"""How many voices say each text."""
WITH_BEEP = 0.85
"""How many machines beep."""
WITH_REPLY = 0.75
"""How many people go on after their greeting."""
REPLY_AFTER_S = (1.2, 3.5)
BEEPS_HZ = (425.0, 440.0, 1_000.0, 1_400.0)
BEEPS_S = (0.12, 0.2, 0.4, 0.6, 1.0)
SOUNDS = (("nothing", "silence", 8), ("music", "silence", 4), ("CNG", "fax", 6), ("CED", "fax", 6), ("SIT", "tones", 8))
"""What else there is in each half, who that is, and how often."""
TAIL_S = 7.0


@dataclass(frozen=True, slots=True)
class Answered:
    """One call from its answer on."""

    id: str
    half: str
    by: str
    kind: str
    text: str
    voice: str
    start_s: float
    """Where the greeting begins; for other sounds, the sound."""
    end_s: float
    beep_end_s: float | None
    beep: str
    """Its pitch, length and distance, for the list of misses."""
    reply: str = ""
    """What a person says after a while."""


async def answered(cache: Path) -> list[tuple[Answered, Pcm]]:
    """The whole set; built when this code or the texts have changed."""
    sources = b"".join(Path(str(name)).read_bytes() for name in (__file__, answering_texts.__file__))
    folder = cache / "answering" / hashlib.sha256(sources).hexdigest()[:12]
    if not (folder / "set.jsonl").is_file():
        folder.mkdir(parents=True, exist_ok=True)
        rows = [row async for row in _Maker(cache).calls()]
        for call, pcm in rows:
            soundfile.write(folder / f"{call.id}.wav", pcm, RATE, subtype="ULAW")
        (folder / "set.jsonl").write_text("".join(json.dumps(asdict(call)) + "\n" for call, _ in rows))
    calls = [Answered(**json.loads(line)) for line in (folder / "set.jsonl").read_text().splitlines()]
    return [(call, soundfile.read(folder / f"{call.id}.wav", dtype="int16")[0]) for call in calls]


class _Maker:
    def __init__(self, cache: Path) -> None:
        self._site = Site(ROOT, ROOT / "var", cache / "models", cache)
        self._piper = PiperSynthesizer(PiperSettings(), self._site)
        self._espeak = command(None, self._site.models_dir / "espeak-ng")
        self._draw = random.Random(20)
        self._noise = np.random.default_rng(20)
        self._made = 0

    async def calls(self) -> AsyncIterator[tuple[Answered, Pcm]]:
        """One after the other."""
        await self._piper.start()
        try:
            for index, half in enumerate(HALVES):
                kinds = ("human", HUMANS[index], HUMAN_VOICES), ("machine", MACHINES[index], MACHINE_VOICES)
                for by, texts, count in kinds:
                    for number, text in enumerate(texts):
                        for turn in range(count):
                            voice = VOICES[index][(number + turn) % len(VOICES[index])]
                            yield await self._spoken(index, by, text, voice)
                for row in (*self._recorded(index, half), *self._sounds(half)):
                    yield row
        finally:
            await self._piper.close()

    async def _spoken(self, index: int, by: str, text: str, voice: str) -> tuple[Answered, Pcm]:
        half = HALVES[index]
        parts = [await self._say(part.strip(), voice) for part in text.split("|")]
        whole = parts[0]
        for part in parts[1:]:
            pause_s = self._draw.uniform(0.4, 0.7) if by == "human" else self._draw.uniform(0.5, 1.2)
            whole = np.concatenate([whole, np.zeros(round(pause_s * RATE)), part])
        whole *= 10 ** (-active(levels(whole)) / 20)
        beep, row = np.zeros(0), Answered("", half, by, "speech", text, voice, 0.0, whole.size / RATE, None, "")
        if by == "machine" and self._draw.random() < WITH_BEEP:
            hertz = self._draw.choice((*BEEPS_HZ, self._draw.uniform(360, 1900)))
            seconds, gap_s = self._draw.choice(BEEPS_S), self._draw.uniform(0.1, 1.5)
            gap = np.zeros(round(gap_s * RATE))
            beep = np.concatenate([gap, _sine(hertz, seconds) * 10 ** (self._draw.uniform(-6, 3) / 20)])
            row = replace(row, beep_end_s=(whole.size + beep.size) / RATE, beep=f"{hertz:.0f} Hz, {seconds} s")
        if by == "human" and self._draw.random() < WITH_REPLY:
            row = replace(row, reply=self._draw.choice(REPLIES[index]))
            said = await self._say(row.reply, voice)
            gap = np.zeros(round(self._draw.uniform(*REPLY_AFTER_S) * RATE))
            whole = np.concatenate([whole, gap, said * 10 ** (-active(levels(said)) / 20)])
        return self._line(np.concatenate([whole, beep]), row)

    async def _say(self, text: str, voice: str) -> Samples:
        """Speech at 8 kHz, nothing around it."""
        name, _, speed = voice.partition(" ")
        if name == "piper":
            pieces = [piece async for piece in self._piper.synthesize(text)]
            pcm, rate = np.concatenate(pieces) / 32768, self._piper.capabilities.sample_rate * float(speed)
        else:
            pace, pitch = str(self._draw.randint(140, 190)), str(self._draw.randint(35, 60))
            words = [*self._espeak, "-v", name, "-s", pace, "-p", pitch, "--stdout", text]
            made = await asyncio.to_thread(subprocess.run, words, capture_output=True, check=True)
            pcm, rate = soundfile.read(BytesIO(made.stdout))
        return trimmed(telephone(soxr.resample(np.asarray(pcm, np.float64), rate, RATE)))

    def _recorded(self, index: int, half: str) -> Iterator[tuple[Answered, Pcm]]:
        """Short answers of bench/speech, half of its voices each; they have their own noise."""
        folder = ROOT / "bench" / "speech"
        rows = [json.loads(line) for line in (folder / "set.jsonl").read_text().splitlines()]
        voice = {row["id"]: row["voice"] for row in rows}
        names = sorted(set(voice.values()))[index::2]
        for one in read_set(folder):
            if one.kind == "short" and voice[one.id] in names:
                pcm = one.pcm / 32768
                row = Answered("", half, "human", "speech", one.text, voice[one.id], 0.0, pcm.size / RATE, None, "")
                yield self._line(pcm * 10 ** (-active(levels(pcm)) / 20), row)

    def _sounds(self, half: str) -> Iterator[tuple[Answered, Pcm]]:
        for kind, by, count in SOUNDS:
            for _ in range(count):
                sound = self._sound(kind)
                yield self._line(sound, Answered("", half, by, kind, kind, "", 0.0, sound.size / RATE, None, ""))

    def _sound(self, kind: str) -> Samples:
        off = self._draw.uniform(-8, 8)
        match kind:
            case "CNG":
                return np.concatenate([_sine(1_100 + off, 0.5), np.zeros(3 * RATE), _sine(1_100 + off, 0.5)])
            case "CED":
                return _sine(2_100 + off, self._draw.uniform(2.6, 4.0))
            case "SIT":
                lengths = [self._draw.choice((0.276, 0.330, 0.380)) for _ in range(3)]
                tones = zip((950, 1_400, 1_790), lengths, strict=True)
                return np.concatenate([_sine(hertz + off, seconds) for hertz, seconds in tones])
            case "music":
                notes = [220 * 2 ** (self._draw.randint(0, 24) / 12) for _ in range(24)]
                chords = [_sine(note, 0.3) + _sine(note * 1.26, 0.3) + _sine(note * 1.5, 0.3) for note in notes]
                return np.concatenate(chords) / 2
        return np.zeros(RATE // 50)

    def _line(self, sound: Samples, row: Answered) -> tuple[Answered, Pcm]:
        """As it comes off the line; `sound` has an active level of 0 dB."""
        lead_s, level = self._draw.uniform(0.1, 1.2), self._draw.uniform(-31, -18)
        snr = self._draw.choice((40.0, 30.0, self._draw.uniform(12, 25)))
        clean = np.concatenate([np.zeros(round(lead_s * RATE)), sound, np.zeros(round(TAIL_S * RATE))])
        whole = (clean + 10 ** (-snr / 20) * pink(clean.size, self._noise)) * 10 ** (level / 20)
        self._made += 1
        beep_end_s = None if row.beep_end_s is None else round(row.beep_end_s + lead_s, 3)
        row = replace(row, id=f"{row.by}-{self._made:03}", start_s=round(lead_s, 3), beep_end_s=beep_end_s)
        row = replace(row, end_s=round(row.end_s + lead_s, 3))
        return row, (np.clip(whole, -1, 1) * 32767).astype(np.int16)


def _sine(hertz: float, seconds: float) -> Samples:
    """RMS 1, with edges of 4 ms."""
    t = np.arange(round(seconds * RATE)) / RATE
    edge = np.minimum(1.0, np.minimum(t, t[::-1]) / 0.004)
    return np.asarray(np.sqrt(2) * edge * np.sin(2 * np.pi * hertz * t))
