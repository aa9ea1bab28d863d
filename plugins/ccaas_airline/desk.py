"""What all tools of the airline share: the database, the clock, and who may touch which booking."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from ccaas.errors import ToolError
from ccaas.ports.tools import ToolContext
from ccaas_airline.store import Store


@dataclass(slots=True)
class Desk:
    """The airline's service desk."""

    store: Store
    stands_at: datetime | None = None
    """The airline's clock, when it stands still."""
    rules: bool = True
    """Whether the published tools refuse what the written policy forbids. False: as published, they leave it to the
    agent. The tools made for conversations always refuse."""

    def now(self, context: ToolContext) -> datetime:
        """The airline's own local time, without a zone, as in its data."""
        return (self.stands_at or context.now).replace(tzinfo=None)

    def check_owner(self, context: ToolContext, user_id: str) -> None:
        """Whether the person may hear of, or change, something of this customer's: the core has made sure who they are.

        Raises:
            ToolError: "not_allowed", or "not_identified" while nobody knows who it is.
        """
        if not context.customer_id:
            raise ToolError("not_identified", "I need to know who is calling first.")
        if context.customer_id != user_id:
            raise ToolError("not_allowed", "This reservation belongs to somebody else.")
