"""Bookings as callers speak of them: a trip is one direction of a reservation. Pure, but for reading the timetable."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date as Day
from datetime import datetime, timedelta
from datetime import time as Time
from typing import Literal

from pydantic import Field

from ccaas.errors import ToolError
from ccaas_airline import records
from ccaas_airline.places import city
from ccaas_airline.policy import directions
from ccaas_airline.records import FlightDay
from ccaas_airline.shapes import BookedFlight, Cabin, Date, FlightInfo, Reservation, Shape

Direction = Literal["outbound", "return"]
PartOfDay = Literal["morning", "afternoon", "evening", "night"]

_PARTS: dict[PartOfDay, tuple[str, str]] = {
    "morning": ("05:00", "12:00"),
    "afternoon": ("12:00", "17:00"),
    "evening": ("17:00", "22:00"),
    "night": ("22:00", "05:00"),
}
SHORTEST_STOP = timedelta(minutes=45)
LONGEST_STOP = timedelta(hours=12)


class Trip(Shape):
    """One direction of a reservation."""

    reservation_id: str
    direction: Direction
    origin: str
    """IATA code."""
    origin_city: str
    destination: str
    destination_city: str
    date: Date
    """Of the first departure."""
    departs: str
    """Local time of the first departure, HH:MM."""
    arrives: str
    """Local time of the last arrival, HH:MM."""
    flight_numbers: str
    """Separated by blanks."""
    stops: int
    cabin: Cabin
    passengers: int
    price: int
    """Dollars paid for this direction, all passengers."""
    changeable: bool
    why_not: str = ""
    """One sentence, when it cannot be changed."""


class Option(Shape):
    """What a trip could be changed to."""

    number: int
    """Counts from 1."""
    flight_numbers: str
    """Separated by blanks, as `change_flight` takes them."""
    date: Date
    departs: str
    """Local time, HH:MM."""
    arrives: str
    """Local time, HH:MM."""
    arrival_date: Date
    stops: int
    via: str = Field(default="", description="City of the stop; empty for a direct flight.")
    fare: int
    """Dollars a passenger at today's price."""
    difference: int
    """Dollars that all passengers together pay more (negative: get back)."""
    seats: int
    """Left in this cabin."""


@dataclass(frozen=True, slots=True)
class Wish:
    """When a caller wants to fly."""

    date: str
    """YYYY-MM-DD."""
    part: PartOfDay | None = None
    time: str | None = None
    """HH:MM: the options nearest to it come first."""


def trips(db: sqlite3.Connection, booked: Reservation) -> list[Trip]:
    """The booking's one or two directions."""
    names: tuple[Direction, ...] = ("outbound", "return")
    return [_trip(db, booked, name, part) for name, part in zip(names, directions(booked), strict=False) if part]


def pick(db: sqlite3.Connection, booked: Reservation, wanted: Direction | None) -> Trip:
    """The direction that is meant: the one named, else the first that can still be changed.

    Raises:
        ToolError: "not_found", or "not_allowed" when it cannot be changed.
    """
    found = [trip for trip in trips(db, booked) if wanted in (None, trip.direction)]
    if not found:
        raise ToolError("not_found", "This is a one-way reservation; there is no way back in it.")
    chosen = next((trip for trip in found if trip.changeable), found[0])
    if not chosen.changeable:
        raise ToolError("not_allowed", chosen.why_not)
    return chosen


def options(
    db: sqlite3.Connection, booked: Reservation, trip: Trip, wish: Wish, now: datetime, most: int
) -> list[Option]:
    """What the trip could be changed to on that date, best first: direct before a stop, near the wished time, early.

    Flights that have left, that it has already, or without a seat for everybody are left out.
    """
    people = len(booked.passengers)
    paid = sum(part.price for part in flights_of(booked, trip))
    found = [
        option.model_copy(update={"difference": (option.fare - paid) * people})
        for option in _for_sale(db, trip.origin, trip.destination, trip.cabin, wish, now, people)
        if (option.flight_numbers, wish.date) != (trip.flight_numbers, trip.date)
    ]
    return _best(found, wish, most)


def offers(
    db: sqlite3.Connection, origin: str, destination: str, cabin: Cabin, wish: Wish, now: datetime, most: int
) -> list[Option]:
    """What one person could book on that date, as in `options`; `difference` is the price."""
    return _best(_for_sale(db, origin, destination, cabin, wish, now, 1), wish, most)


def _for_sale(
    db: sqlite3.Connection, origin: str, destination: str, cabin: Cabin, wish: Wish, now: datetime, people: int
) -> list[Option]:
    found = []
    for days in _routes(db, origin, destination, wish.date):
        fares = [records.fares(db, day.flight_number, day.date).get(cabin) for day in days]
        seats = min((fare.seats if fare else 0) for fare in fares)
        numbers = " ".join(day.flight_number for day in days)
        leaves = _at(days[0].date, days[0].departs)
        if seats < people or leaves <= now or not _within(days[0].departs, wish.part):
            continue
        price = sum(fare.price for fare in fares if fare)
        arrival = _arrival(days[-1])
        found.append(
            Option(
                number=1,
                flight_numbers=numbers,
                date=wish.date,
                departs=days[0].departs[:5],
                arrives=days[-1].arrives[:5],
                arrival_date=arrival.date().isoformat(),
                stops=len(days) - 1,
                via=city(days[0].destination) if len(days) > 1 else "",
                fare=price,
                difference=price * people,
                seats=seats,
            )
        )
    return found


def _best(found: list[Option], wish: Wish, most: int) -> list[Option]:
    found.sort(key=lambda option: _rank(option, wish))
    return [option.model_copy(update={"number": place}) for place, option in enumerate(found[:most], start=1)]


def flights_of(booked: Reservation, trip: Trip) -> list[BookedFlight]:
    """The booked flights of this direction."""
    return directions(booked)[0 if trip.direction == "outbound" else 1]


def with_trip(booked: Reservation, trip: Trip, flights: Sequence[FlightInfo]) -> list[FlightInfo]:
    """All flights of the booking when this direction gets these."""
    parts: list[list[FlightInfo]] = [
        [FlightInfo(flight_number=item.flight_number, date=item.date) for item in part] for part in directions(booked)
    ]
    parts[0 if trip.direction == "outbound" else 1] = list(flights)
    return [flight for part in parts for flight in part]


def dated(db: sqlite3.Connection, numbers: Sequence[str], date: str) -> list[FlightInfo]:
    """The flights one after the other from that date on, each on the first date on which it follows the one before.

    Raises:
        ToolError: "not_found".
    """
    found: list[FlightInfo] = []
    ready = None
    for number in numbers:
        day = records.flight_day(db, number, date if ready is None else ready.date().isoformat())
        if ready is not None and _at(day.date, day.departs) < ready:
            day = records.flight_day(db, number, (ready.date() + timedelta(days=1)).isoformat())
        found.append(FlightInfo(flight_number=number, date=day.date))
        ready = _arrival(day)
    return found


def _trip(db: sqlite3.Connection, booked: Reservation, direction: Direction, part: list[BookedFlight]) -> Trip:
    days = [records.flight_day(db, flight.flight_number, flight.date) for flight in part]
    why_not = _why_not(booked, days)
    return Trip(
        reservation_id=booked.reservation_id,
        direction=direction,
        origin=part[0].origin,
        origin_city=city(part[0].origin),
        destination=part[-1].destination,
        destination_city=city(part[-1].destination),
        date=part[0].date,
        departs=days[0].departs[:5],
        arrives=days[-1].arrives[:5],
        flight_numbers=" ".join(flight.flight_number for flight in part),
        stops=len(part) - 1,
        cabin=booked.cabin,
        passengers=len(booked.passengers),
        price=sum(flight.price for flight in part) * len(booked.passengers),
        changeable=not why_not,
        why_not=why_not,
    )


def _why_not(booked: Reservation, days: Sequence[FlightDay]) -> str:
    if booked.status == "cancelled":
        return "This reservation is cancelled."
    if any(day.status in ("landed", "flying") for day in days):
        return "This trip has already been flown."
    if booked.cabin == "basic_economy":
        return "Basic economy flights cannot be changed."
    return ""


def _routes(db: sqlite3.Connection, origin: str, destination: str, date: str) -> list[tuple[FlightDay, ...]]:
    direct = records.flights_on(db, date, origin=origin, destination=destination)
    routes: list[tuple[FlightDay, ...]] = [(day,) for day in direct]
    for first in records.flights_on(db, date, origin=origin):
        if first.destination == destination:
            continue
        lands = _arrival(first)
        for later in range(2):
            onward = (lands.date() + timedelta(days=later)).isoformat()
            routes += [
                (first, second)
                for second in records.flights_on(db, onward, origin=first.destination, destination=destination)
                if SHORTEST_STOP <= _at(second.date, second.departs) - lands <= LONGEST_STOP
            ]
    return routes


def _rank(option: Option, wish: Wish) -> tuple[int, int, str, str]:
    away = 0
    if wish.time:
        wanted, leaves = (int(text[:2]) * 60 + int(text[3:5]) for text in (wish.time, option.departs))
        away = abs(wanted - leaves)
    # Three hours off the wished time weigh as much as a stop.
    return option.stops * 180 + away, option.stops, option.arrival_date + option.arrives, option.departs


def _within(departs: str, part: PartOfDay | None) -> bool:
    if part is None:
        return True
    begin, end = _PARTS[part]
    return begin <= departs[:5] < end if begin < end else departs[:5] >= begin or departs[:5] < end


def _arrival(day: FlightDay) -> datetime:
    return _at(day.date, day.arrives) + timedelta(days=day.arrives_days_later)


def _at(date: str, time: str) -> datetime:
    return datetime.combine(Day.fromisoformat(date), Time.fromisoformat(time))
