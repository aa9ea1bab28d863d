"""Sentences with values in braces: `{date}`, `{trip.origin}`, `{price|money}`, `{code|spell}`.

Without a filter a value is said by what it is: a slot by its type, an ISO date as "Thursday the sixteenth of May", "18:30" as "six
thirty in the evening". Where the sentence is read, they are "Thursday, May 16" and "6:30 PM".
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time

from ccaas.spoken import readback
from ccaas.spoken.dates import resolve
from ccaas_flows import written
from ccaas_flows.understanding.slots import Slot

PLACEHOLDER = re.compile(r"\{([A-Za-z_][\w.]*)(?:\|(\w+))?\}")
_WHOLE = re.compile(r"\{([A-Za-z_][\w.]*)\}")
_ISO_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")
_ISO_MOMENT = re.compile(r"\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}(:\d{2})?")
_CLOCK = re.compile(r"([01]\d|2[0-3]):[0-5]\d(:[0-5]\d)?")
_LAST_DIGITS = re.compile(r"(?<=\bending in )\d{3,6}$")
"""What a card's name ends in ("visa ending in 1357") is no quantity: it is read digit by digit."""
MISSING = object()


def look_up(path: str, values: Mapping[str, object]) -> object:
    """The value at a dotted path; `count` is a list's length, a number its item; MISSING when there is none."""
    at: object = values
    for part in path.split("."):
        if isinstance(at, Mapping) and part in at:
            at = at[part]
        elif isinstance(at, list | tuple) and part == "count":
            at = len(at)
        elif isinstance(at, list | tuple) and part.isdigit() and int(part) < len(at):
            at = at[int(part)]
        else:
            return MISSING
    return MISSING if at is None else at


def _number(value: object) -> float | None:
    try:
        return float(str(value))
    except ValueError:
        return None


def _as_date(value: object, today: date) -> date | None:
    text = str(value)
    if _ISO_MOMENT.match(text):
        text = text[:10]
    return resolve(text, today)


@dataclass(frozen=True, slots=True)
class Wording:
    """How values are put into words."""

    day: Callable[[date, date], str]
    """With today's date."""
    clock: Callable[[time], str]
    moment: Callable[[datetime, date], str]
    money: Callable[[float], str]
    number: Callable[[int], str]
    ordinal: Callable[[int], str]
    code: Callable[[str], str]
    digits: Callable[[str], str]


SPOKEN = Wording(
    readback.day, readback.clock, readback.moment, readback.money, readback.number, readback.ordinal, readback.nato,
    readback.digit_groups,
)  # fmt: skip
WRITTEN = Wording(
    written.day, written.clock, written.moment, written.money, str, written.ordinal, written.code, written.digit_groups
)


def _date(value: object, today: date, how: Wording) -> str:
    when = _as_date(value, today)
    return how.day(when, today) if when else str(value)


def _time(value: object, _today: date, how: Wording) -> str:
    text = str(value)
    if _ISO_MOMENT.match(text):
        text = text[11:16]
    return how.clock(time.fromisoformat(text[:5])) if _CLOCK.fullmatch(text) else text


def _money(value: object, _today: date, how: Wording) -> str:
    amount = _number(value)
    return how.money(amount) if amount is not None else str(value)


def _difference(value: object, _today: date, how: Wording) -> str:
    amount = _number(value)
    if amount is None:
        return str(value)
    if not amount:
        return "at the same price"
    size = how.money(abs(amount))
    return f"for {size} more" if amount > 0 else f"and you get {size} back"


def _whole_number(value: object, _today: date, how: Wording) -> str:
    amount = _number(value)
    return how.number(int(amount)) if amount is not None and amount == int(amount) else str(value)


def _ordinal(value: object, _today: date, how: Wording) -> str:
    amount = _number(value)
    return how.ordinal(int(amount)) if amount is not None and amount > 0 else str(value)


FILTERS: dict[str, Callable[[object, date, Wording], str]] = {
    "date": _date,
    "time": _time,
    "money": _money,
    "difference": _difference,
    "number": _whole_number,
    "ordinal": _ordinal,
    "spell": lambda value, _, how: how.code(str(value)),
    "digits": lambda value, _, how: how.digits(str(value)),
    "raw": lambda value, _, how: str(value),
}
"""By name, for `{value|filter}`."""

_BY_TYPE = {
    "date": "date", "birth_date": "date", "time": "time", "money": "money", "number": "number", "code": "spell", "flight": "spell",
    "phone": "digits", "digits": "digits", "postcode": "digits", "day": "ordinal",
}  # fmt: skip


def worded(value: object, today: date, how: Wording = SPOKEN) -> str:
    """A tool's value as it is said without a filter."""
    if isinstance(value, list | tuple):
        parts = [worded(v, today, how) for v in value]
        return ", ".join(parts[:-1]) + f" and {parts[-1]}" if len(parts) > 1 else "".join(parts)
    text = str(value)
    if _ISO_MOMENT.fullmatch(text):
        return how.moment(datetime.fromisoformat(text), today)
    if _ISO_DATE.fullmatch(text):
        return _date(text, today, how)
    if _CLOCK.fullmatch(text):
        return _time(text, today, how)
    if isinstance(value, int) and not isinstance(value, bool):
        return _whole_number(value, today, how)
    return _LAST_DIGITS.sub(lambda found: how.digits(found[0]), text)


def render(
    text: str, values: Mapping[str, object], slots: Mapping[str, Slot], today: date, how: Wording = SPOKEN
) -> str:
    """The sentence with its values; a value that is missing is left out, with the space before it."""

    def put(match: re.Match[str]) -> str:
        value = look_up(match[1], values)
        if value is MISSING:
            return ""
        if match[2]:
            return FILTERS[match[2]](value, today, how)
        slot = slots.get(match[1])
        named = _BY_TYPE.get(slot.type) if slot else None
        return FILTERS[named](value, today, how) if named else worded(value, today, how)

    return re.sub(r"\s+([,.?!])", r"\1", re.sub(r"\s{2,}", " ", PLACEHOLDER.sub(put, text))).strip()


def complete(text: str, values: Mapping[str, object]) -> bool:
    """Whether every value of the sentence is known."""
    return all(look_up(match[1], values) not in (MISSING, "") for match in PLACEHOLDER.finditer(text))


def argument(template: object, values: Mapping[str, object], slots: Mapping[str, Slot], today: date) -> object:
    """A tool's argument: `"{date}"` alone gives the value itself (dates as ISO text, numbers as numbers), MISSING when unknown.

    Within a text values stand as they are, or as their filter writes them.
    """
    if not isinstance(template, str):
        return template
    whole = _WHOLE.fullmatch(template)
    if whole is None:
        return PLACEHOLDER.sub(lambda m: _within(look_up(m[1], values), m[2], today), template)
    value = look_up(whole[1], values)
    slot = slots.get(whole[1])
    if value is MISSING or slot is None:
        return value
    if slot.type == "date":
        when = _as_date(value, today)
        return when.isoformat() if when else value
    if slot.type == "number" and str(value).isdigit():
        return int(str(value))
    if slot.type == "money":
        amount = _number(value)
        return amount if amount is not None else value
    return value


def _within(value: object, named: str | None, today: date) -> str:
    if value is MISSING:
        return ""
    return FILTERS[named](value, today, WRITTEN) if named else str(value)
