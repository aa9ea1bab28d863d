"""What all tools of the airline share: the database, the clock, and who may touch which booking."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field
from datetime import datetime

from ccaas.errors import ToolError
from ccaas.ports.tools import ToolContext
from ccaas_airline.store import Store

_CALLS_REMEMBERED = 10_000


@dataclass(slots=True)
class Desk:
    """The airline's service desk."""

    store: Store
    stands_at: datetime | None = None
    """The airline's clock, when it stands still."""
    rules: bool = True
    """Whether the published tools refuse what the written policy forbids. False: as published, they leave it to the
    agent. The tools made for conversations always refuse."""
    _proved: OrderedDict[str, str] = field(default_factory=OrderedDict)

    def now(self, context: ToolContext) -> datetime:
        """The airline's own local time, without a zone, as in its data."""
        return (self.stands_at or context.now).replace(tzinfo=None)

    def prove(self, context: ToolContext, user_id: str) -> None:
        """Somebody on this call knew a booking's code and name. Kept in memory: after a restart they are asked again."""
        self._proved[context.call_id] = user_id
        while len(self._proved) > _CALLS_REMEMBERED:
            self._proved.popitem(last=False)

    def check_reader(self, context: ToolContext, user_id: str) -> None:
        """Whether the caller may hear about this customer: nobody else, once it is known who is calling.

        Raises:
            ToolError: "not_allowed".
        """
        caller = self._caller(context)
        if caller and caller != user_id:
            raise ToolError("not_allowed", "This reservation belongs to somebody else.")

    def check_owner(self, context: ToolContext, user_id: str) -> None:
        """Whether the caller may change something of this customer's.

        Raises:
            ToolError: "not_allowed", or "not_identified" while nobody knows who is calling.
        """
        if not self._caller(context):
            raise ToolError("not_identified", "I need to know who is calling before I can change anything.")
        self.check_reader(context, user_id)

    def _caller(self, context: ToolContext) -> str:
        return context.customer_id or self._proved.get(context.call_id, "")
