"""Who answers a campaign's call is met here first: by the AI at once, or by a person who must be there in time.

Around the call's own agent: what happens is told to the attempt, everything else passes through. With `listens` what has
answered is told first; a machine gets the campaign's message, or is hung up on. Who is taken for a person is heard on for a
while, also while they wait for one of our people and when they have one.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Container, Mapping
from contextlib import suppress
from typing import Any

from ccaas.dialler.answering import LONGEST_S, NO_PERSON, Hearing
from ccaas.dialler.live import Attempt
from ccaas.dialler.place import CampaignPlace
from ccaas.ports.answering import AnsweredBy, GreetingOver, Verdict
from ccaas.ports.media import MediaStream
from ccaas.ports.queueing import Place
from ccaas.telephony.desk import Attendant, HangUp, Next, Target, TransferTo
from ccaas.telephony.events import EndReason

MOST_MESSAGES = 3
"""So often a message is begun: a machine that beeps again, or goes on speaking, gets it anew."""
AFTER_S = 0.5
"""Silence behind a message before we hang up: no recorder shall cut its last word."""

DOUBTS: Mapping[AnsweredBy, str] = {
    AnsweredBy.MACHINE: "it was an answering machine",
    AnsweredBy.FAX: "it was a fax",
}
"""What a person may turn out to be; what whoever has them, or is rung for them, is told."""


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
        listens: Callable[[MediaStream], Hearing] | None = None,
        message: str = "",
        greeting_s: float = 60.0,
    ) -> None:
        """Args:
        queue: whose people take the call; empty: the AI.
        agent: the login of the one among them who does; empty: whoever is free.
        grace_s: how long who answered may wait for a person.
        abandoned: said to them when nobody was there.
        listens: tells what has answered; None: it is taken for a person.
        message: said to a machine once its greeting is over; empty: it is hung up on.
        greeting_s: a greeting that is not over by then is waited for no longer.
        """
        self._inner = inner
        self._attempt = attempt
        self._queue = queue
        self._agent = agent
        self._grace_s = grace_s
        self._abandoned = abandoned
        self._listens = listens
        self._message = message
        self._greeting_s = greeting_s
        self._hearing: Hearing | None = None
        self._mistaken: Verdict | None = None
        """Who waited, or talked with a person, is none; they come back."""
        self._messages = 0
        self._handed = False
        self._deadline: float | None = None
        self._place: CampaignPlace | None = None

    async def attend(self, stream: MediaStream, reason: str = "") -> Next:
        """See the protocol."""
        self._attempt.has_answered()
        verdict, self._mistaken = self._mistaken, None
        if verdict is not None and self._hearing is not None:
            self._hearing.over(stream)
            return await self._go_on(self._hearing, verdict, reason)
        self._hear_no_more()
        if self._attempt.met:
            return await self._inner.attend(stream, reason)
        if self._listens is None:
            return await self._meet(stream, reason)
        listens, self._listens = self._listens, None
        self._hearing = listens(stream)
        return await self._go_on(self._hearing, None, reason)

    async def _go_on(self, hearing: Hearing, verdict: Verdict | None, reason: str) -> Next:
        """`verdict`: of what has been taken back."""
        waits = False
        try:
            decision = await self._hear(hearing, verdict, reason)
            waits = bool(self._queue) and isinstance(decision, TransferTo)
            return decision
        finally:
            if not waits:
                self._hear_no_more()

    def _hear_no_more(self) -> None:
        hearing, self._hearing = self._hearing, None
        if hearing is not None:
            hearing.close()

    async def _meet(self, stream: MediaStream, reason: str) -> Next:
        """It is a person."""
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

    async def _hear(self, hearing: Hearing, verdict: Verdict | None, reason: str) -> Next:
        if verdict is None:
            with suppress(TimeoutError):
                async with asyncio.timeout(LONGEST_S):
                    verdict = await _verdict(hearing, tuple(AnsweredBy))
        while True:
            if verdict is not None and verdict.by in NO_PERSON:
                self._attempt.is_nobody(NO_PERSON[verdict.by])
                if not verdict.keeps or not await self._leave_message(hearing, verdict):
                    return HangUp()
                self._attempt.heard = None
            if self._queue:
                return await self._meet(hearing.beside, reason)
            ended = await self._until_doubted(hearing, reason)
            if not isinstance(ended, Verdict):
                return ended
            verdict = ended

    async def _until_doubted(self, hearing: Hearing, reason: str) -> Next | Verdict:
        """The conversation, as long as it is with a person."""
        talking = asyncio.create_task(self._meet(hearing.beside, reason), name="campaign's talk")
        doubting = asyncio.create_task(_verdict(hearing, DOUBTS), name="campaign's doubt")
        try:
            await asyncio.wait((talking, doubting), return_when=asyncio.FIRST_COMPLETED)
            verdict = doubting.result() if doubting.done() and not talking.done() else None
            return await talking if verdict is None else verdict
        finally:
            await _stopped(talking, doubting)
            hearing.alone()

    async def _leave_message(self, hearing: Hearing, verdict: Verdict) -> bool:
        """Wait for the machine, and speak. True: a person has picked up; False: the call is done."""
        if verdict.by is not AnsweredBy.MACHINE or not self._message:
            return False
        while self._messages < MOST_MESSAGES and await self._greeting_over(hearing):
            self._messages += 1
            hearing.anew()
            speaking = asyncio.create_task(self._inner.announce(hearing.beside, self._message, asks=False))
            listening = asyncio.create_task(_verdict(hearing, (AnsweredBy.HUMAN, AnsweredBy.MACHINE)))
            try:
                await asyncio.wait((speaking, listening), return_when=asyncio.FIRST_COMPLETED)
                heard = listening.result() if listening.done() else None
                if heard is None:
                    await speaking
            finally:
                await _stopped(speaking, listening)
                hearing.alone()
            if heard is None and not hearing.lost:
                self._attempt.has_left(self._message)
                await asyncio.sleep(AFTER_S)
            if heard is None or not heard.keeps:
                return False
            if heard.by is AnsweredBy.HUMAN:
                return True
        return False

    async def _greeting_over(self, hearing: Hearing) -> bool:
        """False: it takes no message, is too long, or has hung up."""
        with suppress(TimeoutError):
            async with asyncio.timeout(self._greeting_s):
                while (news := await hearing.next()) is not None:
                    if isinstance(news, GreetingOver):
                        return True
                    if not news.keeps:
                        return False
        return False

    def place(self, name: str) -> Place | None:
        """See the protocol."""
        place = self._inner.place(name)
        if place is not None and self._agent and name == self._queue:
            place = self._inner.place(self._agent) or place
        if self._attempt.met:
            self._hear_no_more()  # sent on by whoever had them
            return place
        return self._timed(place) if place is not None else None

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

    async def overhear_waiting(self, stream: MediaStream) -> None:
        """See the protocol. Who turns out to be no person is taken back."""
        hearing = self._hearing
        if hearing is None:
            return
        hearing.over(stream)
        verdict = await _verdict(hearing, DOUBTS)
        if verdict is None or self._place is None or not self._place.take_back(DOUBTS[verdict.by]):
            self._hear_no_more()
            return
        self._mistaken, self._handed, self._deadline = verdict, False, None
        self._attempt.is_nobody(NO_PERSON[verdict.by])
        await asyncio.Event().wait()  # its greeting goes on until there is another stream

    @property
    def overhears_waiting(self) -> bool:
        """See the protocol."""
        return self._hearing is not None

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
        self._hear_no_more()
        await self._inner.leave()

    async def finish(self, reason: EndReason, cause: int) -> None:
        """See the protocol."""
        self._hear_no_more()
        self._attempt.has_ended(reason, cause)
        await self._inner.finish(reason, cause)


async def _verdict(hearing: Hearing, wanted: Container[AnsweredBy]) -> Verdict | None:
    """The next that says one of these; None: the audio was lost."""
    while (news := await hearing.next()) is not None:
        if isinstance(news, Verdict) and news.by in wanted:
            return news
    return None


async def _stopped(*tasks: asyncio.Task[Any]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
