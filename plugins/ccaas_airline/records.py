"""Rows to records and back. All functions run on the database's thread, inside a transaction."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from ccaas.errors import ToolError
from ccaas_airline.shapes import (
    Address,
    BookedFlight,
    Cabin,
    Name,
    Passenger,
    Payment,
    PaymentMethod,
    Reservation,
    User,
)


@dataclass(frozen=True, slots=True)
class FlightDay:
    """A flight on one date."""

    flight_number: str
    date: str
    origin: str
    destination: str
    departs: str
    """Local time, HH:MM:SS."""
    arrives: str
    """Local time, HH:MM:SS."""
    arrives_days_later: int
    status: str
    """"available", "on time", "delayed", "flying", "landed" or "cancelled"."""


@dataclass(frozen=True, slots=True)
class Fare:
    """What is left to sell in one cabin."""

    seats: int
    price: int
    """Dollars a passenger."""


def user(db: sqlite3.Connection, user_id: str) -> User:
    """The customer. Raises ToolError "not_found"."""
    row = db.execute("SELECT * FROM users WHERE user_id = ?", (user_id,)).fetchone()
    if row is None:
        raise ToolError("not_found", f"There is no customer {user_id}.")
    reservations = db.execute("SELECT reservation_id FROM reservations WHERE user_id = ? ORDER BY place", (user_id,))
    return User(
        user_id=user_id,
        name=Name(first_name=row["first_name"], last_name=row["last_name"]),
        address=Address(**{name: row[name] for name in Address.model_fields}),
        email=row["email"],
        dob=row["dob"],
        payment_methods={way.id: way for way in payment_methods(db, user_id)},
        saved_passengers=_people(db, "saved_passengers", "user_id", user_id),
        membership=row["membership"],
        reservations=[item["reservation_id"] for item in reservations],
    )


def payment_methods(db: sqlite3.Connection, user_id: str) -> list[PaymentMethod]:
    """The customer's stored means of payment."""
    rows = db.execute("SELECT * FROM payment_methods WHERE user_id = ? ORDER BY rowid", (user_id,))
    return [
        PaymentMethod(
            source=row["source"],
            id=row["payment_id"],
            brand=row["brand"],
            last_four=row["last_four"],
            amount=row["amount"],
        )
        for row in rows
    ]


def reservation(db: sqlite3.Connection, reservation_id: str) -> Reservation:
    """The booking. Raises ToolError "not_found"."""
    row = db.execute("SELECT * FROM reservations WHERE reservation_id = ?", (reservation_id,)).fetchone()
    if row is None:
        raise ToolError("not_found", f"There is no reservation {reservation_id}.")
    key = (reservation_id,)
    flights = db.execute("SELECT * FROM booked_flights WHERE reservation_id = ? ORDER BY place", key)
    payments = db.execute("SELECT * FROM payments WHERE reservation_id = ? ORDER BY place", key)
    return Reservation(
        **{name: row[name] for name in row.keys() if name != "place"},  # noqa: SIM118 - a Row iterates over its values
        flights=[BookedFlight(**{name: item[name] for name in BookedFlight.model_fields}) for item in flights],
        passengers=_people(db, "passengers", "reservation_id", reservation_id),
        payment_history=[Payment(payment_id=item["payment_id"], amount=item["amount"]) for item in payments],
    )


def flight_day(db: sqlite3.Connection, flight_number: str, date: str) -> FlightDay:
    """The flight on that date. Raises ToolError "not_found"."""
    row = db.execute(
        "SELECT * FROM flights JOIN flight_days USING (flight_number) WHERE flight_number = ? AND date = ?",
        (flight_number, date),
    ).fetchone()
    if row is None:
        raise ToolError("not_found", f"There is no flight {flight_number} on {date}.")
    return _flight_day(row)


def flights_on(
    db: sqlite3.Connection, date: str, *, origin: str | None = None, destination: str | None = None
) -> list[FlightDay]:
    """Flights with seats for sale on that date, in the timetable's order."""
    rows = db.execute(
        "SELECT * FROM flights JOIN flight_days USING (flight_number)"
        " WHERE date = :date AND status = 'available'"
        " AND (:origin IS NULL OR origin = :origin) AND (:destination IS NULL OR destination = :destination)"
        " ORDER BY flights.rowid",
        {"date": date, "origin": origin, "destination": destination},
    )
    return [_flight_day(row) for row in rows]


def fares(db: sqlite3.Connection, flight_number: str, date: str) -> dict[Cabin, Fare]:
    """What is for sale on that flight; empty when it cannot be booked."""
    rows = db.execute("SELECT * FROM fares WHERE flight_number = ? AND date = ?", (flight_number, date))
    return {row["cabin"]: Fare(row["seats"], row["price"]) for row in rows}


def replace_flights(db: sqlite3.Connection, reservation_id: str, cabin: Cabin, flights: Sequence[BookedFlight]) -> None:
    """Give the booking these flights in this cabin."""
    db.execute("UPDATE reservations SET cabin = ? WHERE reservation_id = ?", (cabin, reservation_id))
    db.execute("DELETE FROM booked_flights WHERE reservation_id = ?", (reservation_id,))
    _add_flights(db, reservation_id, flights)


def replace_passengers(db: sqlite3.Connection, reservation_id: str, passengers: Iterable[Passenger]) -> None:
    """Give the booking these passengers."""
    db.execute("DELETE FROM passengers WHERE reservation_id = ?", (reservation_id,))
    db.executemany(
        "INSERT INTO passengers VALUES (?, ?, ?, ?, ?)",
        [(reservation_id, place, who.first_name, who.last_name, who.dob) for place, who in enumerate(passengers)],
    )


def add_payments(db: sqlite3.Connection, reservation_id: str, payments: Iterable[Payment]) -> None:
    """Append to the booking's payment history."""
    for payment in payments:
        db.execute(
            "INSERT INTO payments SELECT ?, count(*), ?, ? FROM payments WHERE reservation_id = ?",
            (reservation_id, payment.payment_id, payment.amount, reservation_id),
        )


def add_reservation(db: sqlite3.Connection, booking: Reservation) -> None:
    """Store a new booking."""
    db.execute(
        "INSERT INTO reservations SELECT ?, ?, count(*), ?, ?, ?, ?, ?, ?, ?, ?, NULL FROM reservations WHERE user_id = ?",
        (
            booking.reservation_id,
            booking.user_id,
            booking.origin,
            booking.destination,
            booking.flight_type,
            booking.cabin,
            booking.created_at,
            booking.total_baggages,
            booking.nonfree_baggages,
            booking.insurance,
            booking.user_id,
        ),
    )
    _add_flights(db, booking.reservation_id, booking.flights)
    replace_passengers(db, booking.reservation_id, booking.passengers)
    add_payments(db, booking.reservation_id, booking.payment_history)


def take_seats(db: sqlite3.Connection, flight_number: str, date: str, cabin: Cabin, seats: int) -> None:
    """Take seats from sale; a negative number gives them back (where the flight is still for sale)."""
    db.execute(
        "UPDATE fares SET seats = seats - ? WHERE flight_number = ? AND date = ? AND cabin = ?",
        (seats, flight_number, date, cabin),
    )


def _add_flights(db: sqlite3.Connection, reservation_id: str, flights: Sequence[BookedFlight]) -> None:
    db.executemany(
        "INSERT INTO booked_flights VALUES (?, ?, ?, ?, ?, ?, ?)",
        [
            (reservation_id, place, part.flight_number, part.date, part.origin, part.destination, part.price)
            for place, part in enumerate(flights)
        ],
    )


def _people(db: sqlite3.Connection, table: str, column: str, owner: str) -> list[Passenger]:
    rows = db.execute(f"SELECT * FROM {table} WHERE {column} = ? ORDER BY place", (owner,))
    return [Passenger(first_name=row["first_name"], last_name=row["last_name"], dob=row["dob"]) for row in rows]


def _flight_day(row: sqlite3.Row) -> FlightDay:
    return FlightDay(**{name: row[name] for name in FlightDay.__slots__})
