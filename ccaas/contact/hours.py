"""Whether a queue is open. Pure."""

from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from ccaas.contact.settings import DAYS, Hours


def is_open(hours: Hours | None, now: datetime, timezone: str) -> bool:
    """At `now` (aware). `timezone` is the installation's, for hours without one of their own."""
    if hours is None:
        return True
    local = now.astimezone(ZoneInfo(hours.timezone or timezone))
    if local.date() in hours.holidays:
        return False
    clock = local.strftime("%H:%M")
    spans = hours.days.get(DAYS[local.weekday()], ())  # type: ignore[call-overload]
    return any(span[:5] <= clock < span[6:] for span in spans)


def opens_at(hours: Hours | None, now: datetime, timezone: str) -> datetime | None:
    """When it opens next after `now`, in its own time zone; None when it is always open, or not within two weeks."""
    if hours is None:
        return None
    zone = ZoneInfo(hours.timezone or timezone)
    local = now.astimezone(zone)
    for ahead in range(15):
        day = (local + timedelta(days=ahead)).date()
        if day in hours.holidays:
            continue
        for span in sorted(hours.days.get(DAYS[day.weekday()], ())):  # type: ignore[call-overload]
            begins = datetime(day.year, day.month, day.day, int(span[:2]), int(span[3:5]), tzinfo=zone)
            if begins > local:
                return begins
    return None
