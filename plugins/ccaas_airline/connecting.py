"""A step of plays: of the other flights for a cancelled one, those that fit the rest of the booking.

The YAML can ask a tool for flights, but not compare them with the flights before and after.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from ccaas.ports.plays import PlayStep, ReadTool, Situation
from ccaas.ports.site import Site

Json = Mapping[str, Any]


class ConnectingSettings(BaseModel):
    """Settings beside `use: airline_connecting`."""

    model_config = ConfigDict(extra="forbid")

    change_minutes: int = Field(default=45, ge=0, le=1440, description="Minutes that passengers need to change planes.")


class Connecting:
    """Takes `reservation_id`, `flight_number` and `date`, as the tool `rebooking_options`."""

    def __init__(self, settings: ConnectingSettings) -> None:
        self._change = timedelta(minutes=settings.change_minutes)

    async def run(self, situation: Situation, read: ReadTool) -> Sequence[Json]:
        """The options that passengers can take, the earliest first."""
        asked = situation.arguments
        options: list[Json] = (await read("rebooking_options", asked))["options"]
        booked = await read("get_reservation_details", {"reservation_id": asked["reservation_id"]})
        legs: list[Json] = booked["flights"]
        cancelled = (asked["flight_number"], asked["date"])
        place = next(n for n, leg in enumerate(legs) if (leg["flight_number"], leg["date"]) == cancelled)
        before, after = legs[:place][-1:], legs[place + 1 :][:1]
        _, earliest = await _times(read, before[0]) if before else (None, None)
        latest, _ = await _times(read, after[0]) if after else (None, None)
        kept = []
        for option in options:
            departs, arrives = await _times(read, {**legs[place], **option})
            late = latest is not None and arrives is not None and arrives + self._change > latest
            early = earliest is not None and departs is not None and earliest + self._change > departs
            if not late and not early:
                kept.append(option)
        return kept


async def _times(read: ReadTool, leg: Json) -> tuple[datetime | None, datetime | None]:
    """When a flight leaves and lands (the airline's one clock); None for each where it is not on sale, and not known."""
    route = {name: leg[name] for name in ("origin", "destination", "date")}
    flights: list[Json] = (await read("search_direct_flight", route))["flights"]
    found = next((one for one in flights if one["flight_number"] == leg["flight_number"]), None)
    if found is None:
        return None, None
    lands, _, later = found["scheduled_arrival_time_est"].partition("+")
    departs = datetime.fromisoformat(f"{leg['date']}T{found['scheduled_departure_time_est']}")
    return departs, datetime.fromisoformat(f"{leg['date']}T{lands}") + timedelta(days=int(later or 0))


def connecting(settings: ConnectingSettings, site: Site) -> PlayStep:
    """The factory."""
    return Connecting(settings)
