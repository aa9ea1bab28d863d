"""Callers whose controller has just died: music at once, and the dialplan when no controller takes them back."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass

import structlog

from ccaas.asterisk.api import Client
from ccaas.asterisk.api.models import Bridge, Channel
from ccaas.asterisk.errors import AriError
from ccaas.asterisk.secrets import AriAccess
from ccaas.asterisk.texts import refuse_texts
from ccaas.asterisk.transport import Transport
from ccaas.errors import AsteriskError
from ccaas.telephony.call import FALLBACK_CONTEXT
from ccaas.telephony.legs import call_of

_log = structlog.get_logger("guard")


@dataclass(frozen=True, slots=True)
class Lonely:
    """A caller with whom nobody speaks."""

    leg: str
    bridge: str
    """Empty for one who was put on hold, outside any bridge."""
    dialled: str
    up: bool
    """False: their phone still rings; a controller that is well answers at once."""


async def play_music(access: AriAccess) -> tuple[Lonely, ...]:
    """Music for all callers that a controller has left; them. Does what it can when Asterisk refuses."""
    transport = Transport(access)
    found: tuple[Lonely, ...] = ()
    try:
        async with transport.requests():
            client = Client(transport)
            # Who writes now shall know that it did not arrive; without a text channel there is nothing to refuse.
            with suppress(AriError):
                await refuse_texts(client)
            found = await _lonely(client)
            for caller in found:
                if caller.bridge:
                    await client.bridges.start_moh(bridge_id=caller.bridge)
                elif caller.up:
                    await client.channels.start_moh(channel_id=caller.leg)
    except AsteriskError as error:
        _log.warning("callers could not be comforted", error=str(error))
    if found:
        _log.info("music for callers while the controller comes back", calls=len(found))
    return found


async def hand_over(access: AriAccess, left: Iterable[Lonely] | None = None) -> None:
    """The dialplan takes the callers who are still where they were `left`, or whoever is alone now.

    One who called in the instant of the controller's death was offered to nobody, and is taken in any case.
    """
    transport = Transport(access)
    try:
        async with transport.requests():
            client = Client(transport)
            stayed = None if left is None else frozenset(left)
            for caller in await _lonely(client):
                if stayed is not None and caller.up and caller not in stayed:
                    continue
                _log.error("no controller took the call back; the dialplan gets it", leg=caller.leg)
                await client.channels.continue_in_dialplan(
                    channel_id=caller.leg, context=FALLBACK_CONTEXT, extension=caller.dialled or "s", priority=1
                )
    except AsteriskError as error:
        _log.error("callers could not be given to the dialplan", error=str(error))


async def comfort(access: AriAccess, patience_s: float) -> None:
    """Music, for `patience_s` at most."""
    left = await play_music(access)
    await asyncio.sleep(patience_s)
    await hand_over(access, left)


async def _lonely(client: Client) -> tuple[Lonely, ...]:
    channels, bridges = await asyncio.gather(client.channels.list(), client.bridges.list())
    return lonely(channels, bridges)


def lonely(channels: Iterable[Channel], bridges: Iterable[Bridge]) -> tuple[Lonely, ...]:
    """Callers of ours without company. The dead controller's media leg, which may still be there, is none."""
    bridge_of = {leg: bridge for bridge in bridges for leg in bridge.channels}
    found = []
    for channel in channels:
        bridge = bridge_of.get(channel.id)
        company = [leg for leg in bridge.channels if leg != channel.id and "-media" not in leg] if bridge else []
        if _is_caller(channel) and not company:
            found.append(Lonely(channel.id, bridge.id if bridge else "", channel.dialplan.exten, channel.state == "Up"))
    return tuple(found)


def _is_caller(channel: Channel) -> bool:
    """Somebody who called us, or whom we called and who answered; media legs have no arguments."""
    if call_of(channel.id):
        return "-callee" in channel.id and channel.state == "Up"
    return channel.dialplan.app_name == "Stasis" and channel.dialplan.app_data.startswith("ccaas,")
