"""Which slot each value of a sentence belongs to: the words beside it decide."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache

from ccaas.journal.masking import masked_text
from ccaas.spoken.codes import coverage, parse_code, parse_digits, parse_spelling
from ccaas.spoken.dates import find_dates, find_month
from ccaas.spoken.numbers import words
from ccaas.spoken.personal import parse_birth_date, parse_flight, parse_phone
from ccaas_flows.understanding.acts import is_affirm, is_deny, leading_answer
from ccaas_flows.understanding.mention import Mention
from ccaas_flows.understanding.mentions import FINDERS, find_codes, find_numbers, find_seats
from ccaas_flows.understanding.people import bare_name
from ccaas_flows.understanding.places import find_cities

TYPES = frozenset(FINDERS) | {"card", "choice", "code", "digits", "spelling", "free", "yes_no"}


@dataclass(frozen=True, slots=True)
class Slot:
    """A value that a conversation collects."""

    name: str
    type: str
    """One of `TYPES`."""
    values: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """For "choice" (and set phrases of "number"): value → the ways to say it."""
    length: tuple[int, int] | None = None
    """Fewest and most characters, for "code" and "digits"."""
    after: tuple[str, ...] = ()
    """Words directly before the value that make it this slot's; "*" stands for up to three words."""
    before: tuple[str, ...] = ()
    """Words directly behind the value that make it this slot's."""
    not_after: tuple[str, ...] = ()
    """Words directly before the value that make it somebody else's."""
    not_before: tuple[str, ...] = ()
    only_in: tuple[str, ...] = ()
    """Intents in which it is looked for unasked; empty: all."""
    not_in: tuple[str, ...] = ()
    """Intents in which it is not looked for unasked."""
    loose: bool = False
    """Take the value without the words of `after` and `before` too, when no other slot wants it."""


_NEGATED = re.compile(
    r"\b(?:not|instead of|rather than|isn't|wasn't|aren't|except|other than|but not)(?: (?:on|in|to|the|from|at|for|a|until|by|next|\w+day|tomorrow))*\s*$",
    re.IGNORECASE,
)


@cache
def _behind(cue: str) -> re.Pattern[str]:
    """Matches text that ends in the cue; every pattern is made once (the cache of `re` is too small for all of them)."""
    pattern = r"\s+".join(r"(?:\S+\s+){0,3}?\S+" if part == "*" else re.escape(part) for part in cue.split())
    return re.compile(rf"(?:^|\W){pattern}(?:\s+(?:the|um|uh|er|a|about|around))?[\s,.…]*$", re.IGNORECASE)


@cache
def _ahead(cue: str) -> re.Pattern[str]:
    return re.compile(rf"\W*(?:(?!\b(?:to|in|on|at|for|and|from)\b)[\w-]+\s+)?{re.escape(cue)}\b", re.IGNORECASE)


@cache
def _said(words_said: str) -> re.Pattern[str]:
    return re.compile(rf"\b{re.escape(words_said)}(?:s|es)?\b", re.IGNORECASE)


def _cue_length(cue: str, before: str) -> int:
    """How many words of `before`'s end match the cue; 0: it does not match."""
    if cue.rsplit(maxsplit=1)[-1] not in before.lower():
        return 0
    return 2 * len(cue.split()) + (1 if "*" in cue else 0) if _behind(cue).search(before[-80:]) else 0


def _cued(cues: Sequence[str], before: str) -> int:
    return max((_cue_length(cue, before) for cue in cues), default=0)


def _followed(cues: Sequence[str], behind: str) -> int:
    for cue in sorted(cues, key=len, reverse=True):
        if _ahead(cue).match(behind):
            return 2 * len(cue.split())
    return 0


def _choices(slot: Slot, text: str) -> list[Mention]:
    found: list[Mention] = []
    lower = text.lower()
    pairs = sorted(
        ((said, value) for value, ways in slot.values.items() for said in (ways or (value,))), key=lambda p: -len(p[0])
    )
    for said, value in pairs:
        for match in _said(said).finditer(text) if said.lower() in lower else ():
            if not any(m.start < match.end() and match.start() < m.end for m in found):
                found.append(Mention(value, match.start(), match.end()))
    return sorted(found, key=lambda m: m.start)


def _mentions(slot: Slot, text: str, known: dict[str, list[Mention]] | None = None) -> list[Mention]:
    """Values of the slot's type. `known` keeps what was found by type, for the slots that share one."""
    if slot.type == "choice":
        return _choices(slot, text)
    if slot.type == "code":
        return list(find_codes(text, slot.length))
    if slot.type == "digits":
        return _digits_after(slot, text)
    known = {} if known is None else known
    if slot.type not in known:
        finder = FINDERS.get(slot.type)
        known[slot.type] = list(finder(text)) if finder else []
    found = list(known[slot.type])
    if slot.type == "number" and slot.values:
        found += _choices(slot, text)
    return found


def _digits_after(slot: Slot, text: str) -> list[Mention]:
    for cue in sorted(slot.after, key=len, reverse=True):
        match = re.search(rf"\b{re.escape(cue)}\b", text, re.IGNORECASE)
        if match:
            digits = parse_digits(text[match.end() :], slot.length)
            if digits and (slot.length is None or slot.length[0] <= len(digits) <= slot.length[1]):
                return [Mention(digits, match.end() + 1, len(text))]
    return []


def _score(slot: Slot, mention: Mention, text: str) -> int:
    """How well the mention suits the slot: 0 not at all."""
    before, behind = text[: mention.start], text[mention.end :]
    if (
        slot.values
        and slot.type == "number"
        and mention.value in slot.values
        and not text[mention.start : mention.end].isdigit()
    ) and any(w.lower() == text[mention.start : mention.end].lower() for w in slot.values[mention.value]):
        return 9
    if _cued(slot.not_after, before) or _followed(slot.not_before, behind):
        return 0
    if not slot.after and not slot.before:
        return 1
    best = max(_cued(slot.after, before), _followed(slot.before, behind))
    return best or (1 if slot.loose else 0)


_WHOLE_TEXT = {"flight", "name", "postcode", "birth_date", "phone", "code", "digits", "month"}


def fill(text: str, slots: Sequence[Slot], intent: str | None = None) -> dict[str, str]:
    """Values of every slot that `text` fills unasked. The last value said wins, negated ones ("not Boston") are left out.

    Without an intent, slots are looked for whatever their `in` and `not_in` say.
    """
    wanted = [s for s in slots if intent is None or ((not s.only_in or intent in s.only_in) and intent not in s.not_in)]
    claims: list[tuple[int, int, Slot, Mention]] = []
    known_by_type: dict[str, list[Mention]] = {}
    for order, slot in enumerate(wanted):
        for mention in _mentions(slot, text, known_by_type):
            if slot.type not in _WHOLE_TEXT and _NEGATED.search(text[: mention.start]):
                continue
            score = 5 if slot.type in _WHOLE_TEXT else _score(slot, mention, text)
            if score:
                claims.append((score, order, slot, mention))
    filled: dict[str, tuple[int, str]] = {}
    by_kind: dict[str, list[tuple[int, int]]] = {}
    for score, _, slot, mention in sorted(claims, key=lambda c: (-c[0], c[1])):
        taken = by_kind.setdefault(_kind(slot), [])
        if any(start < mention.end and mention.start < end for start, end in taken) and slot.type not in _WHOLE_TEXT:
            continue
        known = filled.get(slot.name)
        if known is not None and not (score >= known[0] and mention.start > _position(claims, slot, known[1])):
            continue
        if slot.type not in _WHOLE_TEXT:
            taken.append((mention.start, mention.end))
        filled[slot.name] = (score, mention.value)
    values = {name: value for name, (_, value) in filled.items()}
    return _settle(values, {s.name: s for s in wanted}, text)


def _kind(slot: Slot) -> str:
    return "choice:" + slot.name if slot.type in {"choice", "color"} else slot.type


def _position(claims: Sequence[tuple[int, int, Slot, Mention]], slot: Slot, value: str) -> int:
    return max(m.start for _, _, s, m in claims if s is slot and m.value == value)


def _settle(values: dict[str, str], by_name: Mapping[str, Slot], text: str) -> dict[str, str]:
    """What one value says about another: a time's "in the evening" is no wish of its own, an address's number no code."""
    kinds = {by_name[name].type: name for name in values}
    if "time" in kinds:
        values.pop(kinds.get("part_of_day", ""), None)
    if "street" in kinds or "phone" in kinds or "flight" in kinds or "birth_date" in kinds or "postcode" in kinds:
        values.pop(kinds.get("code", ""), None)
    if "money" in kinds:
        values.pop(kinds.get("code", ""), None)
    if "birth_date" in kinds and values.get(kinds.get("date", "")) == values[kinds["birth_date"]]:
        values.pop(kinds["date"])
    if "month" in kinds and "date" in kinds:
        values.pop(kinds["month"], None)
    return values


def asked(slot: Slot, text: str) -> str:
    """The value of the slot that was just asked for, from an answer that may be nothing but the value; empty when it is none."""
    answer = text.strip()
    match slot.type:
        case "code":
            code = parse_code(answer, slot.length)
            fits = slot.length is None or slot.length[0] <= len(code) <= slot.length[1]
            return code if fits and len(code) >= 2 and coverage(answer) >= 0.5 else ""
        case "digits":
            digits = parse_digits(answer, slot.length)
            return digits if digits and (slot.length is None or slot.length[0] <= len(digits) <= slot.length[1]) else ""
        case "phone":
            return parse_phone(answer)
        case "card":
            digits = re.sub(r"[\s-]", "", answer)
            # What is no card number would not be masked.
            return digits if digits.isdigit() and masked_text(digits) != digits else ""
        case "postcode":
            digits = parse_digits(answer, (5, 5))
            return digits if len(digits) == 5 else ""
        case "birth_date":
            return parse_birth_date(answer)
        case "flight":
            return parse_flight(answer, alone=True)
        case "spelling":
            return parse_spelling(answer)
        case "yes_no":
            lead = "affirm" if is_affirm(answer) else "deny" if is_deny(answer) else leading_answer(answer)
            return {"affirm": "yes", "deny": "no"}.get(lead, "")
        case "free":
            return answer
        case "number":
            found = find_numbers(answer)
            return found[-1].value if found else ""
        case "seat":
            seats = [m for m in find_seats(answer) if not _NEGATED.search(answer[: m.start])]
            return seats[-1].value if seats else ""
        case "name":
            named = FINDERS["name"](answer)
            return named[-1].value if named else bare_name(answer)
        case "date":
            dates = [f for f in find_dates(answer) if not _NEGATED.search(answer[: f.start])]
            return dates[-1].value if dates else ""
        case "month":
            return find_month(answer) or ""
        case "time":
            times = FINDERS["time"](answer) or FINDERS["time"](f"at {answer}")
            return times[-1].value if times else ""
        case "city":
            cities = [m for m in find_cities(answer) if not _NEGATED.search(answer[: m.start])]
            return cities[-1].value if cities else (_bare_place(answer))
        case _:
            left = [m for m in _mentions(slot, answer) if not _NEGATED.search(answer[: m.start])]
            return left[-1].value if left else ""


def _bare_place(answer: str) -> str:
    ws = [
        w
        for w in words(answer)
        if w.text not in {"to", "from", "in", "please", "it's", "um", "uh", "the", "city", "of"}
    ]
    if 1 <= len(ws) <= 2 and all(w.raw[0].isupper() for w in ws) and not is_affirm(answer) and not is_deny(answer):
        return " ".join(w.raw for w in ws)
    return ""
