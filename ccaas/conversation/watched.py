"""The tools of one conversation, with a count of what was begun and cannot be taken back."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from ccaas.ports.journey import Assurance
from ccaas.ports.tools import Tool, Toolbox


class WatchedToolbox:
    """Passes everything on. `writes` tells whether a turn can still be taken back: it counts the writes that were begun,
    and the checks of who the customer is, which are counted answers and have writes behind them."""

    def __init__(self, tools: Toolbox) -> None:
        self._tools = tools
        self.writes = 0
        self.writing = 0
        """Writes that run now."""

    @property
    def assurance(self) -> Assurance:
        return self._tools.assurance

    def offered(self) -> tuple[Tool, ...]:
        return self._tools.offered()

    def verifies(self, name: str) -> bool:
        return self._tools.verifies(name)

    async def read(
        self, name: str, arguments: Mapping[str, object], turn_id: str, *, intent: str = ""
    ) -> dict[str, Any]:
        self.writes += self._tools.verifies(name)
        return await self._tools.read(name, arguments, turn_id, intent=intent)

    async def write(
        self, name: str, arguments: Mapping[str, object], turn_id: str, confirmed_by: str, *, intent: str = ""
    ) -> dict[str, Any]:
        with self._begun():
            return await self._tools.write(name, arguments, turn_id, confirmed_by, intent=intent)

    async def rehearse(
        self, name: str, arguments: Mapping[str, object], turn_id: str, *, intent: str = ""
    ) -> dict[str, Any]:
        return await self._tools.rehearse(name, arguments, turn_id, intent=intent)

    async def prepare(
        self, name: str, arguments: Mapping[str, object], turn_id: str, reason: str, *, intent: str = ""
    ) -> dict[str, Any]:
        with self._begun():
            return await self._tools.prepare(name, arguments, turn_id, reason, intent=intent)

    async def undo(self, name: str, turn_id: str, *, intent: str = "") -> dict[str, Any]:
        with self._begun():
            return await self._tools.undo(name, turn_id, intent=intent)

    @contextmanager
    def _begun(self) -> Iterator[None]:
        self.writes += 1
        self.writing += 1
        try:
            yield
        finally:
            self.writing -= 1
