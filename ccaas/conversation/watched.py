"""The tools of one conversation, with a count of the writes that were begun."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ccaas.ports.tools import Toolbox


class WatchedToolbox:
    """Passes everything on. `writes` tells whether a turn can still be taken back."""

    def __init__(self, tools: Toolbox) -> None:
        self._tools = tools
        self.writes = 0

    async def read(self, name: str, arguments: Mapping[str, object], turn_id: str) -> dict[str, Any]:
        return await self._tools.read(name, arguments, turn_id)

    async def write(
        self, name: str, arguments: Mapping[str, object], turn_id: str, confirmed_by: str
    ) -> dict[str, Any]:
        self.writes += 1
        return await self._tools.write(name, arguments, turn_id, confirmed_by)
