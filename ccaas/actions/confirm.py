"""A write that needs a spoken yes gets one yes of its own."""

from __future__ import annotations

from ccaas.errors import ToolError
from ccaas.ports.tools import Confirmation, Tool


class Confirmations:
    """The yeses of one call and what each was used for.

    A yes covers one set of arguments per tool: what was read back to the caller. The same arguments again are the same
    write (their key is the same); other arguments need another yes.
    """

    def __init__(self) -> None:
        self._used: dict[tuple[str, str], str] = {}

    def check(self, tool: Tool, arguments: str, confirmed_by: str) -> None:
        """Let the write through, and remember what the yes was for.

        `arguments` is their canonical JSON, `confirmed_by` the turn of the yes.

        Raises:
            ToolError: "unconfirmed".
        """
        if tool.confirmation is Confirmation.NONE:
            return
        if not confirmed_by:
            raise ToolError("unconfirmed", f"{tool.name} needs the caller's confirmation first")
        covered = self._used.setdefault((tool.name, confirmed_by), arguments)
        if covered != arguments:
            raise ToolError("unconfirmed", f"the caller confirmed another {tool.name} than this one")
