"""Texts that the caller sends during the call: kept until nobody speaks, then one turn."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class _Text:
    words: str
    channel: str
    taken: asyncio.Future[str | None]


class Texted:
    """Those that no turn has taken yet."""

    def __init__(self) -> None:
        self._waiting: list[_Text] = []
        self._being_taken: list[_Text] = []
        self._closed = False

    @property
    def waiting(self) -> bool:
        """Whether there are any."""
        return bool(self._waiting)

    def put(self, words: str, channel: str) -> asyncio.Future[str | None]:
        """Keep one. The future is the turn that took it; None when the conversation ended first."""
        text = _Text(words, channel, asyncio.get_running_loop().create_future())
        if self._closed:
            text.taken.set_result(None)
        else:
            self._waiting.append(text)
        return text.taken

    def take(self) -> tuple[str, str]:
        """The words of all that wait, and the channel of the last one; `taken` follows."""
        self._being_taken, self._waiting = self._waiting, []
        return "\n".join(text.words for text in self._being_taken), self._being_taken[-1].channel

    def taken(self, turn_id: str) -> None:
        """The turn of what was taken has become real."""
        for text in self._being_taken:
            if not text.taken.done():
                text.taken.set_result(turn_id)
        self._being_taken = []

    def close(self) -> None:
        """The conversation is over."""
        self._closed = True
        for text in (*self._being_taken, *self._waiting):
            if not text.taken.done():
                text.taken.set_result(None)
        self._being_taken, self._waiting = [], []
