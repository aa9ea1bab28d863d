"""Codes without a call: recognised, read back by the measured flows, corrected once at most.

    python -m bench.codes [--folder DIR] [--json FILE] [--list]

Each code of the set is said three times, with 0.1, 0.25 and 0.4 s of its background before it, since a few milliseconds more or
less change what is heard. Corrections are made by the callers of `bench.voices`. What it does not have: pauses in which a turn
is taken too early, and the wire.
"""

from __future__ import annotations

import argparse
import asyncio
import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import soxr
from ccaas_flows.reasoner import FlowsReasoner
from ccaas_flows.settings import FlowsSettings
from ccaas_moonshine.recognizer import MoonshineRecognizer
from ccaas_moonshine.settings import MoonshineSettings

from bench.padding import FOLDER, padded
from bench.readback import answer, heard, known
from bench.report import share
from bench.speechset import RATE, Utterance, read_set
from bench.system import ROOT
from bench.voices import Voices
from ccaas.ports.media import Pcm
from ccaas.ports.reasoning import CallerTurn, Dialogue, DialogueContext, Expectation
from ccaas.ports.site import Site
from ccaas.testing.fakes.tools import FakeToolbox

NOW = datetime(2024, 5, 15, 12, tzinfo=UTC)
LEADS_S = (0.1, 0.25, 0.4)
TAIL_S = 0.08
"""Silence behind the speech when a live call asks for the text."""


class Desk:
    """The recogniser and the measured flows."""

    def __init__(self) -> None:
        self.site = Site(ROOT / "examples/bench", ROOT / "var", ROOT / ".cache/models", ROOT / ".cache")
        self._recognizer = MoonshineRecognizer(MoonshineSettings(), self.site)
        self._reasoner = FlowsReasoner(FlowsSettings(file="flows.yaml"), self.site)
        self._turns = 0

    async def start(self) -> None:
        """Load the models."""
        await self._recognizer.start()
        await self._reasoner.start()

    async def close(self) -> None:
        """Let them go."""
        await self._recognizer.close()
        await self._reasoner.close()

    async def open(self, question: str) -> Dialogue:
        """A conversation in which that has been asked."""
        dialogue = self._reasoner.open(DialogueContext("bench", "voice", "+1", question, None, FakeToolbox({}), NOW))
        await dialogue.open()
        return dialogue

    async def text(self, pcm: Pcm, expect: Expectation) -> str:
        """What is recognised in 8 kHz samples."""
        stream = self._recognizer.open()
        upsampled = soxr.ResampleStream(RATE, 2 * RATE, 1, dtype="int16", quality="QQ")
        for at in range(0, pcm.size, RATE // 50):
            stream.push(upsampled.resample_chunk(pcm[at : at + RATE // 50]))
        found = (await stream.final(expect)).text
        stream.close()
        return found

    async def say(self, dialogue: Dialogue, text: str) -> str:
        """One turn; the agent's words."""
        self._turns += 1
        draft = await dialogue.draft(CallerTurn(f"t{self._turns}", text))
        return " ".join([reply.text async for reply in dialogue.commit(draft)])


async def one(desk: Desk, voices: Voices, utterance: Utterance, lead_s: float, corrections: int) -> dict[str, Any]:
    """Say a code, hear it read back, correct it. `corrections`: how many were made before."""
    dialogue = await desk.open(utterance.question)
    pcm = padded(utterance, lead_s, TAIL_S)[: round((lead_s + utterance.speech_end_s + TAIL_S) * RATE)]
    text = await desk.text(pcm, dialogue.expectation)
    truth = known(dict(utterance.slots))
    first = last = heard(await desk.say(dialogue, text))
    row: dict[str, Any] = {"id": utterance.id, "lead_s": lead_s, "known": truth, "heard": text, "first": first}
    reaction = answer(truth, first, corrections)
    if reaction.text:
        again = await desk.text(await voices.say(reaction.text, corrections), dialogue.expectation)
        last = heard(await desk.say(dialogue, again))
        row |= {"said": reaction.text, "way": reaction.way, "understood": again, "last": last}
    return row | {"exact": first == truth, "after": last == truth}


def figures(rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Shares, by whether it was corrected and how."""
    ways = sorted({row["way"] for row in rows if "way" in row})
    repaired = {way: [row["after"] for row in rows if row.get("way") == way] for way in ways}
    return {
        "said": len(rows),
        "code_exact": share(row["exact"] for row in rows),
        "code_after_correction": share(row["after"] for row in rows),
        "code_corrections": sum("way" in row for row in rows),
        "repaired": {way: f"{sum(found)} of {len(found)}" for way, found in repaired.items()},
    }


async def measure(folder: Path) -> list[dict[str, Any]]:
    """All codes of the set."""
    desk = Desk()
    await desk.start()
    rows: list[dict[str, Any]] = []
    async with Voices(desk.site) as voices:
        for utterance in read_set(folder):
            if utterance.kind == "code" and utterance.slots:
                for lead_s in LEADS_S:
                    rows.append(await one(desk, voices, utterance, lead_s, sum("way" in row for row in rows)))
    await desk.close()
    return rows


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", type=Path, default=FOLDER)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--list", action="store_true", help="show every code that was not right at once")
    options = parser.parse_args()
    rows = asyncio.run(measure(options.folder))
    print(figures(rows))
    for row in rows if options.list else ():
        if not row["exact"]:
            print(
                "  ".join(
                    str(row.get(key, "")) for key in ("id", "known", "heard", "first", "said", "understood", "last")
                )
            )
    if options.json:
        options.json.write_text(json.dumps({"figures": figures(rows), "rows": rows}, indent=1))


if __name__ == "__main__":
    main()
