"""One call's side of its handoff: implements `ports.queueing.Place`."""

from __future__ import annotations

from collections.abc import Callable

from ccaas.contact.centre import Centre
from ccaas.contact.handoff import Handoff
from ccaas.ports.queueing import Order


class QueuePlace:
    """Passes on what the call tells."""

    def __init__(self, centre: Centre, handoff: Handoff) -> None:
        self._centre = centre
        self.handoff = handoff

    def follow(self, tell: Callable[[Order], None]) -> None:
        self._centre.follow(self.handoff, tell)

    def announced(self, *, wanted: bool) -> None:
        self._centre.announced(self.handoff, wanted=wanted)

    def key(self, digit: str) -> None:
        self._centre.key(self.handoff, digit)

    def rings(self) -> None:
        self._centre.rings(self.handoff)

    def answered(self) -> None:
        self._centre.answered(self.handoff)

    def missed(self, why: str) -> None:
        self._centre.missed(self.handoff, why)

    def consulting(self, state: str) -> None:
        self._centre.consulting(self.handoff, state)

    def let_go(self) -> None:
        self._centre.let_go(self.handoff)

    def no_person(self, why: str) -> None:
        self._centre.no_person(self.handoff, why)

    def over(self, *, hung_up: bool) -> None:
        self._centre.over(self.handoff, hung_up=hung_up)
