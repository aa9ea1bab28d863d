"""News for one page, numbered: a page whose connection was lost gets what it missed, and no more."""

from __future__ import annotations

import secrets
from collections import deque
from collections.abc import Callable
from typing import Any

from ccaas.web.desktop.frames import encode

_KEPT = 500
"""News that are kept for who comes back; who has missed more gets everything anew."""

Send = Callable[[str], None]
"""Puts a frame on its way to a page; never waits."""


class Feed:
    """Frames in order. While no page listens they are kept."""

    def __init__(self) -> None:
        self.instance = secrets.token_hex(8)
        self.seq = 0
        self._kept: deque[tuple[int, str]] = deque(maxlen=_KEPT)
        self._send: Send | None = None

    def push(self, kind: str, **fields: Any) -> None:
        """Something new."""
        self.push_encoded(encode(kind, **fields))

    def push_encoded(self, frame: str) -> None:
        """Something new that is encoded already, without its number."""
        self.seq += 1
        numbered = f'{{"seq":{self.seq},{frame[1:]}'
        self._kept.append((self.seq, numbered))
        if self._send is not None:
            self._send(numbered)

    def listen(self, send: Send | None) -> None:
        """To whom news go from now on."""
        self._send = send

    def since(self, instance: str, seq: int) -> list[str] | None:
        """What came after that; None when it cannot be told: everything has to be said anew."""
        if instance != self.instance or not self._oldest - 1 <= seq <= self.seq:
            return None
        return [frame for number, frame in self._kept if number > seq]

    @property
    def _oldest(self) -> int:
        return self._kept[0][0] if self._kept else self.seq + 1
