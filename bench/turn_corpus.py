"""Renders the texts of `bench/turn_texts.py` as telephone callers, in the format and by the recipe of bench/speech.

    python -m bench.turn_corpus --model kokoro.onnx --voices FOLDER --out FOLDER [--count 450] [--seed 1] [--held-out]

For a Python that has `kokoro-onnx` (Kokoro-82M as ONNX; `--voices` holds its styles, NAME.bin, float32 [510, 1, 256]); the
project itself does not need it. The voices are others than those of bench/speech, and of them some are held out.
"""

from __future__ import annotations

import argparse
import importlib
import json
import random
import re
from pathlib import Path
from typing import Any

import numpy as np
import soundfile
import soxr
from numpy.typing import NDArray

from bench.turn_texts import Said, texts

Samples = NDArray[np.float64]

RATE = 8_000
VOICES = (
    *("af_alloy", "af_aoede", "af_kore", "af_sarah", "af_river", "am_eric", "am_fenrir", "am_liam", "am_onyx"),
    *("bf_isabella", "bm_fable"),
)
HELD_OUT = ("af_nicole", "am_santa", "bf_lily", "bm_daniel")
FRAME = RATE // 200
EDGE_S = 0.015
UNDER_ACTIVE_DB = 35.0
BAND_HZ = (250.0, 3_400.0)
WIDENED = 0.7
"""How many of the silences at punctuation are made longer."""


def levels(pcm: Samples) -> Samples:
    """Loudness of each 5 ms (dB)."""
    frames = pcm[: pcm.size // FRAME * FRAME].reshape(-1, FRAME)
    return np.asarray(10 * np.log10(np.mean(frames**2, axis=1) + 1e-12))


def active(level: Samples) -> float:
    """Mean of the frames within 20 dB of the loud ones (dB)."""
    loud = level[level > np.percentile(level, 95) - 20]
    return float(10 * np.log10(np.mean(10 ** (loud / 10))))


def voiced(pcm: Samples) -> NDArray[np.bool_]:
    """Which 5 ms frames hold speech."""
    level = levels(pcm)
    return np.asarray(level > active(level) - UNDER_ACTIVE_DB)


def trimmed(pcm: Samples) -> Samples:
    """From the first to the last speech."""
    at = np.flatnonzero(voiced(pcm))
    return pcm[at[0] * FRAME : (at[-1] + 1) * FRAME]


def gaps(pcm: Samples, shortest_s: float = 0.15) -> list[tuple[float, float]]:
    """Silences inside (s)."""
    at = np.flatnonzero(voiced(pcm)) * FRAME / RATE
    ends = at[:-1] + FRAME / RATE
    return [(float(a), float(b)) for a, b in zip(ends, at[1:], strict=True) if b - a >= shortest_s]


def telephone(pcm: Samples) -> Samples:
    """Only what a telephone passes."""
    spectrum = np.fft.rfft(pcm)
    hertz = np.fft.rfftfreq(pcm.size, 1 / RATE)
    spectrum[(hertz < BAND_HZ[0]) | (hertz > BAND_HZ[1])] = 0
    return np.asarray(np.fft.irfft(spectrum, pcm.size))


def pink(count: int, random_numbers: np.random.Generator) -> Samples:
    """Noise that falls by 3 dB an octave, telephone band, RMS 1."""
    spectrum = np.fft.rfft(random_numbers.normal(size=count))
    hertz = np.fft.rfftfreq(count, 1 / RATE)
    spectrum /= np.sqrt(np.maximum(hertz, 50))
    noise = telephone(np.fft.irfft(spectrum, count))
    return np.asarray(noise / np.sqrt(np.mean(noise**2)))


def widened(pcm: Samples, marks: int, draw: random.Random) -> Samples:
    """With the silences at its `marks` punctuation marks as long as people make them: Kokoro's are shorter."""
    found = sorted(gaps(pcm, 0.04), key=lambda gap: gap[0] - gap[1])[:marks]
    for start, end in sorted(found, reverse=True):
        longer = draw.uniform(0.12, 0.5) - (end - start)
        if longer > 0 and draw.random() < WIDENED:
            at = round((start + end) / 2 * RATE)
            pcm = np.concatenate([pcm[:at], np.zeros(round(longer * RATE)), pcm[at:]])
    return pcm


class Renderer:
    """Kokoro, by parts of a text."""

    def __init__(self, model: Path, voices: Path) -> None:
        self._module: Any = importlib.import_module("kokoro_onnx")
        names = [*VOICES, *HELD_OUT]
        styles: Any = {name: np.fromfile(voices / f"{name}.bin", np.float32).reshape(-1, 1, 256) for name in names}
        self._archive = model.with_name("styles.npz")
        np.savez(self._archive, **styles)
        self._kokoro: Any = self._module.Kokoro(str(model), str(self._archive))

    def part(self, text: str, voice: str, speed: float) -> Samples:
        """Speech at 8 kHz, nothing around it."""
        language = "en-gb" if voice.startswith("b") else "en-us"
        audio, rate = self._kokoro.create(text, voice=voice, speed=speed, lang=language, trim=False)
        return trimmed(telephone(soxr.resample(np.asarray(audio, np.float64), rate, RATE)))

    def say(self, said: Said, voice: str, draw: random.Random) -> tuple[Samples, list[tuple[float, float]]]:
        """The whole utterance and its planted pauses (s)."""
        speed = draw.uniform(0.88, 1.22)
        parts = said.text.split("|")
        longest = (0.25, 0.7) if said.kind == "code" else (0.3, 1.2)
        pieces: list[Samples] = []
        pauses: list[tuple[float, float]] = []
        at = 0.0
        for number, part in enumerate(parts):
            open_end = number + 1 < len(parts)
            text = part + draw.choice(("...", ",", ",", "")) if open_end and not part.endswith(",") else part
            spoken = widened(self.part(text, voice, speed), len(re.findall(r"[.,?!;] ", text)), draw)
            pieces.append(spoken)
            at += spoken.size / RATE
            if open_end:
                pause = round(draw.uniform(*longest), 3)
                pauses.append((at, at + pause))
                pieces.append(np.zeros(round(pause * RATE)))
                at += pieces[-1].size / RATE
        return np.concatenate(pieces), pauses


def render(options: argparse.Namespace) -> None:
    """Write the set."""
    options.out.mkdir(parents=True, exist_ok=True)
    draw, noises = random.Random(options.seed), np.random.default_rng(options.seed)
    renderer = Renderer(options.model, options.voices)
    voices = HELD_OUT if options.held_out else VOICES
    with (options.out / "set.jsonl").open("w") as lines:
        for number, said in enumerate(texts(options.count, options.seed, options.held_out)):
            voice = voices[number % len(voices)]
            pcm, pauses = renderer.say(said, voice, draw)
            found = gaps(pcm)
            edge = np.zeros(round(EDGE_S * RATE))
            pcm = np.concatenate([edge, pcm, edge])
            level = draw.uniform(-31, -18)
            pcm = pcm * 10 ** ((level - active(levels(pcm))) / 20)
            snr = round(draw.uniform(12, 25), 1) if draw.random() < 0.35 else None
            floor = 10 ** ((level - snr) / 20) if snr is not None else 10 ** (-66 / 20)
            pcm = np.clip(pcm + floor * pink(pcm.size, noises), -1, 1)
            name = f"turn-{options.seed}-{number:04d}"
            soundfile.write(options.out / f"{name}.wav", pcm, RATE, subtype="ULAW")
            row = {
                "id": name,
                "file": f"{name}.wav",
                "text": said.text.replace("|", " "),
                "voice": voice,
                "kind": said.kind,
                "intent": said.intent,
                "slots": {},
                "speech_start_s": EDGE_S,
                "speech_end_s": round(pcm.size / RATE - EDGE_S, 4),
                "snr_db": snr,
                "pauses": [[round(EDGE_S + a, 4), round(EDGE_S + b, 4)] for a, b in pauses],
                "gaps": [[round(EDGE_S + a, 4), round(EDGE_S + b, 4)] for a, b in found],
            }
            lines.write(json.dumps(row) + "\n")


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--voices", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--count", type=int, default=450)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--held-out", action="store_true", help="other words, and other voices again")
    render(parser.parse_args())


if __name__ == "__main__":
    main()
