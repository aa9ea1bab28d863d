"""A leg's audio over Asterisk's WebSocket channel: Asterisk paces what is sent."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from urllib.parse import urlsplit, urlunsplit

import msgspec
import picows
import structlog

from ccaas.asterisk.leg_media import LegMedia
from ccaas.errors import MediaError
from ccaas.ports.media import Codec

log = structlog.get_logger(__name__)

LARGEST_MESSAGE = 16_000
"""Bytes in one WebSocket message (2 s of audio); Asterisk closes the socket on one of 65,536."""
IDLE_S, REPLY_S = 4.0, 4.0
"""Without audio for so long the peer is pinged, and so long it may take to answer."""
CLOSE_S = 1.0
"""Longest wait for Asterisk's answer to our closing."""
FLUSH = b'{"command":"FLUSH_MEDIA"}'


class _Control(msgspec.Struct, gc=False):
    """A text message of the media WebSocket; the fields that matter to us."""

    event: str
    correlation_id: str = ""
    format: str = ""


_CONTROL = msgspec.json.Decoder(_Control)


class WebSocketMedia(LegMedia):
    """The `MediaStream` over a WebSocket channel."""

    def __init__(self, codec: Codec) -> None:
        super().__init__(codec)
        self._wire: picows.WSTransport | None = None
        self._full = False
        self.started = asyncio.get_running_loop().create_future()
        self.on_mark: Callable[[str], None] | None = None
        """Called with a mark's name when everything sent before it was played; a flush discards marks."""

    def send(self, coded: bytes) -> bool:
        frames = self._frames(coded)
        if self._full or self._ended or self._wire is None:
            self.refused_frames += frames
            return False
        for start in range(0, len(coded), LARGEST_MESSAGE):
            self._wire.send(picows.WSMsgType.BINARY, coded[start : start + LARGEST_MESSAGE])
        self.sent_frames += frames
        return True

    def flush(self) -> None:
        if self._wire is not None and not self._ended:
            self._wire.send(picows.WSMsgType.TEXT, FLUSH)

    def mark(self, name: str) -> None:
        """Have `on_mark` called when what was sent so far is played. `name` has at most 64 characters."""
        if len(name) > 64:
            # Asterisk ignores a command of more than 128 bytes in silence.
            raise ValueError(f"the mark {name!r} is longer than 64 characters")
        if self._wire is not None and not self._ended:
            command = {"command": "MARK_MEDIA", "correlation_id": name}
            self._wire.send(picows.WSMsgType.TEXT, msgspec.json.encode(command))

    async def close(self) -> None:
        self._close()
        wire, self._wire = self._wire, None
        if wire is not None:
            wire.send_close(picows.WSCloseCode.OK)
            # Asterisk answers with a close frame of its own, upon which `_Listener` hangs up.
            asyncio.get_running_loop().call_later(CLOSE_S, wire.disconnect)

    def connected(self, wire: picows.WSTransport) -> None:
        self._wire = wire

    def message(self, frame: picows.WSFrame) -> None:
        if frame.msg_type is picows.WSMsgType.BINARY:
            self._received(frame.get_payload_as_bytes())
        elif frame.msg_type is picows.WSMsgType.TEXT:
            self._control(frame.get_payload_as_bytes())

    def disconnected(self) -> None:
        self._wire = None
        if not self.started.done():
            self.started.set_exception(MediaError("Asterisk closed the media WebSocket before it began"))
        self.lost()

    def _control(self, raw: bytes) -> None:
        try:
            control = _CONTROL.decode(raw)
        except msgspec.DecodeError:
            log.warning("media message not understood", message=raw[:80])
            return
        match control.event:
            case "MEDIA_XOFF":
                self._full = True
            case "MEDIA_XON":
                self._full = False
            case "MEDIA_MARK_PROCESSED" if self.on_mark is not None:
                self.on_mark(control.correlation_id)
            case "MEDIA_START" if not self.started.done():
                self.started.set_result(None)
            case "ERROR":
                log.warning("media refused by asterisk", message=raw[:200])


class _Listener(picows.WSListener):
    def __init__(self, media: WebSocketMedia) -> None:
        self._media = media

    def on_ws_connected(self, transport: picows.WSTransport) -> None:
        self._media.connected(transport)

    def on_ws_frame(self, transport: picows.WSTransport, frame: picows.WSFrame) -> None:
        if frame.msg_type is picows.WSMsgType.CLOSE:
            if not transport.is_close_frame_sent:
                transport.send_close(frame.get_close_code())
            transport.disconnect()
        else:
            self._media.message(frame)

    def on_ws_disconnected(self, transport: picows.WSTransport) -> None:
        self._media.disconnected()


async def open_websocket(url: str, connection_id: str, codec: Codec) -> WebSocketMedia:
    """Connect to a waiting WebSocket channel of the Asterisk whose HTTP server is at `url`.

    Raises:
        MediaError: it is not there or closed at once. Time limits are the caller's.
    """
    media = WebSocketMedia(codec)
    base = urlsplit(url.rstrip("/"))
    scheme = "wss" if base.scheme == "https" else "ws"
    target = urlunsplit((scheme, base.netloc, f"{base.path}/media/{connection_id}", "", ""))
    try:
        await picows.ws_connect(
            lambda: _Listener(media),
            target,
            enable_auto_ping=True,
            auto_ping_idle_timeout=IDLE_S,
            auto_ping_reply_timeout=REPLY_S,
            enable_auto_pong=True,
            use_aiofastnet=False,
        )
        await media.started
    except (OSError, picows.WSError) as error:
        media.started.cancel()
        raise MediaError(f"Asterisk's media WebSocket at {url} did not open ({error})") from error
    except BaseException:
        await media.close()
        raise
    return media
