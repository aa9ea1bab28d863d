"""Which customers are on a call, so that a text of theirs reaches the call."""

from __future__ import annotations

from typing import Protocol

from ccaas.chapter import Whose


class Listener(Protocol):
    """A call that can be told of a text."""

    async def tell(self, text: str, channel: str) -> str | None:
        """Take a text as a turn, as soon as nobody speaks. The turn's id; None when the call ended before, or nobody of
        ours is on it."""
        ...


class Presence:
    """The calls that are up, by whose they are."""

    def __init__(self) -> None:
        self._calls: dict[str, tuple[Whose, Listener]] = {}

    def enter(self, call_id: str, whose: Whose, listener: Listener) -> None:
        """A call is attended."""
        self._calls[call_id] = (whose, listener)

    def leave(self, call_id: str) -> None:
        """It is no longer."""
        self._calls.pop(call_id, None)

    def of(self, whose: Whose) -> tuple[str, Listener] | None:
        """The call of this customer, and its id; the newest when there are several."""
        for call_id, (other, listener) in reversed(self._calls.items()):
            same = whose.customer_id and whose.customer_id == other.customer_id
            if same or (whose.identity is not None and whose.identity == other.identity):
                return call_id, listener
        return None
