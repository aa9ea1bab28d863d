"""The AI's own leg in a call: opened into a new bridge with somebody, and closed."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

from ccaas.ports.media import MediaStream
from ccaas.ports.telephony import Switch
from ccaas.telephony.events import EndReason
from ccaas.telephony.legs import Legs

NORMAL_CLEARING = 16
"""Q.850: the call ends because one of its users wanted it to."""


class CallAudio:
    """One stream at a time."""

    def __init__(self, switch: Switch, legs: Legs) -> None:
        self._switch = switch
        self._legs = legs
        self._stream: MediaStream | None = None

    async def open(self, leg_id: str, *, keep_bridge: bool = False) -> MediaStream:
        """A new media leg in a new bridge with `leg_id`: a new bridge leaves behind whatever played in the old one, which
        is destroyed unless `keep_bridge`."""
        legs = self._legs
        old = () if keep_bridge else tuple(legs.bridges)
        bridge = legs.next_bridge()
        media = legs.next_media()
        legs.open.add(media)
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._switch.bridge(bridge))
                opening = group.create_task(self._switch.open_media(legs.call_id, media, legs.codec))
        except ExceptionGroup as failed:
            raise failed.exceptions[0] from None
        self._stream = opening.result()
        await self._switch.join(bridge, leg_id, media)
        await self.drop_bridges(old)
        return self._stream

    async def drop_bridges(self, bridges: Iterable[str]) -> None:
        """Destroy some of the call's bridges; whoever is in them is in none."""
        for bridge in tuple(bridges):
            await self._switch.destroy_bridge(bridge)
            self._legs.bridges.remove(bridge)

    async def close(self) -> None:
        """Safe to call twice."""
        stream, self._stream = self._stream, None
        if stream is not None:
            await stream.close()

    async def drop_old(self) -> None:
        """The legs of an earlier controller: nobody listens at their other end."""
        for leg in tuple(self._legs.open):
            await self._switch.hang_up(leg, EndReason.FAILED, NORMAL_CLEARING)
        self._legs.open.clear()
