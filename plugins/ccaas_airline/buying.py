"""Tools made for conversations: booking a trip for oneself, what is due for a flight that failed, and one's own address."""

from __future__ import annotations

import re
import sqlite3
from datetime import datetime
from typing import Literal

from pydantic import Field, field_validator

from ccaas.errors import ToolError
from ccaas.ports.tools import Confirmation, Effect, Phase, Tool, ToolContext, Undo
from ccaas_airline import policy, records
from ccaas_airline.changing import spoken_payment, statuses
from ccaas_airline.desk import Desk
from ccaas_airline.places import airports, city
from ccaas_airline.published_writes import Booking, book
from ccaas_airline.shapes import Address, Cabin, Date, Passenger, Payment, PaymentMethod, Shape, WrittenReservation
from ccaas_airline.trips import Option, PartOfDay, Wish, dated, offers, trips

_MOST = 5


def _cabin(value: object) -> object:
    return str(value).replace(" ", "_").replace("premium_economy", "economy").replace("first", "business") or "economy"


class Travel(Shape):
    """Where to, when, how."""

    origin: str = Field(min_length=1, description="City or airport code.")
    destination: str = Field(min_length=1)
    date: Date
    cabin: Cabin = "economy"
    part_of_day: PartOfDay | None = None

    _spoken = field_validator("cabin", mode="before")(_cabin)

    @field_validator("part_of_day", mode="before")
    @classmethod
    def _empty_is_none(cls, value: object) -> object:
        return value or None


class Fares(Shape):
    """What is for sale."""

    origin_city: str
    destination_city: str
    cabin: str
    count: int
    options: list[Option]
    """`difference` is the price."""
    payment: str
    """What would be charged, as it is said."""


class Purchase(Shape):
    """A one-way trip that the customer wants to fly themselves."""

    origin: str
    destination: str
    date: Date
    flight_numbers: list[str] = Field(min_length=1, max_length=3, description="A list, or text separated by blanks.")
    cabin: Cabin = "economy"
    insurance: Literal["yes", "no"] = "no"
    agreed: int = Field(ge=0, description="Dollars of the flights; at another price nothing is booked.")

    _spoken = field_validator("cabin", mode="before")(_cabin)

    @field_validator("flight_numbers", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        return [part for part in re.split(r"[\s,+]+", value.upper()) if part] if isinstance(value, str) else value


class Booked(WrittenReservation):
    """The new booking."""

    price: int
    """Dollars in all."""
    destination_city: str
    departs: str
    """Local time, HH:MM."""
    paid_by: str


class Nothing(Shape):
    """No arguments."""


class Failure(Shape):
    """A booking with a flight that was cancelled or is late."""

    reservation_id: str
    destination_city: str
    date: Date
    what: Literal["cancelled", "delayed"]
    amount: int
    """Dollars that a colleague may give."""


class Failures(Shape):
    """What went wrong, and whether anything is due."""

    user_id: str
    eligible: bool
    count: int
    bookings: list[Failure]


class NewAddress(Shape):
    """Where the customer lives from now on."""

    street: str = Field(min_length=3, max_length=100)
    city: str = Field(min_length=2, max_length=60)
    state: str = Field(min_length=2, max_length=40)
    postcode: str = Field(pattern=r"^\d{5}(-\d{4})?$")


class AddressChanged(Shape):
    """The address as it is kept. `before` and `after` are for the audit."""

    street: str
    city: str
    before: Address | None = Field(default=None, exclude=True)
    after: Address | None = Field(default=None, exclude=True)


def buying_tools(desk: Desk) -> tuple[Tool, ...]:
    """The tools, bound to this desk."""

    async def quote_trip(asked: Travel, context: ToolContext) -> Fares:
        now = desk.now(context)

        def quote(db: sqlite3.Connection) -> Fares:
            desk.check_owner(context, context.customer_id)
            origin, destination = _airport(asked.origin), _airport(asked.destination)
            wish = Wish(asked.date, asked.part_of_day)
            found = offers(db, origin, destination, asked.cabin, wish, now, _MOST)
            way = _payment(db, context.customer_id, found[0].fare if found else 0)
            return Fares(
                origin_city=city(origin),
                destination_city=city(destination),
                cabin=asked.cabin.replace("_", " "),
                count=len(found),
                options=found,
                payment=spoken_payment(way),
            )

        return await desk.store.read(quote)

    async def book_trip(asked: Purchase, context: ToolContext) -> Booked:
        now = desk.now(context)

        def buy(db: sqlite3.Connection) -> Booked:
            desk.check_owner(context, context.customer_id)
            return _buy(db, asked, context.customer_id, now)

        return await desk.store.write("book_trip", context, Booked, buy)

    async def find_failures(_: Nothing, context: ToolContext) -> Failures:
        def find(db: sqlite3.Connection) -> Failures:
            desk.check_owner(context, context.customer_id)
            return _failures(db, context.customer_id)

        return await desk.store.read(find)

    async def change_address(asked: NewAddress, context: ToolContext) -> AddressChanged:
        def change(db: sqlite3.Connection) -> AddressChanged:
            desk.check_owner(context, context.customer_id)
            before = records.user(db, context.customer_id).address
            db.execute(
                "UPDATE users SET address1 = ?, address2 = NULL, city = ?, state = ?, zip = ? WHERE user_id = ?",
                (asked.street, asked.city, asked.state, asked.postcode, context.customer_id),
            )
            after = records.user(db, context.customer_id).address
            return AddressChanged(street=asked.street, city=asked.city, before=before, after=after)

        return await desk.store.write("change_address", context, AddressChanged, change)

    read, write, two, spoken = Effect.READ, Effect.WRITE, Phase.TRANSACTIONAL, Confirmation.SPOKEN
    undo = Undo("cancel_reservation", lambda _, booked: {"reservation_id": booked["reservation_id"]})
    return (
        Tool(
            "quote_trip",
            "Flights for sale for the customer alone, and how they would be paid.",
            Travel,
            Fares,
            quote_trip,
            read,
            private=True,
        ),
        Tool(
            "book_trip",
            "Book a one-way trip for the customer alone, at the price that was told.",
            Purchase,
            Booked,
            book_trip,
            write,
            two,
            spoken,
            private=True,
            money=True,
            amount="agreed",
            undo=undo,
        ),
        Tool(
            "find_failures",
            "The customer's flights that were cancelled or are late, and what may be given for them.",
            Nothing,
            Failures,
            find_failures,
            read,
            private=True,
        ),
        Tool(
            "change_address",
            "Keep another home address of the customer.",
            NewAddress,
            AddressChanged,
            change_address,
            write,
            two,
            spoken,
            private=True,
        ),
    )


def _airport(name: str) -> str:
    found = airports(name)
    if not found:
        raise ToolError("unknown_place", f"We do not fly to {name}.")
    return found[0]


def _payment(db: sqlite3.Connection, user_id: str, price: int) -> PaymentMethod:
    """A credit card, else a gift card with enough on it."""
    ways = [way for way in records.payment_methods(db, user_id) if way.source != "certificate"]
    able = [way for way in ways if way.amount is None or way.amount >= price]
    if not able:
        raise ToolError("payment", "There is no card in the profile that could pay for this.")
    return min(able, key=lambda way: way.source != "credit_card")


def _buy(db: sqlite3.Connection, asked: Purchase, user_id: str, now: datetime) -> Booked:
    customer = records.user(db, user_id)
    flights = dated(db, asked.flight_numbers, asked.date)
    fare = 0
    for flight in flights:
        offer = records.fares(db, flight.flight_number, flight.date).get(asked.cabin)
        if offer is None or not offer.seats:
            raise ToolError("not_available", "The last seat on this flight has just gone.")
        fare += offer.price
    if fare != asked.agreed:
        raise ToolError("price_changed", "The price has just changed.")
    price = fare + (policy.INSURANCE_PRICE if asked.insurance == "yes" else 0)
    way = _payment(db, user_id, price)
    booked = book(
        db,
        Booking(
            user_id=user_id,
            origin=_airport(asked.origin),
            destination=_airport(asked.destination),
            flight_type="one_way",
            cabin=asked.cabin,
            flights=flights,
            passengers=[
                Passenger(first_name=customer.name.first_name, last_name=customer.name.last_name, dob=customer.dob)
            ],
            payment_methods=[Payment(payment_id=way.id, amount=price)],
            total_baggages=0,
            nonfree_baggages=0,
            insurance=asked.insurance,
        ),
        now,
        rules=True,
    )
    trip = trips(db, records.reservation(db, booked.reservation_id))[0]
    return Booked(
        **dict(booked),
        price=price,
        destination_city=trip.destination_city,
        departs=trip.departs,
        paid_by=spoken_payment(way),
    )


def _failures(db: sqlite3.Connection, user_id: str) -> Failures:
    customer = records.user(db, user_id)
    bookings = [records.reservation(db, name) for name in customer.reservations]
    found, eligible = [], False
    for booked in bookings:
        stand = statuses(db, booked)
        what: Literal["cancelled", "delayed"] | None = (
            "cancelled" if "cancelled" in stand else "delayed" if "delayed" in stand else None
        )
        if what is None or booked.status == "cancelled":
            continue
        trip = trips(db, booked)[0]
        amount = (100 if what == "cancelled" else 50) * len(booked.passengers)
        found.append(
            Failure(
                reservation_id=booked.reservation_id,
                destination_city=trip.destination_city,
                date=trip.date,
                what=what,
                amount=amount,
            )
        )
        eligible = eligible or _eligible(customer.membership, booked.insurance, booked.cabin)
    return Failures(user_id=user_id, eligible=eligible, count=len(found), bookings=found)


def _eligible(membership: str, insurance: str, cabin: str) -> bool:
    return membership != "regular" or insurance == "yes" or cabin == "business"
