"""What was understood, against what was said."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from bench.journal import Record
from bench.speechset import Utterance
from bench.wer import errors, same, words

NO_TURN = ("backchannel", "noise")
"""Kinds that are no turn of the caller's: nothing needs to be understood."""

STAGES = ("speech_end", "speculated", "recognized", "committed", "drafted", "first_audio")


@dataclass(frozen=True, slots=True)
class Understood:
    """One utterance's score. None: does not apply."""

    text: str
    """What the recogniser made of it; all turns that it became, one behind the other."""
    word_errors: int | None = None
    words: int = 0
    """Words in truth."""
    code_exact: bool | None = None
    intent_right: bool | None = None
    slots_right: int = 0
    slots: int = 0
    """Slots in truth."""
    turns: int = 0
    """How many turns it became, those taken too early and taken again included."""
    stages_ms: Mapping[str, float] = field(default_factory=dict)
    """From the planted end of speech to each stage of the turn that was answered."""
    code_after_correction: bool | None = None
    """Whether the agent had it right after its read-back and at most one correction."""
    code_corrected: bool | None = None
    """Whether it took a correction."""


def checked(understood: Understood, check: Mapping[str, Any] | None) -> Understood:
    """With what came of the read-back, as in a side-car (`bench.checking.Checked`); a code without one was never right."""
    if understood.code_exact is None:
        return understood
    right, corrected = (check["right"], bool(check["way"])) if check else (False, False)
    return replace(understood, code_after_correction=right, code_corrected=corrected)


def belonging(records: Sequence[Record], start: float, until: float) -> list[Record]:
    """Turns that were taken between two monotonic seconds and hold words."""
    taken = [r for r in records if r["times"]["committed"] is not None and not r["keys"]]
    return [r for r in taken if start <= r["times"]["committed"] < until and r["caller_text"]]


def score(said: Utterance, records: Sequence[Record], speech_end: float) -> Understood:
    """Compare an utterance with the turns that it became; `speech_end` is its end in monotonic seconds."""
    final = [record for record in records if not record.get("retaken")]
    text = " ".join(record["caller_text"] for record in final)
    if said.kind in NO_TURN:
        return Understood(text, turns=len(records))
    slots: dict[str, str] = {}
    for record in final:
        slots |= record["slots"]
    truth = words(said.text)
    return Understood(
        text,
        word_errors=errors(truth, _letter_by_letter(words(text), truth)),
        words=len(truth),
        code_exact=_code_exact(said, slots, text) if said.kind == "code" else None,
        intent_right=bool(final) and final[-1]["intent"] == said.intent,
        slots_right=sum(_same_value(slots.get(key), value) for key, value in said.slots.items()),
        slots=len(said.slots),
        turns=len(records),
        stages_ms=_stages(final, speech_end),
    )


def _letter_by_letter(heard: Sequence[str], truth: Sequence[str]) -> list[str]:
    """Letters that the recogniser wrote as one word ("kq") taken apart where they were spelled ("k q")."""
    spelled = {
        "".join(truth[start:end])
        for start in range(len(truth))
        for end in range(start + 2, len(truth) + 1)
        if all(len(word) == 1 for word in truth[start:end])
    }
    return [letter for word in heard for letter in (word if word in spelled else [word])]


def _same_value(got: Any, wanted: str) -> bool:
    return got is not None and _plain(str(got)) == _plain(wanted)


def _plain(value: str) -> str:
    return re.sub(r"\s+", " ", value.strip().casefold())


def _code_exact(said: Utterance, slots: Mapping[str, str], text: str) -> bool:
    """The value was understood, under whatever name, or the words say it letter by letter."""
    wanted = {_squeezed(value) for value in said.slots.values()}
    return any(_squeezed(str(value)) in wanted for value in slots.values()) or same(words(said.text), words(text))


def _squeezed(value: str) -> str:
    return re.sub(r"[^a-z0-9]", "", value.casefold())


def _stages(final: Sequence[Record], speech_end: float) -> dict[str, float]:
    if not final:
        return {}
    times = final[-1]["times"]
    return {stage: (times[stage] - speech_end) * 1000 for stage in STAGES if times.get(stage) is not None}
