"""How well the flows understand texts: `python bench/understanding.py [SET.jsonl …] [--flows FILE] [--out FILE.json] [--misses]`.

A set is lines of JSON with `text`, `intent` and `slots`, and perhaps `kind` and `text_marked` (docs of the format:
bench/speech/README.md). Figures: `intent_accuracy` (lines whose intent is right), `slot_accuracy` (expected slot values that are
exactly right), `slots_extra` (values found that the line does not have, a line), `ms` (a text, on this machine). Where
`text_marked` shows a planted pause, `endings`: how often the words before a pause are told as unfinished, and whole texts not.
"""

from __future__ import annotations

import argparse
import json
import time
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ccaas_flows.reasoner import understanding_of
from ccaas_flows.source import load
from ccaas_flows.understanding.embedding import MiniLm
from ccaas_flows.understanding.reading import Understanding

from ccaas.ports.reasoning import Expectation, ExpectationKind
from ccaas.spoken.endings import Completeness, judge

ROOT = Path(__file__).parents[1]
_DIGITS = frozenset({"phone", "frequent_flyer", "card_last4"})


@dataclass(slots=True)
class Tally:
    """Counts of one kind."""

    lines: int = 0
    intents: int = 0
    expected: int = 0
    right: int = 0
    extra: int = 0
    seconds: float = 0.0
    misses: list[str] = field(default_factory=list)

    def figures(self) -> dict[str, float]:
        """As they are reported."""
        return {
            "lines": self.lines,
            "intent_accuracy": round(self.intents / max(1, self.lines), 4),
            "slot_accuracy": round(self.right / self.expected, 4) if self.expected else 1.0,
            "slots_expected": self.expected,
            "slots_extra": round(self.extra / max(1, self.lines), 4),
            "ms": round(1000 * self.seconds / max(1, self.lines), 2),
        }


def score(understanding: Understanding, lines: Iterable[Mapping[str, Any]]) -> dict[str, Tally]:
    """Tallies by kind, and under "all"."""
    tallies: dict[str, Tally] = defaultdict(Tally)
    for line in lines:
        began = time.perf_counter()
        reading = understanding.read(line["text"])
        took = time.perf_counter() - began
        expected = line.get("slots", {})
        right = sum(reading.slots.get(name) == value for name, value in expected.items())
        for kind in ("all", line.get("kind", "")):
            if not kind:
                continue
            tally = tallies[kind]
            tally.lines += 1
            tally.intents += reading.intent == line["intent"]
            tally.expected += len(expected)
            tally.right += right
            tally.extra += sum(name not in expected for name in reading.slots)
            tally.seconds += took
        if reading.intent != line["intent"] or right < len(expected):
            wanted = f"{line['intent']} {dict(expected)}"
            found = f"{reading.intent} ({reading.confidence:.2f}) {dict(reading.slots)}"
            tallies["all"].misses.append(f"{line['text']}\n    wanted {wanted}\n    found  {found}")
    return dict(tallies)


def expectation(line: Mapping[str, Any]) -> Expectation:
    """What a flow that asked for this line's value would expect."""
    if line.get("kind") != "code" or not line["slots"]:
        return Expectation()
    name, value = next(iter(line["slots"].items()))
    if name == "dob":
        return Expectation(ExpectationKind.DATE)
    if name == "name":
        return Expectation(ExpectationKind.SPELLING)
    kind = ExpectationKind.DIGITS if name in _DIGITS else ExpectationKind.CODE
    return Expectation(kind, (len(value), len(value)))


def endings(lines: Iterable[Mapping[str, Any]]) -> dict[str, float]:
    """How the text alone tells planted pauses from ends."""
    pauses = found = whole = wrong = 0
    for line in lines:
        expect = expectation(line)
        whole += 1
        wrong += judge(line["text"], expect) is Completeness.INCOMPLETE
        parts = (line.get("text_marked") or "").split("|")
        for n in range(1, len(parts)):
            pauses += 1
            found += judge("".join(parts[:n]), expect) is Completeness.INCOMPLETE
    return {
        "pauses": pauses,
        "pauses_told": round(found / pauses, 4) if pauses else 1.0,
        "texts": whole,
        "texts_called_unfinished": round(wrong / max(1, whole), 4),
    }


def main() -> None:
    """Print a table; write JSON where asked."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("sets", nargs="*", type=Path, default=[ROOT / "bench/speech/set.jsonl"])
    options.add_argument("--flows", type=Path, default=ROOT / "examples/airline/flows.yaml")
    options.add_argument("--out", type=Path)
    options.add_argument("--misses", action="store_true", help="show every text that was not understood")
    chosen = options.parse_args()
    program = load(chosen.flows)
    understanding = understanding_of(
        program, MiniLm(ROOT / ".cache/models/minilm", ROOT / ".cache"), ROOT / ".cache/intents"
    )
    report: dict[str, object] = {}
    for path in chosen.sets:
        lines = [json.loads(text) for text in path.read_text("utf-8").splitlines() if text.strip()]
        tallies = score(understanding, lines)
        report[str(path.name)] = {
            **{kind: tally.figures() for kind, tally in tallies.items()},
            "endings": endings(lines),
        }
        print(path.name)
        print(f"  {'kind':<12}{'lines':>6}{'intent %':>10}{'slot %':>8}{'extra':>7}{'ms':>7}")
        for kind, tally in tallies.items():
            row = tally.figures()
            print(
                f"  {kind:<12}{row['lines']:>6.0f}{100 * row['intent_accuracy']:>10.1f}{100 * row['slot_accuracy']:>8.1f}"
                f"{row['slots_extra']:>7.2f}{row['ms']:>7.1f}"
            )
        told = endings(lines)
        print(f"  pauses told as unfinished {100 * told['pauses_told']:.1f} % of {told['pauses']:.0f}; ", end="")
        print(f"whole texts called unfinished {100 * told['texts_called_unfinished']:.1f} %")
        if chosen.misses:
            print("\n".join(f"  {miss}" for miss in tallies["all"].misses))
    if chosen.out:
        chosen.out.write_text(json.dumps(report, indent=2) + "\n", "utf-8")


if __name__ == "__main__":
    main()
