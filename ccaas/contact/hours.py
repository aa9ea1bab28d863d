"""Whether a queue is open. Pure."""

from __future__ import annotations

from datetime import datetime
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
