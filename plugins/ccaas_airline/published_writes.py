"""The writing tools of τ²-bench's airline, under their own names, with the airline's policy in front of each."""

from __future__ import annotations

import sqlite3
from datetime import datetime
from typing import Literal

from pydantic import Field

from ccaas.errors import ToolError
from ccaas.ports.tools import Confirmation, Effect, Phase, Tool, ToolContext, Undo
from ccaas_airline import policy, records
from ccaas_airline.changing import change_flights, for_sale, pay_for_change, statuses
from ccaas_airline.desk import Desk
from ccaas_airline.published_reads import ByReservation
from ccaas_airline.shapes import (
    Airport,
    Cabin,
    FlightInfo,
    Passenger,
    Payment,
    Reservation,
    Shape,
    TripType,
    WrittenReservation,
)

# The ids that the published airline gives out, in this order; further ones follow the same pattern.
_NEW_RESERVATIONS = ("HATHAT", "HATHAU", "HATHAV")


class Booking(Shape):
    """A new reservation."""

    user_id: str
    origin: Airport
    destination: Airport
    flight_type: TripType
    cabin: Cabin
    flights: list[FlightInfo] = Field(min_length=1)
    passengers: list[Passenger] = Field(min_length=1)
    payment_methods: list[Payment]
    total_baggages: int = Field(ge=0)
    nonfree_baggages: int = Field(ge=0)
    insurance: Literal["yes", "no"]


class NewFlights(Shape):
    """All flights of the reservation after the change, the kept ones included."""

    reservation_id: str
    cabin: Cabin
    flights: list[FlightInfo] = Field(min_length=1)
    payment_id: str


class NewBags(Shape):
    """Checked bags after the change."""

    reservation_id: str
    total_baggages: int = Field(ge=0)
    nonfree_baggages: int = Field(ge=0)
    payment_id: str


class NewPassengers(Shape):
    """All passengers after the change."""

    reservation_id: str
    passengers: list[Passenger]


def published_writes(desk: Desk) -> tuple[Tool, ...]:
    """The tools, bound to this desk."""

    async def book_reservation(asked: Booking, context: ToolContext) -> WrittenReservation:
        desk.check_owner(context, asked.user_id)
        now = desk.now(context)
        return await desk.store.write(
            "book_reservation", context, WrittenReservation, lambda db: book(db, asked, now, rules=desk.rules)
        )

    async def cancel_reservation(asked: ByReservation, context: ToolContext) -> WrittenReservation:
        now = desk.now(context)

        def cancel(db: sqlite3.Connection) -> WrittenReservation:
            before = _owned(db, asked.reservation_id, context)
            if desk.rules:
                policy.may_cancel(before, statuses(db, before), now)
            refunds = [Payment(payment_id=paid.payment_id, amount=-paid.amount) for paid in before.payment_history]
            records.add_payments(db, asked.reservation_id, refunds)
            db.execute("UPDATE reservations SET status = 'cancelled' WHERE reservation_id = ?", (asked.reservation_id,))
            return _written(db, before)

        return await desk.store.write("cancel_reservation", context, WrittenReservation, cancel)

    async def update_reservation_flights(asked: NewFlights, context: ToolContext) -> WrittenReservation:
        def change(db: sqlite3.Connection) -> WrittenReservation:
            before = _owned(db, asked.reservation_id, context)
            change_flights(db, before, asked.cabin, asked.flights, asked.payment_id, desk.rules)
            return _written(db, before)

        return await desk.store.write("update_reservation_flights", context, WrittenReservation, change)

    async def update_reservation_baggages(asked: NewBags, context: ToolContext) -> WrittenReservation:
        def change(db: sqlite3.Connection) -> WrittenReservation:
            before = _owned(db, asked.reservation_id, context)
            if desk.rules:
                customer = records.user(db, before.user_id)
                policy.may_change_bags(customer, before, asked.total_baggages, asked.nonfree_baggages)
            price = policy.BAG_PRICE * max(0, asked.nonfree_baggages - before.nonfree_baggages)
            pay_for_change(db, before, asked.payment_id, price)
            db.execute(
                "UPDATE reservations SET total_baggages = ?, nonfree_baggages = ? WHERE reservation_id = ?",
                (asked.total_baggages, asked.nonfree_baggages, asked.reservation_id),
            )
            return _written(db, before)

        return await desk.store.write("update_reservation_baggages", context, WrittenReservation, change)

    async def update_reservation_passengers(asked: NewPassengers, context: ToolContext) -> WrittenReservation:
        def change(db: sqlite3.Connection) -> WrittenReservation:
            before = _owned(db, asked.reservation_id, context)
            policy.may_change_passengers(before, len(asked.passengers))
            records.replace_passengers(db, asked.reservation_id, asked.passengers)
            return _written(db, before)

        return await desk.store.write("update_reservation_passengers", context, WrittenReservation, change)

    def _owned(db: sqlite3.Connection, reservation_id: str, context: ToolContext) -> Reservation:
        booked = records.reservation(db, reservation_id)
        desk.check_owner(context, booked.user_id)
        return booked

    two, spoken = Phase.TRANSACTIONAL, Confirmation.SPOKEN
    write, gives = Effect.WRITE, WrittenReservation
    return (
        Tool(
            "book_reservation",
            "Book a trip.",
            Booking,
            gives,
            book_reservation,
            write,
            two,
            spoken,
            private=True,
            money=True,
            undo=Undo("cancel_reservation", lambda _, booked: {"reservation_id": booked["reservation_id"]}),
        ),
        Tool(
            "cancel_reservation",
            "Cancel a whole reservation and refund it.",
            ByReservation,
            gives,
            cancel_reservation,
            write,
            two,
            spoken,
            private=True,
            money=True,
        ),
        Tool(
            "update_reservation_flights",
            "Change a reservation's flights or cabin; the difference is charged or refunded.",
            NewFlights,
            gives,
            update_reservation_flights,
            write,
            two,
            spoken,
            private=True,
            money=True,
        ),
        Tool(
            "update_reservation_baggages",
            "Add checked bags to a reservation.",
            NewBags,
            gives,
            update_reservation_baggages,
            write,
            two,
            spoken,
            private=True,
            money=True,
        ),
        Tool(
            "update_reservation_passengers",
            "Correct who flies on a reservation.",
            NewPassengers,
            gives,
            update_reservation_passengers,
            write,
            two,
            spoken,
            private=True,
        ),
    )


def _written(db: sqlite3.Connection, before: Reservation) -> WrittenReservation:
    return WrittenReservation.of(before, records.reservation(db, before.reservation_id))


def book(db: sqlite3.Connection, asked: Booking, now: datetime, *, rules: bool) -> WrittenReservation:
    """Make the reservation, and charge for it. Raises ToolError; nothing is changed then."""
    customer = records.user(db, asked.user_id)
    people = len(asked.passengers)
    flights = [for_sale(db, flight, asked.cabin, people) for flight in asked.flights]
    if rules:
        policy.may_book(asked.flight_type, (asked.origin, asked.destination), flights, people)
        policy.may_pay(customer, asked.payment_methods)
        policy.may_check_bags(customer, asked.cabin, people, asked.total_baggages, asked.nonfree_baggages)
    price = sum(flight.price for flight in flights) * people + policy.BAG_PRICE * asked.nonfree_baggages
    if asked.insurance == "yes":
        price += policy.INSURANCE_PRICE * people
    _charge(db, asked, price)
    for flight in flights:
        records.take_seats(db, flight.flight_number, flight.date, asked.cabin, people)
    fields = asked.model_dump(exclude={"flights", "payment_methods"})
    booked = Reservation(
        **fields,
        reservation_id=_new_reservation_id(db),
        flights=flights,
        payment_history=asked.payment_methods,
        created_at=now.isoformat(timespec="seconds"),
    )
    records.add_reservation(db, booked)
    return WrittenReservation.of(None, booked)


def _charge(db: sqlite3.Connection, asked: Booking, price: int) -> None:
    ways = {way.id: way for way in records.payment_methods(db, asked.user_id)}
    for payment in asked.payment_methods:
        way = ways.get(payment.payment_id)
        if way is None:
            raise ToolError("payment", "This means of payment is not in the customer's profile.")
        if way.amount is not None and way.amount < payment.amount:
            raise ToolError("payment", "There is not enough money left on this means of payment.")
    paid = sum(payment.amount for payment in asked.payment_methods)
    if paid != price:
        raise ToolError("payment", f"The price is {price} dollars, and {paid} would be paid.")
    for payment in asked.payment_methods:
        way = ways[payment.payment_id]
        key = (asked.user_id, payment.payment_id)
        if way.source == "gift_card":
            db.execute(
                "UPDATE payment_methods SET amount = amount - ? WHERE user_id = ? AND payment_id = ?",
                (payment.amount, *key),
            )
        elif way.source == "certificate":
            # What is left of a certificate is lost.
            db.execute("DELETE FROM payment_methods WHERE user_id = ? AND payment_id = ?", key)


def _new_reservation_id(db: sqlite3.Connection) -> str:
    number = 0
    while True:
        name = _NEW_RESERVATIONS[number] if number < len(_NEW_RESERVATIONS) else f"HAU{number:03d}"
        if db.execute("SELECT 1 FROM reservations WHERE reservation_id = ?", (name,)).fetchone() is None:
            return name
        number += 1
