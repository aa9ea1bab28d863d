"""The reading tools of τ²-bench's airline, under their own names."""

from __future__ import annotations

import sqlite3
from datetime import date as Day
from datetime import timedelta

from ccaas.ports.tools import Effect, Tool, ToolContext
from ccaas_airline import records
from ccaas_airline.desk import Desk
from ccaas_airline.records import FlightDay
from ccaas_airline.shapes import (
    Airport,
    AirportCode,
    Date,
    DirectFlight,
    FlightInfo,
    Reservation,
    Shape,
    User,
)
from ccaas_airline.sums import calculate


class ByReservation(Shape):
    """Which booking."""

    reservation_id: str


class ByUser(Shape):
    """Which customer."""

    user_id: str


class Nothing(Shape):
    """No arguments."""


class Airports(Shape):
    """Where the airline flies."""

    airports: list[AirportCode]


class Route(Shape):
    """From where to where, and when."""

    origin: Airport
    destination: Airport
    date: Date


class DirectFlights(Shape):
    """Flights for sale."""

    flights: list[DirectFlight]


class OneStopFlights(Shape):
    """Pairs of flights for sale."""

    flights: list[tuple[DirectFlight, DirectFlight]]


class FlightStatus(Shape):
    """How a flight stands."""

    status: str


class Expression(Shape):
    """What to calculate."""

    expression: str


class Value(Shape):
    """The result."""

    value: str


class Summary(Shape):
    """What a colleague needs to know."""

    summary: str


class Message(Shape):
    """A sentence."""

    message: str


def published_reads(desk: Desk) -> tuple[Tool, ...]:
    """The tools, bound to this desk."""

    async def get_user_details(asked: ByUser, context: ToolContext) -> User:
        desk.check_owner(context, asked.user_id)
        return await desk.store.read(lambda db: records.user(db, asked.user_id))

    async def get_reservation_details(asked: ByReservation, context: ToolContext) -> Reservation:
        booked = await desk.store.read(lambda db: records.reservation(db, asked.reservation_id))
        desk.check_owner(context, booked.user_id)
        return booked

    async def list_all_airports(_: Nothing, context: ToolContext) -> Airports:
        def read(db: sqlite3.Connection) -> Airports:
            rows = db.execute("SELECT iata, city FROM airports ORDER BY rowid")
            return Airports(airports=[AirportCode(iata=row["iata"], city=row["city"]) for row in rows])

        return await desk.store.read(read)

    async def search_direct_flight(route: Route, context: ToolContext) -> DirectFlights:
        def read(db: sqlite3.Connection) -> DirectFlights:
            days = records.flights_on(db, route.date, origin=route.origin, destination=route.destination)
            return DirectFlights(flights=[_for_sale(db, day) for day in days])

        return await desk.store.read(read)

    async def search_onestop_flight(route: Route, context: ToolContext) -> OneStopFlights:
        def read(db: sqlite3.Connection) -> OneStopFlights:
            return OneStopFlights(
                flights=[
                    (_for_sale(db, first, dated=True), _for_sale(db, second, dated=True))
                    for first, second in connections(db, route.origin, route.destination, route.date)
                ]
            )

        return await desk.store.read(read)

    async def get_flight_status(asked: FlightInfo, context: ToolContext) -> FlightStatus:
        day = await desk.store.read(lambda db: records.flight_day(db, asked.flight_number, asked.date))
        return FlightStatus(status=day.status)

    async def calculate_(asked: Expression, context: ToolContext) -> Value:
        return Value(value=str(calculate(asked.expression)))

    async def transfer_to_human_agents(asked: Summary, context: ToolContext) -> Message:
        return Message(message="Transfer successful")

    return (
        Tool(
            "get_user_details",
            "A customer's profile with their reservations.",
            ByUser,
            User,
            get_user_details,
            Effect.READ,
            private=True,
        ),
        Tool(
            "get_reservation_details",
            "One reservation with flights, passengers, payments and bags.",
            ByReservation,
            Reservation,
            get_reservation_details,
            Effect.READ,
            private=True,
        ),
        Tool(
            "list_all_airports",
            "All airports that the airline serves.",
            Nothing,
            Airports,
            list_all_airports,
            Effect.READ,
        ),
        Tool(
            "search_direct_flight",
            "Direct flights for sale between two airports on a date.",
            Route,
            DirectFlights,
            search_direct_flight,
            Effect.READ,
        ),
        Tool(
            "search_onestop_flight",
            "Connections with one stop for sale between two airports on a date.",
            Route,
            OneStopFlights,
            search_onestop_flight,
            Effect.READ,
        ),
        Tool(
            "get_flight_status",
            "Whether a flight is on time, delayed, cancelled, …",
            FlightInfo,
            FlightStatus,
            get_flight_status,
            Effect.READ,
        ),
        Tool("calculate", "The value of a sum such as 2 * (350 - 122).", Expression, Value, calculate_, Effect.READ),
        Tool(
            "transfer_to_human_agents",
            "Note why a colleague takes over; the transfer itself is the dialogue's.",
            Summary,
            Message,
            transfer_to_human_agents,
            Effect.READ,
        ),
    )


def connections(db: sqlite3.Connection, origin: str, destination: str, date: str) -> list[tuple[FlightDay, FlightDay]]:
    """Pairs of flights for sale that meet in a third city; the second leaves after the first has arrived."""
    pairs = []
    for first in records.flights_on(db, date, origin=origin):
        onward = (Day.fromisoformat(date) + timedelta(days=first.arrives_days_later)).isoformat()
        pairs += [
            (first, second)
            for second in records.flights_on(db, onward, origin=first.destination, destination=destination)
            if second.departs >= first.arrives
        ]
    return pairs


def _for_sale(db: sqlite3.Connection, day: FlightDay, dated: bool = False) -> DirectFlight:
    fares = records.fares(db, day.flight_number, day.date)
    later = f"+{day.arrives_days_later}" if day.arrives_days_later else ""
    return DirectFlight(
        flight_number=day.flight_number,
        origin=day.origin,
        destination=day.destination,
        scheduled_departure_time_est=day.departs,
        scheduled_arrival_time_est=day.arrives + later,
        date=day.date if dated else None,
        available_seats={cabin: fare.seats for cabin, fare in fares.items()},
        prices={cabin: fare.price for cabin, fare in fares.items()},
    )
