"""The database in the shape of the published `db.json`: to compare states, and to see what a call has changed."""

from __future__ import annotations

import sqlite3
from typing import Any

Json = dict[str, Any]
_TIMES = ("actual_departure", "actual_arrival", "estimated_departure", "estimated_arrival")
_ADDRESS = ("address1", "address2", "city", "country", "state", "zip")
_PERSON = ("first_name", "last_name", "dob")


def dump(db: sqlite3.Connection) -> Json:
    """Users, reservations and flights by id, as JSON. Runs on the database's thread, inside a transaction."""
    return {"flights": _flights(db), "users": _users(db), "reservations": _reservations(db)}


def _users(db: sqlite3.Connection) -> Json:
    users: Json = {}
    for row in db.execute("SELECT * FROM users ORDER BY rowid"):
        users[row["user_id"]] = {
            "user_id": row["user_id"],
            "name": {"first_name": row["first_name"], "last_name": row["last_name"]},
            "address": _fields(row, *_ADDRESS),
            **_fields(row, "email", "dob", "membership"),
            "payment_methods": {},
            "saved_passengers": [],
            "reservations": [],
        }
    for row in db.execute("SELECT * FROM payment_methods ORDER BY rowid"):
        way = {"source": row["source"], "id": row["payment_id"], **_fields(row, "brand", "last_four", "amount")}
        ways = users[row["user_id"]]["payment_methods"]
        ways[row["payment_id"]] = {name: value for name, value in way.items() if value is not None}
    for row in db.execute("SELECT * FROM saved_passengers ORDER BY user_id, place"):
        users[row["user_id"]]["saved_passengers"].append(_fields(row, *_PERSON))
    for row in db.execute("SELECT user_id, reservation_id FROM reservations ORDER BY user_id, place"):
        users[row["user_id"]]["reservations"].append(row["reservation_id"])
    return users


def _reservations(db: sqlite3.Connection) -> Json:
    bookings: Json = {}
    for row in db.execute("SELECT * FROM reservations ORDER BY rowid"):
        lists: Json = {"flights": [], "passengers": [], "payment_history": []}
        bookings[row["reservation_id"]] = {**_fields(row, *(name for name in row.keys() if name != "place")), **lists}  # noqa: SIM118
    for row in db.execute("SELECT * FROM booked_flights ORDER BY reservation_id, place"):
        flight = _fields(row, "flight_number", "date", "origin", "destination", "price")
        bookings[row["reservation_id"]]["flights"].append(flight)
    for row in db.execute("SELECT * FROM passengers ORDER BY reservation_id, place"):
        bookings[row["reservation_id"]]["passengers"].append(_fields(row, *_PERSON))
    for row in db.execute("SELECT * FROM payments ORDER BY reservation_id, place"):
        bookings[row["reservation_id"]]["payment_history"].append(_fields(row, "payment_id", "amount"))
    return bookings


def _flights(db: sqlite3.Connection) -> Json:
    flights: Json = {}
    for row in db.execute("SELECT * FROM flights ORDER BY rowid"):
        later = f"+{row['arrives_days_later']}" if row["arrives_days_later"] else ""
        flights[row["flight_number"]] = {
            **_fields(row, "flight_number", "origin", "destination"),
            "scheduled_departure_time_est": row["departs"],
            "scheduled_arrival_time_est": row["arrives"] + later,
            "dates": {},
        }
    for row in db.execute("SELECT * FROM flight_days"):
        times = {f"{name}_time_est": row[name] for name in _TIMES if row[name] is not None}
        flights[row["flight_number"]]["dates"][row["date"]] = {"status": row["status"], **times}
    for row in db.execute("SELECT * FROM fares"):
        day = flights[row["flight_number"]]["dates"][row["date"]]
        day.setdefault("available_seats", {})[row["cabin"]] = row["seats"]
        day.setdefault("prices", {})[row["cabin"]] = row["price"]
    return flights


def _fields(row: sqlite3.Row, *names: str) -> Json:
    return {name: row[name] for name in names}
