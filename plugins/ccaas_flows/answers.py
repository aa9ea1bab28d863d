"""What an answer to a question looks like, and what it says, apart from any conversation."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from ccaas.ports.reasoning import Expectation, ExpectationKind
from ccaas_flows.understanding.acts import leading_answer
from ccaas_flows.understanding.reading import Reading
from ccaas_flows.understanding.slots import Slot, asked

_KINDS = {
    "code": ExpectationKind.CODE, "digits": ExpectationKind.DIGITS, "phone": ExpectationKind.DIGITS, "postcode": ExpectationKind.DIGITS,
    "birth_date": ExpectationKind.DATE, "date": ExpectationKind.DATE, "day": ExpectationKind.DATE, "month": ExpectationKind.DATE,
    "time": ExpectationKind.TIME, "part_of_day": ExpectationKind.TIME, "number": ExpectationKind.NUMBER, "choice": ExpectationKind.CHOICE,
    "color": ExpectationKind.CHOICE, "name": ExpectationKind.NAME, "yes_no": ExpectationKind.YES_NO, "spelling": ExpectationKind.SPELLING,
    "flight": ExpectationKind.CODE,
}  # fmt: skip
_LENGTHS = {"phone": (10, 11), "postcode": (5, 5), "flight": (2, 6)}


def expectation_of(slot: Slot) -> Expectation:
    """What an answer for this slot looks like."""
    kind = _KINDS.get(slot.type, ExpectationKind.OPEN)
    options = (
        tuple(dict.fromkeys(w for v, ways in slot.values.items() for w in (v, *ways)))
        if kind is ExpectationKind.CHOICE
        else ()
    )
    return Expectation(kind, slot.length or _LENGTHS.get(slot.type), options)


_HOURS: Mapping[str, Callable[[int], bool]] = {
    "morning": lambda hour: hour < 12,
    "afternoon": lambda hour: 12 <= hour < 18,
    "evening": lambda hour: hour >= 17,
    "night": lambda hour: hour >= 18,
}


def same_value(wanted: str, value: object) -> bool:
    """Whether an item's field is what the caller named: the same text or time, or a time within the part of the day."""
    text = str(value)
    if wanted in _HOURS:
        clock = text[11:13] if len(text) > 13 and text[10] in "T " else text[:2]
        return clock.isdigit() and _HOURS[wanted](int(clock))
    return wanted.lower() in {text.lower(), text[:5].lower(), text[11:16].lower()}


def yes_or_no(text: str, reading: Reading) -> str:
    """ "affirm", "deny" or nothing, from an answer to a yes/no question."""
    if reading.intent in {"affirm", "deny"}:
        return reading.intent
    if reading.intent == "backchannel":
        return "affirm"
    lead = leading_answer(text)
    if lead == "affirm" and reading.intent in {"correct", "unsure", "question", "stop"}:
        return ""
    return lead


def only_yes(text: str, reading: Reading) -> bool:
    """Whether the answer agrees, so that nothing in it is a correction."""
    return reading.intent in {"affirm", "backchannel"} or leading_answer(text) == "affirm"


def loose_value(slot: Slot, text: str, reading: Reading) -> str:
    """The value of a slot in an answer that names nothing else, where the slot's own words are missing ("no, Austin")."""
    if reading.intent in {"affirm", "deny", "repeat", "question", "human", "goodbye", "backchannel", "unsure"}:
        return ""
    if slot.type in {"date", "time", "part_of_day", "money", "seat"}:
        return asked(slot, text)
    return ""
