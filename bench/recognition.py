"""Word error rate and time of recognition over the speech set, as a live call would ask for it.

    python -m bench.recognition [--final base|tiny] [--no-interim] [--json FILE] [--folder DIR]

Each file is pushed in frames of 20 ms with 0.2 s of its own background in front; an interim text is asked for every
0.32 s; the final text `--pause` seconds behind the last sample of speech. Times are from the question to the answer; beside
them the CPU time, which a busy machine does not change.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import time
from pathlib import Path
from typing import Any

import soxr
from ccaas_moonshine.recognizer import MoonshineRecognizer
from ccaas_moonshine.settings import MoonshineSettings

from bench.padding import FOLDER, noise_levels, padded
from bench.report import percentiles
from bench.speechset import RATE, Utterance, read_set
from bench.wer import errors, same, words
from ccaas.ports.site import Site

ROOT = Path(__file__).parents[1]
BEFORE_S = 0.2
INTERIM_FRAMES = 16


async def one(recognizer: MoonshineRecognizer, utterance: Utterance, pause_s: float, interim: bool) -> dict[str, Any]:
    """Push a file and ask as a call would."""
    upsampled = soxr.ResampleStream(RATE, 2 * RATE, 1, dtype="int16", quality="QQ")
    pcm = padded(utterance, BEFORE_S, 1.0)[: int((BEFORE_S + utterance.speech_end_s + pause_s) * RATE)]
    stream = recognizer.open()
    interims: list[float] = []
    text = ""
    for count, at in enumerate(range(0, pcm.size, RATE // 50), 1):
        stream.push(upsampled.resample_chunk(pcm[at : at + RATE // 50]))
        if interim and count > INTERIM_FRAMES and count % INTERIM_FRAMES == 0:
            began = time.perf_counter()
            text = (await stream.interim()).text
            interims.append(1000 * (time.perf_counter() - began))
    began, cpu = time.perf_counter(), time.process_time()
    transcript = await stream.final()
    took, cost = 1000 * (time.perf_counter() - began), 1000 * (time.process_time() - cpu)
    stream.close()
    truth, heard = words(utterance.text), words(transcript.text)
    right = same(truth, heard)
    return {
        "id": utterance.id,
        "kind": utterance.kind,
        "text": utterance.text,
        "heard": transcript.text,
        "interim": text,
        "confidence": transcript.confidence,
        "words": len(truth),
        "errors": 0 if right else errors(truth, heard),
        "right": right,
        "final_ms": took,
        "final_cpu_ms": cost,
        "interim_ms": interims,
        "audio_s": utterance.speech_end_s,
    }


def summary(rows: list[dict[str, Any]]) -> dict[str, Any]:
    """Figures over some files."""
    return {
        "files": len(rows),
        "wer_percent": round(100 * sum(row["errors"] for row in rows) / max(1, sum(row["words"] for row in rows)), 1),
        "right": sum(row["right"] for row in rows),
        "final_ms": percentiles((row["final_ms"] for row in rows), 50, 95),
        "final_cpu_ms": percentiles((row["final_cpu_ms"] for row in rows), 50, 95),
        "interim_ms": percentiles((took for row in rows for took in row["interim_ms"]), 50, 95),
    }


async def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--final", choices=("base", "tiny"), default="base")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--pause", type=float, default=0.1)
    parser.add_argument("--no-interim", action="store_true")
    parser.add_argument("--folder", type=Path, default=FOLDER)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--errors", action="store_true", help="print what was misheard")
    options = parser.parse_args()
    site = Site(ROOT, ROOT / "var", ROOT / ".cache" / "models", ROOT / ".cache")
    recognizer = MoonshineRecognizer(MoonshineSettings(final=options.final, threads=options.threads), site)
    await recognizer.start()
    cpu = time.process_time()
    rows = [
        await one(recognizer, utterance, options.pause, not options.no_interim)
        for utterance in read_set(options.folder)
    ]
    cpu = time.process_time() - cpu
    await recognizer.close()
    kinds = sorted({row["kind"] for row in rows})
    parts = {kind: [row for row in rows if row["kind"] == kind] for kind in kinds}
    noise = noise_levels(options.folder)
    parts["clean"] = [row for row in rows if noise[row["id"]] is None]
    parts["noisy"] = [row for row in rows if noise[row["id"]] is not None]
    parts["2-4 s"] = [row for row in rows if 2 <= row["audio_s"] < 4]
    parts["all"] = rows
    figures = {name: summary(part) for name, part in parts.items() if part}
    per_second = round(cpu / sum(row["audio_s"] for row in rows), 3)
    for name, figure in figures.items():
        print(f"{name:12} {figure}")
    print(f"CPU seconds per second of speech: {per_second}")
    for row in rows if options.errors else ():
        if not row["right"]:
            print(f"{row['id']} {row['confidence'] or 0:.2f}  {row['text']}  |  {row['heard']}")
    if options.json:
        settings = {"final": options.final, "threads": options.threads, "pause_s": options.pause}
        report = {"settings": settings, "figures": figures, "cpu_per_audio_s": per_second, "rows": rows}
        options.json.write_text(json.dumps(report, indent=1))


if __name__ == "__main__":
    asyncio.run(main())
