"""Who writes more than one person can mean."""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Callable
from enum import Enum

from ccaas.messaging.settings import Flood

_REMEMBERED = 20_000
"""Addresses whose messages are counted."""


class Heard(Enum):
    """Whether a message is heard."""

    YES = "yes"
    TOLD = "told"
    """No, and this is the moment to say so."""
    NO = "no"


class Floods:
    """Counts the messages of each address. `now` gives monotonic seconds."""

    def __init__(self, settings: Flood, now: Callable[[], float]) -> None:
        self._settings = settings
        self._now = now
        self._times: OrderedDict[str, deque[float]] = OrderedDict()
        self._flooding: set[str] = set()

    def heard(self, address: str) -> Heard:
        """Count a message. An address that floods is heard again when it has sent less than it may for the whole time."""
        now = self._now()
        times = self._times.setdefault(address, deque(maxlen=self._settings.messages + 1))
        self._times.move_to_end(address)
        times.append(now)
        while times and times[0] <= now - self._settings.seconds:
            times.popleft()
        if len(times) <= self._settings.messages:
            self._flooding.discard(address)
            self._forget()
            return Heard.YES
        first = address not in self._flooding
        self._flooding.add(address)
        return Heard.TOLD if first else Heard.NO

    def _forget(self) -> None:
        while len(self._times) > _REMEMBERED:
            gone, _ = self._times.popitem(last=False)
            self._flooding.discard(gone)
