"""Sentences with values in braces: `{date}`, `{trip.origin}`, `{price|money}`, `{code|spell}`.

Without a filter a value is said by what it is: a slot by its type, an ISO date as "Thursday the sixteenth of May", "18:30" as "six
thirty in the evening".
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import date, datetime, time

from ccaas.spoken import readback
from ccaas.spoken.dates import resolve
from ccaas_flows.understanding.slots import Slot

PLACEHOLDER = re.compile(r"\{([A-Za-z_][\w.]*)(?:\|(\w+))?\}")
_WHOLE = re.compile(r"\{([A-Za-z_][\w.]*)\}")
_ISO_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")
_ISO_MOMENT = re.compile(r"\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}(:\d{2})?")
_CLOCK = re.compile(r"([01]\d|2[0-3]):[0-5]\d(:[0-5]\d)?")
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


def _say_date(value: object, today: date) -> str:
    when = _as_date(value, today)
    return readback.day(when, today) if when else str(value)


def _say_time(value: object, _today: date) -> str:
    text = str(value)
    if _ISO_MOMENT.match(text):
        text = text[11:16]
    return readback.clock(time.fromisoformat(text[:5])) if _CLOCK.fullmatch(text) else text


def _say_money(value: object, _today: date) -> str:
    amount = _number(value)
    return readback.money(amount) if amount is not None else str(value)


def _say_difference(value: object, _today: date) -> str:
    amount = _number(value)
    if amount is None:
        return str(value)
    if not amount:
        return "at the same price"
    spoken_amount = readback.money(abs(amount))
    return f"for {spoken_amount} more" if amount > 0 else f"and you get {spoken_amount} back"


def _say_number(value: object, _today: date) -> str:
    amount = _number(value)
    return readback.number(int(amount)) if amount is not None and amount == int(amount) else str(value)


def _say_ordinal(value: object, _today: date) -> str:
    amount = _number(value)
    return readback.ordinal(int(amount)) if amount is not None and amount > 0 else str(value)


FILTERS: dict[str, Callable[[object, date], str]] = {
    "date": _say_date,
    "time": _say_time,
    "money": _say_money,
    "difference": _say_difference,
    "number": _say_number,
    "ordinal": _say_ordinal,
    "spell": lambda value, _: readback.nato(str(value)),
    "digits": lambda value, _: readback.digit_groups(str(value)),
    "raw": lambda value, _: str(value),
}
"""By name, for `{value|filter}`."""

_BY_TYPE = {
    "date": "date", "birth_date": "date", "time": "time", "money": "money", "number": "number", "code": "spell", "flight": "spell",
    "phone": "digits", "digits": "digits", "postcode": "digits", "day": "ordinal",
}  # fmt: skip


def spoken(value: object, today: date) -> str:
    """A tool's value as it is said without a filter."""
    if isinstance(value, list | tuple):
        parts = [spoken(v, today) for v in value]
        return ", ".join(parts[:-1]) + f" and {parts[-1]}" if len(parts) > 1 else "".join(parts)
    text = str(value)
    if _ISO_MOMENT.fullmatch(text):
        return readback.moment(datetime.fromisoformat(text), today)
    if _ISO_DATE.fullmatch(text):
        return _say_date(text, today)
    if _CLOCK.fullmatch(text):
        return _say_time(text, today)
    if isinstance(value, int) and not isinstance(value, bool):
        return _say_number(value, today)
    return text


def render(text: str, values: Mapping[str, object], slots: Mapping[str, Slot], today: date) -> str:
    """The sentence with its values; a value that is missing is left out, with the space before it."""

    def put(match: re.Match[str]) -> str:
        value = look_up(match[1], values)
        if value is MISSING:
            return ""
        if match[2]:
            return FILTERS[match[2]](value, today)
        slot = slots.get(match[1])
        named = _BY_TYPE.get(slot.type) if slot else None
        return FILTERS[named](value, today) if named else spoken(value, today)

    return re.sub(r"\s+([,.?!])", r"\1", re.sub(r"\s{2,}", " ", PLACEHOLDER.sub(put, text))).strip()


def argument(template: object, values: Mapping[str, object], slots: Mapping[str, Slot], today: date) -> object:
    """A tool's argument: `"{date}"` alone gives the value itself (dates as ISO text, numbers as numbers), MISSING when unknown."""
    if not isinstance(template, str):
        return template
    whole = _WHOLE.fullmatch(template)
    if whole is None:
        return PLACEHOLDER.sub(lambda m: _plain(look_up(m[1], values)), template)
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


def _plain(value: object) -> str:
    return "" if value is MISSING else str(value)
