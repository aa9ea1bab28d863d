"""The airline's written rules, as far as a machine can check them. Pure: records in, ToolError "not_allowed" out.

What only a conversation can find out (the reason of a cancellation, what was complained of) is left to the dialogue.
"""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from datetime import datetime, timedelta
from typing import Literal

from ccaas.errors import ToolError
from ccaas_airline.shapes import BookedFlight, Cabin, Membership, Payment, Reservation, TripType, User

_FREE_BAGS: dict[Membership, dict[Cabin, int]] = {
    "regular": {"basic_economy": 0, "economy": 1, "business": 2},
    "silver": {"basic_economy": 1, "economy": 2, "business": 3},
    "gold": {"basic_economy": 2, "economy": 3, "business": 4},
}
MOST_PASSENGERS = 5
BAG_PRICE = 50
"""Dollars for each bag beyond the allowance."""
INSURANCE_PRICE = 30
"""Dollars a passenger."""
_MOST_METHODS: dict[Literal["certificate", "credit_card", "gift_card"], int] = {
    "certificate": 1,
    "credit_card": 1,
    "gift_card": 3,
}
_FLOWN = {"landed", "flying"}


def may_change_flights(
    booked: Reservation, cabin: Cabin, flights: Sequence[BookedFlight], statuses: Collection[str]
) -> None:
    """Whether the booking may get these flights in this cabin. `statuses`: of the flights that it has now."""
    _active(booked)
    same_flights = [(item.flight_number, item.date) for item in booked.flights] == [
        (item.flight_number, item.date) for item in flights
    ]
    if booked.cabin == "basic_economy" and not same_flights:
        raise _no("Basic economy flights cannot be changed.")
    if cabin != booked.cabin and _FLOWN & set(statuses):
        raise _no("The cabin cannot be changed when part of the trip has been flown.")
    if not _joins(booked.origin, booked.destination, booked.flight_type, flights):
        raise _no("A change keeps the trip's origin, destination and type.")


def may_change_bags(customer: User, booked: Reservation, total: int, paid: int) -> None:
    """Whether the booking may have this many checked bags, `paid` of them paid for."""
    _active(booked)
    if total < booked.total_baggages:
        raise _no("Checked bags can be added, but not removed.")
    may_check_bags(customer, booked.cabin, len(booked.passengers), total, paid)


def free_bags(customer: User, cabin: Cabin, passengers: int) -> int:
    """How many checked bags are free for all passengers together."""
    return _FREE_BAGS[customer.membership][cabin] * passengers


def may_check_bags(customer: User, cabin: Cabin, passengers: int, total: int, paid: int) -> None:
    """Whether enough of the bags are paid for."""
    free = free_bags(customer, cabin, passengers)
    if total - paid > free:
        raise _no(f"{free} checked bags are free here; each further one is {BAG_PRICE} dollars.")


def may_change_passengers(booked: Reservation, passengers: int) -> None:
    """Whether the booking may get another list of this many passengers."""
    _active(booked)
    if passengers != len(booked.passengers):
        raise _no("The number of passengers cannot be changed.")


def may_cancel(booked: Reservation, statuses: Collection[str], now: datetime) -> None:
    """Whether the booking may be cancelled; with insurance it depends on the reason, which the dialogue asks for."""
    _active(booked)
    if _FLOWN & set(statuses):
        raise _no("Part of this trip has been flown, so a colleague has to cancel it.")
    recent = now - datetime.fromisoformat(booked.created_at) <= timedelta(hours=24)
    if not (recent or "cancelled" in statuses or booked.cabin == "business" or booked.insurance == "yes"):
        raise _no(
            "This reservation cannot be cancelled: it is older than a day, not business class, has no insurance, and"
            " the airline has not cancelled a flight."
        )


def may_book(flight_type: TripType, route: tuple[str, str], flights: Sequence[BookedFlight], passengers: int) -> None:
    """Whether such a trip may be booked."""
    if not 1 <= passengers <= MOST_PASSENGERS:
        raise _no(f"A reservation has one to {MOST_PASSENGERS} passengers.")
    if not _joins(*route, flight_type, flights):
        raise _no("The flights do not make up this trip.")


def may_pay(customer: User, payments: Iterable[Payment]) -> None:
    """Whether a booking may be paid like this: one certificate, one credit card and three gift cards at most."""
    used = Counter(
        customer.payment_methods[payment.payment_id].source
        for payment in payments
        if payment.payment_id in customer.payment_methods
    )
    for source, most in _MOST_METHODS.items():
        if used[source] > most:
            raise _no(f"At most {most} {source.replace('_', ' ')} can be used for a reservation.")


def may_compensate(customer: User, bookings: Iterable[Reservation], amount: int) -> None:
    """Whether the customer may get a certificate of this amount: silver or gold, insured, or in business class; $50 or
    $100 for each passenger of one of the bookings."""
    bookings = list(bookings)
    if customer.membership == "regular" and not any(
        item.insurance == "yes" or item.cabin == "business" for item in bookings
    ):
        raise _no("Regular members without insurance in economy get no compensation.")
    if not any(amount in (50 * len(item.passengers), 100 * len(item.passengers)) for item in bookings):
        raise _no("A compensation is 50 or 100 dollars for each passenger of the reservation.")


def directions(booked: Reservation) -> list[list[BookedFlight]]:
    """The way out, and on a round trip the way back."""
    if booked.flight_type == "one_way":
        return [list(booked.flights)]
    for place, flight in enumerate(booked.flights, start=1):
        if flight.destination == booked.destination:
            return [list(booked.flights[:place]), list(booked.flights[place:])]
    return [list(booked.flights)]


def _active(booked: Reservation) -> None:
    if booked.status == "cancelled":
        raise _no("This reservation is cancelled.")


def _joins(origin: str, destination: str, flight_type: TripType, flights: Sequence[BookedFlight]) -> bool:
    """Whether the flights lead, one after the other, where the trip goes."""
    if not flights or flights[0].origin != origin:
        return False
    for before, after in itertools.pairwise(flights):
        if before.destination != after.origin or after.date < before.date:
            return False
    if flight_type == "one_way":
        return flights[-1].destination == destination
    return flights[-1].destination == origin and any(flight.destination == destination for flight in flights)


def _no(sentence: str) -> ToolError:
    return ToolError("not_allowed", sentence)
