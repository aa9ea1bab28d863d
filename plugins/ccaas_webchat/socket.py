"""The HTTP side of a chat's WebSocket: who may connect, from where, and how often."""

from __future__ import annotations

import asyncio
import contextlib

import prometheus_client
import structlog
from aiohttp import WSCloseCode, web

from ccaas.web.proxies import client_address
from ccaas_webchat.limits import Places, Rate
from ccaas_webchat.origins import may_talk
from ccaas_webchat.tab import Tab
from ccaas_webchat.talk import REFUSED, House, Talk

HEARTBEAT_S = 25.0
"""How often a silent page is asked whether it is still there; proxies close connections silent for 60 s."""
LAST_WORDS_S = 3.0
"""How long what was pushed may take to go out when a talk is over."""
ESCAPED = 12
"""Most bytes that JSON needs for one character: two escapes, as of an emoji."""
BESIDE = 8_192
"""Bytes of a frame beside its text: a token, ids."""

CONNECTIONS = prometheus_client.Gauge("ccaas_webchat_connections", "Pages that are connected to a web chat now.")
SLOW = prometheus_client.Counter("ccaas_webchat_slow", "Pages cut off because they did not read what they were sent.")

_log = structlog.get_logger("webchat")


class ChatSocket:
    """Answers `GET socket`."""

    def __init__(self, house: House, places: Places, connects: Rate) -> None:
        """`connects`: new connections of one address."""
        self._house = house
        self._places = places
        self._connects = connects

    async def __call__(self, request: web.Request) -> web.StreamResponse:
        settings = self._house.settings
        address = client_address(
            request.remote, ",".join(request.headers.getall("X-Forwarded-For", ())), settings.trusted_proxies
        )
        self._admit(request, address)
        longest = settings.longest * ESCAPED + BESIDE
        # No compression: it would let a small frame become a large one in memory.
        socket = web.WebSocketResponse(
            heartbeat=HEARTBEAT_S, timeout=LAST_WORDS_S, max_msg_size=longest, compress=False
        )
        await socket.prepare(request)
        tab = Tab(socket, request.transport)
        writer = asyncio.create_task(tab.run(), name="webchat writer")
        try:
            with self._places.hold(address), CONNECTIONS.track_inprogress():
                await Talk(self._house, socket, tab, address).run()
            tab.end(WSCloseCode.OK)
            await asyncio.wait({writer}, timeout=LAST_WORDS_S)
        finally:
            writer.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await writer
            tab.cut()
            if tab.slow:
                SLOW.inc()
                _log.warning("chat page cut off: it does not read", address=address)
        return socket

    def _admit(self, request: web.Request, address: str) -> None:
        """Raises an HTTP error where no connection may be made."""
        origin = request.headers.get("Origin")
        if not may_talk(origin, request.headers.get("Host"), self._house.settings.origins):
            REFUSED.labels("origin").inc()
            _log.warning("chat refused: add the site to `origins` if it is yours", origin=origin, address=address)
            raise web.HTTPForbidden(text="This site may not use this chat.\n")
        wait = self._connects.take(address)
        full = self._places.refuses(address)
        if not wait and not full:
            return
        REFUSED.labels("places").inc()
        _log.warning("chat refused: too many connections", of=full or "address, in a minute", address=address)
        error = web.HTTPServiceUnavailable if full == "all" else web.HTTPTooManyRequests
        raise error(headers={"Retry-After": str(max(1, round(wait or 10)))}, text="Too many connections.\n")
