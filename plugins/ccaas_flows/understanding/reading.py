"""One caller turn understood: act or intent, slot values, and how sure."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from ccaas.ports.reasoning import Expectation, ExpectationKind
from ccaas.spoken.codes import coverage, parse_code, parse_digits, parse_spelling
from ccaas.spoken.dates import find_dates
from ccaas.spoken.numbers import words
from ccaas.spoken.personal import parse_birth_date, parse_flight, parse_phone
from ccaas_flows.understanding.acts import act, leading_answer, plain, selected
from ccaas_flows.understanding.classifier import Guess, IntentClassifier
from ccaas_flows.understanding.people import bare_name
from ccaas_flows.understanding.places import find_cities
from ccaas_flows.understanding.slots import Slot, asked, fill

_FILL_WORDS = frozenset(
    [
        "um",
        "uh",
        "er",
        "please",
        "thanks",
        "it's",
        "it",
        "is",
        "to",
        "on",
        "at",
        "for",
        "in",
        "the",
        "that's",
        "that",
        "would",
        "be",
        "a",
        "an",
        "make",
        "i'd",
        "like",
        "yes",
        "yeah",
        "sure",
        "okay",
        "well",
        "maybe",
        "and",
        "by",
        "of",
        "just",
        "then",
        "let's",
        "say",
        "think",
        "i",
        "about",
        "around",
        "from",
        "my",
        "go",
        "with",
        "prefer",
        "want",
        "seat",
        "one",
        "flight",
        "both",
    ]
)


_SPELLED = frozenset({"code", "digits", "phone", "birth_date", "flight", "postcode"})
"""Types whose values look alike: what was asked for tells them apart."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What a turn means."""

    intent: str
    """An intent's name, an act's ("affirm", "deny", "select", "city", "date", …) or "" when nothing was understood."""
    confidence: float
    """0…1; 1 for acts found by rule."""
    slots: Mapping[str, str] = field(default_factory=dict)
    """Values found, normalised, by slot name."""
    guesses: tuple[Guess, ...] = ()
    """The classifier's best three, likeliest first; empty when a rule decided."""


class Understanding:
    """Shared by all calls; blocks for about 5 ms a turn, so dialogues run it in a thread."""

    def __init__(self, classifier: IntentClassifier, slots: Sequence[Slot]) -> None:
        self._classifier = classifier
        self._slots = tuple(slots)

    def read(self, text: str, expect: Expectation | None = None, wanted: Slot | None = None) -> Reading:
        """Understand one turn, given what was asked."""
        if not words(text):
            return Reading("", 0.0)
        if wanted is not None and wanted.type in _SPELLED and coverage(text) >= 0.5 and (value := asked(wanted, text)):
            return Reading(f"give_{wanted.name}", 1.0, {wanted.name: value})
        kind = expect.kind if expect else ExpectationKind.OPEN
        length = expect.length if expect else None
        numeric = _code_like(text, kind, length, self._slots)
        if numeric is not None:
            return numeric
        if born := _birth(text):
            return Reading("give_dob", 1.0, {"dob": born})
        found = act(text, asked_yes_no=kind is ExpectationKind.YES_NO)
        if found == "select":
            passive = {k: v for k, v in self._passive(text, "select").items() if not v.isdigit()}
            return Reading("select", 1.0, {"index": selected(text)} | passive)
        bare = self._bare(text, kind) if found in {"", "unsure"} else None
        if bare is not None:
            return bare
        if found:
            return Reading(found, 1.0, self._passive(text, found))
        guesses = self._classifier.guess(text)
        best = guesses[0]
        lead = leading_answer(text)
        if lead and best.probability < _SURE and len(words(text)) <= 6:
            return Reading(lead, 1.0, self._passive(text, lead))
        return Reading(best.intent, best.probability, self._passive(text, best.intent), guesses[:3])

    def _passive(self, text: str, intent: str) -> dict[str, str]:
        return fill(text, self._slots, intent)

    def _bare(self, text: str, kind: ExpectationKind) -> Reading | None:
        """An answer that is a value and little else ("Tomorrow", "San Francisco", "Two", "Window, please")."""
        ws = words(text)
        if len(ws) > 7:
            return None
        values = fill(text, self._slots)
        types = {s.name: s for s in self._slots}
        rest = [w.text for w in ws if w.text not in _FILL_WORDS]
        if dates := find_dates(text):
            covered = sum(len(words(text[d.start : d.end])) for d in dates)
            others = [w for w in rest if w not in {x.text for d in dates for x in words(text[d.start : d.end])}]
            if covered and not [
                w for w in others if w not in {"morning", "afternoon", "evening", "night", "next", "week"}
            ]:
                return Reading("date", 1.0, values)
        if (times := [s for s in values if types[s].type in {"time", "part_of_day"}]) and not [
            w
            for w in rest
            if not re.fullmatch(
                r"[\d:]+|am|pm|morning|afternoon|evening|night|noon|midnight|o'clock|half|past|quarter", w
            )
            and w not in _NUMBER_WORDS
        ]:
            return Reading("time" if types[times[0]].type == "time" else "select", 1.0, values)
        cities = find_cities(text)
        if cities:
            named = {w.text for c in cities for w in words(text[c.start : c.end])}
            if not [w for w in rest if w not in named]:
                return Reading("city", 1.0, _as_city(values, cities[-1].value, self._slots))
        choices = {n: v for n, v in values.items() if types[n].type == "choice" and not types[n].only_in}
        # Where nothing was asked, a sentence with a choice in it is a wish.
        if choices and len(rest) <= 2 and (kind is not ExpectationKind.OPEN or len(ws) <= 3):
            return Reading("select", 1.0, values)
        numeric = [w.text for w in ws if w.text in _NUMBER_WORDS or w.text.isdigit()]
        if 0 < len(numeric) <= 4 and "the one" not in plain(text) and not [w for w in rest if w not in numeric]:
            digits = parse_digits(text)
            return Reading("number", 1.0, {"number": str(int(digits))} if digits and len(digits) <= 6 else {})
        if 2 <= len(ws) <= 6 and (name := bare_name(text)) and _written_as_name(name, text):
            return Reading("name", 1.0, {"name": name})
        return None


_NUMBER_WORDS = frozenset(
    [
        "zero",
        "one",
        "two",
        "three",
        "four",
        "five",
        "six",
        "seven",
        "eight",
        "nine",
        "ten",
        "eleven",
        "twelve",
        "thirteen",
        "fourteen",
        "fifteen",
        "sixteen",
        "seventeen",
        "eighteen",
        "nineteen",
        "twenty",
        "thirty",
        "forty",
        "fifty",
        "sixty",
        "seventy",
        "eighty",
        "ninety",
        "hundred",
        "thousand",
        "oh",
    ]
)
_CAPITAL_STARTS = frozenset(
    [
        "what",
        "when",
        "where",
        "who",
        "why",
        "how",
        "can",
        "could",
        "would",
        "do",
        "is",
        "are",
        "please",
        "good",
        "nice",
        "thank",
        "sorry",
        "wait",
        "stop",
    ]
)


def _written_as_name(name: str, text: str) -> bool:
    """Whether the recogniser wrote every word of it with a capital, as it does with names."""
    parts = name.split()
    return (
        2 <= len(parts) <= 3
        and all(re.search(rf"\b{re.escape(p)}\b", text) for p in parts)
        and parts[0].lower() not in _CAPITAL_STARTS
        and not find_dates(text)
    )


def _as_city(values: dict[str, str], city: str, slots: Sequence[Slot]) -> dict[str, str]:
    if any(s.name in values for s in slots if s.type == "city"):
        return values
    return values | {"city": city}


def _birth(text: str) -> str:
    """A date of birth: a date with a year that no booking is about, or one that is said to be a birthday."""
    born = parse_birth_date(text)
    said = plain(text)
    about = re.search(r"\b(?:born|birth|birthday|birthdate)\b", said)
    bare = len([w for w in said.split() if w not in _FILL_WORDS]) <= 7 and born[:4] < _BOOKABLE
    return born if born and find_dates(text) and (about or bare) else ""


_SURE = 0.5
"""Below this, a short sentence that begins with yes or no is taken for that."""
_BOOKABLE = "2015"
"""Dates before this year are dates of birth."""


def _code_like(
    text: str, kind: ExpectationKind, length: tuple[int, int] | None, slots: Sequence[Slot]
) -> Reading | None:
    """Codes, numbers and spellings, by their shape."""
    said = plain(text)
    share = coverage(text)
    asked_code = kind in {ExpectationKind.CODE, ExpectationKind.DIGITS, ExpectationKind.SPELLING}
    if share < (0.5 if asked_code else 0.7):
        return None
    code_length = next((s.length for s in slots if s.type == "code"), None)
    for slot in slots:
        if slot.type == "digits" and slot.after and (cued := fill(text, (slot,))):
            return Reading(f"give_{slot.name}", 1.0, cued)
    if re.search(r"\bflight\b", said) and (flight := parse_flight(text, alone=True)):
        return Reading("give_flight", 1.0, {"flight": flight})
    digits = parse_digits(text)
    code = parse_code(text, length if asked_code else code_length)
    if len(code) < 4 and not (asked_code and len(code) >= 3):
        return None
    if re.search(r"\bdollars?|bucks|\$|percent|o'clock|\b[ap]m\b", said) or "$" in text:
        return None
    if len(digits) == len(code) and code.replace("O", "0") == digits:
        code = digits
    if code.isalpha():
        if kind is ExpectationKind.CODE and length and length[0] <= len(code) <= length[1]:
            return Reading("give_code", 1.0, {"code": code})
        spelled = parse_spelling(text)
        letters = sum(len(w.raw) == 1 for w in words(text))
        return (
            Reading("give_name_spelling", 1.0, {"name": spelled})
            if (spelled and letters >= 3) or "as in" in said
            else None
        )
    if code.isdecimal() and digits:
        return _digits_like(text, said, digits, kind, length)
    if [w for w in words(text) if w.text not in _NUMBER_WORDS] and re.search(r"[A-Z]", code) and re.search(r"\d", code):
        return Reading("give_code", 1.0, {"code": code}) if not re.fullmatch(r"\d{1,2}[A-K]", code) else None
    return None


def _digits_like(
    text: str, said: str, digits: str, kind: ExpectationKind, length: tuple[int, int] | None
) -> Reading | None:
    if find_dates(text) and not parse_birth_date(text):
        return None
    if re.search(r"\b(?:card|ends? in|ending in|last four)\b", said) and len(digits) == 4:
        return Reading("give_card_last4", 1.0, {"card_last4": digits})
    if re.search(r"\b(?:frequent|flyer|member|membership|loyalty|mileage|miles)\b", said):
        return Reading("give_frequent_flyer", 1.0, {"frequent_flyer": digits})
    born = parse_birth_date(text)
    if born and (
        re.search(r"\b(?:born|birth|birthday)\b", said)
        or (len(digits) == 8 and born[:2] in {"19", "20"} and digits.endswith(born[:4]))
    ):
        return Reading("give_dob", 1.0, {"dob": born})
    if len(digits) in {10, 11} and (phone := parse_phone(text)):
        return Reading("give_phone", 1.0, {"phone": phone})
    if kind is ExpectationKind.CODE and (length is None or length[0] <= len(digits) <= length[1]):
        return Reading("give_code", 1.0, {"code": digits})
    if born and len(digits) == 8:
        return Reading("give_dob", 1.0, {"dob": born})
    if len(digits) == 4:
        return Reading("give_card_last4", 1.0, {"card_last4": digits})
    if 6 <= len(digits) <= 12:
        return Reading("give_frequent_flyer", 1.0, {"frequent_flyer": digits})
    return None
