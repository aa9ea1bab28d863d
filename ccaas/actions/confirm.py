"""A write that needs a spoken yes gets one yes of its own."""

from __future__ import annotations

from ccaas.errors import ToolError
from ccaas.ports.tools import Confirmation, Tool

FACTORS = 2
"""Different proofs of who the customer is, for a second factor."""
RULE = "confirmation"


class Confirmations:
    """The yeses of one call and what each was used for.

    A yes covers one set of arguments per tool: what was read back to the caller. The same arguments again are the same
    write (their key is the same); other arguments need another yes.
    """

    def __init__(self) -> None:
        self._used: dict[tuple[str, str], str] = {}

    def check(self, tool: Tool, arguments: str, confirmed_by: str, factors: int = 0) -> None:
        """Let the write through, and remember what the yes was for.

        `arguments` is their canonical JSON, `confirmed_by` the turn of the yes, `factors` how many different proofs of
        who they are the customer has given.

        Raises:
            ToolError: "unconfirmed", or "second_factor".
        """
        if tool.confirmation is Confirmation.NONE:
            return
        if tool.confirmation is Confirmation.SECOND_FACTOR and factors < FACTORS:
            raise ToolError("second_factor", "For that I need a second proof that it's you.", rule=RULE)
        if not confirmed_by:
            raise ToolError("unconfirmed", f"{tool.name} needs the caller's confirmation first", rule=RULE)
        covered = self._used.setdefault((tool.name, confirmed_by), arguments)
        if covered != arguments:
            raise ToolError("unconfirmed", f"the caller confirmed another {tool.name} than this one", rule=RULE)
