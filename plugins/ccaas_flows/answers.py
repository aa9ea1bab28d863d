"""What an answer to a question looks like, and what it says, apart from any conversation."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from ccaas.ports.reasoning import Expectation, ExpectationKind
from ccaas.spoken.corrections import correct, correct_spelling
from ccaas.spoken.personal import parse_birth_date
from ccaas_flows.understanding.acts import leading_answer
from ccaas_flows.understanding.reading import Reading
from ccaas_flows.understanding.slots import Slot, asked

_KINDS = {
    "code": ExpectationKind.CODE, "digits": ExpectationKind.DIGITS, "phone": ExpectationKind.DIGITS, "postcode": ExpectationKind.DIGITS,
    "card": ExpectationKind.DIGITS,
    "birth_date": ExpectationKind.DATE, "date": ExpectationKind.DATE, "day": ExpectationKind.DATE, "month": ExpectationKind.DATE,
    "time": ExpectationKind.TIME, "part_of_day": ExpectationKind.TIME, "number": ExpectationKind.NUMBER, "choice": ExpectationKind.CHOICE,
    "color": ExpectationKind.CHOICE, "name": ExpectationKind.NAME, "yes_no": ExpectationKind.YES_NO, "spelling": ExpectationKind.SPELLING,
    "flight": ExpectationKind.CODE,
}  # fmt: skip
_LENGTHS = {"card": (13, 19), "phone": (10, 11), "postcode": (5, 5), "flight": (2, 6)}


def expectation_of(slot: Slot) -> Expectation:
    """What an answer for this slot looks like."""
    kind = _KINDS.get(slot.type, ExpectationKind.OPEN)
    options = (
        tuple(dict.fromkeys(w for v, ways in slot.values.items() for w in (v, *ways)))
        if kind is ExpectationKind.CHOICE
        else ()
    )
    card = slot.type == "card"
    return Expectation(kind, slot.length or _LENGTHS.get(slot.type), options, private=card, card=card)


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


def repaired(slot: Slot, before: str, text: str, reading: Reading) -> str:
    """The slot's value after an answer that corrects it, for types whose values are read back character by character; empty
    when it corrects nothing. What was said may be one character, a part, or all of it once more."""
    if not before or only_yes(text, reading):
        return ""
    match slot.type:
        case "code":
            return correct(before, text, slot.length) or ""
        case "digits" | "phone" | "postcode":
            return correct(before, text, slot.length or _LENGTHS.get(slot.type), digits_only=True) or ""
        case "flight":
            return correct(before, text) or ""
        case "name" | "spelling":
            return correct_spelling(before, text) or ""
        case "birth_date":
            return parse_birth_date(text)
        case _:
            return ""


def loose_value(slot: Slot, text: str, reading: Reading) -> str:
    """The value of a slot in an answer that names nothing else, where the slot's own words are missing ("no, Austin")."""
    if reading.intent in {"affirm", "deny", "repeat", "question", "human", "goodbye", "backchannel", "unsure"}:
        return ""
    if slot.type in {"date", "time", "part_of_day", "money", "seat"}:
        return asked(slot, text)
    return ""
