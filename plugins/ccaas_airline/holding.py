"""Seats that are kept for the passengers of a cancelled flight: held for a while, then booked or back on sale, never both."""

from __future__ import annotations

import calendar
import hashlib
import sqlite3
import time
from datetime import date, timedelta

from pydantic import Field

from ccaas.errors import ToolError
from ccaas.ports.holds import Hold, HoldId, HoldState
from ccaas.ports.tools import Effect, Phase, Tool, ToolContext
from ccaas_airline import records
from ccaas_airline.desk import Desk
from ccaas_airline.shapes import BookedFlight, Cabin, Date, FlightNumber, Reservation, Shape

_DAYS = 2
"""So many days after the cancelled flight others are looked for."""
_MOST = 4


class Cancelled(Shape):
    """A flight that does not leave."""

    flight_number: FlightNumber
    date: Date


class Affected(Shape):
    """One booking with that flight."""

    customer_id: str
    tier: str
    first_name: str
    phone: str
    email: str
    reservation_id: str
    origin_city: str
    destination_city: str


class AffectedBookings(Shape):
    """All of them."""

    bookings: list[Affected]


class Rebooking(Cancelled):
    """For which booking another flight is looked for."""

    reservation_id: str


class Option(Shape):
    """Another flight, with seats for the whole booking."""

    flight_number: FlightNumber
    date: Date
    day: str
    """As it is said: "May 20"."""
    cabin: Cabin
    departs: str
    """As it is said: "4:30 pm"."""
    destination_city: str


class Options(Shape):
    """What there is, the earliest first."""

    options: list[Option]


class Wanted(Rebooking):
    """Seats to hold."""

    new_flight_number: FlightNumber
    new_date: Date
    minutes: float = Field(gt=0, le=10_080, description="How long they are held.")


class SeatHold(Hold):
    """A hold on seats."""

    flight_number: str
    date: str
    before: Reservation | None = None
    after: Reservation | None = None


def holding_tools(desk: Desk) -> tuple[Tool, ...]:
    """The tools, bound to this desk."""

    async def affected_bookings(asked: Cancelled, context: ToolContext) -> AffectedBookings:
        return await desk.store.read(lambda db: _affected(db, asked))

    async def rebooking_options(asked: Rebooking, context: ToolContext) -> Options:
        def find(db: sqlite3.Connection) -> Options:
            booked = records.reservation(db, asked.reservation_id)
            desk.check_owner(context, booked.user_id)
            return Options(options=_options(db, booked, asked))

        return await desk.store.read(find)

    async def hold_seats(asked: Wanted, context: ToolContext) -> SeatHold:
        def hold(db: sqlite3.Connection) -> SeatHold:
            sweep(db)
            booked = records.reservation(db, asked.reservation_id)
            desk.check_owner(context, booked.user_id)
            _part(booked, asked.flight_number, asked.date)
            seats = len(booked.passengers)
            fare = records.fares(db, asked.new_flight_number, asked.new_date).get(booked.cabin)
            day = records.flight_day(db, asked.new_flight_number, asked.new_date)
            if day.status != "available" or fare is None or fare.seats < seats:
                raise ToolError("not_available", "There are not enough seats left on that flight.")
            records.take_seats(db, asked.new_flight_number, asked.new_date, booked.cabin, seats)
            name = "h-" + hashlib.sha256(context.key.encode()).hexdigest()[:16]
            row = (name, asked.reservation_id, asked.flight_number, asked.date, asked.new_flight_number, asked.new_date)
            until = time.time() + asked.minutes * 60
            db.execute(
                "INSERT INTO holds VALUES (?, ?, ?, ?, ?, ?, ?, ?, 'held', ?)", (*row, booked.cabin, seats, until)
            )
            return _hold(db, name)

        return await desk.store.write("hold_seats", context, SeatHold, hold)

    async def confirm_hold(asked: HoldId, context: ToolContext) -> SeatHold:
        def confirm(db: sqlite3.Connection) -> SeatHold:
            sweep(db)
            held = _row(db, asked.hold_id)
            before = records.reservation(db, held["reservation_id"])
            desk.check_owner(context, before.user_id)
            if not _set(db, asked.hold_id, HoldState.CONFIRMED):
                return _hold(db, asked.hold_id)
            old = _part(before, held["instead_of"], held["instead_of_date"])
            new = old.model_copy(update={"flight_number": held["flight_number"], "date": held["date"]})
            flights = [new if part is old else part for part in before.flights]
            records.replace_flights(db, before.reservation_id, before.cabin, flights)
            after = records.reservation(db, before.reservation_id)
            return _hold(db, asked.hold_id).model_copy(update={"before": before, "after": after})

        return await desk.store.write("confirm_hold", context, SeatHold, confirm)

    async def release_hold(asked: HoldId, context: ToolContext) -> SeatHold:
        def release(db: sqlite3.Connection) -> SeatHold:
            sweep(db)
            held = _row(db, asked.hold_id)
            desk.check_owner(context, records.reservation(db, held["reservation_id"]).user_id)
            if _set(db, asked.hold_id, HoldState.RELEASED):
                _give_back(db, held)
            return _hold(db, asked.hold_id)

        return await desk.store.write("release_hold", context, SeatHold, release)

    write, proactive = Effect.WRITE, Phase.PROACTIVE
    return (
        Tool(
            "affected_bookings",
            "All bookings with a flight that does not leave.",
            Cancelled,
            AffectedBookings,
            affected_bookings,
            Effect.READ,
            proactive,
            timeout_s=30.0,
        ),
        Tool(
            "rebooking_options",
            "Other flights for a booking whose flight does not leave.",
            Rebooking,
            Options,
            rebooking_options,
            Effect.READ,
            proactive,
            timeout_s=30.0,
        ),
        Tool("hold_seats", "Hold seats for a while.", Wanted, SeatHold, hold_seats, write, proactive, timeout_s=30.0),
        Tool("confirm_hold", "Book held seats.", HoldId, SeatHold, confirm_hold, write, proactive, timeout_s=30.0),
        Tool("release_hold", "Give held seats back.", HoldId, SeatHold, release_hold, write, proactive, timeout_s=30.0),
    )


def sweep(db: sqlite3.Connection) -> int:
    """Put seats back on sale whose hold is past its time; how many holds that were."""
    late = db.execute("SELECT * FROM holds WHERE state = 'held' AND until <= ?", (time.time(),)).fetchall()
    for held in late:
        if _set(db, held["hold_id"], HoldState.EXPIRED):
            _give_back(db, held)
    return len(late)


def _set(db: sqlite3.Connection, hold_id: str, state: HoldState) -> bool:
    """Compare and set: False when it is no longer held."""
    changed = db.execute(
        "UPDATE holds SET state = ? WHERE hold_id = ? AND state = 'held'", (state.value, hold_id)
    ).rowcount
    return changed == 1


def _give_back(db: sqlite3.Connection, held: sqlite3.Row) -> None:
    records.take_seats(db, held["flight_number"], held["date"], held["cabin"], -held["seats"])


def _row(db: sqlite3.Connection, hold_id: str) -> sqlite3.Row:
    row: sqlite3.Row | None = db.execute("SELECT * FROM holds WHERE hold_id = ?", (hold_id,)).fetchone()
    if row is None:
        raise ToolError("not_found", f"There is no hold {hold_id}.")
    return row


def _hold(db: sqlite3.Connection, hold_id: str) -> SeatHold:
    row = _row(db, hold_id)
    return SeatHold(**{name: row[name] for name in ("hold_id", "state", "until", "flight_number", "date")})


def _part(booked: Reservation, flight_number: str, day: str) -> BookedFlight:
    """The flight of the booking that is to be replaced."""
    for part in booked.flights:
        if booked.status is None and (part.flight_number, part.date) == (flight_number, day):
            return part
    raise ToolError("not_found", f"This booking has no flight {flight_number} on {day} any more.")


def _affected(db: sqlite3.Connection, asked: Cancelled) -> AffectedBookings:
    rows = db.execute(
        "SELECT users.user_id AS customer_id, membership AS tier, first_name, coalesce(number, '') AS phone, email,"
        " reservation_id, a.city AS origin_city, b.city AS destination_city"
        " FROM booked_flights JOIN reservations USING (reservation_id) JOIN users USING (user_id)"
        " LEFT JOIN phones USING (user_id)"
        " JOIN airports a ON a.iata = booked_flights.origin JOIN airports b ON b.iata = booked_flights.destination"
        " WHERE flight_number = ? AND date = ? AND reservations.status IS NULL ORDER BY reservation_id",
        (asked.flight_number, asked.date),
    )
    return AffectedBookings(bookings=[Affected(**dict(row)) for row in rows])


def _options(db: sqlite3.Connection, booked: Reservation, asked: Rebooking) -> list[Option]:
    old = _part(booked, asked.flight_number, asked.date)
    found: list[Option] = []
    for ahead in range(_DAYS + 1):
        then = date.fromisoformat(old.date) + timedelta(days=ahead)
        day = then.isoformat()
        flights = records.flights_on(db, day, origin=old.origin, destination=old.destination)
        for flight in sorted(flights, key=lambda one: one.departs):
            fare = records.fares(db, flight.flight_number, day).get(booked.cabin)
            same = (flight.flight_number, day) == (old.flight_number, old.date)
            if not same and fare is not None and fare.seats >= len(booked.passengers):
                city = db.execute("SELECT city FROM airports WHERE iata = ?", (old.destination,)).fetchone()["city"]
                found.append(
                    Option(
                        flight_number=flight.flight_number,
                        date=day,
                        day=f"{calendar.month_name[then.month]} {then.day}",
                        cabin=booked.cabin,
                        departs=_said(flight.departs),
                        destination_city=city,
                    )
                )
        if len(found) >= _MOST:
            break
    return found[:_MOST]


def _said(time_of_day: str) -> str:
    hour, minute = int(time_of_day[:2]), time_of_day[3:5]
    return f"{hour % 12 or 12}:{minute} {'am' if hour < 12 else 'pm'}"
