"""How codes, numbers, dates, times and money stand in a text that is read; what `ccaas.spoken.readback` is for the ear."""

from __future__ import annotations

from datetime import date, datetime, time

from ccaas.spoken import readback


def money(amount: float) -> str:
    """Dollars: 1249.5 → "$1,249.50", 120 → "$120"."""
    cents = round(abs(amount) * 100)
    sign = "-" if amount < 0 and cents else ""
    return f"{sign}${cents // 100:,}" + (f".{cents % 100:02}" if cents % 100 else "")


def clock(value: time) -> str:
    """A time of day: 16:30 → "4:30 PM"."""
    return f"{value.hour % 12 or 12}:{value.minute:02} {'AM' if value.hour < 12 else 'PM'}"


def day(value: date, today: date) -> str:
    """A date: "today", "tomorrow", "Thursday, May 16"; with the year when it is not this one."""
    if (value - today).days in {0, 1}:
        return readback.day(value, today)
    return f"{value:%A, %B} {value.day}" + (f", {value.year}" if value.year != today.year else "")


def moment(value: datetime, today: date) -> str:
    """A date and time: "tomorrow at 4:30 PM"."""
    return f"{day(value.date(), today)} at {clock(value.time())}"


def ordinal(value: int) -> str:
    """22 → "22nd"."""
    ending = "th" if value % 100 in {11, 12, 13} else {1: "st", 2: "nd", 3: "rd"}.get(value % 10, "th")
    return f"{value}{ending}"


def digit_groups(value: str) -> str:
    """Ten digits as a telephone number, "617-555-0142"; others as they are."""
    digits = "".join(c for c in value if c.isdecimal() and c.isascii())
    return f"{digits[:3]}-{digits[3:6]}-{digits[6:]}" if len(digits) == 10 else digits


def code(value: str) -> str:
    """ "kq7 42z" → "KQ742Z"."""
    return "".join(value.upper().split())
