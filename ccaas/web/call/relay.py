"""SIP over WebSocket, passed on between a browser and Asterisk: one port and one certificate, and sessions guard it."""

from __future__ import annotations

import asyncio
from collections.abc import Set as AbstractSet

import aiohttp
import structlog
from aiohttp import web

from ccaas.web.call.sip import LONGEST, refusal

_log = structlog.get_logger(__name__)

PROTOCOL = "sip"
HEARTBEAT_S = 20.0
"""A browser that does not answer for half as long is gone: its telephone is then out of reach, and calls go elsewhere."""
_CONNECT_S = 5.0


class Relay:
    """Opens one connection to Asterisk for each browser's."""

    def __init__(self, url: str) -> None:
        """`url`: Asterisk's SIP over WebSocket, such as ws://127.0.0.1:8088/ws."""
        self._url = url
        self._client: aiohttp.ClientSession | None = None
        self._open: set[web.WebSocketResponse] = set()

    async def start(self) -> None:
        self._client = aiohttp.ClientSession()

    async def close(self) -> None:
        """End all connections. Safe to call twice."""
        for browser in (*self._open,):
            await browser.close(code=aiohttp.WSCloseCode.SERVICE_RESTART)
        client, self._client = self._client, None
        if client is not None:
            await client.close()

    async def serve(self, request: web.Request, user: str, methods: AbstractSet[str]) -> web.StreamResponse:
        """Until either side ends it. `user`: the browser's telephone. `methods`: what it may say."""
        assert self._client is not None
        if PROTOCOL not in request.headers.get("Sec-WebSocket-Protocol", ""):
            raise web.HTTPBadRequest(text="this is for telephones: WebSocket with the protocol sip\n")
        try:
            async with asyncio.timeout(_CONNECT_S):
                asterisk = await self._client.ws_connect(self._url, protocols=[PROTOCOL], max_msg_size=LONGEST)
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            _log.warning("a browser's telephone does not reach asterisk", user=user, error=str(error))
            raise web.HTTPBadGateway(text="the telephone system is not reached\n") from None
        browser = web.WebSocketResponse(protocols=[PROTOCOL], heartbeat=HEARTBEAT_S, max_msg_size=LONGEST)
        try:
            await browser.prepare(request)
            self._open.add(browser)
            async with asyncio.TaskGroup() as both:
                back = both.create_task(_pass_back(asterisk, browser))
                await self._pass_on(browser, asterisk, user, methods)
                back.cancel()
        finally:
            self._open.discard(browser)
            await asterisk.close()
        return browser

    async def _pass_on(
        self,
        browser: web.WebSocketResponse,
        asterisk: aiohttp.ClientWebSocketResponse,
        user: str,
        methods: AbstractSet[str],
    ) -> None:
        async for message in browser:
            if message.type is not aiohttp.WSMsgType.TEXT:
                break
            if why := refusal(message.data, user, methods):
                _log.warning("a browser's telephone is cut off", user=user, why=why)
                await browser.close(code=aiohttp.WSCloseCode.POLICY_VIOLATION, message=why.encode())
                break
            try:
                await asterisk.send_str(message.data)
            except (aiohttp.ClientError, ConnectionError):
                break


async def _pass_back(asterisk: aiohttp.ClientWebSocketResponse, browser: web.WebSocketResponse) -> None:
    try:
        async for message in asterisk:
            if message.type is aiohttp.WSMsgType.TEXT:
                await browser.send_str(message.data)
            elif message.type is aiohttp.WSMsgType.BINARY:
                await browser.send_bytes(message.data)
    except (aiohttp.ClientError, ConnectionError):
        pass
    # Asterisk is gone: the browser tries again by itself.
    await browser.close(code=aiohttp.WSCloseCode.SERVICE_RESTART)
