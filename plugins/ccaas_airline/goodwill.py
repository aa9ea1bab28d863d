"""What only a colleague may give: the house's money. The agent can ask for it; a person decides."""

from __future__ import annotations

import sqlite3

from pydantic import Field

from ccaas.errors import ToolError
from ccaas.ports.tools import CONCIERGE_ONLY, Caps, Effect, Phase, Tool, ToolContext
from ccaas_airline import policy, records
from ccaas_airline.desk import Desk
from ccaas_airline.published_reads import Message
from ccaas_airline.shapes import Payment, Reservation, Shape, WrittenReservation

# The id that the published airline gives its first certificate; further ones count on.
_FIRST_CERTIFICATE = 3221322
MOST = 500
"""Dollars of one certificate: a hundred for each of five passengers."""


class Certificate(Shape):
    """A goodwill certificate."""

    user_id: str
    amount: int = Field(gt=0)
    """Dollars."""


class Waiver(Shape):
    """A fee that the customer need not have paid."""

    reservation_id: str
    amount: int = Field(gt=0, multiple_of=policy.BAG_PRICE, description="Dollars of the bag fees that go back.")


def goodwill_tools(desk: Desk) -> tuple[Tool, ...]:
    """The tools, bound to this desk."""

    async def send_certificate(asked: Certificate, context: ToolContext) -> Message:
        desk.check_owner(context, asked.user_id)
        return await desk.store.write(
            "send_certificate", context, Message, lambda db: _send_certificate(db, asked, desk.rules)
        )

    async def waive_fee(asked: Waiver, context: ToolContext) -> WrittenReservation:
        def waive(db: sqlite3.Connection) -> WrittenReservation:
            before = records.reservation(db, asked.reservation_id)
            desk.check_owner(context, before.user_id)
            _waive(db, before, asked.amount)
            return WrittenReservation.of(before, records.reservation(db, asked.reservation_id))

        return await desk.store.write("waive_fee", context, WrittenReservation, waive)

    return (
        Tool(
            "send_certificate",
            "Give a customer a goodwill certificate.",
            Certificate,
            Message,
            send_certificate,
            Effect.WRITE,
            Phase.PROACTIVE,
            private=True,
            money=True,
            amount="amount",
            callers=CONCIERGE_ONLY,
            caps=Caps(amount=MOST, per_day=2),
        ),
        Tool(
            "waive_fee",
            "Give back bag fees that were paid for a booking.",
            Waiver,
            WrittenReservation,
            waive_fee,
            Effect.WRITE,
            Phase.PROACTIVE,
            private=True,
            money=True,
            amount="amount",
            callers=CONCIERGE_ONLY,
            caps=Caps(amount=MOST, per_day=2),
        ),
    )


def _send_certificate(db: sqlite3.Connection, asked: Certificate, rules: bool) -> Message:
    customer = records.user(db, asked.user_id)
    if rules:
        policy.may_compensate(customer, [records.reservation(db, name) for name in customer.reservations], asked.amount)
    number = _FIRST_CERTIFICATE
    while f"certificate_{number}" in customer.payment_methods:
        number += 1
    name = f"certificate_{number}"
    db.execute(
        "INSERT INTO payment_methods (user_id, payment_id, source, amount) VALUES (?, ?, 'certificate', ?)",
        (asked.user_id, name, asked.amount),
    )
    return Message(message=f"Certificate {name} added to user {asked.user_id} with amount {asked.amount}.")


def _waive(db: sqlite3.Connection, booked: Reservation, amount: int) -> None:
    bags = amount // policy.BAG_PRICE
    if booked.status == "cancelled" or bags > booked.nonfree_baggages:
        raise ToolError("not_allowed", f"Of {booked.nonfree_baggages} bags the fee was paid and not given back yet.")
    paid = [payment.payment_id for payment in booked.payment_history if payment.amount > 0]
    if not paid:
        raise ToolError("payment", "Nothing was paid for this booking.")
    records.add_payments(db, booked.reservation_id, [Payment(payment_id=paid[-1], amount=-amount)])
    db.execute(
        "UPDATE reservations SET nonfree_baggages = nonfree_baggages - ? WHERE reservation_id = ?",
        (bags, booked.reservation_id),
    )
