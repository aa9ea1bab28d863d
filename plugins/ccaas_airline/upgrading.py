"""A better cabin for a whole booking: what it costs, and the upgrade itself."""

from __future__ import annotations

import sqlite3
from typing import Literal

from pydantic import Field, field_validator

from ccaas.errors import ToolError
from ccaas.ports.tools import Confirmation, Effect, Phase, Tool, ToolContext
from ccaas_airline import records
from ccaas_airline.changing import change_flights, chosen_payment, priced, spoken_payment, statuses
from ccaas_airline.desk import Desk
from ccaas_airline.shapes import CABINS, Cabin, Date, FlightInfo, Reservation, Shape
from ccaas_airline.trips import trips

_FLOWN = {"landed", "flying"}
Better = Literal["business", "economy"]


class Wish(Shape):
    """Which booking, and into which cabin: all its flights get the same."""

    reservation_id: str
    cabin: Better = "business"
    payment_id: str | None = Field(default=None, description="Empty: as the booking was paid, else a credit card.")

    @field_validator("payment_id", mode="before")
    @classmethod
    def _empty_is_none(cls, value: object) -> object:
        return value or None


class UpgradeQuote(Shape):
    """What the upgrade would be."""

    reservation_id: str
    origin_city: str
    destination_city: str
    date: Date
    """Of the first departure."""
    round_trip: bool
    passengers: int
    cabin: str
    """As it is said: "business"."""
    from_cabin: str
    """As it is said: "basic economy"."""
    difference: int
    """Dollars that all passengers together pay more (negative: get back)."""
    payment: str
    """What would be charged, as it is said: "visa ending in 1357"."""


class AgreedUpgrade(Wish):
    """An upgrade that the customer wants."""

    agreed: int = Field(description="Dollars more that the customer agreed to; at another price nothing is changed.")


class Upgraded(Shape):
    """The booking after the upgrade."""

    reservation_id: str
    cabin: str
    charged: int
    """Dollars that were charged; 0 when nothing was."""
    refunded: int
    """Dollars that go back; 0 when none do."""
    payment: str
    """What is charged or credited, as it is said."""
    before: Reservation
    after: Reservation


def upgrade_tools(desk: Desk) -> tuple[Tool, ...]:
    """The tools, bound to this desk."""

    async def quote_upgrade(asked: Wish, context: ToolContext) -> UpgradeQuote:
        def quote(db: sqlite3.Connection) -> UpgradeQuote:
            booked = records.reservation(db, asked.reservation_id)
            desk.check_owner(context, booked.user_id)
            return _quote(db, booked, asked)

        return await desk.store.read(quote)

    async def upgrade_cabin(asked: AgreedUpgrade, context: ToolContext) -> Upgraded:
        def upgrade(db: sqlite3.Connection) -> Upgraded:
            before = records.reservation(db, asked.reservation_id)
            desk.check_owner(context, before.user_id)
            return _upgrade(db, before, asked)

        return await desk.store.write("upgrade_cabin", context, Upgraded, upgrade)

    return (
        Tool(
            "quote_upgrade",
            "What a better cabin would cost for a booking.",
            Wish,
            UpgradeQuote,
            quote_upgrade,
            Effect.READ,
            private=True,
        ),
        Tool(
            "upgrade_cabin",
            "Give all flights of a booking a better cabin; the difference is charged or refunded.",
            AgreedUpgrade,
            Upgraded,
            upgrade_cabin,
            Effect.WRITE,
            Phase.TRANSACTIONAL,
            Confirmation.SPOKEN,
            private=True,
            money=True,
            amount="agreed",
        ),
    )


def upgradable(db: sqlite3.Connection, booked: Reservation) -> bool:
    """Whether there is a better cabin for the booking, and its trip has not begun; seats may still be missing."""
    return booked.status != "cancelled" and booked.cabin != "business" and not _FLOWN & set(statuses(db, booked))


def _price(db: sqlite3.Connection, booked: Reservation, cabin: Cabin) -> int:
    if _FLOWN & set(statuses(db, booked)):
        raise ToolError("not_allowed", "The cabin cannot be changed when part of the trip has been flown.")
    if CABINS.index(cabin) <= CABINS.index(booked.cabin):
        raise ToolError("not_allowed", f"This booking is in {_spoken(booked.cabin)} already.")
    return priced(db, booked, cabin, _flights(booked))[1]


def _quote(db: sqlite3.Connection, booked: Reservation, asked: Wish) -> UpgradeQuote:
    difference = _price(db, booked, asked.cabin)
    first = trips(db, booked)[0]
    return UpgradeQuote(
        **first.model_dump(include={"reservation_id", "origin_city", "destination_city", "date", "passengers"}),
        round_trip=booked.flight_type == "round_trip",
        cabin=_spoken(asked.cabin),
        from_cabin=_spoken(booked.cabin),
        difference=difference,
        payment=spoken_payment(chosen_payment(db, booked, asked.payment_id, difference)),
    )


def _upgrade(db: sqlite3.Connection, before: Reservation, asked: AgreedUpgrade) -> Upgraded:
    difference = _price(db, before, asked.cabin)
    if difference != asked.agreed:
        raise ToolError("price_changed", "The price has just changed.")
    way = chosen_payment(db, before, asked.payment_id, difference)
    change_flights(db, before, asked.cabin, _flights(before), way.id)
    after = records.reservation(db, before.reservation_id)
    for booking, taken in ((before, -1), (after, 1)):
        for flight in booking.flights:
            people = taken * len(booking.passengers)
            records.take_seats(db, flight.flight_number, flight.date, booking.cabin, people)
    return Upgraded(
        reservation_id=after.reservation_id,
        cabin=_spoken(after.cabin),
        charged=max(0, difference),
        refunded=max(0, -difference),
        payment=spoken_payment(way),
        before=before,
        after=after,
    )


def _flights(booked: Reservation) -> list[FlightInfo]:
    return [FlightInfo(flight_number=item.flight_number, date=item.date) for item in booked.flights]


def _spoken(cabin: Cabin) -> str:
    return cabin.replace("_", " ")
