"""Who calls."""

from __future__ import annotations

import sqlite3

from ccaas.ports.journey import Customer
from ccaas_airline.phones import e164
from ccaas_airline.store import Store


async def customer_of(store: Store, address: str, region: str = "US") -> Customer | None:
    """The customer with this calling number, however it is written; None when nobody has it."""
    number = e164(address, region)
    if not number:
        return None

    def find(db: sqlite3.Connection) -> Customer | None:
        row = db.execute("SELECT * FROM phones JOIN users USING (user_id) WHERE number = ?", (number,)).fetchone()
        if row is None:
            return None
        return Customer(
            id=row["user_id"],
            first_name=row["first_name"],
            last_name=row["last_name"],
            tier=row["membership"],
            attributes={"phone": number, "city": row["city"]},
        )

    return await store.read(find)
