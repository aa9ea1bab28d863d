"""How codes, numbers, dates, times and money are said by the agent, so that a synthesiser speaks them well."""

from __future__ import annotations

from datetime import date, datetime, time

from ccaas.spoken.alphabet import NATO
from ccaas.spoken.dates import MONTHS, WEEKDAYS

_ONES = [
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
]
_TENS = ["_", "_", "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"]
_ORDINALS = {
    "one": "first", "two": "second", "three": "third", "five": "fifth", "eight": "eighth", "nine": "ninth", "twelve": "twelfth",
}  # fmt: skip


def number(value: int) -> str:
    """A whole number in words: 249 → "two hundred and forty nine"."""
    if value < 0:
        return f"minus {number(-value)}"
    if value < 20:
        return _ONES[value]
    if value < 100:
        return _TENS[value // 10] + (f" {_ONES[value % 10]}" if value % 10 else "")
    for size, name in ((1_000_000, "million"), (1_000, "thousand"), (100, "hundred")):
        if value >= size:
            rest = value % size
            joint = " and " if 0 < rest < 100 else " "
            return f"{number(value // size)} {name}" + (f"{joint}{number(rest)}" if rest else "")
    raise AssertionError(value)


def ordinal(value: int) -> str:
    """An ordinal in words: 22 → "twenty second"."""
    head, _, last = number(value).rpartition(" ")
    word = _ORDINALS.get(last) or (last[:-1] + "ieth" if last.endswith("y") else last + "th")
    return f"{head} {word}".strip()


def nato(code: str) -> str:
    """A code in NATO words and digits: "KQ7" → "Kilo, Quebec, seven"."""
    spoken = [
        "X-ray"
        if c == "X"
        else NATO[c].capitalize()
        if c in NATO
        else _ONES[int(c)]
        if c.isdecimal() and c.isascii()
        else c
        for c in code.upper()
        if not c.isspace() and c != "-"
    ]
    return ", ".join(spoken)


def digit_groups(value: str, sizes: tuple[int, ...] = ()) -> str:
    """Digits in groups with a pause between: "6175550142" → "six one seven, five five five, zero one four two"."""
    plain = [c for c in value if c.isdecimal() and c.isascii()]
    if not sizes:
        sizes = (3, 3, 4) if len(plain) == 10 else ()
    groups: list[list[str]] = []
    rest = plain
    for size in sizes:
        groups.append(rest[:size])
        rest = rest[size:]
    while rest:
        size = len(rest) if len(rest) <= 4 else 3
        groups.append(rest[:size])
        rest = rest[size:]
    return ", ".join(" ".join(_ONES[int(c)] for c in group) for group in groups if group)


def money(amount: float) -> str:
    """Dollars: 249.5 → "two hundred and forty nine dollars and fifty cents"."""
    cents = round(abs(amount) * 100)
    whole, part = divmod(cents, 100)
    dollars = f"{number(whole)} {'dollar' if whole == 1 else 'dollars'}"
    small = f"{number(part)} {'cent' if part == 1 else 'cents'}"
    sign = "minus " if amount < 0 and cents else ""
    if not part:
        return sign + dollars
    return sign + (small if not whole else f"{dollars} and {small}")


def clock(value: time) -> str:
    """A time of day: 18:30 → "six thirty in the evening"; noon and midnight by name."""
    if value.minute == 0 and value.hour in {0, 12}:
        return "noon" if value.hour else "midnight"
    hour = number(value.hour % 12 or 12)
    part = "in the morning" if value.hour < 12 else "in the afternoon" if value.hour < 17 else "in the evening"
    if value.minute == 0:
        return f"{hour} {part}"
    minute = f"oh {number(value.minute)}" if value.minute < 10 else number(value.minute)
    return f"{hour} {minute} {part}"


def day(value: date, today: date | None = None) -> str:
    """A date: "today", "tomorrow", "Thursday the sixteenth of May"; the year is said when it is not this one."""
    if today is not None:
        ahead = (value - today).days
        if ahead in {0, 1}:
            return "today" if ahead == 0 else "tomorrow"
    spoken = (
        f"{WEEKDAYS[value.weekday()].capitalize()} the {ordinal(value.day)} of {MONTHS[value.month - 1].capitalize()}"
    )
    if today is not None and value.year != today.year:
        spoken += f" {value.year}"
    return spoken


def moment(value: datetime, today: date | None = None) -> str:
    """A date and time: "tomorrow at six thirty in the evening"."""
    return f"{day(value.date(), today)} at {clock(value.time())}"
