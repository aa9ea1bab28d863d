"""Changing the flights of a booking, and paying for it. Runs on the database's thread, inside a transaction."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence

from ccaas.errors import ToolError
from ccaas_airline import policy, records
from ccaas_airline.shapes import BookedFlight, Cabin, FlightInfo, Payment, PaymentMethod, Reservation


def priced(
    db: sqlite3.Connection, before: Reservation, cabin: Cabin, flights: Sequence[FlightInfo], rules: bool = True
) -> tuple[list[BookedFlight], int]:
    """The flights as they would be booked, and what all passengers together would pay more (dollars, negative: less).

    A flight that the booking has already keeps the price that was paid.

    Raises:
        ToolError: "not_allowed", "not_found" or "not_available".
    """
    new = [_priced(db, before, cabin, flight) for flight in flights]
    if rules:
        policy.may_change_flights(before, cabin, new, statuses(db, before))
    return new, (sum(item.price for item in new) - sum(item.price for item in before.flights)) * len(before.passengers)


def change_flights(
    db: sqlite3.Connection,
    before: Reservation,
    cabin: Cabin,
    flights: Sequence[FlightInfo],
    payment_id: str,
    rules: bool = True,
) -> None:
    """Give the booking these flights, and charge or refund the difference. Seats on sale stay as they are.

    Raises:
        ToolError: as `priced`, or "payment"; nothing is changed then.
    """
    new, difference = priced(db, before, cabin, flights, rules)
    pay_for_change(db, before, payment_id, difference)
    records.replace_flights(db, before.reservation_id, cabin, new)


def pay_for_change(db: sqlite3.Connection, booked: Reservation, payment_id: str, price: int) -> None:
    """Charge `price` dollars (negative: refund) for a change of this booking.

    Raises:
        ToolError: "payment".
    """
    way = next((item for item in records.payment_methods(db, booked.user_id) if item.id == payment_id), None)
    if way is None:
        raise ToolError("payment", "This means of payment is not in the customer's profile.")
    if way.source == "certificate":
        raise ToolError("payment", "A certificate cannot pay for a change.")
    if way.amount is not None:
        if way.amount < price:
            raise ToolError("payment", "There is not enough money left on this gift card.")
        db.execute(
            "UPDATE payment_methods SET amount = amount - ? WHERE user_id = ? AND payment_id = ?",
            (price, booked.user_id, payment_id),
        )
    if price:
        records.add_payments(db, booked.reservation_id, [Payment(payment_id=payment_id, amount=price)])


def usual_payment(db: sqlite3.Connection, booked: Reservation, price: int) -> PaymentMethod:
    """How a change is paid when the caller does not say: as the booking was, else by credit card.

    Raises:
        ToolError: "payment", when nothing in the profile can pay it.
    """
    paid = [payment.payment_id for payment in reversed(booked.payment_history)]
    ways = [
        way
        for way in records.payment_methods(db, booked.user_id)
        if way.source != "certificate" and (way.amount is None or way.amount >= price)
    ]
    if not ways:
        raise ToolError("payment", "There is no card in the profile that could pay for this change.")
    return min(ways, key=lambda way: (paid.index(way.id) if way.id in paid else len(paid), way.source != "credit_card"))


def chosen_payment(db: sqlite3.Connection, booked: Reservation, payment_id: str | None, price: int) -> PaymentMethod:
    """How a change is paid: by what the caller chose, else as usual.

    Raises:
        ToolError: "payment".
    """
    if payment_id is None:
        return usual_payment(db, booked, price)
    way = next((item for item in records.payment_methods(db, booked.user_id) if item.id == payment_id), None)
    if way is None:
        raise ToolError("payment", "This means of payment is not in the customer's profile.")
    return way


def spoken_payment(way: PaymentMethod) -> str:
    """As it is said: "visa ending in 1357"."""
    return f"{way.brand} ending in {way.last_four}" if way.source == "credit_card" else "gift card"


def statuses(db: sqlite3.Connection, booked: Reservation) -> list[str]:
    """How each flight of the booking stands."""
    return [records.flight_day(db, flight.flight_number, flight.date).status for flight in booked.flights]


def for_sale(db: sqlite3.Connection, flight: FlightInfo, cabin: Cabin, passengers: int) -> BookedFlight:
    """The flight at today's price.

    Raises:
        ToolError: "not_found" or "not_available".
    """
    day = records.flight_day(db, flight.flight_number, flight.date)
    fare = records.fares(db, flight.flight_number, flight.date).get(cabin)
    if day.status != "available" or fare is None:
        raise ToolError("not_available", f"Flight {flight.flight_number} is not for sale on {flight.date}.")
    if fare.seats < passengers:
        raise ToolError("not_available", f"There are not enough seats on flight {flight.flight_number}.")
    return BookedFlight(
        flight_number=flight.flight_number,
        date=flight.date,
        origin=day.origin,
        destination=day.destination,
        price=fare.price,
    )


def _priced(db: sqlite3.Connection, before: Reservation, cabin: Cabin, flight: FlightInfo) -> BookedFlight:
    if cabin == before.cabin:
        for kept in before.flights:
            if (kept.flight_number, kept.date) == (flight.flight_number, flight.date):
                return kept
    return for_sale(db, flight, cabin, len(before.passengers))
