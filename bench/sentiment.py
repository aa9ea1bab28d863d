"""How well feelings are judged, and how fast an angry caller is met.

    make bench-sentiment [OUT=file.json] [ARGS="--calls 0"]

Three parts. Own material, from which the thresholds come: sentences of bench/sentiment_sets and espeak-ng's voices
(bench/moods.py). The emotion pairs of bench/speech, from which nothing comes: each twin is the third turn of a call whose
first two are calm statements of the same voice at the calm twin's level, through the voice detector and the recogniser of a
call. And calls over SIP (bench/sentiment_calls.py).
"""

from __future__ import annotations

import argparse
import asyncio
import json
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import soxr
import yaml
from ccaas_moonshine.recognizer import MoonshineRecognizer
from ccaas_moonshine.settings import MoonshineSettings
from ccaas_sentiment.model import WordsAndVoice
from ccaas_sentiment.settings import SentimentSettings
from ccaas_turn.settings import SileroSettings
from ccaas_turn.silero import SileroVoiceDetector

from bench.moods import WHO, changed, voice
from bench.padding import FOLDER, padded
from bench.report import share
from bench.sentiment_calls import calls
from bench.speechset import RATE, Utterance, read_set
from bench.system import environment
from bench.turn_texts import texts
from ccaas.conversation.escalation import reason
from ccaas.conversation.settings import ConversationSettings, EscalationSettings
from ccaas.ports.media import Pcm
from ccaas.ports.sentiment import Mood, SentimentStream, Why
from ccaas.ports.site import Site

ROOT = Path(__file__).parents[1]
SETS = ROOT / "bench/sentiment_sets"
RULE = EscalationSettings(destination="senior")
FRAME = 320
AGENT_S = 3.0
"""What an agent's answer lasts at least (s): a call is the caller's voice and this for each turn."""


@dataclass(frozen=True, slots=True)
class Ears:
    """Voice detector and recogniser as in a call."""

    detector: SileroVoiceDetector
    recognizer: MoonshineRecognizer

    async def hear(self, utterance: Utterance, gain_db: float = 0.0) -> tuple[str, list[Pcm]]:
        """The words, and the voiced frames at 16 kHz."""
        pcm = np.clip(padded(utterance, 0.5, 0.5) * 10 ** (gain_db / 20), -32768, 32767).astype(np.int16)
        wide: Pcm = soxr.resample(pcm, RATE, 2 * RATE)
        settings, stream, detector = ConversationSettings(), self.recognizer.open(), self.detector.open()
        voiced: list[Pcm] = []
        speaking, run = False, 0
        for at in range(0, pcm.size - FRAME // 2 + 1, FRAME // 2):
            frame = wide[2 * at : 2 * at + FRAME]
            stream.push(frame)
            if speaking:
                voiced.append(frame)
            probability = detector.push(pcm[at : at + FRAME // 2])
            if probability is None:
                continue
            over = settings.silence_threshold if speaking else settings.speech_threshold
            run = run + 1 if (probability >= over) is not speaking else 0
            if run * self.detector.window_ms >= (settings.pause_ms if speaking else settings.onset_ms):
                speaking, run = not speaking, 0
        text = (await stream.final()).text
        stream.close()
        return text, voiced


async def turn(stream: SentimentStream, text: str, frames: Sequence[Pcm]) -> Mood:
    """One turn of a call."""
    for frame in frames:
        stream.push(frame)
    await stream.glance(text)
    return await stream.turn(text, 0.0)


def frames_of(pcm: Pcm) -> list[Pcm]:
    """20 ms each."""
    return [pcm[at : at + FRAME] for at in range(0, pcm.size, FRAME)]


async def sentences(model: WordsAndVoice) -> dict[str, Any]:
    """Words alone, in calm voices: our own sentences, and callers' sentences that others of the benches were made for."""
    own = yaml.safe_load((SETS / "english.yaml").read_text())
    others = [said.text.replace("|", " ") for said in texts(200, 1, held_out=False) if said.intent != "human"]
    for file in sorted((ROOT / "bench/understanding_sets").glob("*.jsonl")):
        rows = [json.loads(line) for line in file.read_text().splitlines()]
        others += [row["text"] for row in rows if row["intent"] != "human"]
    found: dict[str, Any] = {}
    for name, said in {**own, "other benches' callers": others}.items():
        moods = [await model.open().turn(text, 0.0) for text in said]
        words = [mood.words for mood in moods]
        found[name] = {
            "sentences": len(said),
            "upset": share(reason(mood, RULE) is Why.UPSET for mood in moods),
            "wants a person": share(mood.wants_human for mood in moods),
            "words": {f"p{p}": round(float(np.percentile(words, p)), 2) for p in (5, 50, 95)},
        }
    return found


async def german(site: Site) -> dict[str, Any]:
    """The same with examples in another language alone."""
    file = yaml.safe_load((SETS / "german.yaml").read_text())
    own = site.cache_dir / "moods-german.yaml"
    own.write_text(yaml.safe_dump(file["learn"], allow_unicode=True))
    model = WordsAndVoice(SentimentSettings(examples=str(own), built_in=False), site)
    await model.start()
    found = {}
    for name, said in file["held out"].items():
        moods = [await model.open().turn(text, 0.0) for text in said]
        found[name] = {
            "sentences": len(said),
            "upset": share(reason(mood, RULE) is Why.UPSET for mood in moods),
            "wants a person": share(mood.wants_human for mood in moods),
        }
    await model.close()
    return found


async def own_voices(model: WordsAndVoice) -> dict[str, Any]:
    """espeak-ng's callers: calm words in calm and in angry voices, after two calm turns."""
    own = yaml.safe_load((SETS / "english.yaml").read_text())["calm"]
    above, alone, most = [], [], 0.0
    for number, who in enumerate(WHO):
        calm = own[number : number + 5]
        for strength in (1.0, 1.6):
            scores = []
            for render in (voice(calm[4], who), changed(calm[4], who, strength=strength)):
                stream = model.open()
                for text in calm[:2]:
                    await turn(stream, text, frames_of(voice(text, who)))
                scores.append(await turn(stream, calm[4], frames_of(render)))
            above.append(scores[1].score > scores[0].score)
            alone.append(reason(scores[1], RULE) is not None)
            most = max(most, scores[1].score)
    return {"pairs": len(above), "angry above calm": share(above), "escalated by voice alone": sum(alone), "most": most}


async def speech_pairs(model: WordsAndVoice, ears: Ears) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """The pairs of bench/speech."""
    rows = {row["id"]: row for row in map(json.loads, (FOLDER / "set.jsonl").read_text().splitlines())}
    spoken = {utterance.id: utterance for utterance in read_set(FOLDER)}
    listed = []
    cpu_s = voice_s = 0.0
    for row in rows.values():
        if row["kind"] != "emotion":
            continue
        level = rows[row["pair"]]["level_dbfs"] if row["emotion"] == "angry" else row["level_dbfs"]
        before = [
            r for r in rows.values() if r["voice"] == row["voice"] and r["kind"] == "statement" and not r["snr_db"]
        ]
        heard = [await ears.hear(spoken[r["id"]], level - r["level_dbfs"]) for r in before[:2]]
        heard.append(await ears.hear(spoken[row["id"]]))
        stream, began = model.open(), time.process_time()
        moods = [await turn(stream, text, frames) for text, frames in heard]
        cpu_s += time.process_time() - began
        voice_s += sum(len(frames) for _, frames in heard) * 0.02
        why = reason(moods[-1], RULE)
        listed.append(
            {"id": row["id"], "emotion": row["emotion"], "how": row["emotion_how"], "text": heard[-1][0]}
            | {"why": why.value if why else None, "wants_human": moods[-1].wants_human}
            | {name: part and round(part, 3) for name, part in moods[-1].parts.items()}
        )
    by_id = {one["id"]: one for one in listed}
    angry = [one for one in listed if one["emotion"] == "angry"]
    figures: dict[str, Any] = {}
    for how in ("prosody", "words"):
        twins = [(one, by_id[rows[one["id"]]["pair"]]) for one in angry if one["how"] == how]
        figures[how] = {
            "pairs": len(twins),
            "angry above calm": share(one["score"] > twin["score"] for one, twin in twins),
            "angry escalated": sum(one["why"] is not None for one, _ in twins),
            "calm escalated for feelings": sum(twin["why"] == "upset" for _, twin in twins),
            "calm that ask for a person": sum(twin["why"] == "wish" for _, twin in twins),
        }
    turns = 3 * len(listed)
    figures["cpu"] = {
        "ms_per_turn": round(1000 * cpu_s / turns, 1),
        "share_of_a_core": round(cpu_s / (voice_s + turns * AGENT_S), 4),
        "voice_s": round(voice_s, 1),
    }
    statements = [row for row in rows.values() if row["kind"] != "emotion"]
    moods = [await model.open().turn((await ears.hear(spoken[row["id"]]))[0], 0.0) for row in statements]
    figures["all other utterances"] = {
        "utterances": len(statements),
        "escalated for feelings": [
            r["text"] for r, m in zip(statements, moods, strict=True) if reason(m, RULE) is Why.UPSET
        ],
        "wants a person": [r["text"] for r, m in zip(statements, moods, strict=True) if m.wants_human],
    }
    return figures, listed


async def judged() -> dict[str, Any]:
    """All figures that need no call."""
    site = Site(ROOT, ROOT / "var", ROOT / ".cache/models", ROOT / ".cache")
    model = WordsAndVoice(SentimentSettings(), site)
    ears = Ears(SileroVoiceDetector(SileroSettings(), site), MoonshineRecognizer(MoonshineSettings(), site))
    parts = (model, ears.detector, ears.recognizer)
    for part in parts:
        await part.start()
    try:
        found: dict[str, Any] = {
            "environment": environment(),
            "own sentences": await sentences(model),
            "own sentences, German": await german(site),
            "own voices": await own_voices(model),
        }
        found["bench/speech"], found["utterances"] = await speech_pairs(model, ears)
    finally:
        for part in parts:
            await part.close()
    return found


async def measure(*, offline: bool, count: int) -> dict[str, Any]:
    """All figures; `count` angry calls of each sort."""
    found = await judged() if offline else {"environment": environment()}
    return found | (await calls(read_set(FOLDER), count) if count else {})


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(prog="bench.sentiment", description="Feelings and how they are met.")
    parser.add_argument("--out", type=Path, help="all figures as JSON")
    parser.add_argument("--calls", type=int, default=8, help="how many angry calls of each sort, up to 8; 0: none")
    parser.add_argument("--calls-only", action="store_true", help="nothing but the calls")
    options = parser.parse_args()
    found = asyncio.run(measure(offline=not options.calls_only, count=options.calls))
    for name, figures in found.items():
        if name != "utterances":
            print(name)
            for key, value in figures.items():
                print(f"  {key:28} {value}")
    if options.out:
        options.out.write_text(json.dumps(found, indent=1))


if __name__ == "__main__":
    main()
