"""Who answers a campaign's call is met here first: by the AI at once, or by a person who must be there in time.

Around the call's own agent: what happens is told to the attempt, everything else passes through.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from ccaas.dialler.answering import Listens
from ccaas.dialler.live import Attempt
from ccaas.ports.media import MediaStream
from ccaas.ports.queueing import Dismiss, Order, Place, StopRinging
from ccaas.telephony.desk import Attendant, HangUp, Next, Target, TransferTo
from ccaas.telephony.events import EndReason


class CampaignAttendant:
    """Implements `telephony.desk.Attendant` around another."""

    def __init__(
        self,
        inner: Attendant,
        attempt: Attempt,
        queue: str,
        agent: str,
        grace_s: float,
        abandoned: str,
        listens: Listens | None = None,
    ) -> None:
        """Args:
        queue: whose people take the call; empty: the AI.
        agent: the login of the one among them who does; empty: whoever is free.
        grace_s: how long who answered may wait for a person.
        abandoned: said to them when nobody was there.
        listens: tells what has answered, before anybody speaks; None: it is taken for a person.
        """
        self._inner = inner
        self._attempt = attempt
        self._queue = queue
        self._agent = agent
        self._grace_s = grace_s
        self._abandoned = abandoned
        self._listens = listens
        self._handed = False
        self._deadline: float | None = None
        self._place: CampaignPlace | None = None

    async def attend(self, stream: MediaStream, reason: str = "") -> Next:
        """See the protocol."""
        self._attempt.has_answered()
        if self._attempt.met:
            return await self._inner.attend(stream, reason)
        if self._listens is not None:
            listens, self._listens = self._listens, None
            self._attempt.heard = await listens(stream)
            if self._attempt.heard is not None:
                return HangUp()
        if not self._queue:
            self._attempt.has_met(abandoned=False)
            return await self._inner.attend(stream, reason)
        if not self._handed:
            self._handed = True
            return TransferTo(self._queue)
        # The queue is closed, or nobody is at work: it sends them back.
        self._attempt.has_met(abandoned=True)
        await self._inner.announce(stream, self._abandoned, asks=False)
        return HangUp()

    def place(self, name: str) -> Place | None:
        """See the protocol."""
        place = self._inner.place(name)
        if place is not None and self._agent and name == self._queue:
            place = self._inner.place(self._agent) or place
        return self._timed(place) if place is not None and not self._attempt.met else place

    def kept_place(self) -> Place | None:
        """See the protocol; the call asks as soon as it is answered. One that an earlier controller made is in the queue
        already."""
        self._attempt.has_answered()
        place = self._inner.kept_place()
        if place is None:
            return None
        self._handed = True
        return place if self._attempt.met else self._timed(place)

    def _timed(self, place: Place) -> Place:
        """All places of the call together have the one time."""
        now = asyncio.get_running_loop().time()
        if self._deadline is None:
            self._deadline = now + self._grace_s
        if self._place is not None:
            self._place.leave()
        self._place = CampaignPlace(place, self._attempt, self._deadline - now, self._abandoned)
        return self._place

    async def announce(self, stream: MediaStream, text: str, *, asks: bool) -> bool:
        """See the protocol."""
        return await self._inner.announce(stream, text, asks=asks)

    async def overhear(self, stream: MediaStream, *, customer: bool) -> None:
        """See the protocol."""
        await self._inner.overhear(stream, customer=customer)

    @property
    def overhears(self) -> bool:
        """See the protocol."""
        return self._inner.overhears

    def key(self, digit: str) -> None:
        """See the protocol."""
        self._inner.key(digit)

    def hold(self, held: bool) -> None:
        """See the protocol."""
        self._inner.hold(held)

    def target(self, name: str) -> Target | None:
        """See the protocol."""
        return self._inner.target(name)

    async def leave(self) -> None:
        """See the protocol."""
        await self._inner.leave()

    async def finish(self, reason: EndReason, cause: int) -> None:
        """See the protocol."""
        self._attempt.has_ended(reason, cause)
        await self._inner.finish(reason, cause)


class CampaignPlace:
    """Implements `ports.queueing.Place` around another: who is not with a person in time hears why, and is let go."""

    def __init__(self, inner: Place, attempt: Attempt, grace_s: float, words: str) -> None:
        self._inner = inner
        self._attempt = attempt
        self._words = words
        self._late = False
        self._tell: Callable[[Order], None] = lambda _: None
        self._timer = asyncio.get_running_loop().call_later(max(grace_s, 0.0), self._give_up)

    def leave(self) -> None:
        """Who answered waits elsewhere now."""
        self._timer.cancel()

    def _give_up(self) -> None:
        self._late = True
        self._attempt.has_met(abandoned=True)
        self._inner.over(hung_up=False)
        self._tell(StopRinging())
        self._tell(Dismiss(self._words))

    def follow(self, tell: Callable[[Order], None]) -> None:
        """See the protocol."""
        self._tell = tell
        if self._late:
            tell(Dismiss(self._words))
            return
        self._inner.follow(lambda order: None if self._late else tell(order))

    def announced(self, *, wanted: bool) -> None:
        """See the protocol."""
        if not self._late:
            self._inner.announced(wanted=wanted)

    def key(self, digit: str) -> None:
        """See the protocol."""
        if not self._late:
            self._inner.key(digit)

    def rings(self) -> None:
        """See the protocol."""
        if not self._late:
            self._inner.rings()

    def answered(self) -> None:
        """See the protocol."""
        if not self._late:
            self._timer.cancel()
            self._attempt.has_met(abandoned=False)
            self._inner.answered()

    def missed(self, why: str) -> None:
        """See the protocol."""
        if not self._late:
            self._inner.missed(why)

    def consulting(self, state: str) -> None:
        """See the protocol."""
        if not self._late:
            self._inner.consulting(state)

    def let_go(self) -> None:
        """See the protocol."""
        if not self._late:
            self._inner.let_go()

    def over(self, *, hung_up: bool) -> None:
        """See the protocol."""
        self._timer.cancel()
        if not self._late:
            self._inner.over(hung_up=hung_up)
