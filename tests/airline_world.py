"""A tiny airline, invented here, in the shape of the published data: for tests that must not need a download."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from ccaas.ports.site import Site

Json = dict[str, Any]
NOW = "2024-05-15T15:00:00"


def published() -> Json:
    """The content of a `db.json`: two customers, six flights, four reservations."""
    return {"users": _users(), "flights": _flights(), "reservations": _reservations()}


def site(folder: Path) -> Site:
    """An installation under `folder` whose model folder holds this airline."""
    data = folder / "models" / "tau2-airline"
    data.mkdir(parents=True)
    (data / "db.json").write_text(json.dumps(published()))
    return Site(folder, folder / "state", folder / "models", folder / "cache")


def _users() -> Json:
    ann = _user("ann_lee_1", "Ann", "Lee", "Denver", "regular", ["AAAAA1", "AAAAA2", "AAAAA3"])
    ann["payment_methods"] = {
        "credit_card_1": {"source": "credit_card", "id": "credit_card_1", "brand": "visa", "last_four": "0101"},
        "gift_card_1": {"source": "gift_card", "id": "gift_card_1", "amount": 40.0},
        "certificate_1": {"source": "certificate", "id": "certificate_1", "amount": 150.0},
    }
    bob = _user("bob_roe_2", "Bob", "Roe", "Seattle", "gold", ["BBBBB1"])
    bob["payment_methods"] = {"gift_card_2": {"source": "gift_card", "id": "gift_card_2", "amount": 900.0}}
    return {user["user_id"]: user for user in (ann, bob)}


def _user(name: str, first: str, last: str, city: str, membership: str, reservations: list[str]) -> Json:
    return {
        "user_id": name,
        "name": {"first_name": first, "last_name": last},
        "address": {
            "address1": "1 Test Street",
            "address2": "Suite 2",
            "city": city,
            "country": "USA",
            "state": "XX",
            "zip": "00000",
        },
        "email": f"{name}@example.com",
        "dob": "1980-01-02",
        "saved_passengers": [],
        "membership": membership,
        "reservations": reservations,
    }


def _flights() -> Json:
    sale, landed = _sale(), {"status": "landed", "actual_departure_time_est": "2024-05-14T09:04:00"}
    landed["actual_arrival_time_est"] = "2024-05-14T12:31:00"
    days = {"2024-05-14": landed, "2024-05-16": sale, "2024-05-19": sale, "2024-05-20": {"status": "cancelled"}}
    flights = [
        _flight("AIR101", "BOS", "SEA", "09:00:00", "12:30:00", days),
        _flight("AIR102", "BOS", "DEN", "07:00:00", "09:30:00", {"2024-05-16": _sale(business=False)}),
        _flight("AIR103", "DEN", "SEA", "10:30:00", "12:00:00", {"2024-05-16": sale}),
        _flight("AIR104", "DEN", "SEA", "10:00:00", "11:30:00", {"2024-05-16": sale}),
        _flight("AIR105", "SEA", "BOS", "22:00:00", "06:00:00+1", {"2024-05-16": sale, "2024-05-23": sale}),
        _flight("AIR106", "BOS", "SEA", "18:00:00", "21:30:00", {"2024-05-16": _sale(economy_seats=1, economy=120)}),
    ]
    return {flight["flight_number"]: flight for flight in flights}


def _flight(number: str, origin: str, destination: str, departs: str, arrives: str, days: Json) -> Json:
    return {
        "flight_number": number,
        "origin": origin,
        "destination": destination,
        "scheduled_departure_time_est": departs,
        "scheduled_arrival_time_est": arrives,
        "dates": days,
    }


def _sale(economy: int = 150, economy_seats: int = 5, business: bool = True) -> Json:
    seats = {"basic_economy": 4, "economy": economy_seats, "business": 3 if business else 0}
    prices = {"basic_economy": 70, "economy": economy, "business": 400}
    return {"status": "available", "available_seats": seats, "prices": prices}


def _reservations() -> Json:
    ann, bob = {"first_name": "Ann", "last_name": "Lee"}, {"first_name": "Bob", "last_name": "Roe"}
    out, back = ("BOS", "SEA", "AIR101", "2024-05-19", 200), ("SEA", "BOS", "AIR105", "2024-05-23", 180)
    flown = ("BOS", "SEA", "AIR101", "2024-05-14", 90)
    bookings = [
        _reservation("AAAAA1", "ann_lee_1", "economy", [out], [ann], "credit_card_1", insurance="yes"),
        _reservation("AAAAA2", "ann_lee_1", "basic_economy", [out], [ann], "credit_card_1"),
        _reservation("AAAAA3", "ann_lee_1", "economy", [flown], [ann], "credit_card_1"),
        _reservation("BBBBB1", "bob_roe_2", "economy", [out, back], [bob, ann], "gift_card_2"),
    ]
    return {booking["reservation_id"]: booking for booking in bookings}


def _reservation(
    name: str,
    user: str,
    cabin: str,
    flights: list[tuple[str, str, str, str, int]],
    people: list[Json],
    payment: str,
    insurance: str = "no",
) -> Json:
    fields = ("origin", "destination", "flight_number", "date", "price")
    return {
        "reservation_id": name,
        "user_id": user,
        "origin": "BOS",
        "destination": "SEA",
        "flight_type": "round_trip" if len(flights) > 1 else "one_way",
        "cabin": cabin,
        "flights": [dict(zip(fields, flight, strict=True)) for flight in flights],
        "passengers": [{**person, "dob": "1980-01-02"} for person in people],
        "payment_history": [{"payment_id": payment, "amount": sum(flight[4] for flight in flights) * len(people)}],
        "created_at": "2024-05-01T10:00:00",
        "total_baggages": 1,
        "nonfree_baggages": 0,
        "insurance": insurance,
    }
