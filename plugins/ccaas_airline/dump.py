"""The database in the shape of the published `db.json`: to compare states, and to see what a call has changed."""

from __future__ import annotations

import sqlite3
from typing import Any

from ccaas_airline import records

Json = dict[str, Any]
_TIMES = ("actual_departure", "actual_arrival", "estimated_departure", "estimated_arrival")


def dump(db: sqlite3.Connection) -> Json:
    """Users, reservations and flights by id, as JSON. Runs on the database's thread, inside a transaction."""
    users = [row["user_id"] for row in db.execute("SELECT user_id FROM users ORDER BY rowid")]
    bookings = [row["reservation_id"] for row in db.execute("SELECT reservation_id FROM reservations ORDER BY rowid")]
    return {
        "flights": _flights(db),
        "users": {name: _user(db, name) for name in users},
        "reservations": {name: records.reservation(db, name).model_dump(mode="json") for name in bookings},
    }


def _user(db: sqlite3.Connection, name: str) -> Json:
    user = records.user(db, name).model_dump(mode="json")
    ways = user["payment_methods"]
    for key, way in ways.items():
        ways[key] = {field: value for field, value in way.items() if value is not None}
    return user


def _flights(db: sqlite3.Connection) -> Json:
    flights: Json = {}
    for row in db.execute("SELECT * FROM flights ORDER BY rowid"):
        later = f"+{row['arrives_days_later']}" if row["arrives_days_later"] else ""
        flights[row["flight_number"]] = {
            "flight_number": row["flight_number"],
            "origin": row["origin"],
            "destination": row["destination"],
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
