"""What the two sides of a talk say, on a stream each, for whoever writes it down; and what who waits says, before it.

On each leg hangs a snoop that hears what its party says and nothing else; it shares a bridge with a media leg of ours. The
talk itself is not touched, and whatever fails here ends no call.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from functools import partial

import structlog

from ccaas.errors import AsteriskError, MediaError
from ccaas.ports.media import MediaStream
from ccaas.ports.telephony import Into, Switch
from ccaas.telephony.audio import NORMAL_CLEARING
from ccaas.telephony.desk import Attendant
from ccaas.telephony.events import EndReason
from ccaas.telephony.legs import Legs

_log = structlog.get_logger(__name__)


class Overhearing:
    """One stay with people. `begin` may be called again, when another person has the caller."""

    def __init__(self, switch: Switch, legs: Legs, attendant: Attendant) -> None:
        self._switch = switch
        self._legs = legs
        self._attendant = attendant
        self._tasks: dict[str, asyncio.Task[None]] = {}
        """By the leg that is listened to."""
        self._waiting: asyncio.Task[None] | None = None
        self.names: set[str] = set()
        """Of the snoops and bridges that are ours."""

    def wait(self) -> None:
        """Listen to the caller who waits for a person, where that is wanted; it goes on when a person has them."""
        if self._attendant.overhears_waiting:
            work = self._listen(self._legs.caller, self._attendant.overhear_waiting)
            self._waiting = asyncio.create_task(work, name=f"{self._legs.call_id} waits, overheard")

    def begin(self, agent: str) -> None:
        """Listen to the caller and to `agent`; who else was listened to has gone, and their stream with them."""
        if not self._attendant.overhears:
            return
        both = (self._legs.caller, agent)
        for leg in both:
            if leg not in self._tasks:
                work = self._listen(leg, partial(self._attendant.overhear, customer=leg == self._legs.caller))
                self._tasks[leg] = asyncio.create_task(work, name=f"{self._legs.call_id} overhearing")
        for gone in self._tasks.keys() - set(both):
            self._tasks[gone].cancel()

    async def close(self) -> None:
        """Listen no longer, and leave nothing behind."""
        tasks = [*self._tasks.values(), *([self._waiting] if self._waiting is not None else [])]
        self._tasks, self._waiting = {}, None
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _listen(self, leg: str, hear: Callable[[MediaStream], Awaitable[None]]) -> None:
        # By the clock: those of an earlier controller, which are being ended by their names, have others.
        stem, number = f"ccaas-{self._legs.call_id}", time.time_ns()
        spy, bridge, media = f"{stem}-spy{number}", f"{stem}-ear{number}", self._legs.next_media()
        self.names |= {spy, bridge}
        stream: MediaStream | None = None
        self._legs.open.add(media)
        try:
            await self._switch.bridge(bridge)
            await self._switch.snoop(spy, leg, Into.NOBODY, both=False)
            stream = await self._switch.open_media(self._legs.call_id, media, self._legs.codec)
            await self._switch.join(bridge, spy, media)
            await hear(stream)
        except (AsteriskError, MediaError) as error:
            _log.warning("a call is not listened to", call=self._legs.call_id, leg=leg, error=str(error))
        finally:
            await self._end(stream, spy, bridge)

    async def _end(self, stream: MediaStream | None, spy: str, bridge: str) -> None:
        try:
            if stream is not None:
                await stream.close()
            await self._switch.hang_up(spy, EndReason.DISMISSED, NORMAL_CLEARING)
            await self._switch.destroy_bridge(bridge)
        except AsteriskError as error:
            _log.warning("what listened to a talk is left to the next look", call=self._legs.call_id, error=str(error))
