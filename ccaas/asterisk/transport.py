"""The wire to ARI: REST requests with a time limit, and the one events WebSocket that comes back by itself."""

from __future__ import annotations

import asyncio
import os
import random
import re
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress

import aiohttp
import msgspec
import structlog
from yarl import URL

from ccaas.asterisk.api.messages import AnyEvent, ApplicationReplaced, Message, TextMessageReceived
from ccaas.asterisk.errors import AriError, refused
from ccaas.asterisk.rest import Query
from ccaas.asterisk.secrets import AriAccess
from ccaas.ports.telephony import Connected, Disconnected

log = structlog.get_logger(__name__)

KEEP_ALIVE_S = 10.0
"""Below Asterisk's own `session_keep_alive` (15 s), so that no request goes out on a connection it just closed."""
BACKOFF_S = (0.1, 5.0)
"""First and longest wait between two attempts to reconnect."""
REGISTER_TRIES = 20
"""The application may be registered a moment after its WebSocket opened: so often is its filter tried, 50 ms apart."""


class Unknown(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A message that this client does not know, or not in this shape."""

    type: str


Report = AnyEvent | Unknown | Connected | Disconnected | AriError
"""What the wire reports; AriError is the last one, when another controller took the application's place."""

_EVENT = msgspec.json.Decoder(AnyEvent)
_UNKNOWN = msgspec.json.Decoder(Unknown)


def decode_event(raw: str | bytes) -> AnyEvent | Unknown:
    """One message of the events WebSocket, without the credentials that text messages carry along."""
    try:
        event: AnyEvent = _EVENT.decode(raw)
    except msgspec.DecodeError as error:
        try:
            unknown = _UNKNOWN.decode(raw)
        except msgspec.DecodeError:
            unknown = Unknown(type="")
        log.debug("ari message not understood", type=unknown.type, reason=str(error))
        return unknown
    if type(event) is TextMessageReceived and (variables := event.message.variables):
        kept = {name: value for name, value in variables.items() if "authorization" not in name.lower()}
        return msgspec.structs.replace(event, message=msgspec.structs.replace(event.message, variables=kept))
    return event


class Transport:
    """Carries requests (it is the generated client's `Rest`) and reports events to one `sink`, in order."""

    def __init__(
        self,
        access: AriAccess,
        app: str = "ccaas",
        wanted: Sequence[type[Message]] = (),
        *,
        limit_s: float = 5.0,
        ping_s: float = 6.0,
    ) -> None:
        """Args:
        access: where ARI is, and as whom it is used.
        app: the name under which the dialplan passes calls to us.
        wanted: the events that Asterisk shall send; empty means all.
        limit_s: longest wait for one REST answer.
        ping_s: silence after which the events WebSocket is pinged; half of it later the peer counts as dead.
        """
        self.access = access
        self.app = app
        self.limit_s = limit_s
        self._ping_s = ping_s
        self._base = access.url.rstrip("/") + "/ari"
        self._filter = {"allowed": [{"type": kind.__struct_config__.tag} for kind in wanted], "disallowed": []}
        self._session: aiohttp.ClientSession | None = None
        self._socket: aiohttp.ClientWebSocketResponse | None = None
        self._reader: asyncio.Task[None] | None = None

    async def request(self, method: str, path: str, *, query: Query | None = None, body: object = None) -> bytes:
        if self._session is None:
            raise AriError(f"{method} {path} before ARI was opened", method=method, path=path)
        content_type = None if body is None else {"Content-Type": "application/json"}
        payload = None if body is None else msgspec.json.encode(body)
        parameters = {name: _text(value) for name, value in (query or {}).items() if value is not None}
        try:
            async with self._session.request(
                method, URL(self._base + path, encoded=True), params=parameters, data=payload, headers=content_type
            ) as answer:
                content = await answer.read()
        except TimeoutError:
            text = f"ARI did not answer {method} {path} within {self.limit_s:g} s: is Asterisk overloaded?"
            raise AriError(text, method=method, path=path) from None
        except aiohttp.ClientError as error:
            raise AriError(self._unreached(error), method=method, path=path) from error
        if answer.status == 401:
            raise AriError(self._denied(), status=401, method=method, path=path)
        if answer.status >= 400:
            raise refused(method, path, answer.status, _said(content) or answer.reason or "")
        return content

    async def open(self, sink: Callable[[Report], None]) -> None:
        """Connect; from now on `sink` is called with everything that happens, first with Connected.

        Raises:
            AriError: not reached, not let in, or the application's name was refused; nothing is left behind.
        """
        if not re.fullmatch(r"[\w.-]+", self.app):
            raise AriError(self._turned_away("it may have letters, digits, dots, hyphens and underscores"))
        self._begin()
        try:
            socket = await self._connect()
        except AriError:
            await self.close()
            raise
        self._reader = asyncio.create_task(self._read(socket, sink), name="ari-events")
        self._reader.add_done_callback(lambda task: self._ended(task, sink))

    @asynccontextmanager
    async def requests(self) -> AsyncIterator[None]:
        """REST alone, without events: for who must not take the controller's place."""
        self._begin()
        try:
            yield
        finally:
            await self.close()

    def _begin(self) -> None:
        self._session = aiohttp.ClientSession(
            headers=self.access.headers,
            timeout=aiohttp.ClientTimeout(total=self.limit_s),
            connector=aiohttp.TCPConnector(limit=100, keepalive_timeout=KEEP_ALIVE_S),
        )

    async def close(self) -> None:
        """Close the WebSocket and all connections. Safe to call twice."""
        if self._socket is not None:
            await self._socket.close()
        if self._reader is not None:
            self._reader.cancel()
            with suppress(asyncio.CancelledError):
                await self._reader
            self._reader = None
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def _connect(self) -> aiohttp.ClientWebSocketResponse:
        assert self._session is not None
        query = {"app": self.app}
        try:
            socket = await self._session.ws_connect(
                f"{self._base}/events",
                params=query,
                heartbeat=self._ping_s,
                max_msg_size=0,
                compress=0,
                timeout=aiohttp.ClientWSTimeout(ws_close=1.0),
            )
        except aiohttp.WSServerHandshakeError as error:
            known = {401: self._denied(), 404: self._not_there()}
            text = known.get(error.status) or self._turned_away(f"Asterisk answered {error.status}")
            raise AriError(text, status=error.status) from None
        except TimeoutError:
            raise AriError(
                f"Asterisk at {self.access.url} did not open the events WebSocket in {self.limit_s:g} s"
            ) from None
        except aiohttp.ClientError as error:
            raise AriError(self._unreached(error)) from None
        try:
            await self._reset_filter()
        except AriError:
            await socket.close()
            raise
        self._socket = socket
        return socket

    async def _reset_filter(self) -> None:
        # A filter outlives its client in Asterisk: what an earlier one set would silence events for us.
        for attempt in range(REGISTER_TRIES):
            try:
                await self.request("PUT", f"/applications/{self.app}/eventFilter", body=self._filter)
            except AriError as error:
                if error.status != 404 or attempt == REGISTER_TRIES - 1:
                    raise
                await asyncio.sleep(0.05)
            else:
                return

    async def _read(self, socket: aiohttp.ClientWebSocketResponse, sink: Callable[[Report], None]) -> None:
        while True:
            sink(Connected())
            replaced = await self._drain(socket, sink)
            await socket.close()
            sink(Disconnected())
            if replaced:
                sink(AriError(self._replaced()))
                return
            log.warning("ari events lost", url=self.access.url, app=self.app)
            socket = await self._reconnect()

    def _ended(self, task: asyncio.Task[None], sink: Callable[[Report], None]) -> None:
        # A reader that dies in silence would leave every call deaf.
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("the reader of ari events failed", exc_info=error)
            sink(AriError(f"a fault of ours ended the reading of ARI's events ({error!r}); restart the controller"))

    async def _drain(self, socket: aiohttp.ClientWebSocketResponse, sink: Callable[[Report], None]) -> bool:
        """Report until the socket ends; True: because another controller registered the same application."""
        async for message in socket:
            if message.type is aiohttp.WSMsgType.TEXT:
                event = decode_event(message.data)
                if type(event) is ApplicationReplaced:
                    return True
                sink(event)
        return False

    async def _reconnect(self) -> aiohttp.ClientWebSocketResponse:
        wait, longest = BACKOFF_S
        told = ""
        while True:
            await asyncio.sleep(wait * random.uniform(0.5, 1.0))
            wait = min(wait * 2, longest)
            try:
                socket = await self._connect()
            except AriError as error:
                if str(error) != told:
                    told = str(error)
                    log.warning("ari not reached", reason=told)
                continue
            log.info("ari events again", url=self.access.url, app=self.app)
            return socket

    def _unreached(self, error: aiohttp.ClientError) -> str:
        if isinstance(error, aiohttp.ClientConnectorError):
            reason = os.strerror(error.os_error.errno) if error.os_error.errno else str(error.os_error)
            return (
                f"Asterisk at {self.access.url} cannot be reached ({reason}): start it, "
                "or correct the address under `asterisk` in the YAML"
            )
        return f"the connection to Asterisk at {self.access.url} broke ({error}): see Asterisk's log"

    def _denied(self) -> str:
        return (
            f"Asterisk at {self.access.url} refused ARI user {self.access.user!r}: "
            "make user and password under `asterisk` in the YAML those of its ari.conf"
        )

    def _not_there(self) -> str:
        return f"{self.access.url} has no ARI: load res_ari, and enable it in Asterisk's ari.conf and http.conf"

    def _turned_away(self, why: str) -> str:
        return f"the ARI application {self.app!r} was refused ({why}): choose another name in the YAML"

    def _replaced(self) -> str:
        return (
            f"another controller took the ARI application {self.app!r} at {self.access.url}: "
            "stop one of the two, or give each its own name"
        )


def _text(value: str | float | bool | Sequence[str]) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value) if isinstance(value, str | int | float) else ",".join(value)


def _said(content: bytes) -> str:
    """ARI's own message in a refusal: {"message": …} or {"error": …}."""
    try:
        fields = msgspec.json.decode(content, type=dict[str, object])
    except msgspec.DecodeError:
        return ""
    return str(fields.get("message") or fields.get("error") or "")
