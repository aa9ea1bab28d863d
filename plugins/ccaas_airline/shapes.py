"""The airline's records, as its tools take and give them (names and JSON shapes of τ²-bench's airline)."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

Cabin = Literal["business", "economy", "basic_economy"]
CABINS: tuple[Cabin, ...] = ("basic_economy", "economy", "business")
TripType = Literal["round_trip", "one_way"]
Membership = Literal["gold", "silver", "regular"]
Date = Annotated[str, Field(pattern=r"^\d{4}-\d{2}-\d{2}$", description="YYYY-MM-DD")]
FlightNumber = Annotated[str, Field(pattern=r"^[A-Z]{3}\d{3}$", description="For example HAT001.")]
Airport = Annotated[str, Field(pattern=r"^[A-Z]{3}$", description="IATA code, for example JFK.")]


class Shape(BaseModel):
    """Base: an unknown field is an error."""

    model_config = ConfigDict(extra="forbid")


class AirportCode(Shape):
    """An airport and its city."""

    iata: Airport
    city: str


class Name(Shape):
    """A person's name."""

    first_name: str
    last_name: str


class Passenger(Name):
    """Somebody who flies."""

    dob: Date


class Address(Shape):
    """A postal address."""

    address1: str
    address2: str | None = None
    city: str
    country: str
    state: str
    zip: str


class PaymentMethod(Shape):
    """A stored means of payment. `brand` and `last_four` stand on credit cards, `amount` (dollars left) on the others."""

    source: Literal["credit_card", "gift_card", "certificate"]
    id: str
    brand: str | None = None
    last_four: str | None = None
    amount: float | None = None


class User(Shape):
    """A customer."""

    user_id: str
    name: Name
    address: Address
    email: str
    dob: Date
    payment_methods: dict[str, PaymentMethod]
    saved_passengers: list[Passenger]
    membership: Membership
    reservations: list[str]


class Payment(Shape):
    """Money that went from (or, negative, back to) a means of payment."""

    payment_id: str
    amount: int
    """Dollars."""


class FlightInfo(Shape):
    """A flight on a date."""

    flight_number: FlightNumber
    date: Date


class BookedFlight(FlightInfo):
    """A flight in a reservation."""

    origin: Airport
    destination: Airport
    price: int
    """Dollars a passenger paid."""


class Reservation(Shape):
    """A booking."""

    reservation_id: str
    user_id: str
    origin: Airport
    destination: Airport
    flight_type: TripType
    cabin: Cabin
    flights: list[BookedFlight]
    passengers: list[Passenger]
    payment_history: list[Payment]
    created_at: str
    """Local time, YYYY-MM-DDTHH:MM:SS."""
    total_baggages: int
    nonfree_baggages: int
    insurance: Literal["yes", "no"]
    status: Literal["cancelled"] | None = None


class WrittenReservation(Reservation):
    """A reservation after a write. `before` and `after` are for the audit."""

    before: Reservation | None = Field(default=None, exclude=True)
    after: Reservation | None = Field(default=None, exclude=True)

    @classmethod
    def of(cls, before: Reservation | None, after: Reservation) -> WrittenReservation:
        """The result of a write that turned `before` into `after`."""
        return cls(**dict(after), before=before, after=after)


class DirectFlight(Shape):
    """A flight with seats for sale."""

    flight_number: FlightNumber
    origin: Airport
    destination: Airport
    status: Literal["available"] = "available"
    scheduled_departure_time_est: str
    scheduled_arrival_time_est: str
    """HH:MM:SS, with "+1" when it is the next day."""
    date: Date | None = None
    available_seats: dict[Cabin, int]
    prices: dict[Cabin, int]
