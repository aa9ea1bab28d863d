"""Tools made for conversations: trips by city and date, what a change costs, and the change itself."""

from __future__ import annotations

import re
import sqlite3

from pydantic import Field, field_validator

from ccaas.errors import ToolError
from ccaas.ports.tools import Confirmation, Effect, Phase, Tool, ToolContext
from ccaas_airline import records
from ccaas_airline.changing import change_flights, chosen_payment, priced, spoken_payment
from ccaas_airline.desk import Desk
from ccaas_airline.places import airports
from ccaas_airline.shapes import Date, Reservation, Shape, User
from ccaas_airline.trips import (
    Direction,
    Option,
    PartOfDay,
    Trip,
    Wish,
    dated,
    flights_of,
    options,
    pick,
    trips,
    with_trip,
)
from ccaas_airline.upgrading import upgradable

_MOST_OPTIONS = 5
_BETWEEN = re.compile(r"[\s,+]+")


class Search(Shape):
    """Which trips; cities or airport codes, as the caller says them."""

    customer_id: str = Field(default="", description="Empty: the customer that it runs for.")
    origin: str = ""
    destination: str = ""
    date: str = Field(default="", description="YYYY-MM-DD of the booked departure; empty: any.")
    past: bool = Field(default=False, description="Whether flown and cancelled trips count too.")
    upgradable: bool = Field(
        default=False, description="Only bookings that can get a better cabin, each by its first direction."
    )


class Found(Shape):
    """The customer's trips, the soonest first."""

    count: int
    trips: list[Trip]


class Proof(Shape):
    """What an unknown caller knows about their booking."""

    reservation_id: str = Field(description="The six letters and digits of the booking.")
    last_name: str


class DateOfBirth(Shape):
    """What a customer answers who is known by their number."""

    date_of_birth: Date


class Proved(Shape):
    """Who the caller is."""

    customer_id: str
    first_name: str
    last_name: str
    tier: str


class Change(Shape):
    """A change to be priced."""

    reservation_id: str
    date: Date
    part_of_day: PartOfDay | None = None
    time: str | None = Field(
        default=None, pattern=r"^([01]\d|2[0-3]):[0-5]\d$", description="HH:MM the caller would like."
    )
    direction: Direction | None = Field(
        default=None, description="On a round trip; empty: the first that can be changed."
    )

    @field_validator("part_of_day", "time", "direction", mode="before")
    @classmethod
    def _empty_is_none(cls, value: object) -> object:
        return value or None


class Quote(Shape):
    """What the change would be."""

    trip: Trip
    """As booked now."""
    count: int
    options: list[Option]
    """The best first; empty when nothing is for sale that day."""


class ChosenChange(Shape):
    """A change that the caller wants."""

    reservation_id: str
    date: Date
    flight_numbers: list[str] = Field(min_length=1, max_length=3, description="A list, or text separated by blanks.")
    direction: Direction | None = None
    payment_id: str | None = Field(default=None, description="Empty: as the booking was paid, else a credit card.")

    @field_validator("flight_numbers", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        return [part for part in _BETWEEN.split(value.upper()) if part] if isinstance(value, str) else value

    @field_validator("payment_id", "direction", mode="before")
    @classmethod
    def _empty_is_none(cls, value: object) -> object:
        return value or None


class Changed(Shape):
    """The trip after the change."""

    reservation_id: str
    origin_city: str
    destination_city: str
    date: Date
    departs: str
    """Local time, HH:MM."""
    arrives: str
    """Local time, HH:MM."""
    flight_numbers: str
    charged: int
    """Dollars that were charged; 0 when nothing was."""
    refunded: int
    """Dollars that go back; 0 when none do."""
    payment: str
    """What is charged or credited, as it is said: "visa ending in 1357"."""
    before: Reservation
    after: Reservation


def voice_tools(desk: Desk) -> tuple[Tool, ...]:
    """The tools, bound to this desk."""

    async def find_reservations(asked: Search, context: ToolContext) -> Found:
        whose = asked.customer_id or context.customer_id
        desk.check_owner(context, whose)
        return await desk.store.read(lambda db: _find(db, asked, whose))

    async def identify_customer(asked: Proof, context: ToolContext) -> Proved:
        return await desk.store.read(lambda db: _identify(db, asked))

    async def verify_customer(asked: DateOfBirth, context: ToolContext) -> Proved:
        return await desk.store.read(lambda db: _verify(db, asked, context.customer_id))

    async def quote_flight_change(asked: Change, context: ToolContext) -> Quote:
        now = desk.now(context)

        def quote(db: sqlite3.Connection) -> Quote:
            booked = records.reservation(db, asked.reservation_id)
            desk.check_owner(context, booked.user_id)
            trip = pick(db, booked, asked.direction)
            wish = Wish(asked.date, asked.part_of_day, asked.time)
            found = options(db, booked, trip, wish, now, _MOST_OPTIONS)
            return Quote(trip=trip, count=len(found), options=found)

        return await desk.store.read(quote)

    async def change_flight(asked: ChosenChange, context: ToolContext) -> Changed:
        def change(db: sqlite3.Connection) -> Changed:
            before = records.reservation(db, asked.reservation_id)
            desk.check_owner(context, before.user_id)
            return _change(db, before, asked)

        return await desk.store.write("change_flight", context, Changed, change)

    return (
        Tool(
            "find_reservations",
            "A customer's trips, by cities and date.",
            Search,
            Found,
            find_reservations,
            Effect.READ,
            private=True,
        ),
        Tool(
            "identify_customer",
            "Who a caller is that knows a booking's code and last name.",
            Proof,
            Proved,
            identify_customer,
            Effect.READ,
            verifies=True,
        ),
        Tool(
            "verify_customer",
            "Whether a customer who is known by their number is it: by the date of birth.",
            DateOfBirth,
            Proved,
            verify_customer,
            Effect.READ,
            verifies=True,
        ),
        Tool(
            "quote_flight_change",
            "What a trip could be changed to on a date, and for how much.",
            Change,
            Quote,
            quote_flight_change,
            Effect.READ,
            private=True,
        ),
        Tool(
            "change_flight",
            "Move a trip to other flights; the difference is charged or refunded.",
            ChosenChange,
            Changed,
            change_flight,
            Effect.WRITE,
            Phase.TRANSACTIONAL,
            Confirmation.SPOKEN,
            private=True,
            money=True,
        ),
    )


def _find(db: sqlite3.Connection, asked: Search, whose: str) -> Found:
    origins, destinations = _airports(asked.origin), _airports(asked.destination)
    bookings = (records.reservation(db, name) for name in records.user(db, whose).reservations)
    found = [
        trip
        for booked in bookings
        if not asked.upgradable or upgradable(db, booked)
        for trip in trips(db, booked)[: 1 if asked.upgradable else None]
        if (origins is None or trip.origin in origins)
        and (destinations is None or trip.destination in destinations)
        and asked.date in ("", trip.date)
        and (asked.past or trip.changeable or trip.why_not.startswith("Basic"))
    ]
    found.sort(key=lambda trip: (trip.date, trip.departs))
    return Found(count=len(found), trips=found)


def _airports(name: str) -> tuple[str, ...] | None:
    if not name:
        return None
    found = airports(name)
    if not found:
        raise ToolError("unknown_place", f"We do not fly to {name}.")
    return found


def _identify(db: sqlite3.Connection, asked: Proof) -> Proved:
    unknown = ToolError("not_found", "There is no reservation with that code and name.")
    code = re.sub(r"[^A-Z0-9]", "", asked.reservation_id.upper())
    row = db.execute("SELECT user_id FROM reservations WHERE reservation_id = ?", (code,)).fetchone()
    if row is None:
        raise unknown
    customer = records.user(db, row["user_id"])
    if customer.name.last_name.casefold() != asked.last_name.strip().casefold():
        raise unknown
    return _proved(customer)


def _verify(db: sqlite3.Connection, asked: DateOfBirth, customer_id: str) -> Proved:
    if not customer_id:
        raise ToolError("not_identified", "I need to know who is calling first.")
    customer = records.user(db, customer_id)
    if customer.dob != asked.date_of_birth:
        raise ToolError("wrong", "That is not the date of birth that I have here.")
    return _proved(customer)


def _proved(customer: User) -> Proved:
    return Proved(
        customer_id=customer.user_id,
        first_name=customer.name.first_name,
        last_name=customer.name.last_name,
        tier=customer.membership,
    )


def _change(db: sqlite3.Connection, before: Reservation, asked: ChosenChange) -> Changed:
    trip = pick(db, before, asked.direction)
    flights = with_trip(before, trip, dated(db, asked.flight_numbers, asked.date))
    _, difference = priced(db, before, before.cabin, flights)
    way = chosen_payment(db, before, asked.payment_id, difference)
    change_flights(db, before, before.cabin, flights, way.id)
    after = records.reservation(db, before.reservation_id)
    for booking, taken in ((before, -1), (after, 1)):
        for flight in flights_of(booking, trip):
            people = taken * len(booking.passengers)
            records.take_seats(db, flight.flight_number, flight.date, booking.cabin, people)
    now = next(item for item in trips(db, after) if item.direction == trip.direction)
    return Changed(
        **now.model_dump(include={"reservation_id", "origin_city", "destination_city", "date", "departs", "arrives"}),
        flight_numbers=now.flight_numbers,
        charged=max(0, difference),
        refunded=max(0, -difference),
        payment=spoken_payment(way),
        before=before,
        after=after,
    )
