"""What the published airline's writing tools do to its data, on plain dictionaries: the reference for the replay.

Written from the published tools' behaviour, without policy: bookings take seats, changes and cancellations do not move
any, certificates are used up, gift cards are drawn on and refunded to.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

Json = dict[str, Any]


def apply(airline: Json, name: str, arguments: Json) -> None:
    """Carry out one action in place; reads change nothing."""
    action = _ACTIONS.get(name)
    if action is not None:
        action(airline, **arguments)


def normal(airline: Json) -> Json:
    """The same state in one spelling: optional fields that are absent and optional fields that are null are one thing."""
    for booking in airline["reservations"].values():
        booking.setdefault("status", None)
    for user in airline["users"].values():
        user["address"].setdefault("address2", None)
    return airline


def _book(airline: Json, **booking: Any) -> None:
    user = airline["users"][booking["user_id"]]
    name = next(name for name in ("HATHAT", "HATHAU", "HATHAV") if name not in airline["reservations"])
    people = len(booking["passengers"])
    flights = []
    for wanted in booking.pop("flights"):
        flights.append(_flight(airline, wanted, booking["cabin"]))
        day = airline["flights"][wanted["flight_number"]]["dates"][wanted["date"]]
        assert day["available_seats"][booking["cabin"]] >= people
        day["available_seats"][booking["cabin"]] -= people
    payments = booking.pop("payment_methods")
    price = sum(flight["price"] for flight in flights) * people + 50 * booking["nonfree_baggages"]
    price += 30 * people if booking["insurance"] == "yes" else 0
    assert sum(payment["amount"] for payment in payments) == price
    for payment in payments:
        way = user["payment_methods"][payment["payment_id"]]
        if way["source"] == "gift_card":
            way["amount"] -= payment["amount"]
        elif way["source"] == "certificate":
            del user["payment_methods"][payment["payment_id"]]
    airline["reservations"][name] = {
        **booking,
        "reservation_id": name,
        "flights": flights,
        "payment_history": payments,
        "created_at": "2024-05-15T15:00:00",
        "status": None,
    }
    user["reservations"].append(name)


def _cancel(airline: Json, reservation_id: str) -> None:
    booking = airline["reservations"][reservation_id]
    booking["status"] = "cancelled"
    booking["payment_history"] += [{**paid, "amount": -paid["amount"]} for paid in booking["payment_history"]]


def _change_flights(airline: Json, reservation_id: str, cabin: str, flights: list[Json], payment_id: str) -> None:
    booking = airline["reservations"][reservation_id]
    kept = {(flight["flight_number"], flight["date"]): flight for flight in booking["flights"]}
    if cabin != booking["cabin"]:
        kept = {}
    new = [kept.get((wanted["flight_number"], wanted["date"])) or _flight(airline, wanted, cabin) for wanted in flights]
    difference = sum(flight["price"] for flight in new) - sum(flight["price"] for flight in booking["flights"])
    _pay(airline, booking, payment_id, difference * len(booking["passengers"]))
    booking["flights"], booking["cabin"] = new, cabin


def _change_bags(
    airline: Json, reservation_id: str, total_baggages: int, nonfree_baggages: int, payment_id: str
) -> None:
    booking = airline["reservations"][reservation_id]
    _pay(airline, booking, payment_id, 50 * max(0, nonfree_baggages - booking["nonfree_baggages"]))
    booking["total_baggages"], booking["nonfree_baggages"] = total_baggages, nonfree_baggages


def _change_passengers(airline: Json, reservation_id: str, passengers: list[Json]) -> None:
    airline["reservations"][reservation_id]["passengers"] = passengers


def _certificate(airline: Json, user_id: str, amount: int) -> None:
    ways = airline["users"][user_id]["payment_methods"]
    name = next(
        name for name in (f"certificate_{number}" for number in (3221322, 3221323, 3221324)) if name not in ways
    )
    ways[name] = {"source": "certificate", "id": name, "amount": float(amount)}


def _pay(airline: Json, booking: Json, payment_id: str, price: int) -> None:
    way = airline["users"][booking["user_id"]]["payment_methods"][payment_id]
    assert way["source"] != "certificate"
    if way["source"] == "gift_card":
        assert way["amount"] >= price
        way["amount"] -= price
    if price:
        booking["payment_history"].append({"payment_id": payment_id, "amount": price})


def _flight(airline: Json, wanted: Json, cabin: str) -> Json:
    flight = airline["flights"][wanted["flight_number"]]
    day = flight["dates"][wanted["date"]]
    assert day["status"] == "available"
    route = {"origin": flight["origin"], "destination": flight["destination"]}
    return {**wanted, **route, "price": day["prices"][cabin]}


_ACTIONS: dict[str, Callable[..., None]] = {
    "book_reservation": _book,
    "cancel_reservation": _cancel,
    "update_reservation_flights": _change_flights,
    "update_reservation_baggages": _change_bags,
    "update_reservation_passengers": _change_passengers,
    "send_certificate": _certificate,
}
