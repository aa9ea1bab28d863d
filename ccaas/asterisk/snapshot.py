"""What Asterisk says exists, read as our legs. No I/O."""

from __future__ import annotations

from collections.abc import Iterable
from collections.abc import Set as AbstractSet

from ccaas.asterisk.api.models import Bridge, Channel
from ccaas.ports.media import Codec
from ccaas.ports.telephony import LegSnapshot

OURS = "ccaas-"
"""How the id of every bridge begins that we choose."""
DIALLING = "AppDial2"
"""What Asterisk calls the application of a channel that it dials for us."""


def snapshots(
    app: str, channels: Iterable[Channel], subscribed: AbstractSet[str], bridges: Iterable[Bridge]
) -> tuple[LegSnapshot, ...]:
    """Legs under the application `app`, and what else it still hears of; codecs are still a guess."""
    bridge_of = {leg_id: bridge.id for bridge in bridges for leg_id in bridge.channels}
    found = []
    for channel in channels:
        inside, arguments = _stasis(channel, app)
        dialled = channel.dialplan.app_name == DIALLING and channel.id in subscribed
        if inside or channel.id in subscribed:
            found.append(
                LegSnapshot(
                    leg_id=channel.id,
                    up=channel.state == "Up",
                    bridge_id=bridge_of.get(channel.id, ""),
                    ani=channel.caller.number,
                    dnis=channel.dialplan.exten,
                    codec=Codec.ULAW,
                    arguments=arguments,
                    ours=inside or dialled,
                )
            )
    return tuple(found)


def _stasis(channel: Channel, app: str) -> tuple[bool, tuple[str, ...]]:
    """Whether the channel is in our application, and what the dialplan passed to it."""
    name, *arguments = channel.dialplan.app_data.split(",")
    if channel.dialplan.app_name == "Stasis" and name == app:
        return True, tuple(arguments)
    return False, ()
