"""Turn renderings and made sounds into what the network sees on the telephone: `python -m bench.backchannel.dataset RENDERED OUT.npz`

RENDERED holds VOICE/NNN-{listening,taking}.wav. Every sound is said several times at another level, speed and noise, through a
telephone's band and G.711, is heard by Silero as a call would hear it, and is described from 160 ms before the voice was
noticed until it ended. Hums and noises are made here. OUT: `shapes` [n, 60, 20], `lengths` [n], `listening` [n],
`groups` [n] (the voice, "hum" or "noise"), `texts` [n].
"""

from __future__ import annotations

import argparse
import asyncio
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile
import soxr
from ccaas_turn.settings import SileroSettings
from ccaas_turn.silero import SileroVoiceDetector

from bench.backchannel.sounds import RATE as SOUND_RATE
from bench.backchannel.sounds import Samples, hum, noise
from ccaas.conversation.settings import ConversationSettings
from ccaas.conversation.voice_shape import FRAME, NUMBERS, RATE, Floats, VoiceShape
from ccaas.media.codec import coder
from ccaas.ports.media import Codec, Pcm
from ccaas.ports.site import Site

ROOT = Path(__file__).parents[2]
LONGEST = 60
"""Frames of a stretch that are looked at (20 ms each)."""
BEFORE = 8
"""Frames up to the one in which the voice was noticed."""
SAID = 3
"""Times that each sound is said."""
HUMS, NOISES = 900, 500
_LEAD_S, _TAIL_S = 0.4, 0.5


@dataclass(frozen=True, slots=True)
class Sound:
    """Something to be said."""

    group: str
    listening: bool
    text: str
    samples: Samples
    rate: int


def sounds(rendered: Path) -> Iterator[Sound]:
    """Everything, in a fixed order."""
    for path in sorted(rendered.glob("*/*.wav")):
        samples, rate = soundfile.read(path)
        text = path.with_suffix(".txt").read_text().strip()
        yield Sound(path.parent.name, path.stem.endswith("listening"), text, _trimmed(samples), rate)
    for number in range(HUMS):
        yield Sound("hum", True, f"hum {number}", hum(np.random.default_rng([1, number])), SOUND_RATE)
    for number in range(NOISES):
        yield Sound("noise", True, f"noise {number}", noise(np.random.default_rng([2, number])), SOUND_RATE)


def _trimmed(samples: Samples) -> Samples:
    loud = np.flatnonzero(np.abs(samples) > 0.02 * np.abs(samples).max())
    return samples[loud[0] : loud[-1] + 1] if len(loud) else samples


def said(sound: Sound, chance: np.random.Generator) -> Pcm:
    """One saying of it, as the far end of a telephone line gets it (8 kHz)."""
    speed = chance.uniform(0.88, 1.14)
    voice = soxr.resample(sound.samples, sound.rate, RATE * speed)
    whole = np.concatenate(
        (np.zeros(round(_LEAD_S * RATE + chance.integers(FRAME * 8))), voice, np.zeros(round(_TAIL_S * RATE)))
    )
    hertz = np.fft.rfftfreq(len(whole), 1 / RATE)
    spectrum = np.fft.rfft(whole)
    spectrum[(hertz < chance.uniform(50, 300)) | (hertz > chance.uniform(3_300, 3_900))] = 0
    spectrum *= 10 ** (chance.uniform(-3, 3) * np.log2(np.maximum(hertz, 100) / 1_000) / 20)
    whole = np.fft.irfft(spectrum, len(whole))
    level = float(np.sqrt(np.mean(whole[np.abs(whole) > 0.1 * np.abs(whole).max()] ** 2)))
    whole *= 10 ** (chance.uniform(-34, -16) / 20) / max(level, 1e-9)
    background = chance.normal(size=len(whole))
    colour = np.fft.rfft(background) / np.maximum(hertz, 60) ** chance.uniform(0, 0.8)
    background = np.fft.irfft(colour, len(whole))
    ratio = chance.uniform(12, 30) if chance.random() < 0.4 else chance.uniform(30, 50)
    background *= np.sqrt(np.mean(whole**2)) * 10 ** (-ratio / 20) / np.sqrt(np.mean(background**2))
    pcm = np.clip((whole + background) * 32767, -32768, 32767).astype(np.int16)
    code = coder(Codec.ULAW)
    return np.concatenate(
        [code.decode(code.encode(pcm[at : at + FRAME])) for at in range(0, len(pcm) - FRAME + 1, FRAME)]
    )


def stretch(pcm: Pcm, detector: SileroVoiceDetector) -> Floats | None:
    """The first voiced stretch described, shape [frames, 20]; None when no voice is noticed."""
    settings = ConversationSettings()
    stream = detector.open()
    frames = [pcm[at : at + FRAME] for at in range(0, len(pcm), FRAME)]
    run = quiet = 0.0
    began: int | None = None
    for number, frame in enumerate(frames):
        probability = stream.push(frame)
        if probability is None:
            continue
        if began is None:
            run = run + detector.window_ms if probability >= settings.speech_threshold else 0.0
            began = number if run >= settings.onset_ms else None
        else:
            quiet = quiet + detector.window_ms if probability < settings.silence_threshold else 0.0
            if quiet >= settings.pause_ms or number - began >= LONGEST - BEFORE:
                return _described(frames[began - BEFORE + 1 : number + 1])
    return None if began is None else _described(frames[began - BEFORE + 1 :])


def _described(frames: Sequence[Pcm]) -> Floats:
    shape = VoiceShape()
    return np.stack([shape.describe(frame) for frame in frames])[:LONGEST]


async def build(rendered: Path, out: Path) -> None:
    """Write the set."""
    detector = SileroVoiceDetector(SileroSettings(), Site(ROOT, ROOT / "var", ROOT / ".cache/models", ROOT / ".cache"))
    await detector.start()
    rows: list[tuple[Floats, Sound]] = []
    unheard = 0
    for sound in sounds(rendered):
        chance = np.random.default_rng(zlib.crc32(f"{sound.group} {sound.text}".encode()))
        for _ in range(SAID):
            shapes = stretch(said(sound, chance), detector)
            if shapes is None:
                unheard += 1
            else:
                rows.append((shapes, sound))
    await detector.close()
    shapes = np.zeros((len(rows), LONGEST, NUMBERS), np.float32)
    for number, (one, _) in enumerate(rows):
        shapes[number, : len(one)] = one
    np.savez_compressed(
        out,
        shapes=shapes,
        lengths=np.array([len(one) for one, _ in rows]),
        listening=np.array([sound.listening for _, sound in rows]),
        groups=np.array([sound.group for _, sound in rows]),
        texts=np.array([sound.text for _, sound in rows]),
    )
    print(f"{len(rows)} stretches, {unheard} without a voice")


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(prog="bench.backchannel.dataset", description="Describe rendered callers.")
    parser.add_argument("rendered", type=Path)
    parser.add_argument("out", type=Path)
    options = parser.parse_args()
    asyncio.run(build(options.rendered, options.out))


if __name__ == "__main__":
    main()
