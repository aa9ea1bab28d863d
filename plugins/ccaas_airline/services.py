"""Tools made for conversations about a booking that stands: cancelling it, bags, who flies, how its flights stand."""

from __future__ import annotations

import sqlite3
from datetime import datetime
from typing import Literal

from pydantic import Field, field_validator

from ccaas.errors import ToolError
from ccaas.ports.tools import Confirmation, Effect, Phase, Tool, ToolContext
from ccaas_airline import policy, records
from ccaas_airline.changing import chosen_payment, pay_for_change, spoken_payment, statuses
from ccaas_airline.desk import Desk
from ccaas_airline.places import city
from ccaas_airline.shapes import Date, Passenger, Payment, Reservation, Shape, WrittenReservation
from ccaas_airline.trips import trips

_COVERED = frozenset({"health", "weather"})
"""Reasons for which the travel insurance pays."""


class Cancellation(Shape):
    """A booking that is to be cancelled, and why."""

    reservation_id: str
    reason: Literal["", "health", "weather", "plans", "airline", "other"] = ""


class CancellationQuote(Shape):
    """What cancelling comes to."""

    reservation_id: str
    origin_city: str
    destination_city: str
    date: Date
    refund: int
    """Dollars that go back, in five to seven business days."""
    insured: bool
    """Only the insurance allows it, so the reason counts."""


class Bags(Shape):
    """Checked bags to be added."""

    reservation_id: str
    bags: int = Field(ge=1, le=20)


class BagQuote(Shape):
    """What the bags cost."""

    reservation_id: str
    bags: int
    total: int
    """Checked bags then."""
    charge: int
    """Dollars."""
    payment: str


class Agreed(Bags):
    """Bags at a price that the customer has agreed to."""

    agreed: int = Field(ge=0, description="Dollars; at another price nothing is changed.")


class BagsAdded(WrittenReservation):
    """The booking with its bags."""

    charged: int
    payment: str


class Who(Shape):
    """A passenger of a booking."""

    reservation_id: str
    passenger: str = Field(default="", description="First, last or whole name; empty: all passengers.")


class Passengers(Shape):
    """Who flies."""

    reservation_id: str
    count: int
    names: list[str]


class Correction(Shape):
    """A passenger's name as it should be."""

    reservation_id: str
    passenger: str = Field(min_length=1, description="The name as booked.")
    name: str = Field(min_length=3, max_length=80, description="First and last name as they should be.")

    @field_validator("name")
    @classmethod
    def _whole(cls, value: str) -> str:
        if len(value.split()) < 2:
            raise ValueError("a first and a last name")
        return " ".join(part[:1].upper() + part[1:] for part in value.split())


class Standing(Shape):
    """How a flight stands."""

    flight_number: str
    date: Date
    origin_city: str
    destination_city: str
    departs: str
    """Local time, HH:MM."""
    status: str


class Flight(Shape):
    """A flight as people name it."""

    flight: str = Field(description='"HAT271", or its digits.')
    date: Date


def service_tools(desk: Desk) -> tuple[Tool, ...]:
    """The tools, bound to this desk."""

    def owned(db: sqlite3.Connection, reservation_id: str, context: ToolContext) -> Reservation:
        booked = records.reservation(db, reservation_id)
        desk.check_owner(context, booked.user_id)
        return booked

    async def quote_cancellation(asked: Cancellation, context: ToolContext) -> CancellationQuote:
        now = desk.now(context)

        def quote(db: sqlite3.Connection) -> CancellationQuote:
            booked = owned(db, asked.reservation_id, context)
            insured = _insurance_alone(db, booked, now)
            first = trips(db, booked)[0]
            return CancellationQuote(
                **first.model_dump(include={"reservation_id", "origin_city", "destination_city", "date"}),
                refund=sum(paid.amount for paid in booked.payment_history),
                insured=insured,
            )

        return await desk.store.read(quote)

    async def cancel_trip(asked: Cancellation, context: ToolContext) -> WrittenReservation:
        now = desk.now(context)

        def cancel(db: sqlite3.Connection) -> WrittenReservation:
            before = owned(db, asked.reservation_id, context)
            if _insurance_alone(db, before, now) and asked.reason not in _COVERED:
                raise ToolError("not_allowed", "The insurance pays when it is for your health or the weather.")
            refunds = [Payment(payment_id=paid.payment_id, amount=-paid.amount) for paid in before.payment_history]
            records.add_payments(db, asked.reservation_id, refunds)
            db.execute("UPDATE reservations SET status = 'cancelled' WHERE reservation_id = ?", (asked.reservation_id,))
            return WrittenReservation.of(before, records.reservation(db, asked.reservation_id))

        return await desk.store.write("cancel_trip", context, WrittenReservation, cancel)

    async def quote_bags(asked: Bags, context: ToolContext) -> BagQuote:
        return await desk.store.read(lambda db: _quote_bags(db, owned(db, asked.reservation_id, context), asked.bags))

    async def add_bags(asked: Agreed, context: ToolContext) -> BagsAdded:
        def add(db: sqlite3.Connection) -> BagsAdded:
            before = owned(db, asked.reservation_id, context)
            quote = _quote_bags(db, before, asked.bags)
            if quote.charge != asked.agreed:
                raise ToolError("price_changed", "The price has just changed.")
            pay_for_change(db, before, chosen_payment(db, before, None, quote.charge).id, quote.charge)
            db.execute(
                "UPDATE reservations SET total_baggages = ?, nonfree_baggages = nonfree_baggages + ?"
                " WHERE reservation_id = ?",
                (quote.total, quote.charge // policy.BAG_PRICE, asked.reservation_id),
            )
            after = records.reservation(db, asked.reservation_id)
            return BagsAdded(**dict(after), before=before, after=after, charged=quote.charge, payment=quote.payment)

        return await desk.store.write("add_bags", context, BagsAdded, add)

    async def find_passengers(asked: Who, context: ToolContext) -> Passengers:
        def find(db: sqlite3.Connection) -> Passengers:
            booked = owned(db, asked.reservation_id, context)
            found = [person for person in booked.passengers if _is(person, asked.passenger)]
            return Passengers(
                reservation_id=booked.reservation_id, count=len(found), names=[_name(person) for person in found]
            )

        return await desk.store.read(find)

    async def correct_passenger(asked: Correction, context: ToolContext) -> WrittenReservation:
        def correct(db: sqlite3.Connection) -> WrittenReservation:
            before = owned(db, asked.reservation_id, context)
            policy.may_change_passengers(before, len(before.passengers))
            found = [place for place, person in enumerate(before.passengers) if _is(person, asked.passenger)]
            if len(found) != 1:
                raise ToolError("not_found", f"There is no one passenger called {asked.passenger}.")
            first, last = asked.name.split(" ", 1)
            people = list(before.passengers)
            people[found[0]] = people[found[0]].model_copy(update={"first_name": first, "last_name": last})
            records.replace_passengers(db, asked.reservation_id, people)
            return WrittenReservation.of(before, records.reservation(db, asked.reservation_id))

        return await desk.store.write("correct_passenger", context, WrittenReservation, correct)

    async def flight_standing(asked: Flight, context: ToolContext) -> Standing:
        number = "".join(c for c in asked.flight.upper() if c.isalnum())
        number = f"HAT{number.zfill(3)}" if number.isdigit() else number
        day = await desk.store.read(lambda db: records.flight_day(db, number, asked.date))
        return Standing(
            flight_number=number,
            date=day.date,
            origin_city=city(day.origin),
            destination_city=city(day.destination),
            departs=day.departs[:5],
            status="on time" if day.status == "available" else day.status,
        )

    read, write, two, spoken = Effect.READ, Effect.WRITE, Phase.TRANSACTIONAL, Confirmation.SPOKEN
    gives = WrittenReservation
    return (
        Tool("quote_cancellation", "Whether a booking can be cancelled, and what goes back.", Cancellation,
             CancellationQuote, quote_cancellation, read, private=True),
        Tool("cancel_trip", "Cancel a whole booking, for a reason; what was paid goes back.", Cancellation, gives,
             cancel_trip, write, two, spoken, private=True, money=True),
        Tool("quote_bags", "What more checked bags would cost.", Bags, BagQuote, quote_bags, read, private=True),
        Tool("add_bags", "Add checked bags to a booking, at the price that was told.", Agreed, BagsAdded, add_bags,
             write, two, spoken, private=True, money=True, amount="agreed"),
        Tool("find_passengers", "Who flies on a booking.", Who, Passengers, find_passengers, read, private=True),
        Tool("correct_passenger", "Correct a passenger's name.", Correction, gives, correct_passenger, write, two,
             spoken, private=True),
        Tool("flight_standing", "How a flight stands: on time, delayed, cancelled, ….", Flight, Standing,
             flight_standing, read),
    )  # fmt: skip


def _insurance_alone(db: sqlite3.Connection, booked: Reservation, now: datetime) -> bool:
    """Whether only the insurance allows it to be cancelled. Raises ToolError "not_allowed" when nothing does."""
    policy.may_cancel(booked, statuses(db, booked), now)
    try:
        policy.may_cancel(booked.model_copy(update={"insurance": "no"}), statuses(db, booked), now)
    except ToolError:
        return True
    return False


def _quote_bags(db: sqlite3.Connection, booked: Reservation, bags: int) -> BagQuote:
    customer = records.user(db, booked.user_id)
    total = booked.total_baggages + bags
    free = policy.free_bags(customer, booked.cabin, len(booked.passengers))
    paid = max(0, total - free - booked.nonfree_baggages)
    policy.may_change_bags(customer, booked, total, booked.nonfree_baggages + paid)
    charge = policy.BAG_PRICE * paid
    return BagQuote(
        reservation_id=booked.reservation_id,
        bags=bags,
        total=total,
        charge=charge,
        payment=spoken_payment(chosen_payment(db, booked, None, charge)),
    )


def _name(person: Passenger) -> str:
    return f"{person.first_name} {person.last_name}"


def _is(person: Passenger, name: str) -> bool:
    wanted = name.casefold().split()
    return all(part in (person.first_name.casefold(), person.last_name.casefold()) for part in wanted)
