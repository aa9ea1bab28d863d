"""Who calls or writes, and what the airline knows of them at once."""

from __future__ import annotations

import sqlite3
from datetime import datetime
from typing import Any

from ccaas.ports.journey import Contact, Customer
from ccaas_airline.phones import e164
from ccaas_airline.store import Store


async def customer_of(store: Store, address: str, region: str = "US") -> Customer | None:
    """The customer with this calling number, however it is written; None when nobody has it."""
    number = e164(address, region)
    return await _find(store, "JOIN phones USING (user_id) WHERE number = ?", number) if number else None


async def customer_at(store: Store, contact: Contact, region: str = "US") -> Customer | None:
    """The customer who reaches us: named by the journey or a token, else by their e-mail address or number."""
    named = await _find(store, "WHERE user_id = ?", contact.customer_id) if contact.customer_id else None
    if named is not None:
        return named
    if contact.channel == "email":
        return await _find(store, "WHERE email = ? COLLATE NOCASE", contact.address)
    return await customer_of(store, contact.address, region)


async def known_of(store: Store, user_id: str, now: datetime) -> dict[str, Any] | None:
    """Membership, how many flights are ahead, and the next one. None when there is no such customer.

    `now` is the airline's own local time, without a zone.
    """
    day, time = now.date().isoformat(), now.time().isoformat("seconds")

    def read(db: sqlite3.Connection) -> dict[str, Any] | None:
        user = db.execute("SELECT membership FROM users WHERE user_id = ?", (user_id,)).fetchone()
        if user is None:
            return None
        ahead = db.execute(
            "SELECT flight_number, date, departs, booked_flights.origin, booked_flights.destination FROM reservations"
            " JOIN booked_flights USING (reservation_id) JOIN flights USING (flight_number)"
            " WHERE user_id = ? AND status IS NULL AND (date, departs) > (?, ?) ORDER BY date, departs",
            (user_id, day, time),
        ).fetchall()
        return {
            "membership": user["membership"],
            "flights_ahead": len(ahead),
            "next_flight": dict(ahead[0]) if ahead else None,
        }

    return await store.read(read)


async def on_board(store: Store, user_id: str) -> bool:
    """Whether one of the customer's flights is in the air."""

    def read(db: sqlite3.Connection) -> bool:
        row = db.execute(
            "SELECT 1 FROM reservations JOIN booked_flights USING (reservation_id) JOIN flight_days USING (flight_number, date)"
            " WHERE user_id = ? AND reservations.status IS NULL AND flight_days.status = 'flying'",
            (user_id,),
        ).fetchone()
        return row is not None

    return await store.read(read)


async def _find(store: Store, where: str, key: str) -> Customer | None:
    def find(db: sqlite3.Connection) -> Customer | None:
        row = db.execute(f"SELECT * FROM users {where}", (key,)).fetchone()
        if row is None:
            return None
        phone = db.execute("SELECT number FROM phones WHERE user_id = ?", (row["user_id"],)).fetchone()
        return Customer(
            id=row["user_id"],
            first_name=row["first_name"],
            last_name=row["last_name"],
            tier=row["membership"],
            attributes={"phone": phone["number"] if phone else "", "city": row["city"]},
        )

    return await store.read(find)
