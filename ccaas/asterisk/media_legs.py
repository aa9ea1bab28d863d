"""Media legs: channels through which the application hears and speaks, over either media path."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from contextlib import suppress
from dataclasses import dataclass
from typing import Literal

from ccaas.asterisk.api import Client
from ccaas.asterisk.errors import AriError, LegGone
from ccaas.asterisk.leg_media import LegMedia
from ccaas.asterisk.media import open_websocket
from ccaas.asterisk.rtp import Pacer, open_rtp
from ccaas.errors import MediaError
from ccaas.ports.media import Codec

NORMAL_CLEARING = "16"


@dataclass(frozen=True, slots=True)
class MediaChoice:
    """How the audio comes to us."""

    transport: Literal["websocket", "rtp"] = "websocket"
    """"websocket": Asterisk paces. "rtp": we pace."""
    limit_s: float = 2.0
    """Longest wait until a stream stands."""
    rtp_bind: str = "127.0.0.1"
    """Our address for RTP, as Asterisk sees it."""


class MediaLegs:
    """Opens media legs, and tells their streams when the legs are gone."""

    def __init__(self, url: str, app: str, client: Client, choice: MediaChoice) -> None:
        self._url = url
        self._app = app
        self._client = client
        self._choice = choice
        self._pacer = Pacer()
        self._starting: dict[str, asyncio.Future[None]] = {}
        self._streams: dict[str, LegMedia] = {}

    async def open(self, leg_id: str, codec: Codec) -> LegMedia:
        """A stream whose channel is in our application: only then may it join a bridge (422 before).

        Raises:
            MediaError: no stream within the time limit; nothing is left behind.
        """
        self._starting[leg_id] = started = asyncio.get_running_loop().create_future()
        choose = self._open_rtp if self._choice.transport == "rtp" else self._open_websocket
        try:
            async with asyncio.timeout(self._choice.limit_s):
                await choose(leg_id, codec)
                await started
        except BaseException as error:
            await self._give_up(leg_id)
            if isinstance(error, TimeoutError):
                text = f"no audio for {leg_id}: Asterisk opened no stream within {self._choice.limit_s:g} s"
                raise MediaError(text) from None
            if isinstance(error, AriError | OSError):
                raise MediaError(f"no audio for {leg_id}: {error}") from error
            raise
        finally:
            del self._starting[leg_id]
        return self._streams[leg_id]

    async def begun(self, leg_id: str, making: Awaitable[object]) -> None:
        """Make a channel without a stream, and return when it is in our application.

        Raises:
            AriError: Asterisk does not make it, or not within the time limit; nothing is left behind.
        """
        self._starting[leg_id] = started = asyncio.get_running_loop().create_future()
        try:
            async with asyncio.timeout(self._choice.limit_s):
                await making
                await started
        except BaseException as error:
            await self._hang_up(leg_id)
            if isinstance(error, TimeoutError):
                text = f"the leg {leg_id} did not begin within {self._choice.limit_s:g} s; see Asterisk's log"
                raise AriError(text) from None
            if isinstance(error, MediaError):
                raise LegGone(f"the leg {leg_id} ended as it began") from None
            raise
        finally:
            del self._starting[leg_id]

    def started(self, leg_id: str) -> bool:
        """The channel is in our application. False: nobody waits for it."""
        waiting = self._starting.get(leg_id)
        if waiting is None:
            return False
        if not waiting.done():
            waiting.set_result(None)
        return True

    def ended(self, leg_id: str) -> None:
        """The channel is gone."""
        waiting = self._starting.get(leg_id)
        if waiting is not None and not waiting.done():
            waiting.set_exception(MediaError(f"no audio for {leg_id}: Asterisk ended the channel"))
        if stream := self._streams.pop(leg_id, None):
            stream.lost()

    async def close(self) -> None:
        for stream in (*self._streams.values(),):
            await stream.close()
        self._streams.clear()

    async def _open_websocket(self, leg_id: str, codec: Codec) -> None:
        channel = await self._client.channels.external_media(
            app=self._app,
            channel_id=leg_id,
            external_host="INCOMING",
            transport="websocket",
            encapsulation="none",
            connection_type="server",
            format=codec.value,
            transport_data="f(json)",
        )
        connection_id = (channel.channelvars or {}).get("MEDIA_WEBSOCKET_CONNECTION_ID")
        if not connection_id:
            raise MediaError(f"no audio for {leg_id}: this Asterisk has no WebSocket channel; choose the RTP path")
        self._streams[leg_id] = await open_websocket(self._url, str(connection_id), codec)

    async def _open_rtp(self, leg_id: str, codec: Codec) -> None:
        stream = await open_rtp(codec, self._pacer, self._choice.rtp_bind)
        self._streams[leg_id] = stream
        stream.on_close = lambda: self._hang_up(leg_id)
        host, port = stream.address
        channel = await self._client.channels.external_media(
            app=self._app,
            channel_id=leg_id,
            external_host=f"{host}:{port}",
            transport="udp",
            encapsulation="rtp",
            format=codec.value,
        )
        variables = channel.channelvars or {}
        stream.send_to(str(variables["UNICASTRTP_LOCAL_ADDRESS"]), int(variables["UNICASTRTP_LOCAL_PORT"]))

    async def _give_up(self, leg_id: str) -> None:
        if stream := self._streams.pop(leg_id, None):
            await stream.close()
        await self._hang_up(leg_id)

    async def _hang_up(self, leg_id: str) -> None:
        with suppress(AriError):
            await self._client.channels.hangup(channel_id=leg_id, reason_code=NORMAL_CLEARING)
